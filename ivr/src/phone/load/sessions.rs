//! Sessions, without which a service answers no call.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use ivr_core::number::Number;

use crate::phone::api::{Api, ApiError, Start, Started};

/// Begun at the same time.
const AT_ONCE: usize = 4;
/// A service lets one network (a /24) have a thousand alive; others may have begun some.
const OF_A_NETWORK: usize = 900;

/// How many can be begun: on this machine's own service from one address of the loopback after the other.
pub fn most(http: &str) -> usize {
    if is_here(http) { OF_A_NETWORK * usize::from(u8::MAX) } else { OF_A_NETWORK }
}

/// Begins a session for each number.
///
/// # Errors
/// If the service does not begin one.
pub async fn begin(http: &str, numbers: &[Number]) -> Result<Vec<Started>, ApiError> {
    let network = |n: usize| match u8::try_from(n / OF_A_NETWORK + 1) {
        Ok(network) if is_here(http) => Api::from(http, IpAddr::V4(Ipv4Addr::new(127, 0, network, 1))),
        Ok(_) | Err(_) => Api::new(http),
    };
    let apis: Vec<Api> = (0..numbers.len()).step_by(OF_A_NETWORK).map(network).collect();
    let begin = async |(n, number): (usize, &Number)| {
        let start = Start { number: number.as_str(), csr: None, publish: false, locale: "en" };
        apis[n / OF_A_NETWORK].start(&start).await
    };
    stream::iter(numbers).enumerate().map(begin).buffered(AT_ONCE).try_collect().await
}

fn is_here(http: &str) -> bool {
    ["http://127.", "http://localhost"].iter().any(|here| http.starts_with(here))
}
