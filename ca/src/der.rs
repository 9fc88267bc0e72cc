//! Writing DER, for the few structures that rcgen does not know.

/// A tag, a length, a content.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        short @ 0..=127 => out.push(short as u8),
        long => {
            let octets = long.to_be_bytes();
            let significant = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
            out.push(0x80 | significant.len() as u8);
            out.extend_from_slice(significant);
        }
    }
    out.extend_from_slice(content);
    out
}

/// SEQUENCE.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// OBJECT IDENTIFIER.
pub(crate) fn oid(arcs: &[u64]) -> Vec<u8> {
    // X.690 8.19.4: the first two arcs share a subidentifier.
    let first = arcs[0] * 40 + arcs[1];
    let content: Vec<u8> = std::iter::once(&first).chain(&arcs[2..]).flat_map(|arc| base128(*arc)).collect();
    tlv(0x06, &content)
}

/// Seven bits an octet, the highest first, all but the last marked.
fn base128(arc: u64) -> Vec<u8> {
    let groups = (64 - arc.leading_zeros()).div_ceil(7).max(1);
    (0..groups).rev().map(|group| (arc >> (7 * group)) as u8 & 0x7f | if group == 0 { 0 } else { 0x80 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_fewest_octets() {
        assert_eq!(tlv(0x04, &[]), [0x04, 0]);
        assert_eq!(tlv(0x04, &[7; 127])[..2], [0x04, 127]);
        assert_eq!(tlv(0x04, &[7; 128])[..3], [0x04, 0x81, 128]);
        assert_eq!(tlv(0x04, &[7; 256])[..4], [0x04, 0x82, 1, 0]);
    }

    #[test]
    fn object_identifiers_are_base_128() {
        // X.690 8.19.5 gives the last; the others are registered ones.
        assert_eq!(oid(&[1, 2, 840, 113549]), [0x06, 6, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]);
        assert_eq!(oid(&[2, 5, 29, 14]), [0x06, 3, 0x55, 0x1d, 0x0e]);
        assert_eq!(oid(&[2, 999, 3]), [0x06, 3, 0x88, 0x37, 0x03]);
        assert_eq!(oid(&[1, 3, 0]), [0x06, 2, 0x2b, 0]);
    }
}
