//! What pages say, in every language: a list for each in `words/`, which compiles only if nothing is missing. To add a language,
//! write its list and a place in [`LANGUAGES`]; of refused calls and levels the sentences are in `ivr-core`. Consoles and documents of
//! problems stay English; the mails are in `ca`.

mod english;
mod french;
mod german;
mod spanish;

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;
use ivr_core::number::{Kind, NumberError};
use time::{OffsetDateTime, UtcOffset};

use crate::verify::State;

/// HTML of ours. `{name}` is a place for a value, which is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text(&'static str);

/// A text with values in their places.
#[derive(Debug, Clone)]
pub(crate) struct Filled(String);

impl Text {
    /// Ends a sentence that has parts.
    pub(crate) const FULL_STOP: Self = Self(".");

    /// The text with this value in the place of that name.
    pub(crate) fn with(self, name: &str, value: impl fmt::Display) -> Filled {
        Filled::from(self).with(name, value)
    }
}

impl Filled {
    /// This, and that after it.
    pub(crate) fn then(self, next: impl HtmlSafe) -> Self {
        Self(format!("{}{next}", self.0))
    }

    /// As [`Text::with`]. What stands in a value is no place.
    pub(crate) fn with(self, name: &str, value: impl fmt::Display) -> Self {
        let place = format!("{{{name}}}");
        let value = escaped(&value.to_string());
        Self(self.0.replace(&place, &value))
    }
}

impl From<Text> for Filled {
    fn from(text: Text) -> Self {
        Self(text.0.to_owned())
    }
}

/// No value can end an attribute or begin an element, and none has a place for the next value.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' | '{' | '}' => {
                let _always = write!(text, "&#{};", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is ours, a value was escaped.
impl HtmlSafe for Text {}
impl HtmlSafe for Filled {}

/// Declares the words of a language: its texts, each under the name by which templates call it.
macro_rules! words {
    ($($(#[$about:meta])* $text:ident)*) => {
        /// All words of a language.
        #[derive(Debug)]
        pub(crate) struct Words {
            /// The primary subtag (RFC 5646 2.2.1).
            pub(crate) tag: &'static str,
            /// What those who speak it call it.
            pub(crate) name: &'static str,
            /// From January on.
            months: [&'static str; 12],
            /// What is no telephone line of one person: `This is a toll-free number, …`.
            kind: fn(Kind) -> Text,
            /// Why something typed is no number.
            number: fn(&NumberError) -> Text,
            /// Where a verification stands.
            state: fn(State) -> &'static str,
            /// The step of this name.
            step: fn(&str) -> Option<&'static str>,
            $($(#[$about])* pub(crate) $text: Text,)*
        }

        #[cfg(test)]
        impl Words {
            fn all(&self) -> Vec<(&'static str, Text)> {
                vec![$((stringify!($text), self.$text),)*]
            }
        }
    };
}

words! {
    /// `{day}`, `{month}`, `{year}` and `{time}` (UTC).
    date

    // Around every page.
    skip
    demonstration
    how_it_works

    // The start page.
    please_check
    verify_your_number
    start_lead
    start_change
    work
    work_goes_on
    work_again
    work_progress
    work_needs_scripts
    telephone_number
    number_help
    /// `{country}`: two letters.
    number_without_country
    /// `{number}`
    did_you_mean
    /// `{number}`
    read_as
    own_number
    /// For [`Words::state_of_result`].
    result_is_signed
    /// For `{directory}` and `{place}`.
    demo_directory
    publish_question
    publish_yes
    publish_no
    publish_hint
    neither
    browser_key
    browser_key_fails
    go_on
    verify_an_address
    which_language
    own_key
    own_key_make
    own_key_paste
    own_key_file

    // The page of a verification that goes on.
    /// `{number}`
    call
    type_the_digits
    /// `{number}`
    call_us_from
    not_your_number
    what_to_dial
    dial_this
    key_in
    qr
    scan
    /// `{dial}`, `{sip}`, `{number}`
    softphone
    simulate
    simulate_call
    simulate_wrong_code
    simulate_spoof
    simulate_hang_up
    simulate_in_vain
    digits_label
    confirm
    digits_help
    digits_missing
    digits_wrong_once
    /// `{count}`
    digits_wrong
    step_call
    step_code
    step_confirm
    step_digits
    step_hear
    step_certificate
    step_result
    we_wait
    remedy
    good_until
    /// `{minutes}`
    minutes_left
    /// `{time}`: minutes and seconds.
    time_left
    stop

    // One that came to nothing.
    /// `{number}`
    not_verified
    what_happened
    start_again
    voided
    voided_why
    expired
    expired_why
    failed
    failed_why

    // The certificate, or the result.
    verified
    /// `{class}`, `{name}`
    is_verified
    result_lead
    result_label
    your_certificate
    /// `{day}`
    was_revoked
    /// `{day}`
    was_suspended
    /// `{since}`, `{until}`
    pending
    /// `{dial}`
    pending_call
    /// `{key}`
    pending_key
    level
    code_only
    /// `{cap}`
    no_higher
    valid
    /// `{from}`, `{until}`
    from_until
    serial_number
    directory
    superseded
    not_published
    p12
    p12_lead
    password
    p12_button
    p12_making
    p12_done
    p12_lost
    p12_elsewhere
    certificate
    download_pem
    show_it
    certificate_label
    chain_label
    look_me_up
    /// `{fingerprint}`
    look_up_number
    /// `{fingerprint}`
    look_up_address
    command_line
    withdraw_lead
    withdraw
    withdraw_renewed
    record_leaves
    record_revoked
    record_withdrawn
    record_comes
    /// `{place}`
    record_published
    record_published_somewhere
    /// `{slot}`
    record_slot
    /// `{bytes}`
    record_bytes

    // A key that waits.
    waiting
    /// `{number}`
    held
    /// `{until}`
    held_until
    held_meanwhile
    /// `{dial}`
    held_unexpected
    old_key
    old_key_signs
    or_give_up
    give_up
    not_signed

    // What a key says.
    speak
    speak_title
    speak_lead
    what_it_says
    lift
    take_out
    veto
    waiting_key
    waiting_key_help
    sign
    key_file
    key_file_help
    key_file_needs_scripts
    key_missing
    key_unusable
    key_uncertified
    key_sent
    key_done

    // The form for an email address.
    verify_your_address
    address_lead
    email_address
    publish_question_address
    publish_yes_address
    verify_a_number
    key_is_needed

    // An order that waits for its code.
    look_into_mailbox
    making_certificate
    making_lead
    /// `{address}`
    mail_comes
    not_your_address
    mail_is_here
    mail_code
    mail_code_help
    mail_code_missing
    mail_code_wrong_once
    /// `{count}`
    mail_code_wrong
    your_key
    mail_good_until
    same_key

    // One that came to nothing.
    /// `{address}`
    address_not_verified
    mail_voided
    mail_voided_why
    mail_expired_why

    // What a confirmation's link opens.
    /// `{address}`
    certificate_for
    who_asked
    when_asked
    their_key
    not_in_this_browser
    asked_elsewhere
    asked_here
    make_it
    confirmed_already
    confirmed_already_why
    link_is_dead
    link_is_dead_why

    // What a notice's link opens.
    revoke_title
    /// `{address}`
    the_certificate_for
    /// `{day}`
    revoked_on
    key
    valid_until
    why_revoke
    not_me
    key_lost
    not_wanted
    choose_a_reason
    cannot_be_undone
    revoke_it

    // How it works.
    about_title
    about_number
    about_call
    about_code
    about_digits
    about_scam
    look_up
    /// `{directory}`
    look_up_lead
    look_up_fingerprint
    about_key
    about_programs
    /// `{url}`
    about_api
    about_revoked
    about_keys
}

/// The first is spoken where no other is known.
static LANGUAGES: [Words; 4] = [english::ENGLISH, spanish::SPANISH, french::FRENCH, german::GERMAN];

impl Words {
    /// In the language of a tag such as `de-AT`, or in English where that is not written.
    pub(crate) fn of(locale: &str) -> &'static Self {
        let tag = locale.split(['-', '_']).next().unwrap_or_default();
        LANGUAGES.iter().find(|words| words.tag.eq_ignore_ascii_case(tag)).unwrap_or(&LANGUAGES[0])
    }

    /// In each of these languages that is written.
    pub(crate) fn of_all(tags: &[String]) -> Vec<&'static Self> {
        LANGUAGES.iter().filter(|words| tags.iter().any(|tag| tag == words.tag)).collect()
    }

    /// `1 March 2026, 12:00 UTC`
    pub(crate) fn day(&self, at: OffsetDateTime) -> String {
        let at = at.to_offset(UtcOffset::UTC);
        let month = self.months[usize::from(u8::from(at.month()) - 1)];
        let time = format!("{:02}:{:02}", at.hour(), at.minute());
        let date = self.date.with("day", at.day()).with("month", month).with("year", at.year());
        date.with("time", time).to_string()
    }

    /// Why a number of this kind cannot be verified.
    pub(crate) fn kind(&self, kind: Kind) -> Text {
        (self.kind)(kind)
    }

    /// What is wrong with what was typed.
    pub(crate) fn number_error(&self, error: &NumberError) -> Text {
        (self.number)(error)
    }

    /// Where a verification stands, as a sentence.
    pub(crate) fn state(&self, state: State) -> &'static str {
        (self.state)(state)
    }

    /// The same, if no certificate was asked for.
    pub(crate) fn state_of_result(&self, state: State) -> &'static str {
        if state == State::Issuing { self.result_is_signed.0 } else { self.state(state) }
    }

    /// The sentence of a step's name.
    pub(crate) fn step(&self, name: &str) -> Option<&'static str> {
        (self.step)(name)
    }
}

#[cfg(test)]
mod tests;
