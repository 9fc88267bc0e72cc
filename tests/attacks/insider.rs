//! Somebody who runs the service, or has its database, looks at what is not theirs to see, and covers the tracks.

use end_to_end::forms::Forms;
use sha2::{Digest, Sha256};
use sqlx::Row as _;

use crate::scene::{CARRIER, Scene, VICTIM};

/// A row of the audit, as whoever has the database reads it.
struct Row {
    number: i64,
    at: i64,
    words: [String; 3],
    salt: Vec<u8>,
}

impl Row {
    fn commitment(&self) -> [u8; 32] {
        let hash = Sha256::new().chain_update(&self.salt).chain_update(self.number.to_be_bytes());
        let mut hash = hash.chain_update(self.at.to_be_bytes());
        for word in &self.words {
            hash.update((word.len() as u64).to_be_bytes());
            hash.update(word);
        }
        hash.finalize().into()
    }
}

/// An operator who looks at the numbers of three calls.
fn look_at_numbers(scene: &Scene) {
    let password = scene.file("password", b"a long enough password\n");
    let added = scene.command(&["operator", "add", "ada", "--password-file", password.to_str().expect("a plain path")]);
    assert!(added.status.success(), "{added:?}");
    let calls: Vec<String> = (0..3).map(|_| scene.refused(scene.plan(CARRIER, VICTIM), 480).call_id).collect();
    calls.iter().for_each(|call| drop(scene.record(call)));
    let ids: Vec<Vec<u8>> =
        scene.database(async |pool| sqlx::query_scalar("SELECT id FROM calls ORDER BY id").fetch_all(&pool).await);
    scene.runtime.block_on(async {
        let mut console = Forms::at(scene.service.http());
        console.open("/console/login").await;
        let fields = [("name", "ada"), ("password", "a long enough password"), ("next", "")];
        assert_eq!(console.post("/console/login", &fields).await.0, 303);
        for id in ids {
            let path = format!("/console/calls/{}", id.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
            let (status, page) = console.open(&path).await;
            assert!(
                status == 200 && !page.contains("202-555") && !page.contains("2025550143"),
                "{status}: the number is shown to who gives no reason"
            );
            let (status, _) = console.post(&format!("{path}/reveal"), &[("why", "curiosity")]).await;
            assert!((200..400).contains(&status), "{status}");
        }
    });
    let audit = scene.audit();
    let told: Vec<(&str, &str)> = audit.iter().map(|(actor, action)| (actor.as_str(), action.as_str())).collect();
    let reveal = ("ada", "reveal");
    assert_eq!(told, [("command line", "operator"), ("ada", "login"), reveal, reveal, reveal]);
}

fn verify(scene: &Scene, more: &[&str]) -> (bool, String) {
    let output = scene.command(&[&["audit", "verify"], more].concat());
    (output.status.success(), String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned())
}

#[test]
fn who_looks_stands_in_the_audit_and_who_changes_the_audit_is_found_out() {
    let scene = Scene::plain();
    look_at_numbers(&scene);
    assert_eq!(verify(&scene, &[]), (true, "the audit is whole: 5 rows, each as it was written\n".to_owned()));
    // Kept where nobody here can write.
    let head = scene.command(&["audit", "head"]);
    assert!(head.status.success(), "{head:?}");
    let head = scene.file("head.jws", &head.stdout);
    let head = head.to_str().expect("a plain path");
    assert!(verify(&scene, &["--head", head]).0);

    // The one who looked blames somebody else.
    let blame = "UPDATE audit SET actor = 'bob' WHERE number = 4";
    scene.database(async |pool| sqlx::query(blame).execute(&pool).await);
    let (is_whole, told) = verify(&scene, &[]);
    assert!(!is_whole && told.contains("row 4 of the audit"), "{told}");
    assert!(!scene.command(&["audit", "head"]).status.success(), "a broken chain is signed");

    // And chains everything anew, as the source shows how to: the rows alone do not tell.
    chain_anew(&scene);
    assert!(verify(&scene, &[]).0);
    let (is_whole, told) = verify(&scene, &["--head", head]);
    assert!(!is_whole && told.contains("does not begin with the 5 rows"), "{told}");

    // Or takes the last row out.
    let cut = "DELETE FROM audit WHERE number = 5";
    scene.database(async |pool| sqlx::query(cut).execute(&pool).await);
    assert!(!verify(&scene, &[]).0, "a missing row is not missed");
    // What nobody signed is no head.
    let forged = scene.file("forged.jws", b"e30.eyJyb3dzIjowfQ.AAAA\n");
    chain_anew(&scene);
    let (is_whole, told) = verify(&scene, &["--head", forged.to_str().expect("a plain path")]);
    assert!(!is_whole && told.contains("no head that this authority signed"), "{told}");
    assert!(!verify(&scene, &["--head", head]).0);
}

/// What somebody does who has the database and knows how it is chained.
fn chain_anew(scene: &Scene) {
    scene.database(async |pool| {
        let rows = sqlx::query("SELECT number, at, actor, action, subject, salt FROM audit ORDER BY number");
        let (mut chain, mut last) = (Vec::new(), 0);
        for row in rows.fetch_all(&pool).await? {
            let words = [row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
            let row = Row { number: row.try_get(0)?, at: row.try_get(1)?, words, salt: row.try_get(5)? };
            let commitment = row.commitment();
            chain = Sha256::new().chain_update(&chain).chain_update(commitment).finalize().to_vec();
            sqlx::query("UPDATE audit SET commitment = $1, chain = $2 WHERE number = $3")
                .bind(commitment.to_vec())
                .bind(&chain)
                .bind(row.number)
                .execute(&pool)
                .await?;
            last = row.number;
        }
        sqlx::query("UPDATE audit_head SET number = $1, chain = $2").bind(last).bind(chain).execute(&pool).await
    });
}
