//! Serial numbers: 20 random octets, so that nobody can foresee what will be signed.

use std::fmt;

/// The serial number of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial([u8; 20]);

impl Serial {
    /// Makes a serial of 20 random octets. The two highest bits are set to `01`: the number is positive and takes
    /// exactly 20 octets in every certificate (RFC 5280 4.1.2.2); 158 random bits are left.
    pub fn from_random(mut octets: [u8; 20]) -> Self {
        octets[0] = octets[0] & 0x3f | 0x40;
        Self(octets)
    }

    /// Reads what [`Serial::hex`] wrote. `None` if it is not a serial of this authority.
    pub fn parse(hex: &str) -> Option<Self> {
        if hex.len() != 40 || !hex.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let mut octets = [0; 20];
        for (octet, pair) in octets.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        (octets[0] & 0xc0 == 0x40).then_some(Self(octets))
    }

    /// 40 lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// The octets, the most significant first.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_serial_is_positive_and_takes_20_octets() {
        for first in 0..=255 {
            let mut octets = [0; 20];
            octets[0] = first;
            let serial = Serial::from_random(octets);
            assert!((0x40..0x80).contains(&serial.as_bytes()[0]));
            assert_eq!(Serial::parse(&serial.hex()), Some(serial));
        }
    }

    #[test]
    fn only_serials_of_this_authority_are_read() {
        let good = Serial::from_random([9; 20]).hex();
        for bad in ["", "00", &good[1..], &good.to_uppercase().replace('4', "A"), &"00".repeat(20), &"ff".repeat(20)] {
            assert_eq!(Serial::parse(bad), None, "{bad}");
        }
    }
}
