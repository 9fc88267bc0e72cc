//! In which language a caller is answered and warned: by the country of the number, and by nothing that anybody else may choose.
//! From the code on it is that of the page whose code was keyed in.

use voice_prompts::Language;

use crate::number::Country;

/// The language that most people speak there, as far as it is in the table; else English. Where nobody has recorded it, the voice
/// speaks English, too.
pub fn spoken_in(country: Country) -> Language {
    let code = country.to_string();
    let has_it = |(_, countries): &&(&str, &str)| countries.split(' ').any(|one| one == code);
    SPOKEN.iter().find(has_it).map_or(Language::ENGLISH, |(language, _)| Language::of(language))
}

/// Languages and the countries (ISO 3166) where they are understood best, as the `territoryInfo` of CLDR 49 has it: of a country's
/// official languages, in fact or by law and not of a region alone, the one among these and English that most people there speak, if a
/// twentieth of them do. English needs no row. The shipped voices first.
const SPOKEN: &[(&str, &str)] = &[
    ("de", "AT CH DE LI"),
    ("es", "AR BO CL CO CR CU DO EC ES GQ GT HN MX NI PA PE PR PY SV UY VE"),
    (
        "fr",
        "BF BI BJ BL CD CF CG CI CM DJ DZ FR GA GF GN GP HT KM LU MA MC MF MG ML MQ MU NC NE PF PM RE SC SN TD TG TN WF YT",
    ),
    ("bg", "BG"),
    ("cs", "CZ"),
    ("da", "DK"),
    ("el", "CY GR"),
    ("et", "EE"),
    ("fi", "FI"),
    ("hr", "BA HR"),
    ("hu", "HU"),
    ("it", "IT SM VA"),
    ("ja", "JP"),
    ("ko", "KP KR"),
    ("lt", "LT"),
    ("lv", "LV"),
    ("nl", "AW BE BQ CW NL SR"),
    ("no", "NO SJ"),
    ("pl", "PL"),
    ("pt", "AO BR CV GW MZ PT ST TL"),
    ("ro", "MD RO"),
    ("ru", "BY KG KZ RU"),
    ("sk", "SK"),
    ("sl", "SI"),
    ("sv", "AX SE"),
    ("tr", "TR"),
    ("uk", "UA"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Number;

    #[test]
    fn a_number_is_spoken_to_in_the_language_of_its_country() {
        for (number, language) in [
            ("+12025550143", "en"),
            ("+4930901820", "de"),
            ("+41446681800", "de"),
            ("+34911234567", "es"),
            ("+525512345678", "es"),
            ("+17872345678", "es"),
            ("+33123456789", "fr"),
            // More people speak Arabic, which nobody has recorded; French is official, too.
            ("+21671234567", "fr"),
            ("+390612345678", "it"),
            ("+442079460000", "en"),
            // No country's.
            ("+883510012345678", "en"),
        ] {
            let country = Number::parse(number).unwrap().country();
            assert_eq!(spoken_in(country).as_str(), language, "{number}");
        }
    }

    #[test]
    fn a_country_stands_in_one_row_and_is_one() {
        let mut all: Vec<&str> = SPOKEN.iter().flat_map(|(_, countries)| countries.split(' ')).collect();
        for country in &all {
            assert!(country.parse::<Country>().is_ok(), "{country}");
        }
        all.sort_unstable();
        assert!(all.windows(2).all(|two| two[0] != two[1]), "{all:?}");
        assert!(SPOKEN.iter().all(|(language, _)| Language::of(language).as_str() == *language));
    }
}
