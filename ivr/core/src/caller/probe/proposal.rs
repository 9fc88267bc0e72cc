//! From the calls of a probe to the lines of a `[[trunk]]` section, each with the observation that earned it. What no call
//! can show, because it stands in the contract, is proposed as a comment.

use super::dialects::{BANDWIDTH, Dialect, PLIVO, TELNYX, TWILIO};
use super::{Call, Capture, Step, ends_like, is_withheld};
use crate::caller::TrunkProfile;
use crate::number::{Country, Number};
use crate::sip::identity::{Headers, NameAddress, Parameters, Scheme};

/// What the calls show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proposal {
    /// Keys of the trunk's section.
    pub lines: Vec<Line>,
    /// The table that the headers look like, and why.
    pub dialect: Option<(Dialect, Standing, &'static str)>,
    /// What else there is to know.
    pub notes: Vec<&'static str>,
}

/// A key of a trunk's section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub key: &'static str,
    /// Its value, as TOML.
    pub value: String,
    /// How far it is known.
    pub standing: Standing,
    /// What was observed.
    pub because: &'static str,
}

/// How far something is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The calls showed it.
    Seen,
    /// Only the contract can say it: it is proposed as a comment.
    Contract,
}

impl Proposal {
    /// The trunk's section.
    pub fn toml(&self, trunk: &TrunkProfile) -> String {
        let list = |items: Vec<String>| items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", ");
        let sources = list(trunk.sources.iter().map(ToString::to_string).collect());
        let numbers = list(trunk.numbers.iter().map(|number| number.as_str().to_owned()).collect());
        let mut lines = vec!["[[trunk]]".to_owned(), format!("name = {}", quoted(&trunk.name))];
        if !trunk.sources.is_empty() {
            lines.push(format!("sources = [{sources}]"));
        }
        lines.push(format!("numbers = [{numbers}]"));
        for Line { key, value, standing, because } in &self.lines {
            lines.extend([format!("# {because}"), format!("{}{key} = {value}", standing.mark())]);
        }
        if let Some((dialect, standing, because)) = &self.dialect {
            lines.push(format!("# {because}"));
            lines.extend(dialect.toml.lines().map(|line| format!("{}{line}", standing.mark())));
        }
        lines.join("\n") + "\n"
    }

    fn line(&mut self, key: &'static str, value: impl Into<String>, standing: Standing, because: &'static str) {
        self.lines.push(Line { key, value: value.into(), standing, because });
    }
}

/// A basic string of TOML: what stands in a trunk's section has no control characters.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl Standing {
    fn mark(self) -> &'static str {
        match self {
            Self::Seen => "",
            Self::Contract => "#",
        }
    }
}

/// What these calls, one of a step at most, propose for the trunk.
pub fn propose(calls: &[Call]) -> Proposal {
    let mut proposal = Proposal::default();
    let of = |step| calls.iter().find(|call| call.expected.step == step);
    let [normal, withheld, forwarded, abroad] = Step::ALL.map(of);
    match normal {
        Some(normal) => {
            identities(normal, withheld, &mut proposal);
            numbers(normal, abroad, &mut proposal);
        }
        None => proposal.notes.push("Call normally first: most of the profile rests on that call."),
    }
    proposal.line("cli_screened", "true", Standing::Contract, SCREENED);
    diversion(forwarded, &mut proposal);
    signatures(calls, &mut proposal);
    match withheld {
        Some(call) if !says_withheld(call) => proposal.notes.push(NOT_HIDDEN),
        Some(_) => {}
        None => proposal.notes.push("Nobody knows yet how a withheld number arrives: call with it withheld."),
    }
    if calls.iter().any(|call| call.capture.bore_secret == Some(false)) {
        proposal.notes.push(NO_SECRET);
    }
    proposal
}

const SCREENED: &str =
    "No call can show this: does the contract say that the carrier checks the numbers of its customers?";
const NOT_HIDDEN: &str = "The call with the number withheld looked like any other: this carrier does not say who withholds \
                          a number, and such callers are taken for those who do not.";
const NO_SECRET: &str = "A call came without the ingress secret: give the carrier the address that bears it.";

fn says_withheld(call: &Call) -> bool {
    is_withheld(Headers(&call.capture.pairs()))
}

/// Does an address name this number, in whatever format?
fn names(entry: &NameAddress<'_>, number: &Number) -> bool {
    entry.uri.telephone_digits().is_some_and(|digits| ends_like(&digits, number))
}

/// The readable entries of a header.
fn entries<'a>(headers: Headers<'a>, name: &'static str) -> Vec<NameAddress<'a>> {
    headers.entries(name, None).filter_map(NameAddress::parse).collect()
}

fn from(headers: Headers<'_>) -> Option<NameAddress<'_>> {
    headers.values("From", None).next().and_then(NameAddress::parse)
}

/// Which headers name the caller, and whether the network wrote them.
fn identities(normal: &Call, withheld: Option<&Call>, proposal: &mut Proposal) {
    let number = &normal.expected.number;
    let pairs = normal.capture.pairs();
    let headers = Headers(&pairs);
    // What names a number that its telephone withheld was written by the network.
    let is_networks = |name: &'static str| {
        withheld.is_some_and(|call| {
            let pairs = call.capture.pairs();
            let headers = Headers(&pairs);
            let named = entries(headers, name).iter().any(|entry| names(entry, &call.expected.number));
            named && from(headers).is_none_or(|from| !names(&from, &call.expected.number))
        })
    };
    let standing = |name| if is_networks(name) { Standing::Seen } else { Standing::Contract };
    let asserted = entries(headers, "P-Asserted-Identity");
    let remote = entries(headers, "Remote-Party-ID");
    let is_right = |all: &[NameAddress<'_>]| !all.is_empty() && all.iter().all(|entry| names(entry, number));
    let counts = if is_right(&asserted) {
        let standing = standing("P-Asserted-Identity");
        let because = match standing {
            Standing::Seen => {
                "P-Asserted-Identity named the number also where the telephone withheld it: the network wrote it."
            }
            Standing::Contract => {
                "P-Asserted-Identity named the number; does the contract say that the carrier writes it, and removes what customers write?"
            }
        };
        proposal.line("trust_pai", "true", standing, because);
        true
    } else if !asserted.is_empty() {
        proposal.line(
            "trust_pai",
            "false",
            Standing::Seen,
            "P-Asserted-Identity named another number than the telephone's.",
        );
        false
    } else if is_right(&remote) && remote.iter().all(is_screened) {
        let because =
            "Remote-Party-ID named the number, with screen=yes and privacy=off, and no P-Asserted-Identity came.";
        proposal.line("trust_rpid", "true", standing("Remote-Party-ID"), because);
        true
    } else {
        proposal.line("trust_pai", "false", Standing::Seen, "No P-Asserted-Identity came.");
        false
    };
    if counts {
        let agrees = from(headers).is_some_and(|from| names(&from, number));
        let (value, because) = if agrees {
            ("false", "From named the same number.")
        } else {
            ("true", "From named another number, or none.")
        };
        proposal.line("from_is_free_text", value, Standing::Seen, because);
    }
    let named = asserted
        .iter()
        .chain(&remote)
        .chain(from(headers).as_ref().into_iter().collect::<Vec<_>>())
        .any(|entry| names(entry, number) && entry.uri.scheme == Scheme::Sip && !entry.uri.is_telephone());
    if named {
        let because = "A sip: address named the number without user=phone.";
        proposal.line("bare_user_is_number", "true", Standing::Seen, because);
    }
}

fn is_screened(entry: &NameAddress<'_>) -> bool {
    let says =
        |name, wanted: &str| entry.parameters.value(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
    says("screen", "yes") && says("privacy", "off")
}

/// How a number is spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Spelling {
    /// `+` and all of it.
    E164,
    /// All of it without `+`.
    NoPlus,
    /// Without its country code, behind this.
    National(String),
    /// With its country code, behind this.
    Behind(String),
    /// In another way.
    Other,
}

impl Spelling {
    fn of(digits: &str, number: &Number) -> Self {
        let whole = number.as_str();
        let code = number.country().calling_code().map_or(String::new(), |code| code.to_string());
        let (bare, national) = (&whole[1..], &whole[1 + code.len()..]);
        if digits == whole {
            return Self::E164;
        }
        if let Some(before) = digits.strip_suffix(bare).filter(|before| !before.starts_with('+')) {
            return if before.is_empty() { Self::NoPlus } else { Self::Behind(before.to_owned()) };
        }
        match digits.strip_suffix(national) {
            Some(before) if !before.starts_with('+') => Self::National(before.to_owned()),
            _ => Self::Other,
        }
    }
}

/// The spelling in the header that counts, as far as that can be told: the asserted one before From.
fn spelled(capture: &Capture, number: &Number) -> Option<Spelling> {
    let pairs = capture.pairs();
    let headers = Headers(&pairs);
    let mut asserted = entries(headers, "P-Asserted-Identity");
    asserted.sort_by_key(|entry| entry.uri.scheme != Scheme::Tel);
    let all = asserted.into_iter().chain(entries(headers, "Remote-Party-ID")).chain(from(headers));
    let digits = all.filter(|entry| names(entry, number)).filter_map(|entry| entry.uri.telephone_digits()).next();
    digits.map(|digits| Spelling::of(&digits, number))
}

/// How the carrier spells numbers.
fn numbers(normal: &Call, abroad: Option<&Call>, proposal: &mut Proposal) {
    let country = normal.expected.number.country();
    let foreign = abroad.filter(|call| call.expected.number.country() != country);
    let far = foreign.and_then(|call| spelled(&call.capture, &call.expected.number));
    let Some(near) = spelled(&normal.capture, &normal.expected.number) else {
        proposal
            .notes
            .push("The normal call named the telephone's number nowhere: this carrier does not say who calls.");
        return;
    };
    match (near, &far) {
        (Spelling::E164, _) => {
            proposal.line("number_format", "\"e164\"", Standing::Seen, "The number came with + and country code.");
            if matches!(far, Some(Spelling::NoPlus | Spelling::Behind(_) | Spelling::National(_) | Spelling::Other)) {
                proposal.notes.push("The number from abroad was spelled otherwise than the domestic one: it is refused as number-format.");
            }
        }
        // North America's trunk prefix is its country code: the foreign number tells which is meant.
        (Spelling::NoPlus, Some(Spelling::Behind(international))) => {
            let code = country.calling_code().map_or(String::new(), |code| code.to_string());
            national(country, &code, Some(international), proposal);
        }
        (Spelling::NoPlus, _) => {
            let because = "The number came with its country code and without +.";
            proposal.line("number_format", "\"e164-no-plus\"", Standing::Seen, because);
        }
        (Spelling::National(before), far) if before.len() <= LONGEST_TRUNK_PREFIX => {
            let international = match far {
                Some(Spelling::Behind(international)) => Some(international),
                _ => None,
            };
            national(country, &before, international, proposal);
        }
        (Spelling::Behind(before) | Spelling::National(before), _) if before.len() <= LONGEST_PREFIX => {
            let because = "Digits stood before the number that are not of it.";
            proposal.line("strip_prefixes", format!("[{before:?}]"), Standing::Seen, because);
            proposal.notes.push(
                "The number came behind a technical prefix: take `strip_prefixes` up and probe again for the format.",
            );
        }
        (Spelling::Behind(_) | Spelling::National(_) | Spelling::Other, _) => {
            proposal.notes.push("The number came in no format that is known here: ask the carrier for E.164.");
        }
    }
    if !proposal.lines.iter().any(|line| line.key == "country") {
        let because = "The telephone's country; does the contract say that the carrier screens numbers of it?";
        proposal.line("country", format!("\"{country}\""), Standing::Contract, because);
    }
    if foreign.is_none() {
        proposal.notes.push("How a foreign number is spelled is not known yet: call with one.");
    }
}

fn national(country: Country, trunk_prefix: &str, international: Option<&String>, proposal: &mut Proposal) {
    proposal.line("number_format", "\"national\"", Standing::Seen, "The number came without its country code.");
    let because =
        "National numbers mean nothing without their country. That the carrier screens them is in the contract.";
    proposal.line("country", format!("\"{country}\""), Standing::Seen, because);
    if !trunk_prefix.is_empty() {
        let because = "It stood before the area code.";
        proposal.line("trunk_prefix", format!("{trunk_prefix:?}"), Standing::Seen, because);
    }
    match international {
        Some(prefix) => {
            let because = "It stood before the country code of the number from abroad.";
            proposal.line("international_prefix", format!("{prefix:?}"), Standing::Seen, because);
        }
        None => proposal.notes.push("Without `international_prefix` no foreign number is read: call with one."),
    }
}

/// Does a forwarded call still say so?
fn diversion(forwarded: Option<&Call>, proposal: &mut Proposal) {
    let Some(call) = forwarded else {
        let because = "Nobody has called over a telephone that forwards yet.";
        return proposal.line("keeps_diversion", "\"unknown\"", Standing::Seen, because);
    };
    let pairs = call.capture.pairs();
    let headers = Headers(&pairs);
    let kept = ["Diversion", "CC-Diversion"].into_iter().any(|name| headers.has(name, None))
        || headers.entries("History-Info", None).any(is_redirected)
        || headers.values("Identity", None).any(|identity| ppt(identity).is_some_and(|ppt| ppt.starts_with("div")));
    let in_its_name = |forwarder: &Number| spelled(&call.capture, forwarder).is_some();
    let (value, because) = if kept {
        ("\"yes\"", "A forwarded call came with Diversion, History-Info or a div PASSporT.")
    } else if call.expected.forwarder.as_ref().is_some_and(in_its_name) {
        ("\"no\"", "A forwarded call came in the name of the telephone that forwards, and nothing said so.")
    } else {
        ("\"no\"", "A forwarded call came, and nothing said that it was forwarded.")
    };
    proposal.line("keeps_diversion", value, Standing::Seen, because);
}

fn is_redirected(entry: &str) -> bool {
    NameAddress::parse(entry).is_none_or(|entry| super::super::policy::is_redirected(&entry))
}

fn ppt(identity: &str) -> Option<&str> {
    Parameters(identity.split_once(';')?.1).value("ppt")
}

/// What the carrier says of its callers' signatures.
fn signatures(calls: &[Call], proposal: &mut Proposal) {
    let all: Vec<Vec<(&str, &str)>> = calls.iter().map(|call| call.capture.pairs()).collect();
    let any = |f: &dyn Fn(Headers<'_>) -> bool| all.iter().any(|pairs| f(Headers(pairs)));
    if any(&|headers| headers.values("Identity", None).any(|identity| ppt(identity) == Some("shaken"))) {
        proposal.line("identity_passthrough", "true", Standing::Seen, "A call came with an Identity of type shaken.");
    }
    let trusts = proposal
        .lines
        .iter()
        .any(|line| line.key == "trust_pai" && line.value == "true" && line.standing == Standing::Seen);
    let in_pai = if trusts { Standing::Seen } else { Standing::Contract };
    let words: Vec<String> = all.iter().flat_map(|pairs| verstats(Headers(pairs))).collect();
    let tells_others = words.iter().any(|word| word.ends_with("-B") || word.ends_with("-C"));
    proposal.dialect = if any(&|headers| headers.has("X-Twilio-VerStat", None)) {
        Some((TWILIO, Standing::Seen, "X-Twilio-VerStat came: it is Twilio's header."))
    } else if any(&|headers| headers.has("X-Plivo-Stir-Verification", None)) {
        Some((PLIVO, Standing::Seen, "X-Plivo-Stir-Verification came: it is Plivo's header."))
    } else if words.is_empty() {
        None
    } else if any(&|headers| headers.has("P-Attestation-Indicator", None)) {
        Some((
            BANDWIDTH,
            in_pai,
            "verstat came in P-Asserted-Identity, and P-Attestation-Indicator beside it, as Bandwidth writes them.",
        ))
    } else if tells_others {
        Some((
            TELNYX,
            in_pai,
            "verstat came in P-Asserted-Identity with -B or -C, so the bare word is A, as with Telnyx.",
        ))
    } else {
        Some((
            TELNYX,
            Standing::Contract,
            "verstat came in P-Asserted-Identity. With Telnyx the bare word means A; another carrier must say so.",
        ))
    };
    if proposal.dialect.is_none() && any(&|headers| headers.0.iter().any(|(name, value)| is_verdict(name, value))) {
        proposal.notes.push(
            "A header of the carrier's own speaks of a validation: ask what its words mean, and write [trunk.verstat].",
        );
    }
}

/// The words of `verstat` in P-Asserted-Identity.
fn verstats(headers: Headers<'_>) -> Vec<String> {
    let words = entries(headers, "P-Asserted-Identity");
    words.iter().flat_map(|entry| entry.everywhere("verstat").map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn is_verdict(name: &str, value: &str) -> bool {
    let says = |text: &str, word: &str| text.to_ascii_lowercase().contains(word);
    says(name, "verstat") || says(name, "stir") || says(name, "attest") || says(value, "tn-validation")
}

/// `0`, `06`, `1`, none.
const LONGEST_TRUNK_PREFIX: usize = 2;
/// See `strip_prefixes`.
const LONGEST_PREFIX: usize = 8;
