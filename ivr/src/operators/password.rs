//! Passwords, as argon2id hashes: at most two are computed at a time, because each takes a core and 19 MiB.

use std::sync::Arc;

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use ivr_core::private::Private;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::clock::Clock;

/// Fewer characters can be tried out.
pub(super) const SHORTEST: usize = 12;
/// More octets are refused before they are hashed.
pub(super) const LONGEST: usize = 256;
/// Hashes at a time; who comes later waits.
const AT_ONCE: usize = 2;

/// Hashes and verifies passwords, with the defaults of RFC 9106's library: 19 MiB, 2 passes.
#[derive(Debug, Clone)]
pub(super) struct Hashing {
    places: Arc<Semaphore>,
    clock: Clock,
}

impl Hashing {
    pub(super) fn new(clock: Clock) -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), clock }
    }

    /// The PHC string of a new password. `None` if it is too short or too long.
    pub(super) async fn hash(&self, password: &Private<String>) -> Option<String> {
        if password.expose().chars().count() < SHORTEST || password.expose().len() > LONGEST {
            return None;
        }
        let (password, salt) = (password.clone(), self.clock.bytes::<16>());
        self.apart(move || phc(password.expose(), salt)).await
    }

    /// Whether it is the password of this hash. Without a hash the work is the same, and the answer no.
    pub(super) async fn verify(&self, password: &Private<String>, hash: Option<String>) -> bool {
        if password.expose().len() > LONGEST {
            return false;
        }
        let (password, salt) = (password.clone(), self.clock.bytes::<16>());
        let work = move || match hash {
            Some(hash) => Argon2::default().verify_password(password.expose().as_bytes(), hash.as_str()).is_ok(),
            None => phc(password.expose(), salt).is_none(),
        };
        self.apart(work).await
    }

    /// Away from the threads that serve pages.
    async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let place = self.places.clone().acquire_owned().await.expect("the semaphore is never closed");
        let done = spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        done.await.expect("hashing does not panic, and the runtime waits for it")
    }
}

fn phc(password: &str, salt: [u8; 16]) -> Option<String> {
    let hashed: PasswordHash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).ok()?;
    Some(hashed.to_string())
}
