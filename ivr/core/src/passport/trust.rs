//! Whom the operator believes: authorities, each with its anchors, its revocation lists, and the countries for whose numbers it
//! answers. All are the operator's files; none is shipped.

use x509_parser::pem::Pem;

use super::Fault;
use super::certificate::{Certificate, Unknown};
use super::revocation::RevocationList;
use crate::number::Country;

/// The authorities. Without any, nobody is believed.
#[derive(Debug, Clone, Default)]
pub struct Trust(Vec<Authority>);

/// Who decides which signers there are for the numbers of some countries (SHAKEN's policy administrator), or of all. What one
/// authority says of a signer, another does not change: its lists speak only of those whom its own anchors confirm.
#[derive(Debug, Clone)]
pub struct Authority {
    anchors: Vec<Certificate>,
    lists: Vec<RevocationList>,
    countries: Countries,
    delegates: Delegates,
    passed_over: Vec<PassedOver>,
}

/// A certificate among the anchors that is of a kind which is not known here.
#[derive(Debug, Clone)]
struct PassedOver {
    why: Untrusted,
    certificate: Unknown,
}

/// For whose numbers an authority answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Countries {
    All,
    Only(Vec<Country>),
}

/// Whether signers are believed whom a provider certified for numbers (RFC 9060), which it alone knows to be its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delegates {
    Refused,
    Believed,
}

/// Why a file of anchors or lists cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// No PEM block of the kind that is wanted, or something that is no PEM.
    #[error("there is no PEM block {0} in it, or it is damaged")]
    Nothing(&'static str),
    /// The n-th certificate, counted from 1.
    #[error("certificate {place} cannot be an anchor: {fault}")]
    Certificate {
        /// Counted from 1.
        place: usize,
        /// Why not.
        fault: Fault,
    },
    /// It may sign neither certificates nor lists.
    #[error("certificate {place} is no anchor: it is neither a CA's with keyCertSign nor for cRLSign")]
    NoIssuer {
        /// Counted from 1.
        place: usize,
    },
    /// The n-th list, counted from 1.
    #[error(
        "revocation list {place} cannot be read: it must be signed with P-256 or RSA, and SHA-256, whole (no delta) and for \
         all reasons"
    )]
    List {
        /// Counted from 1.
        place: usize,
    },
}

impl Trust {
    /// How many certificates are trusted.
    pub fn anchor_count(&self) -> usize {
        self.0.iter().map(|authority| authority.anchors.len()).sum()
    }

    pub(super) fn authorities(&self) -> &[Authority] {
        &self.0
    }
}

impl From<Authority> for Trust {
    fn from(authority: Authority) -> Self {
        Self(vec![authority])
    }
}

impl FromIterator<Authority> for Trust {
    fn from_iter<I: IntoIterator<Item = Authority>>(authorities: I) -> Self {
        Self(authorities.into_iter().collect())
    }
}

impl Authority {
    /// Reads PEM: certificates that are trusted, each as it is, as issuers of certificates or of revocation lists. It answers
    /// for the numbers of all countries. One of a kind that is not known here is passed over: what a country publishes has
    /// some, and they must not silence all the others. But if it issues no certificates, and there is a list by its name, nobody
    /// is believed: whom it revokes cannot be told.
    ///
    /// # Errors
    /// If none is left, or one is damaged or can serve as neither.
    pub fn anchored(pem: &[u8]) -> Result<Self, Untrusted> {
        let (mut anchors, mut passed_over) = (Vec::new(), Vec::new());
        for (block, place) in blocks(pem, CERTIFICATE)?.iter().zip(1..) {
            match Certificate::anchor_from_der(&block.contents) {
                Ok(anchor) if anchor.may_issue(0) || anchor.usage.signs_lists => anchors.push(anchor),
                Ok(_) => return Err(Untrusted::NoIssuer { place }),
                Err(fault @ (Fault::NotP256 | Fault::CriticalExtension)) => {
                    let why = Untrusted::Certificate { place, fault };
                    passed_over.push(PassedOver { why, certificate: Unknown::from_der(&block.contents).ok_or(why)? });
                }
                Err(fault) => return Err(Untrusted::Certificate { place, fault }),
            }
        }
        if let (true, Some(PassedOver { why, .. })) = (anchors.is_empty(), passed_over.first()) {
            return Err(*why);
        }
        let (countries, delegates) = (Countries::All, Delegates::Refused);
        Ok(Self { anchors, lists: Vec::new(), countries, delegates, passed_over })
    }

    /// Looks into these lists, too: PEM, any number of them.
    ///
    /// # Errors
    /// If there is none, or one cannot be read.
    pub fn with_lists(mut self, pem: &[u8]) -> Result<Self, Untrusted> {
        for (block, place) in blocks(pem, "X509 CRL")?.iter().zip(1..) {
            let list = RevocationList::from_der(&block.contents).ok_or(Untrusted::List { place })?;
            let is_administrators = self.is_administrators(&list);
            self.lists.push(list.below(&self.anchors, is_administrators));
        }
        Ok(self)
    }

    /// Answers for the numbers of these countries and no others.
    #[must_use]
    pub fn only_for(self, countries: Vec<Country>) -> Self {
        Self { countries: Countries::Only(countries), ..self }
    }

    /// Believes the delegates of providers: signers with numbers below a service provider code, though no certificate says that
    /// they are the provider's. Without this they are refused.
    #[must_use]
    pub fn with_delegates(self) -> Self {
        Self { delegates: Delegates::Believed, ..self }
    }

    /// Until when its anchors and lists hold, in seconds since 1970: the first end of each.
    pub fn ends_at(&self) -> (Option<i64>, Option<i64>) {
        let anchors = self.anchors.iter().map(|anchor| anchor.validity.to).min();
        (anchors, self.lists.iter().map(|list| list.validity().to).min())
    }

    /// Which certificates among the anchors are of a kind that is not known here: whoever is below them is refused.
    pub fn passed_over(&self) -> impl Iterator<Item = Untrusted> {
        self.passed_over.iter().map(|passed_over| passed_over.why)
    }

    /// Of whom there are lists that no anchor has signed, by the names of their issuers. They speak of nobody, unless the issuer is
    /// an authority below an anchor; those that would speak of all (indirect ones, and those of an anchor that was passed over and
    /// issues no certificates) have all refused.
    pub fn strangers_lists(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().filter(|list| list.is_strangers()).map(RevocationList::name)
    }

    /// Is it by the name of an anchor which issues nothing but lists? One that was passed over counts, too: else whoever is on
    /// its list would be believed.
    fn is_administrators(&self, list: &RevocationList) -> bool {
        let administrators = self.anchors.iter().filter(|anchor| !anchor.usage.is_ca && anchor.usage.signs_lists);
        let unknown = self.passed_over.iter().map(|passed_over| &passed_over.certificate).filter(|one| !one.is_ca);
        let mut names = administrators.map(|anchor| &anchor.subject).chain(unknown.map(|one| &one.subject));
        names.any(|name| list.is_by(name))
    }

    pub(super) fn anchors(&self) -> &[Certificate] {
        &self.anchors
    }

    pub(super) fn lists(&self) -> &[RevocationList] {
        &self.lists
    }

    pub(super) fn delegates(&self) -> Delegates {
        self.delegates
    }

    pub(super) fn countries(&self) -> &Countries {
        &self.countries
    }
}

impl Countries {
    /// Are the numbers of this country among them? `None` is a number that no country has.
    pub(super) fn have(&self, country: impl FnOnce() -> Option<Country>) -> bool {
        match self {
            Self::All => true,
            Self::Only(countries) => country().is_some_and(|country| countries.contains(&country)),
        }
    }
}

/// The PEM blocks with this label, of which there is at least one.
pub(super) fn blocks(pem: &[u8], label: &'static str) -> Result<Vec<Pem>, Untrusted> {
    let blocks: Result<Vec<Pem>, _> = Pem::iter_from_buffer(pem).collect();
    let mut blocks = blocks.map_err(|_| Untrusted::Nothing(label))?;
    blocks.retain(|block| block.label == label);
    if blocks.is_empty() { Err(Untrusted::Nothing(label)) } else { Ok(blocks) }
}

/// RFC 7468 5.
pub(super) const CERTIFICATE: &str = "CERTIFICATE";

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CustomExtension};

    use super::super::testing::{AT, CALL, Holder, ONE, SPC, claims, header, judged, tn_auth_list};
    use super::super::{Passport, Report, Signer, verify};
    use super::*;
    use crate::caller::Attest;

    /// That of this root, for the numbers of these countries.
    fn authority_for(root: &Holder, countries: &[&str]) -> Authority {
        let countries = countries.iter().map(|country| country.parse().unwrap()).collect();
        Authority::anchored(root.pem.as_bytes()).unwrap().only_for(countries)
    }

    #[test]
    fn an_authority_answers_for_the_numbers_of_its_countries_only() {
        let (american, french) = (Holder::root("american", |_| {}), Holder::root("french", |_| {}));
        let trust: Trust =
            [authority_for(&american, &["US", "CA"]), authority_for(&french, &["FR"])].into_iter().collect();
        let judge = |root: &Holder, orig: &str| {
            let signer = root.signer(|_| {});
            let passport = Passport::read(&signer.identity(&header(), &claims().replace(CALL.orig, orig)))?;
            verify(&passport, &Signer::read(signer.pem.as_bytes(), &trust, AT)?, AT)
        };
        let (dc, toronto, jamaica, paris, nowhere) =
            ("12025550143", "14165550143", "18765550143", "33142685300", "999000000000");
        for (root, orig, expected) in [
            (&american, dc, Ok(Attest::A)),
            // They share +1.
            (&american, toronto, Ok(Attest::A)),
            (&american, jamaica, Err(Fault::OtherCountry)),
            (&american, paris, Err(Fault::OtherCountry)),
            (&french, paris, Ok(Attest::A)),
            (&french, dc, Err(Fault::OtherCountry)),
            (&french, nowhere, Err(Fault::OtherCountry)),
        ] {
            assert_eq!(judge(root, orig), expected, "{orig}");
        }
    }

    #[test]
    fn who_is_confirmed_by_two_authorities_speaks_for_both_and_each_has_its_own_lists() {
        let root = Holder::root("root", |_| {});
        let signer = root.signer(|_| {});
        let american = || authority_for(&root, &["US"]);
        let listed = |authority: Authority| authority.with_lists(root.list(&[7], (2026, 6, 1)).as_bytes()).unwrap();
        let ended = |authority: Authority| authority.with_lists(root.list(&[], (2025, 12, 1)).as_bytes()).unwrap();
        let everywhere = || Authority::anchored(root.pem.as_bytes()).unwrap();
        for (name, authorities, expected) in [
            ("the second", vec![authority_for(&root, &["FR"]), american()], Ok(Attest::A)),
            ("neither", vec![authority_for(&root, &["FR"]), authority_for(&root, &["DE"])], Err(Fault::OtherCountry)),
            (
                "revoked by the one that counts",
                vec![authority_for(&root, &["FR"]), listed(american())],
                Err(Fault::Revoked),
            ),
            ("revoked by the other", vec![listed(authority_for(&root, &["FR"])), american()], Ok(Attest::A)),
            ("revoked by all", vec![listed(american()), listed(everywhere())], Err(Fault::Revoked)),
            ("the list of the one has ended", vec![ended(american()), everywhere()], Ok(Attest::A)),
            ("so have both", vec![ended(american()), ended(everywhere())], Err(Fault::ListNotInForce)),
        ] {
            let trust = authorities.into_iter().collect();
            assert_eq!(judged(&signer.token(), &signer.pem, &trust), expected, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_only_if_no_authority_knows_the_signer() {
        let (root, other) = (Holder::root("root", |_| {}), Holder::root("other", |_| {}));
        let signer = root.signer(|_| {});
        let mut unknown = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 32473, 1], vec![5, 0]);
        unknown.set_criticality(true);
        let unreadable = other.authority("unreadable", |params| params.custom_extensions.push(unknown));
        let pem = signer.pem.clone() + &unreadable.pem;
        let knows_nobody = || Authority::anchored(other.pem.as_bytes()).unwrap();
        let revokes = || {
            let authority = Authority::anchored(root.pem.as_bytes()).unwrap();
            authority.with_lists(root.list(&[7], (2026, 6, 1)).as_bytes()).unwrap()
        };
        for (authorities, fault) in [
            (vec![knows_nobody(), revokes()], Fault::Revoked),
            (vec![revokes(), knows_nobody()], Fault::Revoked),
            (vec![knows_nobody()], Fault::CriticalExtension),
        ] {
            let trust = authorities.into_iter().collect();
            assert_eq!(judged(&signer.token(), &pem, &trust), Err(fault));
        }
    }

    #[test]
    fn a_provider_is_denied_by_its_code_before_whichever_authority() {
        let numbers = |list: &'static [u8]| {
            move |params: &mut CertificateParams| params.custom_extensions = vec![tn_auth_list(list)]
        };
        // One provider, certified by two authorities under two codes.
        let french = Holder::root("provider", numbers(b"\x30\x08\xa0\x06\x16\x04999X"));
        let american = french.renewed(numbers(SPC));
        let delegate = french.signer(numbers(ONE));
        let of = |anchor: &str, country: &str| {
            let authority = Authority::anchored(anchor.as_bytes()).unwrap().with_delegates();
            authority.only_for(vec![country.parse().unwrap()])
        };
        let trust: Trust = [of(&french.pem, "FR"), of(&american, "US")].into_iter().collect();
        let passport = Passport::read(&delegate.token()).unwrap();
        let signer = Signer::read(delegate.pem.as_bytes(), &trust, AT).unwrap();
        let report = Report::of(&passport, Some(&signer), verify(&passport, &signer, AT));
        assert_eq!(report.verdict, Ok(Attest::A));
        assert_eq!(report.but_for(&["709J".to_owned()]).verdict, Err(Fault::DeniedSpc), "the code that counts in +1");
    }
}
