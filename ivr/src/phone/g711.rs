//! G.711 as the caller's telephone speaks it; written apart from the service's own, so that each checks the other.

/// The two companding laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// µ-law: PCMU, payload type 0.
    Mu,
    /// A-law: PCMA, payload type 8.
    A,
}

impl Law {
    /// The static payload type (RFC 3551 6).
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Mu => 0,
            Self::A => 8,
        }
    }

    /// The octet of silence.
    pub fn silence(self) -> u8 {
        match self {
            Self::Mu => 0xff,
            Self::A => 0xd5,
        }
    }

    /// The sample of an octet.
    pub fn decode(self, octet: u8) -> i16 {
        match self {
            Self::Mu => {
                let bits = !octet;
                let magnitude = ((i16::from(bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4);
                if bits & 0x80 == 0 { magnitude - 0x84 } else { 0x84 - magnitude }
            }
            Self::A => {
                let bits = octet ^ 0x55;
                let mantissa = (i16::from(bits & 0x0f) << 4) + 8;
                let magnitude = match (bits & 0x70) >> 4 {
                    0 => mantissa,
                    segment => (mantissa + 0x100) << (segment - 1),
                };
                if bits & 0x80 == 0 { -magnitude } else { magnitude }
            }
        }
    }

    /// The octet whose sample is nearest.
    pub(crate) fn encode(self, sample: i16) -> u8 {
        let distance = |octet: &u8| (i32::from(self.decode(*octet)) - i32::from(sample)).abs();
        // The octets of a sign run monotonically: descending for µ-law, by the toggled bits for A-law.
        let octet = |step: u8| match (self, sample < 0) {
            (Self::Mu, false) => 0xff - step,
            (Self::Mu, true) => 0x7f - step,
            (Self::A, false) => (0x80 | step) ^ 0x55,
            (Self::A, true) => step ^ 0x55,
        };
        let (mut low, mut high) = (0, 127);
        while low < high {
            let middle = (low + high) / 2;
            if distance(&octet(middle)) > distance(&octet(middle + 1)) { low = middle + 1 } else { high = middle }
        }
        octet(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_octets_have_their_values() {
        // G.711 tables 1a and 2a: the largest values, the smallest, and silence.
        for (octet, sample) in [(0x80, 32_124), (0x00, -32_124), (0xff, 0), (0x7f, 0), (0xfe, 8), (0x7e, -8)] {
            assert_eq!(Law::Mu.decode(octet), sample, "{octet:#x}");
        }
        for (octet, sample) in [(0xaa, 32_256), (0x2a, -32_256), (0xd5, 8), (0x55, -8)] {
            assert_eq!(Law::A.decode(octet), sample, "{octet:#x}");
        }
    }

    #[test]
    fn the_service_encodes_what_we_decode() {
        for law in [Law::Mu, Law::A] {
            assert!(law.decode(law.silence()).abs() <= 8);
            for octet in 0..=255 {
                let again = law.decode(law.encode(law.decode(octet)));
                assert_eq!(again, law.decode(octet));
            }
        }
    }
}
