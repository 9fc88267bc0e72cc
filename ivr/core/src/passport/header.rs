//! The `Identity` header (RFC 8224 4): a token, and beside it where its certificate lies.

use super::Fault;
use crate::sip::identity::Parameters;

/// A header's value, taken apart. What stands in it says nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IdentityHeader<'a> {
    /// The JWS.
    pub(super) token: &'a str,
    /// `info`: where the certificate lies.
    pub(super) info: &'a str,
}

impl<'a> IdentityHeader<'a> {
    /// Takes the value of a SHAKEN token's header apart.
    pub(super) fn read(value: &'a str) -> Result<Self, Fault> {
        if value.len() > LONGEST_BYTES {
            return Err(Fault::TooLong);
        }
        let (token, parameters) = value.trim().split_once(';').ok_or(Fault::Header)?;
        let parameters = Parameters(parameters);
        let info = once(parameters, "info")?.ok_or(Fault::Header)?;
        let info = info.strip_prefix('<').and_then(|info| info.strip_suffix('>')).ok_or(Fault::Header)?;
        // RFC 8224 4.1: without it, it is ES256.
        if once(parameters, "alg")?.is_some_and(|alg| alg != "ES256") {
            return Err(Fault::Algorithm);
        }
        if once(parameters, "ppt")? != Some("shaken") {
            return Err(Fault::Extension);
        }
        Ok(Self { token: token.trim(), info })
    }
}

/// The value of a parameter that may not stand there twice.
fn once<'a>(parameters: Parameters<'a>, name: &str) -> Result<Option<&'a str>, Fault> {
    let mut values = parameters.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Fault::Header),
        (value, None) => Ok(value.map(|(_, value)| value)),
    }
}

/// A token of SHAKEN has about 500.
const LONGEST_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_token_and_its_parameters_each_once() {
        for (value, expected) in [
            ("t;info=<https://h/c>;alg=ES256;ppt=shaken", Ok(("t", "https://h/c"))),
            ("t ; ppt = \"shaken\" ; info = <https://h/c;x=1>", Ok(("t", "https://h/c;x=1"))),
            ("t;INFO=<https://h/c>;PPT=shaken;other=1", Ok(("t", "https://h/c"))),
            ("t", Err(Fault::Header)),
            ("t;ppt=shaken", Err(Fault::Header)),
            ("t;info=https://h/c;ppt=shaken", Err(Fault::Header)),
            ("t;info=<https://h/c>;info=<https://h/d>;ppt=shaken", Err(Fault::Header)),
            ("t;info=<https://h/c>;ppt=shaken;ppt=div", Err(Fault::Header)),
            ("t;info=<https://h/c>;alg=RS256;ppt=shaken", Err(Fault::Algorithm)),
            ("t;info=<https://h/c>;alg=es256;ppt=shaken", Err(Fault::Algorithm)),
            ("t;info=<https://h/c>", Err(Fault::Extension)),
            ("t;info=<https://h/c>;ppt=div", Err(Fault::Extension)),
        ] {
            let read = IdentityHeader::read(value).map(|header| (header.token, header.info));
            assert_eq!(read, expected, "{value}");
        }
        assert_eq!(IdentityHeader::read(&"a".repeat(LONGEST_BYTES + 1)), Err(Fault::TooLong));
    }
}
