//! How many verifications stand where, for `/metrics`.

use time::OffsetDateTime;

use super::{State, Verify};
use crate::store::{StoreError, verifications};

impl Verify {
    /// Every state, and how many verifications that are not purged yet stand in it.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn census(&self, now: OffsetDateTime) -> Result<[(State, u64); State::ALL.len()], StoreError> {
        let counted = verifications::count_by_state(now, &mut *self.parts.store.read().await?).await?;
        Ok(State::ALL.map(|state| {
            let many = counted.iter().find(|(name, _)| name == state.name()).map_or(0, |(_, many)| *many);
            (state, u64::try_from(many).unwrap_or(0))
        }))
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;
    use crate::store::test_database::{TestDatabase, on_both_databases};
    use crate::verify::fixture::Service;

    on_both_databases!(who_stands_where_is_counted_and_who_waited_too_long_is_over);

    async fn who_stands_where_is_counted_and_who_waited_too_long_is_over(database: TestDatabase) {
        let service = Service::over(database).await;
        service.start().await;
        let (_, _) = service.proved().await;
        let stands = async |now| {
            let census = service.verify.census(now).await.unwrap();
            census.into_iter().filter(|(_, many)| *many > 0).collect::<Vec<_>>()
        };
        assert_eq!(stands(service.now).await, [(State::Waiting, 1), (State::ReadBack, 1)]);
        assert_eq!(stands(service.now + Duration::hours(1)).await, [(State::Expired, 2)]);
    }
}
