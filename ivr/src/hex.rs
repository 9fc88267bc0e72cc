//! Octets as lower-case hexadecimal digits.

/// The digits of these octets.
pub(crate) fn of(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The octets of these digits, if there are none but lower-case ones, and an even number of them.
pub(crate) fn read(digits: &str) -> Option<Vec<u8>> {
    let is_hex = digits.len().is_multiple_of(2) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let pairs = (0..digits.len()).step_by(2);
    is_hex.then(|| pairs.filter_map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect())
}

/// The same, of just so many octets.
pub(crate) fn read_array<const N: usize>(digits: &str) -> Option<[u8; N]> {
    read(digits)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        assert_eq!((of(&[0, 0xab]), read_array("00ab")), ("00ab".to_owned(), Some([0, 0xab])));
        for wrong in ["0", "00AB", "0g", "é", "+1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read_array::<2>("00"), None);
    }
}
