//! People log in, or do not, on both databases.

use time::Duration;

use super::*;
use crate::store::test_database::{TestDatabase, on_both_databases};

on_both_databases!(
    who_was_added_logs_in_and_out,
    a_wrong_password_and_an_unknown_name_are_told_alike,
    a_source_tries_five_times_and_then_waits,
    a_session_ends_at_its_time,
    a_new_password_ends_the_sessions_of_the_old_one,
    who_is_removed_is_logged_out_at_once,
    who_is_removed_while_logging_in_is_logged_out_too,
    of_twenty_who_spend_a_link_at_once_one_is_let_in,
    a_link_is_worth_nothing_after_an_hour,
    what_is_over_is_purged,
    the_database_holds_no_password_and_no_token,
);

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

fn secret(text: &str) -> Private<String> {
    Private::new(text.to_owned())
}

async fn with_ada(database: &TestDatabase, session: std::time::Duration) -> Operators {
    let operators = Operators::new(database.store.clone(), session, Clock);
    assert!(!operators.add("ada", &secret("a long password"), Clock.wall()).await.unwrap());
    operators
}

async fn over(database: &TestDatabase) -> Operators {
    with_ada(database, std::time::Duration::from_secs(3600)).await
}

async fn who_was_added_logs_in_and_out(database: TestDatabase) {
    let operators = over(&database).await;
    let session = operators.login("ada", &secret("a long password"), HERE).await.unwrap();
    let ada = operators.of_session(session.expose()).await.unwrap();
    assert_eq!(ada, Some(Operator { name: "ada".to_owned() }));
    let other = operators.login("ada", &secret("a long password"), HERE).await.unwrap();
    assert_ne!(session.expose(), other.expose());
    operators.logout(session.expose()).await.unwrap();
    assert_eq!(operators.of_session(session.expose()).await.unwrap(), None);
    assert!(operators.of_session(other.expose()).await.unwrap().is_some(), "the other browser stays logged in");
    assert_eq!(database.store.first_audit_break().await.unwrap(), None);
}

async fn a_wrong_password_and_an_unknown_name_are_told_alike(database: TestDatabase) {
    let operators = over(&database).await;
    for (name, password) in [
        ("ada", "another password"),
        ("ada", ""),
        ("eve", "a long password"),
        ("a\0da", "a long password"),
        ("", "a long password"),
    ] {
        let refused = operators.login(name, &secret(password), HERE).await.unwrap_err();
        assert!(matches!(refused, LoginError::Wrong), "{name}: {refused:?}");
    }
}

async fn a_source_tries_five_times_and_then_waits(database: TestDatabase) {
    let operators = over(&database).await;
    for name in ["ada", "eve", "ada", "eve", "ada"] {
        let refused = operators.login(name, &secret("another password"), HERE).await;
        assert!(matches!(refused, Err(LoginError::Wrong)), "{refused:?}");
    }
    let refused = operators.login("ada", &secret("a long password"), HERE).await;
    assert!(matches!(refused, Err(LoginError::TooMany { .. })), "{refused:?}");
    // Whoever does that locks out nobody but themselves.
    operators.login("ada", &secret("a long password"), [198, 51, 100, 1].into()).await.unwrap();
}

async fn a_session_ends_at_its_time(database: TestDatabase) {
    let operators = with_ada(&database, std::time::Duration::ZERO).await;
    let session = operators.login("ada", &secret("a long password"), HERE).await.unwrap();
    assert_eq!(operators.of_session(session.expose()).await.unwrap(), None);
}

async fn a_new_password_ends_the_sessions_of_the_old_one(database: TestDatabase) {
    let operators = over(&database).await;
    let session = operators.login("ada", &secret("a long password"), HERE).await.unwrap();
    assert!(operators.add("ada", &secret("another password"), Clock.wall()).await.unwrap(), "it replaced one");
    assert_eq!(operators.of_session(session.expose()).await.unwrap(), None);
    assert!(operators.login("ada", &secret("a long password"), HERE).await.is_err());
    operators.login("ada", &secret("another password"), HERE).await.unwrap();
}

async fn who_is_removed_is_logged_out_at_once(database: TestDatabase) {
    let operators = over(&database).await;
    operators.add("bob", &secret("another long one"), Clock.wall()).await.unwrap();
    let session = operators.login("ada", &secret("a long password"), HERE).await.unwrap();
    let link = operators.one_time_link("ada", Clock.wall()).await.unwrap();
    let listed = async || {
        let all = operators.list(Clock.wall()).await.unwrap();
        all.into_iter().map(|one| (one.name, one.sessions)).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [("ada".to_owned(), 1), ("bob".to_owned(), 0)]);
    assert!(operators.remove("ada", Clock.wall()).await.unwrap());
    assert_eq!(listed().await, [("bob".to_owned(), 0)]);
    assert_eq!(operators.of_session(session.expose()).await.unwrap(), None);
    for refused in
        [operators.login("ada", &secret("a long password"), HERE).await, operators.enter(link.expose()).await]
    {
        assert!(matches!(refused, Err(LoginError::Wrong)), "{refused:?}");
    }
    for nobody in ["ada", "", "a\0da"] {
        assert!(!operators.remove(nobody, Clock.wall()).await.unwrap(), "{nobody}");
    }
    assert_eq!(database.store.first_audit_break().await.unwrap(), None);
}

async fn who_is_removed_while_logging_in_is_logged_out_too(database: TestDatabase) {
    for by_link in [false, true] {
        let operators = over(&database).await;
        let link = operators.one_time_link("ada", Clock.wall()).await.unwrap();
        let hash = operators::password_hash("ada", &mut database.store.read().await.unwrap()).await.unwrap().unwrap();
        let mut login = database.store.begin().await.unwrap();
        if by_link {
            operators::spend_link(sha256(link.expose()), Clock.wall(), &mut login).await.unwrap().unwrap();
        } else {
            assert!(operators::hold("ada", &hash, &mut login).await.unwrap());
        }
        let removing = operators.clone();
        let removing = tokio::spawn(async move { removing.remove("ada", Clock.wall()).await });
        database.somebody_waits_for_a_row().await;
        let session = operators.begin_session("ada", login).await.unwrap();
        assert!(removing.await.unwrap().unwrap());
        assert_eq!(operators.of_session(session.expose()).await.unwrap(), None, "by link: {by_link}");
        let mut late = database.store.begin().await.unwrap();
        assert!(!operators::hold("ada", &hash, &mut late).await.unwrap(), "a login that comes too late");
    }
}

async fn of_twenty_who_spend_a_link_at_once_one_is_let_in(database: TestDatabase) {
    let operators = over(&database).await;
    let token = operators.one_time_link("demo", Clock.wall()).await.unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (operators, token) = (operators.clone(), token.clone());
            tokio::spawn(async move { operators.enter(token.expose()).await })
        })
        .collect();
    let mut let_in = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(session) => let_in.push(session),
            Err(refused) => assert!(matches!(refused, LoginError::Wrong), "{refused:?}"),
        }
    }
    let [session] = let_in.as_slice() else { panic!("{} were let in", let_in.len()) };
    assert_eq!(operators.of_session(session.expose()).await.unwrap().unwrap().name, "demo");
}

async fn a_link_is_worth_nothing_after_an_hour(database: TestDatabase) {
    let operators = over(&database).await;
    let token = operators.one_time_link("demo", Clock.wall() - Duration::minutes(60)).await.unwrap();
    let late = operators.enter(token.expose()).await;
    assert!(matches!(late, Err(LoginError::Wrong)), "{late:?}");
}

async fn what_is_over_is_purged(database: TestDatabase) {
    let operators = over(&database).await;
    let session = operators.login("ada", &secret("a long password"), HERE).await.unwrap();
    let token = operators.one_time_link("demo", Clock.wall()).await.unwrap();
    operators.purge(Clock.wall()).await.unwrap();
    assert!(operators.of_session(session.expose()).await.unwrap().is_some());
    operators.purge(Clock.wall() + Duration::hours(2)).await.unwrap();
    assert!(operators.of_session(session.expose()).await.unwrap().is_none());
    assert!(operators.enter(token.expose()).await.is_err());
}

async fn the_database_holds_no_password_and_no_token(database: TestDatabase) {
    let operators = over(&database).await;
    let session = operators.login("ada", &secret("a long password"), HERE).await.unwrap();
    let token = operators.one_time_link("demo", Clock.wall()).await.unwrap();
    let contents = database.contents(&["operators", "operator_sessions", "operator_links", "audit"]).await;
    assert!(contents.iter().any(|(column, value)| column == "operators.name" && value == b"ada"));
    for told in ["a long password", session.expose(), token.expose()] {
        let holds = |value: &[u8]| value.windows(told.len()).any(|window| window == told.as_bytes());
        assert!(!contents.iter().any(|(_, value)| holds(value)), "{told}");
    }
    let hash = contents.iter().find(|(column, _)| column == "operators.password_hash").unwrap();
    assert!(hash.1.starts_with(b"$argon2id$"));
}

#[tokio::test]
async fn names_and_passwords_have_their_form() {
    let database = TestDatabase::sqlite().await;
    let operators = over(&database).await;
    for name in ["", "Ada", "a b", "a/b", "ä", "<b>", &"a".repeat(33)] {
        let refused = operators.add(name, &secret("a long password"), Clock.wall()).await;
        assert!(matches!(refused, Err(AddError::Name)), "{name}");
    }
    for password in ["", "elevenchars", &"x".repeat(257)] {
        let refused = operators.add("eve", &secret(password), Clock.wall()).await;
        assert!(matches!(refused, Err(AddError::Password)), "{password}");
    }
    operators.add("eve.2-b_c", &secret("twelve chars"), Clock.wall()).await.unwrap();
}
