//! Revocation lists (RFC 5280 5): those of an issuer for its own certificates, and that of SHAKEN's policy administrator for all
//! whom an authority confirms (ATIS-1000080). The American one says that it is indirect, and whose certificate each entry is; the
//! French one, as its published example has it, says neither.

use std::collections::HashSet;

use x509_parser::asn1_rs::{Any, Class, Sequence, Tag};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};
use x509_parser::x509::X509Name;

use super::certificate::{Certificate, Signed, Validity, serial};
use super::name::Name;

/// One list, among those of an authority.
#[derive(Debug, Clone)]
pub(super) struct RevocationList {
    issuer: Name,
    /// The same for people, such as `CN=BPCO PA1, C=FR`.
    name: String,
    validity: Validity,
    is_indirect: bool,
    /// It is that of an anchor which issues nothing but lists.
    is_administrators: bool,
    /// Which of the anchors have signed it, by their places: looked for once, since a list may have megabytes.
    anchors: Vec<usize>,
    /// Issuer and serial number.
    revoked: HashSet<(Name, Vec<u8>)>,
    signed: Signed,
}

impl RevocationList {
    /// Reads a whole list in DER. None of its critical extensions may be unknown, and it must say when the next one comes.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, list) = CertificateRevocationList::from_der(der).ok()?;
        let tbs = &list.tbs_cert_list;
        tbs.extensions_map().ok().filter(|_| rest.is_empty() && list.signature_algorithm == tbs.signature)?;
        let mut is_indirect = false;
        for extension in tbs.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::IssuingDistributionPoint(point) => {
                    if point.only_some_reasons.is_some() || point.only_contains_attribute_certs {
                        return None;
                    }
                    is_indirect = point.indirect_crl;
                }
                _ if extension.critical => return None,
                _ => {}
            }
        }
        let issuer = Name::from(&tbs.issuer);
        Some(Self {
            revoked: revoked(&tbs.revoked_certificates, issuer.clone())?,
            issuer,
            name: tbs.issuer.to_string(),
            validity: Validity { from: tbs.this_update.timestamp(), to: tbs.next_update?.timestamp() },
            is_indirect,
            is_administrators: false,
            anchors: Vec::new(),
            signed: Signed::read(tbs.as_ref(), &list.signature_algorithm, &list.signature_value).ok()?,
        })
    }

    /// The same for an authority with these anchors.
    pub(super) fn below(mut self, anchors: &[Certificate], is_administrators: bool) -> Self {
        let signers = anchors.iter().enumerate().filter(|(_, anchor)| self.is_signed_by(anchor));
        self.anchors = signers.map(|(place, _)| place).collect();
        Self { is_administrators, ..self }
    }

    /// Is it by this name?
    pub(super) fn is_by(&self, name: &Name) -> bool {
        self.issuer == *name
    }

    /// Has no anchor signed it?
    pub(super) fn is_strangers(&self) -> bool {
        self.anchors.is_empty()
    }

    /// Whose it is, for people.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// When it is in force.
    pub(super) fn validity(&self) -> Validity {
        self.validity
    }

    /// Does it speak of certificates of this issuer?
    pub(super) fn covers(&self, issuer: &Name) -> bool {
        self.is_indirect || self.is_administrators || self.is_by(issuer)
    }

    /// Who of these has signed it, a certificate's issuer and the anchors: one that was renewed may lie beside the one that ended.
    pub(super) fn signers<'c>(
        &self,
        issuer: Option<&'c Certificate>,
        anchors: &'c [Certificate],
    ) -> impl Iterator<Item = &'c Certificate> {
        let of_anchors = self.anchors.iter().filter_map(|&place| anchors.get(place));
        let is_no_anchor = |issuer: &&Certificate| !anchors.iter().any(|anchor| std::ptr::eq(anchor, *issuer));
        issuer.filter(is_no_anchor).filter(|issuer| self.is_signed_by(issuer)).into_iter().chain(of_anchors)
    }

    fn is_signed_by(&self, issuer: &Certificate) -> bool {
        self.is_by(&issuer.subject) && self.may_be_of(issuer) && issuer.has_signed(&self.signed)
    }

    /// RFC 5280 6.3.3 f wants cRLSign. France's root, as published, signs the list of its own certificates without: whoever
    /// may issue them may take them back.
    fn may_be_of(&self, issuer: &Certificate) -> bool {
        issuer.usage.signs_lists || !self.is_indirect && issuer.may_issue(0)
    }

    /// Does this certificate stand on it?
    pub(super) fn names(&self, certificate: &Certificate) -> bool {
        let names = |issuer: &Name| self.revoked.contains(&(issuer.clone(), certificate.serial.clone()));
        // Whose a serial number is that an administrator does not say, it is not the administrator's own.
        names(&certificate.issuer) || self.is_administrators && names(&self.issuer)
    }
}

/// RFC 5280 5.3.3: an entry is of the issuer that it names, or else of the one before; in the beginning, of the list's.
fn revoked(entries: &[RevokedCertificate<'_>], mut issuer: Name) -> Option<HashSet<(Name, Vec<u8>)>> {
    let mut revoked = HashSet::with_capacity(entries.len());
    for entry in entries {
        for extension in entry.extensions() {
            match extension.oid.to_id_string().as_str() {
                CERTIFICATE_ISSUER => issuer = directory_name(extension.value)?,
                _ if extension.critical => return None,
                _ => {}
            }
        }
        revoked.insert((issuer.clone(), serial(entry.raw_serial())));
    }
    Some(revoked)
}

/// The distinguished name among the `GeneralNames` of a certificate's issuer.
fn directory_name(names: &[u8]) -> Option<Name> {
    let (_, names) = Sequence::from_der(names).ok()?;
    let mut left = &*names.content;
    while !left.is_empty() {
        let (after, name) = Any::from_der(left).ok()?;
        // directoryName [4], explicit because Name is a CHOICE.
        if name.class() == Class::ContextSpecific && name.tag() == Tag(4) {
            return X509Name::from_der(name.data).ok().map(|(_, name)| Name::from(&name));
        }
        left = after;
    }
    None
}

/// id-ce-certificateIssuer (RFC 5280 5.3.3).
const CERTIFICATE_ISSUER: &str = "2.5.29.29";

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CustomExtension, IsCa, KeyUsagePurpose, date_time_ymd};

    use super::super::testing::{ECDSA_WITH_SHA256, Holder, armoured, judged, tlv, trusting_but};
    use super::super::{Authority, Fault, Untrusted};
    use crate::caller::Attest;

    fn extension(oid: &[u8], value: &[u8]) -> Vec<u8> {
        tlv(0x30, &[&tlv(0x06, &[oid]), &[0x01, 0x01, 0xff], &tlv(0x04, &[value])])
    }

    const SEQUENCE: u8 = 0x30;
    /// 2.5.29.28, 2.5.29.29, 2.5.29.27.
    const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 0x1c];
    const ISSUER: &[u8] = &[0x55, 0x1d, 0x1d];
    const DELTA: &[u8] = &[0x55, 0x1d, 0x1b];
    /// `[4] TRUE`: indirectCRL.
    const INDIRECT: &[u8] = &[0x30, 0x03, 0x84, 0x01, 0xff];
    const WHOLE: &[u8] = &[0x30, 0x00];

    /// A list by `by` of these (issuer if another than before, serial number), with this critical extension.
    fn list(by: &Holder, entries: &[(Option<&Holder>, u8)], extension: (&[u8], &[u8])) -> String {
        let encoded = |(issuer, serial): &(Option<&Holder>, u8)| (issuer.map(Holder::name), vec![*serial]);
        encoded_list(by, &by.name(), &entries.iter().map(encoded).collect::<Vec<_>>(), extension)
    }

    /// The same, with names and serial numbers as they are encoded.
    fn encoded_list(
        by: &Holder,
        name: &[u8],
        entries: &[(Option<Vec<u8>>, Vec<u8>)],
        (oid, value): (&[u8], &[u8]),
    ) -> String {
        let time = |text: &str| tlv(0x17, &[text.as_bytes()]);
        let algorithm = tlv(SEQUENCE, &[ECDSA_WITH_SHA256]);
        let entry = |(issuer, serial): &(Option<Vec<u8>>, Vec<u8>)| {
            let names = issuer.as_ref().map(|issuer| tlv(SEQUENCE, &[&tlv(0xa4, &[issuer])]));
            let extensions = names.map(|names| tlv(SEQUENCE, &[&extension(ISSUER, &names)])).unwrap_or_default();
            tlv(SEQUENCE, &[&tlv(0x02, &[serial]), &time("250601000000Z"), &extensions])
        };
        let entries = entries.iter().flat_map(entry).collect::<Vec<u8>>();
        let extensions = tlv(0xa0, &[&tlv(SEQUENCE, &[&extension(oid, value)])]);
        let (from, to) = (time("250601000000Z"), time("260601000000Z"));
        let parts: [&[u8]; 7] =
            [&[0x02, 0x01, 0x01], &algorithm, name, &from, &to, &tlv(SEQUENCE, &[&entries]), &extensions];
        let signed = tlv(SEQUENCE, &parts);
        let signature = tlv(0x03, &[&[0], &by.sign(&signed)]);
        armoured("X509 CRL", &tlv(SEQUENCE, &[&signed, &algorithm, &signature]))
    }

    #[test]
    fn an_indirect_list_speaks_of_those_whose_issuer_it_names() {
        let (root, other) = (Holder::root("root", |_| {}), Holder::root("other", |_| {}));
        let signer = root.signer(|_| {});
        // As SHAKEN's policy administrator.
        let administrator = Holder::root("administrator", lists_only);
        let anchors = root.pem.clone() + &administrator.pem;
        let judged_with =
            |list: &str, anchors: &str| judged(&signer.token(), &signer.pem, &trusting_but(anchors, list));
        let idp = (ISSUING_DISTRIBUTION_POINT, INDIRECT);
        for (entries, expected) in [
            (&[(Some(&root), 7)][..], Err(Fault::Revoked)),
            (&[(Some(&other), 6), (Some(&root), 5), (None, 7)], Err(Fault::Revoked)),
            (&[(Some(&root), 5), (Some(&other), 7)], Ok(Attest::A)),
            (&[(Some(&other), 6), (None, 7)], Ok(Attest::A)),
        ] {
            assert_eq!(judged_with(&list(&administrator, entries, idp), &anchors), expected);
        }
        let unknown = list(&administrator, &[(Some(&other), 6)], idp);
        assert_eq!(judged_with(&unknown, &root.pem), Err(Fault::ListNotInForce), "its signer is no anchor");
        let issuer = Holder::root("issuer", |params| params.key_usages = vec![KeyUsagePurpose::KeyCertSign]);
        let of_others = list(&issuer, &[(Some(&other), 6)], idp);
        let anchors = root.pem.clone() + &issuer.pem;
        assert_eq!(
            judged_with(&of_others, &anchors),
            Err(Fault::ListNotInForce),
            "without cRLSign, and not of its own"
        );
    }

    #[test]
    fn whoever_is_on_a_list_is_revoked_however_it_writes_names_and_numbers() {
        let root = Holder::root("root", |_| {});
        let administrator = Holder::root("administrator", lists_only);
        let signer = root.signer(|_| {});
        let anchors = root.pem.clone() + &administrator.pem;
        // A PrintableString, where the certificates have UTF8String.
        let printable = |name: &str| {
            let attribute = tlv(SEQUENCE, &[&[0x06, 0x03, 0x55, 0x04, 0x03], &tlv(0x13, &[name.as_bytes()])]);
            tlv(SEQUENCE, &[&tlv(0x31, &[&attribute])])
        };
        let (indirect, whole) = ((ISSUING_DISTRIBUTION_POINT, INDIRECT), (ISSUING_DISTRIBUTION_POINT, WHOLE));
        for (list, expected) in [
            (encoded_list(&administrator, &administrator.name(), &[(Some(root.name()), vec![7])], indirect), true),
            (
                encoded_list(&administrator, &administrator.name(), &[(Some(printable("Root ")), vec![7])], indirect),
                true,
            ),
            (
                encoded_list(&administrator, &administrator.name(), &[(Some(root.name()), vec![0, 0, 7])], indirect),
                true,
            ),
            (encoded_list(&administrator, &printable("Administrator"), &[(None, vec![7])], whole), true),
            (encoded_list(&root, &printable("ROOT"), &[(None, vec![7])], whole), true),
            (encoded_list(&root, &printable("ROOT"), &[(None, vec![7, 0])], whole), false),
            (
                encoded_list(&administrator, &administrator.name(), &[(Some(printable("roo t")), vec![7])], indirect),
                false,
            ),
        ] {
            let judged = judged(&signer.token(), &signer.pem, &trusting_but(&anchors, &list));
            assert_eq!(judged, if expected { Err(Fault::Revoked) } else { Ok(Attest::A) }, "{list}");
        }
    }

    #[test]
    fn an_administrators_list_speaks_of_all_even_if_it_does_not_say_so() {
        let root = Holder::root("root", |_| {});
        let authority = root.authority("authority", |_| {});
        let signer = authority.signer(|_| {});
        let lists_only = |params: &mut CertificateParams| {
            params.is_ca = IsCa::ExplicitNoCa;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign];
        };
        let (administrator, impostor) =
            (Holder::root("administrator", lists_only), Holder::root("administrator", lists_only));
        let (is_ca, until) = (Holder::root("administrator", |_| {}), (2026, 6, 1));
        let chain = signer.pem.clone() + &authority.pem;
        for (name, by, list, expected) in [
            ("it is on it", &administrator, administrator.list(&[7], until), Err(Fault::Revoked)),
            ("another is", &administrator, administrator.list(&[8], until), Ok(Attest::A)),
            ("it has ended", &administrator, administrator.list(&[], (2025, 12, 1)), Err(Fault::ListNotInForce)),
            ("somebody else signed it", &administrator, impostor.list(&[], until), Err(Fault::ListNotInForce)),
            ("its signer issues certificates, and it is of those", &is_ca, is_ca.list(&[7], until), Ok(Attest::A)),
        ] {
            let trust = trusting_but(&(root.pem.clone() + &by.pem), &list);
            assert_eq!(judged(&signer.token(), &chain, &trust), expected, "{name}");
        }
    }

    #[test]
    fn the_list_of_an_administrator_who_is_passed_over_has_all_refused() {
        let mut unknown = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 32473, 1], vec![5, 0]);
        unknown.set_criticality(true);
        let root = Holder::root("root", |_| {});
        let signer = root.signer(|_| {});
        let administrator = Holder::root("administrator", lists_only);
        let passed_over = administrator.renewed(|params| params.custom_extensions.push(unknown.clone()));
        let issuer = Holder::root("issuer", |_| {});
        let issuer_passed_over = issuer.renewed(|params| params.custom_extensions.push(unknown));
        let until = (2026, 6, 1);
        let list = administrator.list(&[7], until);
        for (name, anchor, list, expected) in [
            ("nobody can say that it is an administrator's", "", &list, Ok(Attest::A)),
            ("it is read", &*administrator.pem, &list, Err(Fault::Revoked)),
            ("it is passed over", &passed_over, &list, Err(Fault::ListNotInForce)),
            ("there is no list by its name", &passed_over, &root.list(&[8], until), Ok(Attest::A)),
            (
                "it issues certificates, and its list is of those",
                &issuer_passed_over,
                &issuer.list(&[7], until),
                Ok(Attest::A),
            ),
        ] {
            for anchors in [root.pem.clone() + anchor, anchor.to_owned() + &root.pem] {
                let trust = trusting_but(&anchors, list);
                assert_eq!(judged(&signer.token(), &signer.pem, &trust), expected, "{name}");
            }
        }
    }

    #[test]
    fn how_an_administrators_certificate_is_signed_keeps_no_list_from_being_heard() {
        let root = Holder::root("root", |_| {});
        let signer = root.signer(|_| {});
        let administrator = Holder::root("administrator", lists_only);
        let anchors = root.pem.clone() + &administrator.certified_otherwise();
        for (revoked, expected) in [(7, Err(Fault::Revoked)), (8, Ok(Attest::A))] {
            let trust = trusting_but(&anchors, &administrator.list(&[revoked], (2026, 6, 1)));
            assert_eq!(judged(&signer.token(), &signer.pem, &trust), expected);
        }
    }

    /// Signs lists and no certificates.
    fn lists_only(params: &mut CertificateParams) {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::CrlSign];
    }

    #[test]
    fn a_list_counts_only_while_its_signer_does() {
        let root = Holder::root("root", |_| {});
        let signer = root.signer(|_| {});
        let appointed = |last: &[u8], until: (i32, u8, u8)| {
            let administrator = root.authority("administrator", |params| {
                lists_only(params);
                params.serial_number = Some(rcgen::SerialNumber::from_slice(last));
                params.not_after = date_time_ymd(until.0, until.1, until.2);
            });
            let list = administrator.list(&[8], (2026, 6, 1));
            (administrator, list)
        };
        let (administrator, own) = appointed(&[9], (2027, 1, 1));
        let (expired, of_expired) = appointed(&[9], (2025, 12, 31));
        let until = (2026, 6, 1);
        for (name, by, lists, expected) in [
            ("it is in order", &administrator, own.clone(), Ok(Attest::A)),
            ("nobody took it back", &administrator, own.clone() + &root.list(&[6], until), Ok(Attest::A)),
            ("it was taken back", &administrator, own.clone() + &root.list(&[9], until), Err(Fault::ListNotInForce)),
            ("the same, told first", &administrator, root.list(&[9], until) + &own, Err(Fault::ListNotInForce)),
            (
                "whether it was is not known",
                &administrator,
                own.clone() + &root.list(&[], (2025, 12, 1)),
                Err(Fault::ListNotInForce),
            ),
            ("it has expired", &expired, of_expired.clone(), Err(Fault::ListNotInForce)),
        ] {
            let trust = trusting_but(&(root.pem.clone() + &by.pem), &lists);
            assert_eq!(judged(&signer.token(), &signer.pem, &trust), expected, "{name}");
        }
        // It was renewed, and both lie there.
        let renewed = expired.certified_by(&root, |params| params.not_after = date_time_ymd(2027, 1, 1));
        for both in [expired.pem.clone() + &renewed, renewed.clone() + &expired.pem] {
            let trust = trusting_but(&(root.pem.clone() + &both), &of_expired);
            assert_eq!(judged(&signer.token(), &signer.pem, &trust), Ok(Attest::A));
        }
    }

    #[test]
    fn two_administrators_who_speak_of_each_other_are_both_asked_once() {
        let root = Holder::root("root", |_| {});
        let signer = root.signer(|_| {});
        let [one, other] = ["one", "other"].map(|name| {
            root.authority(name, |params| {
                lists_only(params);
                params.serial_number = Some(rcgen::SerialNumber::from_slice(name.as_bytes()));
            })
        });
        let anchors = root.pem.clone() + &one.pem + &other.pem;
        for (revoked, expected) in [(8, Ok(Attest::A)), (7, Err(Fault::Revoked))] {
            let lists = one.list(&[], (2026, 6, 1)) + &other.list(&[revoked], (2026, 6, 1));
            assert_eq!(judged(&signer.token(), &signer.pem, &trusting_but(&anchors, &lists)), expected);
        }
    }

    #[test]
    fn a_list_that_no_anchor_has_signed_is_told_of() {
        let (root, administrator) = (Holder::root("root", |_| {}), Holder::root("administrator", |_| {}));
        let impostor = Holder::root("root", |_| {});
        let strangers = |anchors: &str, list: &str| {
            let authority = Authority::anchored(anchors.as_bytes()).unwrap().with_lists(list.as_bytes()).unwrap();
            authority.strangers_lists().map(str::to_owned).collect::<Vec<_>>()
        };
        let [own, of_administrator, of_impostor] =
            [&root, &administrator, &impostor].map(|holder| holder.list(&[], (2026, 6, 1)));
        let none: [&str; 0] = [];
        assert_eq!(strangers(&root.pem, &own), none);
        assert_eq!(strangers(&root.pem, &(own.clone() + &of_administrator)), ["CN=administrator"]);
        assert_eq!(strangers(&(root.pem.clone() + &administrator.pem), &of_administrator), none);
        assert_eq!(strangers(&root.pem, &of_impostor), ["CN=root"]);
    }

    #[test]
    fn a_list_that_tells_only_part_is_none() {
        let root = Holder::root("root", |_| {});
        // onlySomeReasons [3], onlyContainsAttributeCerts [5], and a delta.
        let (some, attributes) = ([0x30, 0x04, 0x83, 0x02, 0x06, 0x40], [0x30, 0x03, 0x85, 0x01, 0xff]);
        for part in [
            (ISSUING_DISTRIBUTION_POINT, &some[..]),
            (ISSUING_DISTRIBUTION_POINT, &attributes),
            (DELTA, &[0x02, 0x01, 0x01]),
        ] {
            let authority = Authority::anchored(root.pem.as_bytes()).unwrap();
            let read = authority.with_lists(list(&root, &[(None, 7)], part).as_bytes());
            assert_eq!(read.err(), Some(Untrusted::List { place: 1 }));
        }
    }
}
