//! Codes keyed in by as many callers at once as there may be, over a network that loses, doubles and reorders.

use std::time::Duration;

use anyhow::Context;
use end_to_end::load::numbers;
use ivr::phone::load::{Impairment, Talk};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::pace::talk;
use super::runs;
use crate::Bench;
use crate::report::{Mark, Report};
use crate::service::{Service, Setup, found};

/// As many as the best of the peers talks with in time; and up to our own mark.
const AT_ONCE: [usize; 3] = [1_000, 1_500, 2_000];
/// "Enter the code" ends 18 s after each was answered.
const AFTER: Duration = Duration::from_secs(24);
const IMPAIRMENT: Impairment = Impairment { lost: 0.03, doubled: 0.01, delayed: 0.01 };

pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    for at_once in AT_ONCE {
        let [right] = runs(bench, |bench| {
            let service = Service::start(found(Setup::default())?, bench)?;
            // Two sessions a number; call n is from number n modulo their count.
            let callers = numbers(at_once / 2)?;
            let twice = [callers.clone(), callers].concat();
            let keys = service.expect(&twice)?;
            talk(&service, at_once, Talk::Keys { after: AFTER, keys: &keys, impairment: IMPAIRMENT }, |_| {})?;
            let (right, outcomes) = matched(&service)?;
            println!("  {right} of {at_once} codes were right; how the calls ended: {outcomes:?}");
            Ok([right as f64])
        })?;
        let (what, mark) = (format!("{at_once} codes keyed in with 3 % loss, right"), Mark::AtLeast(at_once as f64));
        report.figure(&what, "codes", mark, &right, "1,000 of 1,000");
    }
    Ok(())
}

/// Calls whose code was found, and how all ended, as the records say once they are written.
#[tokio::main(flavor = "current_thread")]
async fn matched(service: &Service) -> anyhow::Result<(i64, Vec<(String, i64)>)> {
    let options = SqliteConnectOptions::new().filename(service.installation.path("data/dialproof.db")).read_only(true);
    let mut database = SqliteConnection::connect_with(&options).await.context("the service's database")?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let sql = "SELECT count(DISTINCT verification) FROM calls WHERE verification IS NOT NULL";
    let right = sqlx::query_scalar(sql).fetch_one(&mut database).await?;
    let sql = "SELECT outcome, count(*) FROM calls GROUP BY outcome";
    Ok((right, sqlx::query_as(sql).fetch_all(&mut database).await?))
}
