//! Which of our numbers a person is told to dial. It depends on the country of the person's number and on nothing else of it, so
//! that the answer tells nothing about the number.

use super::{Passports, Policy, Realm};
use crate::number::{Country, Number};

/// Our numbers, the best for each country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialled {
    policy: Policy,
    passports: Passports,
}

impl Dialled {
    /// The numbers of the trunks of this realm; `None` if there is none.
    pub fn of(policy: &Policy, realm: Realm, passports: Passports) -> Option<Self> {
        let mut policy = policy.clone();
        policy.trunks.retain(|trunk| trunk.realm == realm);
        let has_number = policy.trunks.iter().any(|trunk| !trunk.numbers.is_empty());
        has_number.then_some(Self { policy, passports })
    }

    /// The number to dial from this country: first of a trunk whose calls from there may be worth a certificate, and of
    /// these one of the country itself, which costs its caller least. Among equals, the first that the operator named.
    pub fn from(&self, country: Country) -> &Number {
        let all = self.policy.trunks.iter().flat_map(|trunk| {
            let may_issue = self.policy.may_issue(trunk, country, self.passports);
            trunk.numbers.iter().map(move |number| ((may_issue, number.country() == country), number))
        });
        let best = all.reduce(|best, other| if other.0 > best.0 { other } else { best });
        best.map(|(_, number)| number).expect("a trunk has a number: it is checked above")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::{Finding, KeepsDiversion, Level, TrunkProfile, Verstat};
    use crate::number::KindPolicy;

    fn numbers(texts: &[&str]) -> Vec<Number> {
        texts.iter().map(|text| Number::parse(text).unwrap()).collect()
    }

    /// A trunk of this country that is believed.
    fn trunk(country: &str, texts: &[&str]) -> TrunkProfile {
        TrunkProfile {
            numbers: numbers(texts),
            shared_addresses: false,
            cli_screened: true,
            country: Some(country.parse().unwrap()),
            keeps_diversion: KeepsDiversion::Yes,
            ..TrunkProfile::default()
        }
    }

    fn told(trunks: Vec<TrunkProfile>, issue_from: Level, country: &str) -> String {
        let policy = Policy { trunks, issue_from: issue_from.into(), kinds: KindPolicy::default() };
        Dialled::of(&policy, Realm::Service, Passports::Ignored)
            .unwrap()
            .from(country.parse().unwrap())
            .as_str()
            .to_owned()
    }

    const US: &str = "+12025550100";
    const DE: &str = "+4930901820";
    const GB: &str = "+442079460000";

    #[test]
    fn the_number_of_the_trunk_that_may_take_the_call_is_told() {
        let american = || trunk("US", &[US]);
        let german = || trunk("DE", &[US, DE]);
        let unscreened = || TrunkProfile { cli_screened: false, ..trunk("DE", &[DE]) };
        for (trunks, issue_from, country, expected) in [
            (vec![american(), german()], Level::L2, "US", US),
            // Of the trunk that screens German numbers, and of its numbers the German one.
            (vec![american(), german()], Level::L2, "DE", DE),
            (vec![german(), american()], Level::L2, "US", US),
            // Nobody screens these: the first that there is.
            (vec![american(), german()], Level::L2, "FR", US),
            (vec![german(), american()], Level::L2, "GB", US),
            // A trunk whose calls prove too little is no use, wherever its number is.
            (vec![unscreened(), trunk("DE", &[GB])], Level::L2, "DE", GB),
            // Where its calls are enough, a number of the country itself is nearer.
            (vec![american(), unscreened()], Level::L1, "DE", DE),
        ] {
            assert_eq!(told(trunks, issue_from, country), expected, "{country}");
        }
    }

    #[test]
    fn a_trunk_whose_signatures_are_verified_counts_where_nothing_else_lifts_a_call() {
        let strips = || TrunkProfile { keeps_diversion: KeepsDiversion::Unknown, ..trunk("US", &[US]) };
        let hands_on = || TrunkProfile { identity_passthrough: true, numbers: numbers(&[GB]), ..strips() };
        let said = Verstat {
            header: "X-Verified".to_owned(),
            attestation_header: None,
            words: vec![("A".to_owned(), Finding::PassedA)],
        };
        let says = || TrunkProfile { verstat: Some(said.clone()), ..trunk("US", &[DE]) };
        for (trunks, issue_from, passports, expected) in [
            (vec![strips(), hands_on()], Level::L2, Passports::Verified, GB),
            (vec![strips(), hands_on()], Level::L2, Passports::Ignored, US),
            // No network says A unasked.
            (vec![trunk("US", &[US]), hands_on()], Level::L3, Passports::Verified, GB),
            (vec![hands_on(), says()], Level::L3, Passports::Ignored, DE),
        ] {
            let policy = Policy { trunks, issue_from: issue_from.into(), kinds: KindPolicy::default() };
            let dialled = Dialled::of(&policy, Realm::Service, passports).unwrap();
            assert_eq!(dialled.from("US".parse().unwrap()).as_str(), expected, "{issue_from} {passports:?}");
        }
    }

    #[test]
    fn without_a_number_there_is_nothing_to_dial() {
        let none =
            Policy { trunks: vec![trunk("US", &[])], issue_from: Level::L2.into(), kinds: KindPolicy::default() };
        assert_eq!(Dialled::of(&none, Realm::Service, Passports::Verified), None);
    }

    #[test]
    fn nobody_is_told_a_number_behind_which_the_other_realm_lies() {
        let sandbox = TrunkProfile { realm: Realm::Sandbox, ..trunk("DE", &[DE]) };
        let trunks = vec![sandbox, trunk("US", &[US])];
        let policy = Policy { trunks, issue_from: Level::L2.into(), kinds: KindPolicy::default() };
        for (realm, expected) in [(Realm::Service, US), (Realm::Sandbox, DE)] {
            let dialled = Dialled::of(&policy, realm, Passports::Ignored).unwrap();
            assert_eq!(dialled.from("DE".parse().unwrap()).as_str(), expected, "{realm:?}");
        }
        let only_real = Policy { trunks: vec![trunk("US", &[US])], ..policy };
        assert_eq!(Dialled::of(&only_real, Realm::Sandbox, Passports::Ignored), None);
    }
}
