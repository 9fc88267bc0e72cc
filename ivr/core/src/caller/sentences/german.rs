//! German, for pages.

use super::{Advice, Cap, Language, Level};

pub(super) const GERMAN: Language = Language { tag: "de", advice, cap, level };

fn advice(advice: Advice) -> &'static str {
    match advice {
        Advice::OddWay => {
            "Ein Anruf kam auf einem Weg, den dieser Dienst nicht annimmt. Wählen Sie die angezeigte Nummer mit einem gewöhnlichen Telefon."
        }
        Advice::NotSaid => {
            "Ihre Telefongesellschaft hat nicht gesagt, welche Nummer anruft. Rufen Sie von einem anderen Anschluss an, oder lassen Sie Ihre Nummer übermitteln."
        }
        Advice::NotVouched => {
            "Ihre Telefongesellschaft bürgt bei diesem Anruf nicht für Ihre Nummer. Rufen Sie von einem anderen Anschluss oder über eine andere Gesellschaft an."
        }
        Advice::Forwarded => {
            "Der Anruf wurde umgeleitet oder weitergegeben. Schalten Sie die Umleitung aus und wählen Sie die angezeigte Nummer selbst."
        }
        Advice::NotNow => {
            "Der Dienst konnte Ihren Anruf gerade nicht annehmen. Warten Sie eine Minute und rufen Sie dann wieder an."
        }
        Advice::Busy => "Gerade gibt es zu viele Anrufe. Warten Sie eine Minute und rufen Sie dann wieder an.",
        Advice::NotSpoken => {
            "Die Verbindung Ihres Telefons kann nicht angenommen werden. Rufen Sie von einem anderen Telefon oder Anschluss an."
        }
        Advice::OtherNumber => "Der Anruf galt einer anderen Nummer. Wählen Sie die angezeigte Nummer.",
        Advice::NumbersDiffer => {
            "Ihr Anschluss zeigt eine andere Nummer als die eigene. Schalten Sie das aus und rufen Sie dann wieder an."
        }
        Advice::Withheld => {
            "Ihre Nummer ist unterdrückt. Wählen Sie *31# (in den meisten Mobilnetzen; in Nordamerika *82) vor der Nummer, oder schalten Sie die Übermittlung in den Einstellungen des Telefons ein."
        }
        Advice::Extension => {
            "Nebenstellen hinter einer Telefonanlage können nicht bestätigt werden. Rufen Sie von einem eigenen Anschluss an."
        }
        Advice::SharedLine => {
            "Münztelefone und gemeinsame Anschlüsse können nicht bestätigt werden. Rufen Sie von Ihrem eigenen Anschluss an."
        }
        Advice::Incomplete => {
            "Die Nummer, die ankam, ist keine vollständige Telefonnummer. Rufen Sie von einem anderen Anschluss an."
        }
        Advice::ServiceNumber => {
            "Gebührenfreie Nummern, Mehrwert- und andere Dienstnummern können nicht bestätigt werden. Rufen Sie von einem Fest- oder Mobilfunkanschluss an."
        }
        Advice::NumberBusy => {
            "Von Ihrer Nummer laufen schon andere Anrufe. Beenden Sie diese und rufen Sie dann wieder an."
        }
        Advice::CodesUsedUp => {
            "Von Ihrer Nummer wurden heute zu viele falsche Codes eingegeben. Versuchen Sie es morgen wieder."
        }
        Advice::CallsUsedUp => {
            "Von Ihrer Nummer kamen heute zu viele Anrufe, die ohne den Code endeten. Versuchen Sie es morgen wieder."
        }
        Advice::NotExpected => {
            "Ein Anruf von Ihrer Nummer kam, als niemand auf ihn wartete. Rufen Sie an, während diese Seite einen Code zeigt."
        }
        Advice::Cancelled => {
            "Der Anruf endete, bevor er angenommen wurde. Rufen Sie wieder an und lassen Sie es klingeln."
        }
    }
}

fn cap(cap: Cap) -> &'static str {
    match cap {
        Cap::SharedAddresses => "Der Weg, auf dem Ihr Anruf ankam, ist von dem anderer nicht zu unterscheiden.",
        Cap::Unscreened => "Die Gesellschaft, die Ihren Anruf brachte, prüft die Nummern ihrer Anrufer nicht.",
        Cap::Foreign => {
            "Von der Gesellschaft, die Ihren Anruf brachte, ist nicht bekannt, dass sie aus dem Land Ihrer Nummer ist."
        }
        Cap::Diversion => "Die Gesellschaft, die Ihren Anruf brachte, sagt nicht, ob Anrufe umgeleitet wurden.",
        Cap::Privacy => "Ihr Anruf verlangte, dass sein Weg verborgen bleibt.",
        Cap::Attestation => "Ihre Telefongesellschaft bestätigt nicht vollständig, dass die Nummer Ihre ist.",
        Cap::TrunkLimit => "Anrufen auf diesem Weg wird nicht mehr zugetraut.",
        Cap::Unattested => "Mit Ihrem Anruf kam keine Signatur Ihrer Telefongesellschaft (STIR/SHAKEN, Stufe A).",
        Cap::NoReturnPath => "Ihre Nummer wurde nicht zurückgerufen.",
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::L0 => "Bestätigt ist ein Postfach, keine Telefonnummer.",
        Level::L1 => {
            "Jemand rief von dieser Nummer an oder ließ es so aussehen: Niemand bürgt dafür, dass die Rufnummer nicht gefälscht war."
        }
        Level::L2 => {
            "Der Anruf kam über eine Gesellschaft desselben Landes, die vertraglich prüft, welche Nummern ihre Kunden zeigen."
        }
        Level::L3 => {
            "Wie L2, und das Netz hat mit einer Signatur bestätigt, dass der Anrufer die Nummer benutzen darf (STIR/SHAKEN, Stufe A)."
        }
        Level::L4 => "Wie L2 oder L3, und die Nummer wurde zurückgerufen.",
    }
}
