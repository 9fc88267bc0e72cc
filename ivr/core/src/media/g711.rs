//! G.711: 16-bit samples to µ-law and A-law octets (ITU-T G.711). Prompts are encoded once, when they are loaded.

/// The two laws of G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// North America and Japan.
    Mu,
    /// Elsewhere.
    A,
}

impl Law {
    /// The octet of a sample.
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Mu => encode_mu_law(sample),
            Self::A => encode_a_law(sample),
        }
    }

    /// The sample of an octet.
    pub fn decode(self, octet: u8) -> i16 {
        match self {
            Self::Mu => decode_mu_law(octet),
            Self::A => decode_a_law(octet),
        }
    }

    /// The octet of silence.
    pub const fn silence(self) -> u8 {
        match self {
            Self::Mu => 0xff,
            Self::A => 0xd5,
        }
    }
}

/// µ-law works on 14 bits: magnitude plus 33, its highest bit as exponent, the four bits below as mantissa; all inverted.
fn encode_mu_law(sample: i16) -> u8 {
    let magnitude = (sample.unsigned_abs() >> 2).min(MU_LAW_CLIP) + MU_LAW_BIAS;
    let exponent = 15 - magnitude.leading_zeros() - 5;
    let mantissa = (magnitude >> (exponent + 1)) & 0x0f;
    !(sign_bit(sample < 0) | octet(exponent << 4) | octet(u32::from(mantissa)))
}

fn decode_mu_law(octet: u8) -> i16 {
    let bits = !octet;
    let exponent = (bits >> 4) & 0x07;
    let magnitude = ((2 * i16::from(bits & 0x0f) + 33) << exponent) - 33;
    let sample = magnitude << 2;
    if bits & 0x80 == 0 { sample } else { -sample }
}

/// A-law works on 13 bits; the even bits of the octet are inverted, and a set sign bit is positive.
fn encode_a_law(sample: i16) -> u8 {
    // One's complement, so that the steps below zero mirror those above.
    let magnitude = (if sample < 0 { !sample } else { sample }).unsigned_abs() >> 4;
    let segment = (16 - magnitude.leading_zeros()).saturating_sub(4);
    let mantissa = (magnitude >> segment.saturating_sub(1)) & 0x0f;
    (sign_bit(sample >= 0) | octet(segment << 4) | octet(u32::from(mantissa))) ^ 0x55
}

fn decode_a_law(octet: u8) -> i16 {
    let bits = octet ^ 0x55;
    let (segment, mantissa) = ((bits >> 4) & 0x07, i16::from(bits & 0x0f));
    let magnitude = match segment {
        0 => 2 * mantissa + 1,
        _ => (2 * mantissa + 33) << (segment - 1),
    };
    let sample = magnitude << 3;
    if bits & 0x80 == 0 { -sample } else { sample }
}

fn sign_bit(set: bool) -> u8 {
    u8::from(set) << 7
}

fn octet(bits: u32) -> u8 {
    u8::try_from(bits & 0xff).expect("eight bits are an octet")
}

/// The largest 14-bit magnitude that stays in 13 bits once the bias is added.
const MU_LAW_CLIP: u16 = 0x1fff - MU_LAW_BIAS;
const MU_LAW_BIAS: u16 = 33;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_are_those_of_g711() {
        // Tables 1 and 2 of G.711: the ends, the smallest steps and the borders of segments.
        let mu_law: [(i16, u8); 10] = [
            (0, 0xff),
            (-4, 0x7e),
            (8, 0xfe),
            (-8, 0x7e),
            (32_767, 0x80),
            (-32_768, 0x00),
            (32_124, 0x80),
            (1_000, 0xce),
            (-1_000, 0x4e),
            (132, 0xef),
        ];
        for (sample, octet) in mu_law {
            assert_eq!(Law::Mu.encode(sample), octet, "{sample}: {:02x}", Law::Mu.encode(sample));
        }
        let a_law: [(i16, u8); 8] = [
            (0, 0xd5),
            (-1, 0x55),
            (16, 0xd4),
            (32_767, 0xaa),
            (-32_768, 0x2a),
            (1_000, 0xfa),
            (256, 0xc5),
            (512, 0xf5),
        ];
        for (sample, octet) in a_law {
            assert_eq!(Law::A.encode(sample), octet, "{sample}: {:02x}", Law::A.encode(sample));
        }
    }

    #[test]
    fn every_octet_is_the_octet_of_its_sample() {
        for law in [Law::Mu, Law::A] {
            for octet in 0..=255 {
                // µ-law has a positive and a negative zero.
                let again = law.encode(law.decode(octet));
                assert!(again == octet || (law == Law::Mu && octet == 0x7f && again == 0xff), "{octet:02x}");
            }
        }
    }

    #[test]
    fn no_sample_is_further_from_its_octet_than_half_a_step() {
        for law in [Law::Mu, Law::A] {
            for sample in i16::MIN..=i16::MAX {
                let error = (i32::from(law.decode(law.encode(sample))) - i32::from(sample)).abs();
                let step = (i32::from(sample).abs() + 132) / 16;
                assert!(error <= step.max(8), "{law:?} {sample}: {error}");
            }
        }
    }

    #[test]
    fn silence_is_the_octet_of_zero() {
        for law in [Law::Mu, Law::A] {
            assert_eq!(law.encode(0), law.silence());
        }
    }
}
