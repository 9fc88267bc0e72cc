//! From a verification's state to its receiver, on both databases.

mod endpoints;
mod receiver;
mod sending;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use time::Duration as Span;

use self::receiver::{Answers, Never, Receiver, Redirect, RestFor, Status};
use super::*;
use crate::store::deliveries::Due;
use crate::store::test_database::TestDatabase;
use crate::verify::fixture::{NUMBER, SOURCE, Service, start};
use crate::verify::{Start, Started};

struct Scene {
    service: Service,
    webhooks: Webhooks,
    sender: Arc<Sender>,
}

impl Scene {
    async fn over(database: TestDatabase) -> Self {
        let service = Service::over(database).await;
        let store = service.database.store.clone();
        let sender = sender(&store, Reach::LOOPBACK);
        Self { service, webhooks: Webhooks::new(store, Reach::LOOPBACK, Clock), sender }
    }

    async fn add(&self, receiver: &Receiver, hears: Hears) -> Added {
        self.webhooks.add(&receiver.url, hears, self.service.now).await.unwrap()
    }

    /// A receiver, and a verification that names it and was given up: its event waits.
    async fn with_event(database: TestDatabase, answers: &[Answers]) -> (Self, Receiver, Added) {
        let (scene, receiver) = (Self::over(database).await, Receiver::answering(answers).await);
        let added = scene.add(&receiver, Hears::Named).await;
        scene.give_up(&added).await;
        (scene, receiver, added)
    }

    async fn begin(&self, csr: Option<Vec<u8>>, webhook: Option<EndpointId>) -> Started {
        self.service.verify.start(Start { webhook, ..start(NUMBER, SOURCE, csr) }, self.service.now).await.unwrap()
    }

    async fn give_up(&self, added: &Added) -> Started {
        let started = self.begin(None, Some(added.id)).await;
        self.service.verify.cancel(started.id, started.secret.expose(), self.service.now).await.unwrap();
        started
    }

    async fn send(&self) {
        self.sender.send_due(self.service.now).await;
    }

    async fn send_after(&mut self, span: Span) {
        self.service.now += span;
        self.send().await;
    }

    /// State, attempts and last error of each event, the newest first.
    async fn events(&self) -> Vec<(String, i64, Option<String>)> {
        let all = self.webhooks.events(None, 100).await.unwrap();
        all.into_iter().map(|event| (event.state, event.attempts, event.last_error)).collect()
    }

    async fn due_after(&mut self, span: Span, added: &Added) -> Due {
        self.service.now += span;
        self.claimed(added).await
    }

    /// The next event of this endpoint, as a sender takes it.
    async fn claimed(&self, added: &Added) -> Due {
        self.sender.claim(added.id, self.service.now).await.unwrap().expect("one is due")
    }

    async fn off(&self) -> Vec<Option<String>> {
        self.webhooks.list().await.unwrap().into_iter().map(|one| one.off.map(|(_, why)| why)).collect()
    }
}

fn sender(store: &Store, reach: Reach) -> Arc<Sender> {
    let means = Means { reach, names: Vec::new(), tls_roots: None, patience: Duration::from_secs(60) };
    Arc::new(Sender::new(store.clone(), means, Clock))
}
