use crate::fixture::{authority, email, issue, order, request, tel};

#[test]
fn numbers_and_mailboxes_get_their_certificate() {
    let (authority, request) = (authority(), request());
    for subject in [tel(), email("Some.One+tag@Example.org")] {
        let issued = issue(&authority, &order(&subject, &request)).unwrap();
        assert_eq!(issued.spki_sha256, request.spki_sha256());
    }
}
