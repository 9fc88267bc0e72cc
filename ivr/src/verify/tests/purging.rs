//! What is forgotten, and when.

use super::*;
use crate::store::passports;
use crate::store::purging::PIECE;

on_both_databases!(what_is_over_is_purged_and_what_is_live_is_not, a_backlog_is_purged_piece_by_piece,);

async fn what_is_over_is_purged_and_what_is_live_is_not(database: TestDatabase) {
    let service = Service::over(database).await;
    let (done, heard) = service.proved().await;
    type_in(&service, &done, &heard).await;
    let over = service.start().await;
    let day_later = service.now + Duration::hours(23);
    assert_eq!(service.verify.purge(day_later).await.unwrap(), 0);
    let later = service.now + Duration::hours(25);
    assert_eq!(service.verify.purge(later).await.unwrap(), 1);
    let gone = service.verify.view(over.id, over.secret.expose(), later).await;
    assert!(matches!(gone, Err(AccessError::Unknown)), "{gone:?}");
    assert!(!service.view(&done).await.happenings.is_empty(), "an issued one is shown for a month");
    let serial = service.view(&done).await.certificate.unwrap().serial;
    service.database.store.add_call_of(done.id).await;
    assert_eq!(service.verify.purge(service.now + Duration::days(32)).await.unwrap(), 1);
    assert_eq!(service.database.store.serial_of_call().await, Some(serial), "the call is kept longer, and tells it");
}

async fn a_backlog_is_purged_piece_by_piece(database: TestDatabase) {
    let service = Service::over(database).await;
    let store = &service.database.store;
    let (more_than_a_piece, two_days_later) = (PIECE + 1, service.now + Duration::days(2));
    store.add_verifications(usize::try_from(more_than_a_piece).unwrap(), service.now).await;
    let mut writer = store.begin().await.unwrap();
    for n in 0..more_than_a_piece {
        let mut token = [0; 32];
        token[..8].copy_from_slice(&n.to_be_bytes());
        assert!(passports::serve(&token, service.now, &mut writer).await.unwrap());
    }
    assert!(passports::serve(&[0xff; 32], two_days_later, &mut writer).await.unwrap());
    writer.commit().await.unwrap();
    assert_eq!(service.verify.purge(two_days_later).await.unwrap(), more_than_a_piece.unsigned_abs());
    assert_eq!(service.database.contents(&["served_passports"]).await.len(), 1, "what is not over stays");
}
