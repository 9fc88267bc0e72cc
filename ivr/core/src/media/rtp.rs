//! RTP packets (RFC 3550 5.1). This file alone names rtp-rs.

use rtp_rs::{RtpPacketBuilder, RtpReader};

/// A packet that arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packet<'a> {
    pub(crate) header: Header,
    pub(crate) payload: &'a [u8],
}

/// What a packet says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) marked: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
}

impl<'a> Packet<'a> {
    /// The packet in these octets; `None` if they are none, or RTCP on the same port (RFC 5761 4).
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let reader = RtpReader::new(bytes).ok()?;
        if is_control(bytes) {
            return None;
        }
        let header = Header {
            marked: reader.mark(),
            payload_type: reader.payload_type(),
            sequence: reader.sequence_number().into(),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
        };
        Some(Self { header, payload: reader.payload() })
    }
}

impl Header {
    /// Writes the packet and says how long it is.
    ///
    /// # Panics
    /// If `packet` is shorter than header and payload.
    pub(crate) fn write(self, payload: &[u8], packet: &mut [u8]) -> usize {
        RtpPacketBuilder::new()
            .payload_type(self.payload_type)
            .marked(self.marked)
            .sequence(self.sequence.into())
            .timestamp(self.timestamp)
            .ssrc(self.ssrc)
            .payload(payload)
            .build_into(packet)
            .expect("the buffer holds the longest packet and the payload type has seven bits")
    }
}

/// Is this RTCP on the port of RTP (RFC 5761 4)?
pub(crate) fn is_control(bytes: &[u8]) -> bool {
    bytes.get(1).is_some_and(|second| RTCP_TYPES.contains(second))
}

/// A header without CSRCs and extension.
pub(crate) const HEADER_BYTES: usize = 12;
/// The second octet of every RTCP packet type in use.
const RTCP_TYPES: std::ops::RangeInclusive<u8> = 192..=223;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_packet_is_read_as_it_was_written() {
        let header =
            Header { marked: true, payload_type: 101, sequence: 65_535, timestamp: u32::MAX, ssrc: 0x0102_0304 };
        let mut bytes = [0; 64];
        let length = header.write(b"1234", &mut bytes);
        assert_eq!(&bytes[..length], b"\x80\xe5\xff\xff\xff\xff\xff\xff\x01\x02\x03\x041234");
        let packet = Packet::read(&bytes[..length]).unwrap();
        assert_eq!((packet.header, packet.payload), (header, &b"1234"[..]));
    }

    #[test]
    fn extensions_sources_and_padding_are_no_payload() {
        let bytes = b"\xb1\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\xbe\xde\x00\x01\x10\x20\x30\x40ab\x00\x02";
        assert_eq!(Packet::read(bytes).unwrap().payload, b"ab");
    }

    #[test]
    fn what_is_no_rtp_is_nothing() {
        for bytes in [
            &b""[..],
            b"\r\n\r\n",
            b"\x80\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00",
            b"\x00\x01\x00\x00\x21\x12\xa4\x42aaaaaaaaaaaa",
            b"\x80\xc8\x00\x06\x00\x00\x00\x02\x00\x00\x00\x03",
            b"\x8f\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03",
            b"\xa0\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\xff",
        ] {
            assert!(Packet::read(bytes).is_none(), "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), first in 0x80u8..0xc0) {
            let mut bytes = bytes;
            let _ = Packet::read(&bytes);
            if let Some(octet) = bytes.first_mut() {
                *octet = first;
            }
            let _ = Packet::read(&bytes);
        }
    }
}
