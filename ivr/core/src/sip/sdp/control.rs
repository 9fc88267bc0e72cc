//! How a stream's reports (RTCP) are to be exchanged: a=rtcp-mux (RFC 5761), a=rtcp (RFC 3605), b=RS and b=RR (RFC 3556).

use std::net::{IpAddr, SocketAddr};

use sdp_types::Media;

use crate::media::Control;

/// What the other side wants, whose audio goes to `remote`. What cannot be read is as if it were not there.
pub(super) fn read(media: &Media, remote: SocketAddr) -> Control {
    let bandwidth =
        |name: &str| media.bandwidths.iter().find(|given| given.bwtype == name).map(|given| given.bandwidth);
    if bandwidth("RS") == Some(0) && bandwidth("RR") == Some(0) {
        return Control::Off;
    }
    if media.has_attribute("rtcp-mux") {
        return Control::Muxed;
    }
    let named = media.get_first_attribute_value("rtcp").flatten().and_then(|value| named(value, remote.ip()));
    let next = || remote.port().checked_add(1).map(|port| SocketAddr::new(remote.ip(), port));
    named.or_else(next).map_or(Control::Off, Control::At)
}

/// `30001`, or `30001 IN IP4 192.0.2.7`.
fn named(value: &str, audio: IpAddr) -> Option<SocketAddr> {
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    match words.as_slice() {
        [port] => Some(SocketAddr::new(audio, port.parse().ok()?)),
        [port, "IN", _, address] => Some(SocketAddr::new(address.parse().ok()?, port.parse().ok()?)),
        _ => None,
    }
    .filter(|named| named.is_ipv4() == audio.is_ipv4())
}
