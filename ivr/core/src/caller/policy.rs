//! The ordered checks on an INVITE, from its source to the level that its caller may prove. The first that fails names
//! the reason. The tables in `policy/cases/` are the specification in examples.

mod another;

use std::net::IpAddr;

use subtle::ConstantTimeEq;

pub(crate) use self::another::{NamedBy, names_another};
use super::attestation::{self, Attestation};
use super::trunk::{KeepsDiversion, Readings, SignedIdentity, TrunkIndex, TrunkProfile};
use super::{
    Attest, Caller, Cap, Caps, IssuingLevels, Level, LineParameters, PassportVerdict, Passports, Realm, Reason, Verstat,
};
use crate::number::{Country, KindPolicy, Number};
use crate::private::Private;
use crate::sip::identity::{Headers, NameAddress, Privacy, Scheme, Uri};
use crate::sip::peer::Peer;

/// What the operator decided about who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The carriers. No two have a source address in common.
    pub trunks: Vec<TrunkProfile>,
    /// The lowest level that certificates are issued for; a call below it is refused before it is answered.
    pub issue_from: IssuingLevels,
    /// Which kinds of numbers may be proved.
    pub kinds: KindPolicy,
}

/// What the checks found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The call may go on.
    Accept {
        /// Who calls, and how far that is believed.
        caller: Caller,
        /// Over which trunk.
        trunk: TrunkIndex,
    },
    /// The call ends here, before it is answered.
    Refuse(Box<Refusal>),
}

/// Why a call ends here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The first check that failed.
    pub reason: Reason,
    /// `None` for an unknown peer, which may be answered by silence.
    pub trunk: Option<TrunkIndex>,
    /// The number that the call bore, if it was read before the check failed and the caller did not withhold it: the
    /// page of that number's session may say why.
    pub claimed: Option<Number>,
    /// The caller, if only the last check failed, the issuing level: the record tells what the call was worth.
    pub caller: Option<Caller>,
}

/// A call that passed every check that needs nothing but the request: what is left is what a PASSporT says, and the
/// level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessed {
    trunk: TrunkIndex,
    number: Number,
    called: Number,
    line: LineParameters,
    privacy: Privacy,
    attestation: Attestation,
    passport: Option<Private<String>>,
}

/// Runs the checks on a request from `peer`: its Request-URI and its headers as (name, raw value), unfolded. Nobody
/// verifies a PASSporT.
pub fn judge(policy: &Policy, peer: &Peer, request_uri: &str, headers: &[(&str, &str)]) -> Verdict {
    match assess(policy, peer, request_uri, headers) {
        Ok(assessed) => assessed.settle(policy, PassportVerdict::Unverified),
        Err(refusal) => Verdict::Refuse(refusal),
    }
}

/// The first part of [`judge`]: the checks that need no network. What passes them is settled once it is known what
/// became of its PASSporT, and before anybody is asked for a session.
///
/// # Errors
/// Why the call ends here, whatever its PASSporT says.
pub fn assess(
    policy: &Policy,
    peer: &Peer,
    request_uri: &str,
    headers: &[(&str, &str)],
) -> Result<Assessed, Box<Refusal>> {
    let refused = |reason, trunk, claimed| Box::new(Refusal { reason, trunk, claimed, caller: None });
    let index = policy.trunk_of(peer).ok_or_else(|| refused(Reason::UnknownPeer, None, None))?;
    let mut claimed = None;
    checked(policy, index, request_uri, Headers(headers), &mut claimed)
        .map_err(|reason| refused(reason, Some(index), claimed))
}

impl Assessed {
    /// The `Identity` header to verify (RFC 8224): the first of type shaken over a trunk that hands them on. It may be
    /// as long as the request.
    pub fn passport(&self) -> Option<&Private<String>> {
        self.passport.as_ref()
    }

    /// Who calls, and which of the trunk's numbers.
    pub fn numbers(&self) -> (&Number, &Number) {
        (&self.number, &self.called)
    }

    /// Is it refused whatever its PASSporT proves? Then there is no need to fetch anything.
    ///
    /// # Errors
    /// Why.
    pub fn at_best(self, policy: &Policy) -> Result<Self, Box<Refusal>> {
        // A token that says B or C has lowered the call already.
        match self.clone().settle(policy, PassportVerdict::Verified(Attest::A)) {
            Verdict::Accept { .. } => Ok(self),
            Verdict::Refuse(refusal) => Err(refusal),
        }
    }

    /// Who calls, and what the call is worth with this verdict.
    pub fn caller(&self, policy: &Policy, passport: PassportVerdict) -> Caller {
        let trunk = policy.trunk(self.trunk);
        let (level, caps) = level(trunk, self.privacy, (self.attestation, passport), self.number.country());
        Caller {
            number: self.number.clone(),
            level,
            caps,
            line: self.line,
            trunk: trunk.name.clone(),
            realm: trunk.realm,
            passport: None,
        }
    }

    /// The end of check 9: what the call is worth, and whether that is enough.
    pub fn settle(self, policy: &Policy, passport: PassportVerdict) -> Verdict {
        let index = self.trunk;
        let refuse = |reason, claimed, caller| {
            Verdict::Refuse(Box::new(Refusal { reason, trunk: Some(index), claimed: Some(claimed), caller }))
        };
        if let PassportVerdict::Bad(fault) = passport {
            return refuse(fault.reason(), self.number, None);
        }
        let caller = self.caller(policy, passport);
        if caller.level >= policy.issue_from.of(caller.number.kind()) {
            Verdict::Accept { caller, trunk: index }
        } else {
            refuse(Reason::BelowIssuingLevel, caller.number.clone(), Some(caller))
        }
    }
}

impl Policy {
    /// The profile of one of its trunks.
    ///
    /// # Panics
    /// If it has no such trunk: the index is another policy's.
    pub fn trunk(&self, TrunkIndex(index): TrunkIndex) -> &TrunkProfile {
        &self.trunks[index]
    }

    /// Does any carrier's SIP come from there, as the operator states it? What may call the sandbox comes from anywhere.
    pub fn states(&self, ip: IpAddr) -> bool {
        let mut carriers = self.trunks.iter().filter(|trunk| trunk.realm == Realm::Service);
        carriers.any(|trunk| trunk.sources.iter().any(|source| source.contains(ip)))
    }

    /// Is there a trunk that is known by its certificate alone and may come from anywhere, or is as good as that?
    pub fn has_roaming_trunk(&self) -> bool {
        let roams = |trunk: &TrunkProfile| trunk.sources.is_empty() || trunk.realm == Realm::Sandbox;
        self.trunks.iter().any(|trunk| trunk.shows_certificate && roams(trunk))
    }

    /// Could a call from this country over this trunk be worth a certificate, if its network attests all that it can?
    pub(super) fn may_issue(&self, trunk: &TrunkProfile, country: Country, passports: Passports) -> bool {
        let says = trunk.verstat.as_ref().is_some_and(Verstat::may_raise);
        let attested = (
            if says { Attestation::Full } else { Attestation::Silent },
            if trunk.proves_by(passports) { PassportVerdict::Verified(Attest::A) } else { PassportVerdict::Unverified },
        );
        level(trunk, Privacy::Open, attested, country).0 >= self.issue_from.lowest()
    }

    /// Check 1: the one trunk whose certificate was shown or else, among those that show none, the one that this address
    /// belongs to. Nothing is believed from anybody else, and two trunks that claim one address make it nobody's; but what may
    /// call the sandbox from anywhere takes no carrier's address.
    pub fn trunk_of(&self, peer: &Peer) -> Option<TrunkIndex> {
        let fits = |trunk: &TrunkProfile| trunk.has_source(peer.ip());
        if let Some(certified) = peer.certified
            && self.trunks.get(certified.0).is_some_and(fits)
        {
            return Some(certified);
        }
        let may_be = |trunk: &TrunkProfile| !trunk.shows_certificate && fits(trunk);
        let realm = self.trunks.iter().filter(|trunk| may_be(trunk)).map(|trunk| trunk.realm).min()?;
        let all = (0..).map(TrunkIndex).zip(&self.trunks);
        let mut found = all.filter(|(_, trunk)| trunk.realm == realm && may_be(trunk));
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Some(index),
            _ => None,
        }
    }
}

/// Checks 1 (the secret) to 9 (but what a PASSporT says, and the level), in the protocol's order but for one thing: a
/// caller who withholds the number is refused for that before two of its headers are compared, so that no page learns a
/// withheld number.
fn checked(
    policy: &Policy,
    index: TrunkIndex,
    request_uri: &str,
    headers: Headers<'_>,
    claimed: &mut Option<Number>,
) -> Result<Assessed, Reason> {
    let trunk = policy.trunk(index);
    let called = Uri::parse(request_uri).ok_or(Reason::NotOurNumber)?;
    let by_user = check_ingress(trunk, &called)?;
    let called = check_called(trunk, &called, by_user, headers)?.clone();

    let candidates = Candidates::read(trunk, headers)?;
    let privacy = candidates.check_privacy(headers)?;
    let chosen = candidates.chosen();
    let number = readings(trunk, &chosen.uri).and_then(|readings| readings.number().ok_or(Reason::NumberFormat));
    *claimed = number.as_ref().ok().cloned();
    let mut line = LineParameters::default();
    candidates.heard().try_for_each(|heard| check_line(heard, &mut line))?;
    let number = number?;
    candidates.check_agreement(trunk, &number)?;

    if !number.kind().is_permitted(policy.kinds) {
        return Err(Reason::NumberKind);
    }
    check_forwarding(headers)?;
    let attestation = attestation::read(trunk.verstat.as_ref(), headers, candidates.heard())?;
    let passport = trunk.identity_passthrough.then(|| attestation::passport(headers)).flatten();
    // RFC 8224 6.2.2: one of a kind that is not verified here is as good as none.
    if trunk.identity == SignedIdentity::Required && passport.is_none() {
        return Err(Reason::IdentityMissing);
    }
    Ok(Assessed { trunk: index, number, called, line, privacy, attestation, passport })
}

/// Check 1, second half: only the URI that we gave to this carrier bears its secret. Says whether the secret took the
/// place of the number.
fn check_ingress(trunk: &TrunkProfile, called: &Uri<'_>) -> Result<bool, Reason> {
    let Some(secret) = &trunk.ingress_secret else { return Ok(false) };
    shows_secret(called, secret).ok_or(Reason::IngressSecret)
}

/// Whether the secret that stands in a URI took the place of the number; `None` if it does not stand there.
pub(super) fn shows_secret(called: &Uri<'_>, secret: &Private<String>) -> Option<bool> {
    let is_secret = |text: &str| bool::from(text.as_bytes().ct_eq(secret.expose().as_bytes()));
    if is_secret(&called.user) {
        return Some(true);
    }
    let mut parameters = called.parameters.iter().chain(called.user_parameters.iter());
    parameters.any(|(_, value)| is_secret(value)).then_some(false)
}

/// Check 2: the call is for one of the trunk's numbers. Where the secret stands in the Request-URI's user part, the
/// number stands in To.
fn check_called<'t>(
    trunk: &'t TrunkProfile,
    called: &Uri<'_>,
    by_user: bool,
    headers: Headers<'_>,
) -> Result<&'t Number, Reason> {
    let ours = |uri: &Uri<'_>| {
        let called = readings(trunk, uri).ok()?;
        trunk.numbers.iter().find(|number| called.mean(number))
    };
    let ours = if by_user {
        headers.values("To", Some("t")).next().and_then(NameAddress::parse).and_then(|to| ours(&to.uri))
    } else {
        ours(called)
    };
    ours.ok_or(Reason::NotOurNumber)
}

/// Check 3: the headers that may name the caller, as far as this trunk's are believed.
struct Candidates<'a> {
    from: NameAddress<'a>,
    /// From the one header that counts, the best first; empty if only From is left.
    asserted: Vec<NameAddress<'a>>,
    /// That one is Remote-Party-ID.
    by_remote_party: bool,
    /// Every entry beside From that can be read, believed or not.
    written: Vec<NameAddress<'a>>,
}

impl<'a> Candidates<'a> {
    fn read(trunk: &TrunkProfile, headers: Headers<'a>) -> Result<Self, Reason> {
        let candidates = Self::unscreened(trunk, headers)?;
        if candidates.by_remote_party {
            candidates.asserted.iter().try_for_each(check_screening)?;
        }
        Ok(candidates)
    }

    /// The same, whether or not Remote-Party-ID may be shown and was screened.
    fn unscreened(trunk: &TrunkProfile, headers: Headers<'a>) -> Result<Self, Reason> {
        let mut froms = headers.values("From", Some("f"));
        let (Some(from), None) = (froms.next(), froms.next()) else { return Err(Reason::MalformedIdentity) };
        let from = NameAddress::parse(from).ok_or(Reason::MalformedIdentity)?;
        let mut asserted = if trunk.trust_pai { parsed(headers, "P-Asserted-Identity")? } else { Vec::new() };
        // RFC 3325 9.1: one value or two, and of two, one is sip(s) and one tel.
        if asserted.len() > 2 {
            return Err(Reason::MalformedIdentity);
        }
        let by_remote_party = asserted.is_empty() && trunk.trust_rpid;
        if by_remote_party {
            asserted = parsed(headers, "Remote-Party-ID")?.into_iter().filter(is_calling).collect();
        }
        asserted.sort_by_key(|entry| entry.uri.scheme != Scheme::Tel);
        let readable = |name| headers.entries(name, None).filter_map(NameAddress::parse);
        let remote = readable("Remote-Party-ID").filter(is_calling);
        let written = readable("P-Asserted-Identity").chain(remote).collect();
        Ok(Self { from, asserted, by_remote_party, written })
    }

    /// The headers that are believed to name the caller.
    fn named(&self) -> impl Iterator<Item = &NameAddress<'a>> {
        std::iter::once(&self.from).chain(&self.asserted)
    }

    /// Every header that names the caller: what one of them says against the caller needs no trust.
    fn heard(&self) -> impl Iterator<Item = &NameAddress<'a>> {
        std::iter::once(&self.from).chain(&self.written)
    }

    /// Check 4: a caller who withholds the number is refused (RFC 5079), also when a header leaks it.
    fn check_privacy(&self, headers: Headers<'_>) -> Result<Privacy, Reason> {
        let privacy = Privacy::of(headers);
        let hidden = self.named().any(is_anonymous);
        if hidden || privacy == Privacy::Withheld { Err(Reason::Anonymous) } else { Ok(privacy) }
    }

    /// The header that counts: the asserted number (tel: before sip:), else From.
    fn chosen(&self) -> &NameAddress<'a> {
        self.asserted.first().unwrap_or(&self.from)
    }

    /// Check 3, second half: every other header that names a caller names the same one.
    fn check_agreement(&self, trunk: &TrunkProfile, number: &Number) -> Result<(), Reason> {
        let others = self.asserted.iter().skip(1);
        let from = (!trunk.from_is_free_text && !self.asserted.is_empty()).then_some(&self.from);
        for other in others.chain(from) {
            if !readings(trunk, &other.uri).is_ok_and(|named| named.mean(number)) {
                return Err(Reason::IdentitiesDiffer);
            }
        }
        Ok(())
    }
}

fn parsed<'a>(headers: Headers<'a>, name: &'static str) -> Result<Vec<NameAddress<'a>>, Reason> {
    headers.entries(name, None).map(|entry| NameAddress::parse(entry).ok_or(Reason::MalformedIdentity)).collect()
}

/// Remote-Party-ID was never finished as an RFC: only the calling party counts, and only with `screen=yes;privacy=off`.
fn check_screening(entry: &NameAddress<'_>) -> Result<(), Reason> {
    if entry.parameters.value("privacy").is_some_and(|privacy| !privacy.eq_ignore_ascii_case("off")) {
        return Err(Reason::Anonymous);
    }
    let screened = entry.parameters.value("screen").is_some_and(|screen| screen.eq_ignore_ascii_case("yes"));
    if screened && entry.parameters.value("privacy").is_some() { Ok(()) } else { Err(Reason::Unscreened) }
}

/// Is an entry of Remote-Party-ID about who calls, and not about whom they call?
fn is_calling(entry: &NameAddress<'_>) -> bool {
    entry.parameters.value("party").is_none_or(|party| party.eq_ignore_ascii_case("calling"))
}

/// The spellings of "I do not say": RFC 3323 4.1.1, what networks write instead, and an empty user.
pub(super) fn is_anonymous(entry: &NameAddress<'_>) -> bool {
    const NOBODY: [&str; 7] = ["", "anonymous", "unavailable", "restricted", "private", "withheld", "unknown"];
    NOBODY.iter().any(|nobody| entry.uri.user.eq_ignore_ascii_case(nobody))
        || entry.uri.host.eq_ignore_ascii_case("anonymous.invalid")
        || entry.display.eq_ignore_ascii_case("anonymous")
}

/// Check 5: the number is one line that one person answers. What stands beside it is noted.
fn check_line(named: &NameAddress<'_>, line: &mut LineParameters) -> Result<(), Reason> {
    let is_any = |text: &str, known: &[&str]| known.iter().any(|known| text.eq_ignore_ascii_case(known));
    let (mut is_extension, mut is_shared) = (false, false);
    for (name, value) in named.all_parameters() {
        line.note(name, value);
        // RFC 3966 3: an extension, or an ISDN subaddress behind one line.
        is_extension |= is_any(name, &["ext", "isub"]);
        is_shared |= name.eq_ignore_ascii_case("cpc") && is_any(value, &["payphone", "operator", "test", "prison"]);
        // ANI II digits: 07 operator handled, 10 and 95 test calls, 27 and 70 payphones, 29 prison, 34 operator.
        is_shared |=
            is_any(name, &["isup-oli", "oli"]) && is_any(value, &["7", "07", "10", "95", "27", "70", "29", "34"]);
    }
    match (is_extension, is_shared) {
        (true, _) => Err(Reason::Extension),
        (false, true) => Err(Reason::SharedLine),
        (false, false) => Ok(()),
    }
}

/// Checks 5 and 6: digits in the trunk's format may mean E.164 numbers.
fn readings(trunk: &TrunkProfile, uri: &Uri<'_>) -> Result<Readings, Reason> {
    if !uri.is_telephone() && !trunk.bare_user_is_number {
        return Err(Reason::NoNumber);
    }
    let digits = uri.telephone_digits().ok_or(Reason::NoNumber)?;
    let context = uri.user_parameters.value("phone-context").or(uri.parameters.value("phone-context"));
    Ok(trunk.readings(&digits, context))
}

/// Check 8: a forwarded or transferred call comes from a line whose owner did not call.
fn check_forwarding(headers: Headers<'_>) -> Result<(), Reason> {
    if headers.has("Diversion", None) || headers.has("CC-Diversion", None) {
        return Err(Reason::Forwarded); // RFC 5806
    }
    for entry in headers.entries("History-Info", None) {
        // An entry that cannot be read may hide a redirection.
        let entry = NameAddress::parse(entry).ok_or(Reason::Forwarded)?;
        if is_redirected(&entry) {
            return Err(Reason::Forwarded);
        }
    }
    if attestation::is_diverted(headers) {
        return Err(Reason::Forwarded);
    }
    // RFC 3892, RFC 3891, RFC 3911
    let transferred =
        headers.has("Referred-By", Some("b")) || headers.has("Replaces", None) || headers.has("Join", None);
    if transferred { Err(Reason::Transferred) } else { Ok(()) }
}

/// RFC 7044: an entry made by retargeting to another user says `mp`, or why (RFC 4458 `cause`, or a Reason inside the
/// URI).
pub(super) fn is_redirected(entry: &NameAddress<'_>) -> bool {
    // RFC 8119: 380 is the carrier's translation of a service number, not somebody's redirection.
    let redirects = |cause: &str| cause.trim() != "380";
    let reason = entry.uri.header("Reason").is_some_and(|reason| {
        let mut parts = reason.split(';').map(str::trim);
        parts.any(|part| part.to_ascii_lowercase().strip_prefix("cause=").is_some_and(redirects))
    });
    reason || entry.everywhere("cause").any(redirects) || entry.parameters.value("mp").is_some()
}

/// Check 9 and the table of levels: the least that anything allows, and what that is.
fn level(
    trunk: &TrunkProfile,
    privacy: Privacy,
    (attestation, passport): (Attestation, PassportVerdict),
    country: Country,
) -> (Level, Caps) {
    let is_verified = matches!(passport, PassportVerdict::Verified(_));
    let is_low =
        attestation == Attestation::Low || matches!(passport, PassportVerdict::Verified(Attest::B | Attest::C));
    let is_attested = attestation == Attestation::Full || passport == PassportVerdict::Verified(Attest::A);
    let caps = [
        (trunk.is_open_to_others(), Cap::SharedAddresses, Level::L1),
        (!trunk.cli_screened, Cap::Unscreened, Level::L1),
        (trunk.country != Some(country), Cap::Foreign, Level::L1),
        // A forwarded call's PASSporT is about another destination.
        (trunk.keeps_diversion != KeepsDiversion::Yes && !is_verified, Cap::Diversion, Level::L1),
        (privacy == Privacy::Way, Cap::Privacy, Level::L1),
        (is_low, Cap::Attestation, Level::L1),
        (!is_attested, Cap::Unattested, Level::L2),
        (true, Cap::NoReturnPath, Level::L3),
    ];
    let caps = caps.into_iter().filter(|(applies, ..)| *applies).map(|(_, cap, level)| (cap, level));
    let (earned, holding) = Caps::least(caps);
    // What the call would not have earned anyway is no limit.
    if trunk.max_level < earned { Caps::least([(Cap::TrunkLimit, trunk.max_level)]) } else { (earned, holding) }
}

#[cfg(test)]
mod cases;
