//! French, for pages.

use super::{Advice, Cap, Language, Level};

pub(super) const FRENCH: Language = Language { tag: "fr", advice, cap, level };

fn advice(advice: Advice) -> &'static str {
    match advice {
        Advice::OddWay => {
            "Un appel est arrivé par un chemin que ce service n'accepte pas. Composez le numéro affiché avec un téléphone ordinaire."
        }
        Advice::NotSaid => {
            "Votre opérateur téléphonique n'a pas dit quel numéro appelle. Appelez d'une autre ligne, ou demandez que votre numéro soit présenté."
        }
        Advice::NotVouched => {
            "Votre opérateur téléphonique ne garantit pas votre numéro pour cet appel. Appelez d'une autre ligne ou par un autre opérateur."
        }
        Advice::Forwarded => {
            "L'appel a été renvoyé ou transféré. Désactivez le renvoi et composez vous-même le numéro affiché."
        }
        Advice::NotNow => "Le service n'a pas pu prendre votre appel à l'instant. Attendez une minute, puis rappelez.",
        Advice::Busy => "Il y a trop d'appels en ce moment. Attendez une minute, puis rappelez.",
        Advice::NotSpoken => {
            "La connexion de votre téléphone ne peut pas être acceptée. Appelez d'un autre téléphone ou d'une autre ligne."
        }
        Advice::OtherNumber => "L'appel était destiné à un autre numéro. Composez le numéro affiché.",
        Advice::NumbersDiffer => "Votre ligne présente un autre numéro que le sien. Désactivez cela, puis rappelez.",
        Advice::Withheld => {
            "Votre numéro est masqué. Composez *31# (sur la plupart des réseaux mobiles ; *82 en Amérique du Nord) avant le numéro, ou activez la présentation du numéro dans les réglages du téléphone."
        }
        Advice::Extension => {
            "Les postes internes d'un standard ne peuvent pas être vérifiés. Appelez d'une ligne à part."
        }
        Advice::SharedLine => {
            "Les cabines et les lignes partagées ne peuvent pas être vérifiées. Appelez de votre propre ligne."
        }
        Advice::Incomplete => {
            "Le numéro qui est arrivé n'est pas un numéro de téléphone complet. Appelez d'une autre ligne."
        }
        Advice::ServiceNumber => {
            "Les numéros gratuits, surtaxés et autres numéros de service ne peuvent pas être vérifiés. Appelez d'une ligne fixe ou mobile."
        }
        Advice::NumberBusy => "D'autres appels de votre numéro sont en cours. Terminez-les, puis rappelez.",
        Advice::CodesUsedUp => {
            "Trop de codes erronés ont été composés aujourd'hui depuis votre numéro. Réessayez demain."
        }
        Advice::CallsUsedUp => {
            "Trop d'appels de votre numéro se sont terminés aujourd'hui sans le code. Réessayez demain."
        }
        Advice::NotExpected => {
            "Un appel de votre numéro est arrivé alors que personne ne l'attendait. Rappelez pendant que cette page affiche un code."
        }
        Advice::Cancelled => "L'appel s'est terminé avant d'être pris. Rappelez, et laissez sonner.",
    }
}

fn cap(cap: Cap) -> &'static str {
    match cap {
        Cap::SharedAddresses => "Le chemin par lequel votre appel est arrivé ne se distingue pas de celui d'autres.",
        Cap::Unscreened => "L'opérateur qui a apporté votre appel ne vérifie pas les numéros de ses appelants.",
        Cap::Foreign => "Rien n'indique que l'opérateur qui a apporté votre appel soit du pays de votre numéro.",
        Cap::Diversion => "L'opérateur qui a apporté votre appel ne dit pas si les appels ont été renvoyés.",
        Cap::Privacy => "Votre appel a demandé que son chemin reste caché.",
        Cap::Attestation => "Votre opérateur téléphonique n'atteste pas entièrement que le numéro est le vôtre.",
        Cap::TrunkLimit => "Aux appels par ce chemin, on ne fait pas davantage confiance.",
        Cap::Unattested => {
            "Aucune signature de votre opérateur téléphonique (STIR/SHAKEN, attestation A) n'accompagnait votre appel."
        }
        Cap::NoReturnPath => "Votre numéro n'a pas été rappelé.",
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::L0 => "Une boîte aux lettres a été prouvée, pas un numéro de téléphone.",
        Level::L1 => {
            "Quelqu'un a appelé de ce numéro, ou l'a fait croire : personne ne garantit que le numéro présenté n'était pas falsifié."
        }
        Level::L2 => {
            "L'appel est venu par un opérateur du même pays, qui vérifie par contrat quels numéros ses clients présentent."
        }
        Level::L3 => {
            "Comme L2, et le réseau a attesté par une signature que l'appelant peut utiliser le numéro (STIR/SHAKEN, attestation A)."
        }
        Level::L4 => "Comme L2 ou L3, et le numéro a été rappelé.",
    }
}
