//! `dialproof webhook`: where events of verifications are posted, and what is sent again.

use std::process::ExitCode;

use anyhow::{Result, bail};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::installation::Of;
use crate::clock::Clock;
use crate::event::{EndpointId, EventId};
use crate::outbound::Reach;
use crate::webhooks::{Hears, RotateError, Webhooks};

/// What can be done about webhooks.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add an endpoint, and print its name and secret once
    Add(Add),
    /// Say which endpoints there are, and how they stand
    List(List),
    /// Say which events there are, and how they stand, the newest first
    Events(Events),
    /// Send an event again, or all that an endpoint missed
    Replay(Replay),
    /// Give an endpoint another URL; its name and its secret stay
    Change(Change),
    /// Give an endpoint a new secret; the old one signs, too, for a while
    Rotate(Rotate),
    /// Turn an endpoint on again that was turned off
    On(Which),
    /// Remove an endpoint, and what is on its way there
    Remove(Which),
}

/// What `add` takes.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// An https URL of a public address
    url: String,
    /// Let it hear of all verifications; of those that do not name it without number, result and certificate
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    service: Of,
}

/// What `change` takes.
#[derive(Debug, clap::Args)]
pub struct Change {
    /// Its name
    endpoint: EndpointId,
    /// An https URL of a public address
    #[arg(long)]
    url: String,
    #[command(flatten)]
    service: Of,
}

/// What `list` takes.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Print URLs with their queries, which may hold a secret of the receiver
    #[arg(long)]
    urls: bool,
    #[command(flatten)]
    service: Of,
}

/// What `events` takes.
#[derive(Debug, clap::Args)]
pub struct Events {
    /// Of this endpoint alone
    #[arg(long, value_name = "ENDPOINT")]
    endpoint: Option<EndpointId>,
    /// So many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    #[command(flatten)]
    service: Of,
}

/// What `replay` takes.
#[derive(Debug, clap::Args)]
pub struct Replay {
    /// The events: what stands in webhook-id
    #[arg(required_unless_present = "missed_by", value_name = "EVENT")]
    events: Vec<EventId>,
    /// All that this endpoint did not get: given up, or while it was off
    #[arg(long, value_name = "ENDPOINT", conflicts_with = "events")]
    missed_by: Option<EndpointId>,
    #[command(flatten)]
    service: Of,
}

/// What `rotate` takes.
#[derive(Debug, clap::Args)]
pub struct Rotate {
    /// Its name
    endpoint: EndpointId,
    /// How long the old secret signs, too; 0 if it is known to others: then none but the new one does
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(i64).range(0..=720))]
    overlap_hours: i64,
    #[command(flatten)]
    service: Of,
}

/// What `on` and `remove` take.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Its name
    endpoint: EndpointId,
    #[command(flatten)]
    service: Of,
}

/// Does it; a service that runs need not be restarted.
///
/// # Errors
/// If the URL will not do, nothing has the name, or the database cannot be opened.
pub async fn run(command: Command) -> Result<ExitCode> {
    let now = Clock.wall();
    match command {
        Command::Add(Add { url, all, service }) => {
            let hears = if all { Hears::All } else { Hears::Named };
            let added = webhooks(&service).await?.add(&url, hears, now).await?;
            println!("endpoint  {}", added.id);
            println!("secret    {}", added.secret.expose());
            eprintln!("The secret is not shown again. Verifications name the endpoint: \"webhook\": \"{}\"", added.id);
        }
        Command::List(List { urls, service }) => list(&webhooks(&service).await?, urls).await?,
        Command::Events(Events { endpoint, limit, service }) => {
            events(&webhooks(&service).await?, endpoint, limit).await?;
        }
        Command::Replay(Replay { events, missed_by, service }) => {
            let webhooks = webhooks(&service).await?;
            if let Some(endpoint) = missed_by {
                let Some(count) = webhooks.replay_missed(endpoint, now).await? else {
                    bail!(
                        "there is no endpoint {endpoint}, or it is off: `dialproof webhook list` says which there are, and \
                         `on` turns it on"
                    );
                };
                println!("{count} events are sent again");
            }
            for event in events {
                if !webhooks.replay(event, now).await? {
                    bail!(
                        "there is no event {event}, or its endpoint is off: `dialproof webhook events` and `list` say \
                         what there is"
                    );
                }
                println!("{event} is sent again");
            }
        }
        Command::Change(Change { endpoint, url, service }) => {
            webhooks(&service).await?.change(endpoint, &url, now).await?;
            println!("{endpoint} has another URL");
        }
        Command::Rotate(Rotate { endpoint, overlap_hours, service }) => {
            let overlap = time::Duration::hours(overlap_hours);
            let secret = match webhooks(&service).await?.rotate(endpoint, overlap, now).await {
                Err(RotateError::Promised(until)) => bail!(
                    "the secret before this one signs until {}, as its receiver was told: wait, or let none but a new one \
                     sign, by --overlap-hours 0",
                    until.format(&Rfc3339)?
                ),
                rotated => rotated?,
            };
            println!("secret    {}", secret.expose());
            if overlap.is_zero() {
                eprintln!("No older secret signs any more");
            } else {
                eprintln!("The old secret signs, too, until {}", (now + overlap).format(&Rfc3339)?);
            }
        }
        Command::On(Which { endpoint, service }) => {
            if !webhooks(&service).await?.turn_on(endpoint, now).await? {
                return Err(unknown(endpoint));
            }
            println!("{endpoint} is on; `dialproof webhook replay --missed-by {endpoint}` sends what it missed");
        }
        Command::Remove(Which { endpoint, service }) => {
            if !webhooks(&service).await?.remove(endpoint, now).await? {
                return Err(unknown(endpoint));
            }
            println!("{endpoint} is removed");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn webhooks(service: &Of) -> Result<Webhooks> {
    let (_, store) = service.open().await?;
    Ok(Webhooks::new(store, Reach::PUBLIC, Clock))
}

fn unknown(endpoint: EndpointId) -> anyhow::Error {
    anyhow::anyhow!("there is no endpoint {endpoint}: `dialproof webhook list` says which there are")
}

async fn list(webhooks: &Webhooks, with_queries: bool) -> Result<()> {
    let all = webhooks.list().await?;
    if all.is_empty() {
        eprintln!("nobody hears of anything: `dialproof webhook add URL` adds an endpoint");
    }
    for one in all {
        let hears = if one.hears_all { "all" } else { "named" };
        let stands = match (&one.off, one.failing_since) {
            (Some((since, why)), _) => format!("off since {}: {why}", since.format(&Rfc3339)?),
            (None, Some(since)) => format!("failing since {}", since.format(&Rfc3339)?),
            (None, None) => "on".to_owned(),
        };
        let (waiting, missed, since) = (one.waiting, one.missed, one.created_at.format(&Rfc3339)?);
        println!(
            "{}\t{}\tsince {since}\thears {hears}\twaiting {waiting}\tmissed {missed}\t{stands}",
            one.id,
            if with_queries { one.url.expose() } else { without_query(one.url.expose()) }
        );
    }
    Ok(())
}

/// A URL that may be seen by whoever looks over an operator's shoulder, or reads where its output went.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

async fn events(webhooks: &Webhooks, endpoint: Option<EndpointId>, limit: u32) -> Result<()> {
    let time = |at: OffsetDateTime| at.format(&Rfc3339);
    let events = webhooks.events(endpoint, limit).await?;
    if events.is_empty() {
        eprintln!("there are no events yet");
    }
    for event in events {
        let mut line = format!(
            "{}\t{}\t{}\t{}\t{}\t{}",
            event.id,
            time(event.happened_at)?,
            event.kind,
            event.verification,
            event.endpoint,
            event.state
        );
        if let Some(due) = event.due_at {
            line += &format!(", attempt {} at {}", event.attempts + 1, time(due)?);
        }
        if let Some(error) = &event.last_error {
            line += &format!(", last: {error}");
        }
        println!("{line}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_query() {
        for url in
            ["https://shop.example/hook?token=secret", "https://shop.example/hook#secret", "https://shop.example/hook"]
        {
            assert_eq!(without_query(url), "https://shop.example/hook");
        }
    }
}
