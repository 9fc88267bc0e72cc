//! English, and what is spoken where no other language is known.

use ivr_core::number::{Kind, NumberError};

use super::{Text, Words};
use crate::verify::State;

pub(super) const ENGLISH: Words = Words {
    tag: "en",
    name: "English",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    kind,
    number,
    state,
    step,
    date: Text("{day} {month} {year}, {time} UTC"),

    skip: Text("Skip to the content"),
    demonstration: Text("Demonstration: what it certifies means nothing outside this machine."),
    how_it_works: Text("How it works, and how to look somebody up"),

    please_check: Text("Please check"),
    verify_your_number: Text("Verify your telephone number"),
    start_lead: Text(
        "You call us from it, key in a code, and get a certificate that says the number is yours. The call is all we ask for: no account, no text message.",
    ),
    start_change: Text("Something needs to be changed before we can go on."),
    work: Text("Many people begin just now, so your browser has to work for some seconds."),
    work_goes_on: Text("Then it goes on by itself."),
    work_again: Text("Choose your file again, if you sent one, and continue."),
    work_progress: Text("How far the work is, most likely"),
    work_needs_scripts: Text("That needs scripts, which are off in this browser: try again in a few minutes."),
    telephone_number: Text("Telephone number"),
    number_help: Text("With + and the country code, such as +1 202 555 0143."),
    number_without_country: Text("Without, it is read as a number of {country}."),
    did_you_mean: Text("Did you mean {number}?"),
    read_as: Text("We read this as {number}. If that is right, continue."),
    own_number: Text("This is a number of ours, which people call to be verified. Type the number that you call from."),
    result_is_signed: Text("Your number is proved. The result is being signed."),
    demo_directory: Text("a private ring inside this demonstration"),
    publish_question: Text("May others find your certificate by your number?"),
    publish_yes: Text(
        "<b>Yes, publish it.</b> Whoever knows your number can look up your certificate in a public directory, and can see that it exists.",
    ),
    publish_no: Text(
        "<b>No, give it to me only.</b> Nothing about you goes into the directory, and an earlier record is withdrawn.",
    ),
    publish_hint: Text("Choose one of the two."),
    neither: Text("With neither, you get a signed statement that the number is yours, and no certificate."),
    browser_key: Text("Your browser makes the key. It does not leave this device."),
    browser_key_fails: Text("This browser cannot make a key: use one of your own."),
    go_on: Text("Continue"),
    verify_an_address: Text("No telephone at hand? <a href=\"/email\">Verify an email address</a>."),
    which_language: Text("Language of these pages and, after the code, of the voice"),
    own_key: Text("Use a key of your own"),
    own_key_make: Text(
        "Make a key and a request with OpenSSL, and give us the request (<code>request.pem</code>), never the key:",
    ),
    own_key_paste: Text("Paste the request"),
    own_key_file: Text("Or choose its file"),

    call: Text("Call {number}"),
    type_the_digits: Text("Type the digits"),
    call_us_from: Text("Call us from <span class=\"number\">{number}</span>"),
    not_your_number: Text("Not your number? <a href=\"/\">Start again</a>."),
    what_to_dial: Text("What to dial"),
    dial_this: Text("Dial this number yourself"),
    key_in: Text("Then, when the voice asks, key in"),
    qr: Text("QR code with the number to dial, without the code"),
    scan: Text("Scan to dial"),
    softphone: Text("A softphone dials <code>sip:{dial}@{sip}</code>, and calls itself <code>{number}</code>."),
    simulate: Text(
        "Or let the demonstration call itself, by a real call. This page follows it from the right code on, about 20 seconds after it began, and the caller types the digits, too. Wrong turns change nothing here; the console shows them.",
    ),
    simulate_call: Text("Simulate the call"),
    simulate_wrong_code: Text("A call with wrong codes"),
    simulate_spoof: Text("A call from another number"),
    simulate_hang_up: Text("A call that hangs up early"),
    simulate_in_vain: Text("A call for this verification is on the line. Another can begin when it is over."),
    digits_label: Text("The six digits that the voice reads"),
    confirm: Text("Confirm"),
    digits_help: Text(
        "Type them only here, and only if you opened this page yourself. They are good for 90 seconds from the voice's first word.",
    ),
    digits_missing: Text("Type the six digits that the voice reads."),
    digits_wrong_once: Text("These are not the digits. You can try once more."),
    digits_wrong: Text("These are not the digits. You can try {count} times more."),
    step_call: Text("Call the number."),
    step_code: Text("After the warning, key in the code."),
    step_confirm: Text("Press the key that the voice names."),
    step_digits: Text("Type the six digits that the voice reads to you."),
    step_hear: Text("Hear that it worked."),
    step_certificate: Text("Your certificate is made."),
    step_result: Text("Your result is signed."),
    we_wait: Text("We are waiting for your call."),
    remedy: Text(
        "If you are on the telephone, go on: this page moves once your code is right. If your call was not taken, your number may be withheld: dial <b>*82</b> (North America) or <b>*31#</b> (most mobile networks) before the number, or switch your caller ID on in the telephone's settings.",
    ),
    good_until: Text("The code is good until"),
    minutes_left: Text(", for another {minutes} minutes"),
    time_left: Text(", for another {time}"),
    stop: Text("Stop"),

    not_verified: Text("The number {number} was not verified."),
    what_happened: Text("What happened"),
    start_again: Text("Start again"),
    voided: Text("Too many wrong digits"),
    voided_why: Text(
        "Wrong digits were entered too often, so this verification is void. If somebody else told you to call, do not start again.",
    ),
    expired: Text("Time is over"),
    expired_why: Text(
        "No call with the right code came in time, or its digits were not typed in time. The code no longer works.",
    ),
    failed: Text("It did not work"),
    failed_why: Text("The certificate could not be made."),

    verified: Text("Verified"),
    is_verified: Text("<span class=\"{class}\">{name}</span> is verified"),
    result_lead: Text(
        "You gave no certificate request, so there is no certificate. This is our signed statement (a JWS, to be checked with the <a href=\"/.well-known/jwks.json\">keys of this service</a>):",
    ),
    result_label: Text("Signed statement"),
    your_certificate: Text("Your certificate"),
    was_revoked: Text("This certificate was revoked on {day}."),
    was_suspended: Text(
        "A call from your number suspended this certificate on {day}. Unless <a href=\"/key\">its key lifts that</a> within a day, it is revoked.",
    ),
    pending: Text(
        "Another key was proved for this number on {since}. It takes the place of yours on {until} unless you stop it",
    ),
    pending_call: Text(
        ": call {dial} from your number, key in no code if you are asked for one, press 9 at the end, and then the digit that is named. That suspends your own certificate, too, until your key lifts it",
    ),
    pending_key: Text(
        ". <a href=\"/key\">Your key can stop it</a> by itself: the key that waits is <code class=\"long\">{key}</code>.",
    ),
    level: Text("Level"),
    code_only: Text("A code alone was asked for, and no digits were read back."),
    no_higher: Text("No higher: {cap}"),
    valid: Text("Valid"),
    from_until: Text("{from} to {until}"),
    serial_number: Text("Serial number"),
    directory: Text("Directory"),
    superseded: Text("Another certificate took the place of this one."),
    not_published: Text("Not published, as you asked."),
    p12: Text("Key and certificate in one file"),
    p12_lead: Text(
        "Your key is in this browser. Choose a password, and keep the file: it opens in mail programs and operating systems.",
    ),
    password: Text("Password"),
    p12_button: Text("Download .p12"),
    p12_making: Text("Making the file …"),
    p12_done: Text("Done. The file is among your downloads, and this browser forgets the key when you leave."),
    p12_lost: Text(
        "The key of this certificate is not in this browser any more. If you saved it, use that file. If not, it is lost, and you can start again.",
    ),
    p12_elsewhere: Text("Your key is where you made it. The certificate is below."),
    certificate: Text("Certificate"),
    download_pem: Text("Download PEM"),
    show_it: Text("Show it"),
    certificate_label: Text("Certificate, PEM"),
    chain_label: Text("Intermediate certificate, PEM"),
    look_me_up: Text("Look me up"),
    look_up_number: Text(
        "Whoever knows your number finds the certificate with the <a href=\"/ca/bundle.pem\" download>bundle of this service</a>, whose root has the fingerprint <code class=\"long\">{fingerprint}</code>:",
    ),
    look_up_address: Text(
        "Whoever knows your address finds the certificate with the <a href=\"/ca/bundle.pem\" download>bundle of this service</a>, whose root has the fingerprint <code class=\"long\">{fingerprint}</code>:",
    ),
    command_line: Text("Command line"),
    withdraw_lead: Text(
        "If you want to be found no more, take the record out of the directory. Your certificate stays good; to be found again, verify the number again.",
    ),
    withdraw: Text("Take it out of the directory"),
    withdraw_renewed: Text(
        "If your device renewed this certificate on the same call, you can take the record of the new one out of the directory.",
    ),
    record_leaves: Text("The record is being taken out of the directory."),
    record_revoked: Text("Revoked: the directory says that there is no certificate."),
    record_withdrawn: Text("Withdrawn: the directory says that there is no certificate."),
    record_comes: Text("Issued, publishing: the record is on its way into the directory."),
    record_published: Text("Published in {place}"),
    record_published_somewhere: Text("Published in the directory"),
    record_slot: Text(", slot {slot}"),
    record_bytes: Text(", {bytes} bytes"),

    waiting: Text("Waiting"),
    held: Text("<span class=\"number\">{number}</span> is proved, and its new key waits"),
    held_until: Text(
        "Another key was certified for this number lately. So that nobody takes a number from its owner unseen, yours waits until <b>{until}</b>. Then the certificate is made, and this page shows it: keep the page, or come back with this browser.",
    ),
    held_meanwhile: Text(
        "Meanwhile whoever looks the number up sees that another key waits, and the owner of the old key can stop it. Nothing makes it faster but the old key.",
    ),
    held_unexpected: Text(
        "If you did not expect this, somebody else has a certificate for your number. Give this up, call {dial} from your number, key in no code, press 9 at the end, and then the digit that is named: that suspends what exists for it.",
    ),
    old_key: Text("Have you the old key?"),
    old_key_signs: Text("Let the old key sign for the new one"),
    or_give_up: Text("Or give it up"),
    give_up: Text("Give it up"),
    not_signed: Text("This is not signed by the key of the certificate that stands. Choose that key."),

    speak: Text("Speak with your key"),
    speak_title: Text("Speak with your certificate's key"),
    speak_lead: Text(
        "Whoever has the key of a number's certificate can lift its suspension, take its record out of the directory, or stop another key that waits for the number: by a signature, without a call.",
    ),
    what_it_says: Text("What it says"),
    lift: Text("Lift the suspension of the certificate."),
    take_out: Text("Take the record out of the directory. The certificate stays good."),
    veto: Text("Stop the key that waits."),
    waiting_key: Text("The key that is to be stopped"),
    waiting_key_help: Text("64 digits, as the page of your certificate shows them. Only for the last of the three."),
    sign: Text("Sign and send"),
    key_file: Text("Its certificate and its key, PEM"),
    key_file_help: Text(
        "The file stays in this browser; a signature is sent. From the .p12 that you saved: <code>openssl pkcs12 -in FILE.p12 -nodes -out key.pem</code>. Delete it afterwards.",
    ),
    key_file_needs_scripts: Text(
        "This needs scripts, which are off in this browser. The API takes what <code>openssl dgst -sha256 -sign</code> makes.",
    ),
    key_missing: Text("There is no unencrypted key in PKCS#8 PEM in this file."),
    key_unusable: Text("This browser cannot use this kind of key."),
    key_uncertified: Text("The certificate of this key is not in this file: choose both."),
    key_sent: Text("Sent."),
    key_done: Text("Done: directory and revocation list follow within minutes."),

    verify_your_address: Text("Verify your email address"),
    address_lead: Text(
        "We send a link and a code to your mailbox. You confirm here, and the certificate comes by mail. It says less than one for a telephone number: level L0.",
    ),
    email_address: Text("Email address"),
    publish_question_address: Text("May others find your certificate by your address?"),
    publish_yes_address: Text(
        "<b>Yes, publish it.</b> Whoever knows your address can look up your certificate in a public directory, and can see that it exists.",
    ),
    verify_a_number: Text("A telephone at hand? <a href=\"/\">Verify its number</a> instead."),
    key_is_needed: Text("A certificate needs a key: let the browser make one, or give a request."),

    look_into_mailbox: Text("Look into your mailbox"),
    making_certificate: Text("Making your certificate"),
    making_lead: Text("You confirmed. The certificate is being made; this page shows it in a moment."),
    mail_comes: Text(
        "A mail is on its way to <b class=\"long\">{address}</b>, unless we have written there often already. Open its link in this browser, or type its code here.",
    ),
    not_your_address: Text("Not your address? <a href=\"/email\">Start again</a>."),
    mail_is_here: Text("In this demonstration <a href=\"/demo/mail\">the mail is here</a>."),
    mail_code: Text("The code of the mail"),
    mail_code_help: Text("Eight letters and digits. Type it only here, and only if you began this yourself."),
    mail_code_missing: Text("A code has eight letters and digits, as in the mail."),
    mail_code_wrong_once: Text("This is not the code of the mail; you can try once more."),
    mail_code_wrong: Text("This is not the code of the mail; you can try {count} times more."),
    your_key: Text("Your key"),
    mail_good_until: Text("Good until"),
    same_key: Text("The mail names the same key: so you know that it is about this order."),

    address_not_verified: Text("The address <span class=\"long\">{address}</span> was not verified."),
    mail_voided: Text("Too many wrong codes"),
    mail_voided_why: Text("The code was wrong five times, so this order is void. If the mail is yours, start again."),
    mail_expired_why: Text("Nobody used the link or the code within a day. Neither works any more."),

    certificate_for: Text("A certificate for <span class=\"long\">{address}</span>"),
    who_asked: Text("Who asked"),
    when_asked: Text("When"),
    their_key: Text("Their key"),
    not_in_this_browser: Text(
        "<b>Not in this browser.</b> The certificate was asked for elsewhere, so it cannot be confirmed here. If that was you, type this code there:",
    ),
    asked_elsewhere: Text(
        "If it was not you, do nothing, and tell nobody the code: whoever wants it from you wants a certificate in your name.",
    ),
    asked_here: Text("You asked for it in this browser. One more step:"),
    make_it: Text("Yes, make the certificate"),
    confirmed_already: Text("Confirmed already"),
    confirmed_already_why: Text("This link was used. The certificate is in your mailbox, or on its way there."),
    link_is_dead: Text("This link no longer works"),
    link_is_dead_why: Text(
        "Its time is over, or the code was wrong too often. If you still want a certificate, start again.",
    ),

    revoke_title: Text("Revoke a certificate"),
    the_certificate_for: Text("The certificate for <span class=\"long\">{address}</span>"),
    revoked_on: Text("It was revoked on {day}. Whoever looks it up is told so."),
    key: Text("Key"),
    valid_until: Text("Valid until"),
    why_revoke: Text("Why should it be revoked?"),
    not_me: Text("I did not ask for it."),
    key_lost: Text("Its key is lost or stolen. The key is never certified again."),
    not_wanted: Text("I do not want it any more."),
    choose_a_reason: Text("Choose a reason."),
    cannot_be_undone: Text("This cannot be undone."),
    revoke_it: Text("Revoke it"),

    about_title: Text("How it works"),
    about_number: Text("You name your number; your browser makes a key."),
    about_call: Text(
        "You call us from that number. Your telephone company tells us who is calling, so a number that is withheld cannot be verified.",
    ),
    about_code: Text("You key in the code of your screen and press a key that the voice names."),
    about_digits: Text("The voice reads six digits. You type them into the page, and get the certificate."),
    about_scam: Text(
        "<b>If somebody asked you to call, hang up: it is a scam.</b> Whoever gets your digits can pretend to be your number.",
    ),
    look_up: Text("Look somebody up"),
    look_up_lead: Text(
        "Certificates that their owners published lie in {directory}. With the <a href=\"/ca/bundle.pem\" download>bundle of this service</a> and a number, anybody can find and check one:",
    ),
    look_up_fingerprint: Text("Compare the fingerprint of the bundle's root with one that you got elsewhere:"),
    about_key: Text(
        "With its key you can <a href=\"/key\">lift a suspension, withdraw the record, or stop another key</a>.",
    ),
    about_programs: Text("For programs"),
    about_api: Text("<a href=\"/openapi.json\">Description of the API</a> at <code>{url}/v1</code>"),
    about_revoked: Text(
        "Revoked certificates: <a href=\"/ca/tel.crl\">of numbers</a>, <a href=\"/ca/email.crl\">of email addresses</a>",
    ),
    about_keys: Text("<a href=\"/.well-known/jwks.json\">Keys of signed statements</a>"),
};

fn kind(kind: Kind) -> Text {
    Text(match kind {
        Kind::Subscriber => "This is a fixed or mobile line.",
        Kind::Voip => "This is an internet telephony number, and cannot be verified. Use a fixed or mobile line.",
        Kind::Personal => "This is a personal number, and cannot be verified. Use a fixed or mobile line.",
        Kind::TollFree => "This is a toll-free number, and cannot be verified. Use a fixed or mobile line.",
        Kind::Premium => "This is a premium-rate number, and cannot be verified. Use a fixed or mobile line.",
        Kind::SharedCost => "This is a shared-cost number, and cannot be verified. Use a fixed or mobile line.",
        Kind::UniversalAccess => {
            "This is a company's universal access number, and cannot be verified. Use a fixed or mobile line."
        }
        Kind::Pager => "This is a pager, and cannot be verified. Use a fixed or mobile line.",
        Kind::Voicemail => "This is a voicemail access number, and cannot be verified. Use a fixed or mobile line.",
    })
}

fn number(error: &NumberError) -> Text {
    Text(match error {
        NumberError::NotDigits => "A number is written as + and digits, country code first.",
        NumberError::NoCountry => "The country code is missing: write + and the country code first.",
        NumberError::TooShort => "The number is too short to be a telephone line with its country code.",
        NumberError::TooLong => "The number has more than 15 digits.",
        NumberError::Unassigned => "No numbering plan has this number.",
        NumberError::Misspelled { .. } => "The number is spelled with a digit too many or too few.",
    })
}

fn state(state: State) -> &'static str {
    match state {
        State::Waiting => "Waiting for your call.",
        State::Calling => "The code was keyed in on the telephone.",
        State::ReadBack => "The voice is reading six digits. Type them here.",
        State::Issuing => "Your number is proved. The certificate is being made.",
        State::Held => "Your number is proved, but another key was certified for it lately: this one has to wait.",
        State::Issued => "Done.",
        State::Voided => "Too many wrong digits: this verification is void. Begin again.",
        State::Expired => "This verification is over. Begin again.",
        State::Failed => "It could not be finished.",
    }
}

fn step(name: &str) -> Option<&'static str> {
    Some(match name {
        "warning" => "The call is answered: the voice says what it is about.",
        "entering-code" => "Key in the code on the telephone.",
        "wrong-code" => "The code was wrong.",
        "code-matched" => "The code is right.",
        "confirming" => "Press the key that the voice names.",
        "confirmed" => "Confirmed.",
        "reading-back" => "The voice is reading six digits. Type them here.",
        "telling" => "The voice says what certificates the number has.",
        "suspending" => "The caller wants them suspended.",
        "ended" => "The call is over.",
        _ => return None,
    })
}
