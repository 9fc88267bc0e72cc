//! German.

use ivr_core::number::{Kind, NumberError};

use super::{Text, Words};
use crate::verify::State;

pub(super) const GERMAN: Words = Words {
    tag: "de",
    name: "Deutsch",
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    kind,
    number,
    state,
    step,
    date: Text("{day}. {month} {year}, {time} UTC"),

    skip: Text("Zum Inhalt springen"),
    demonstration: Text("Vorführung: Was sie bescheinigt, bedeutet außerhalb dieses Rechners nichts."),
    how_it_works: Text("Wie es geht, und wie man jemanden nachschlägt"),

    please_check: Text("Bitte prüfen"),
    verify_your_number: Text("Bestätigen Sie Ihre Telefonnummer"),
    start_lead: Text(
        "Sie rufen uns von ihr an, geben einen Code ein und bekommen ein Zertifikat, das sagt, dass die Nummer Ihre ist. Der Anruf ist alles, worum wir bitten: kein Konto, keine SMS.",
    ),
    start_change: Text("Etwas muss noch geändert werden, bevor es weitergeht."),
    work: Text("Gerade beginnen viele, darum muss Ihr Browser einige Sekunden arbeiten."),
    work_goes_on: Text("Dann geht es von selbst weiter."),
    work_again: Text("Wählen Sie Ihre Datei noch einmal, falls Sie eine geschickt haben, und gehen Sie weiter."),
    work_progress: Text("Wie weit die Arbeit ist, wahrscheinlich"),
    work_needs_scripts: Text(
        "Das braucht Skripte, die in diesem Browser abgeschaltet sind: Versuchen Sie es in einigen Minuten wieder.",
    ),
    telephone_number: Text("Telefonnummer"),
    number_help: Text("Mit + und der Landesvorwahl, zum Beispiel +1 202 555 0143."),
    number_without_country: Text("Ohne sie wird sie als Nummer aus {country} gelesen."),
    did_you_mean: Text("Meinten Sie {number}?"),
    read_as: Text("Wir lesen das als {number}. Wenn das stimmt, gehen Sie weiter."),
    own_number: Text(
        "Das ist eine unserer Nummern, die man zur Bestätigung anruft. Geben Sie die Nummer ein, von der Sie anrufen.",
    ),
    result_is_signed: Text("Ihre Nummer ist bewiesen. Das Ergebnis wird gerade signiert."),
    demo_directory: Text("einem eigenen Ring innerhalb dieser Vorführung"),
    publish_question: Text("Dürfen andere Ihr Zertifikat anhand Ihrer Nummer finden?"),
    publish_yes: Text(
        "<b>Ja, veröffentlichen.</b> Wer Ihre Nummer kennt, kann Ihr Zertifikat in einem öffentlichen Verzeichnis nachschlagen und sehen, dass es existiert.",
    ),
    publish_no: Text(
        "<b>Nein, nur mir geben.</b> Nichts über Sie kommt in das Verzeichnis, und ein früherer Eintrag wird zurückgezogen.",
    ),
    publish_hint: Text("Wählen Sie eines von beiden."),
    neither: Text(
        "Ohne beides bekommen Sie eine unterschriebene Erklärung, dass die Nummer Ihre ist, und kein Zertifikat.",
    ),
    browser_key: Text("Ihr Browser erzeugt den Schlüssel. Er verlässt dieses Gerät nicht."),
    browser_key_fails: Text("Dieser Browser kann keinen Schlüssel erzeugen: Nehmen Sie einen eigenen."),
    go_on: Text("Weiter"),
    verify_an_address: Text("Kein Telefon zur Hand? <a href=\"/email\">Bestätigen Sie eine E-Mail-Adresse</a>."),
    which_language: Text("Sprache dieser Seiten und, nach dem Code, der Stimme"),
    own_key: Text("Einen eigenen Schlüssel verwenden"),
    own_key_make: Text(
        "Erzeugen Sie mit OpenSSL einen Schlüssel und einen Antrag, und geben Sie uns den Antrag (<code>request.pem</code>), niemals den Schlüssel:",
    ),
    own_key_paste: Text("Den Antrag einfügen"),
    own_key_file: Text("Oder seine Datei wählen"),

    call: Text("Rufen Sie {number} an"),
    type_the_digits: Text("Geben Sie die Ziffern ein"),
    call_us_from: Text("Rufen Sie uns von <span class=\"number\">{number}</span> an"),
    not_your_number: Text("Nicht Ihre Nummer? <a href=\"/\">Von vorn beginnen</a>."),
    what_to_dial: Text("Was zu wählen ist"),
    dial_this: Text("Wählen Sie diese Nummer selbst"),
    key_in: Text("Dann, wenn die Stimme danach fragt, geben Sie ein"),
    qr: Text("QR-Code mit der Nummer, die zu wählen ist, ohne den Code"),
    scan: Text("Zum Wählen scannen"),
    softphone: Text("Ein Softphone wählt <code>sip:{dial}@{sip}</code> und nennt sich <code>{number}</code>."),
    simulate: Text(
        "Oder lassen Sie die Vorführung sich selbst anrufen, mit einem echten Anruf. Diese Seite folgt ihm vom richtigen Code an, etwa 20 Sekunden nach seinem Beginn, und der Anrufer gibt auch die Ziffern ein. Irrwege ändern hier nichts; die Konsole zeigt sie.",
    ),
    simulate_call: Text("Den Anruf nachspielen"),
    simulate_wrong_code: Text("Ein Anruf mit falschen Codes"),
    simulate_spoof: Text("Ein Anruf von einer anderen Nummer"),
    simulate_hang_up: Text("Ein Anruf, der zu früh auflegt"),
    simulate_in_vain: Text(
        "Für diese Bestätigung läuft schon ein Anruf. Ein anderer kann beginnen, wenn er vorbei ist.",
    ),
    digits_label: Text("Die sechs Ziffern, die die Stimme vorliest"),
    confirm: Text("Bestätigen"),
    digits_help: Text(
        "Geben Sie sie nur hier ein, und nur, wenn Sie diese Seite selbst geöffnet haben. Sie gelten 90 Sekunden vom ersten Wort der Stimme an.",
    ),
    digits_missing: Text("Geben Sie die sechs Ziffern ein, die die Stimme vorliest."),
    digits_wrong_once: Text("Das sind nicht die Ziffern. Sie können es noch einmal versuchen."),
    digits_wrong: Text("Das sind nicht die Ziffern. Sie können es noch {count}-mal versuchen."),
    step_call: Text("Rufen Sie die Nummer an."),
    step_code: Text("Geben Sie nach der Warnung den Code ein."),
    step_confirm: Text("Drücken Sie die Taste, die die Stimme nennt."),
    step_digits: Text("Geben Sie die sechs Ziffern ein, die Ihnen die Stimme vorliest."),
    step_hear: Text("Hören Sie, dass es gelungen ist."),
    step_certificate: Text("Ihr Zertifikat wird erzeugt."),
    step_result: Text("Ihr Ergebnis wird unterschrieben."),
    we_wait: Text("Wir warten auf Ihren Anruf."),
    remedy: Text(
        "Wenn Sie am Telefon sind, machen Sie weiter: Diese Seite geht voran, sobald Ihr Code stimmt. Wenn Ihr Anruf nicht angenommen wurde, ist Ihre Nummer vielleicht unterdrückt: Wählen Sie <b>*31#</b> (die meisten Mobilnetze) oder <b>*82</b> (Nordamerika) vor der Nummer, oder schalten Sie die Übermittlung in den Einstellungen des Telefons ein.",
    ),
    good_until: Text("Der Code gilt bis"),
    minutes_left: Text(", noch {minutes} Minuten"),
    time_left: Text(", noch {time}"),
    stop: Text("Abbrechen"),

    not_verified: Text("Die Nummer {number} wurde nicht bestätigt."),
    what_happened: Text("Was geschehen ist"),
    start_again: Text("Von vorn beginnen"),
    voided: Text("Zu viele falsche Ziffern"),
    voided_why: Text(
        "Zu oft wurden falsche Ziffern eingegeben, darum ist diese Bestätigung ungültig. Wenn jemand anders Ihnen gesagt hat, Sie sollten anrufen, beginnen Sie nicht von vorn.",
    ),
    expired: Text("Die Zeit ist um"),
    expired_why: Text(
        "Kein Anruf mit dem richtigen Code kam rechtzeitig, oder seine Ziffern wurden nicht rechtzeitig eingegeben. Der Code gilt nicht mehr.",
    ),
    failed: Text("Es ist nicht gelungen"),
    failed_why: Text("Das Zertifikat konnte nicht erzeugt werden."),

    verified: Text("Bestätigt"),
    is_verified: Text("<span class=\"{class}\">{name}</span> ist bestätigt"),
    result_lead: Text(
        "Sie haben keinen Zertifikatsantrag gegeben, darum gibt es kein Zertifikat. Das ist unsere unterschriebene Erklärung (ein JWS, zu prüfen mit den <a href=\"/.well-known/jwks.json\">Schlüsseln dieses Dienstes</a>):",
    ),
    result_label: Text("Unterschriebene Erklärung"),
    your_certificate: Text("Ihr Zertifikat"),
    was_revoked: Text("Dieses Zertifikat wurde am {day} widerrufen."),
    was_suspended: Text(
        "Ein Anruf von Ihrer Nummer hat dieses Zertifikat am {day} gesperrt. Wenn <a href=\"/key\">sein Schlüssel das nicht aufhebt</a>, wird es nach einem Tag widerrufen.",
    ),
    pending: Text(
        "Am {since} wurde für diese Nummer ein anderer Schlüssel bewiesen. Er tritt am {until} an die Stelle des Ihren, wenn Sie ihn nicht aufhalten",
    ),
    pending_call: Text(
        ": Rufen Sie {dial} von Ihrer Nummer an, geben Sie keinen Code ein, falls danach gefragt wird, drücken Sie am Ende 9 und dann die Ziffer, die genannt wird. Das sperrt auch Ihr eigenes Zertifikat, bis Ihr Schlüssel das aufhebt",
    ),
    pending_key: Text(
        ". <a href=\"/key\">Ihr Schlüssel kann ihn aufhalten</a>, ganz allein: Der Schlüssel, der wartet, ist <code class=\"long\">{key}</code>.",
    ),
    level: Text("Stufe"),
    code_only: Text("Nur nach einem Code wurde gefragt, und keine Ziffern wurden vorgelesen."),
    no_higher: Text("Nicht höher: {cap}"),
    valid: Text("Gültig"),
    from_until: Text("{from} bis {until}"),
    serial_number: Text("Seriennummer"),
    directory: Text("Verzeichnis"),
    superseded: Text("Ein anderes Zertifikat ist an die Stelle von diesem getreten."),
    not_published: Text("Nicht veröffentlicht, wie Sie es wollten."),
    p12: Text("Schlüssel und Zertifikat in einer Datei"),
    p12_lead: Text(
        "Ihr Schlüssel ist in diesem Browser. Wählen Sie ein Passwort, und bewahren Sie die Datei auf: Sie lässt sich in Mailprogrammen und Betriebssystemen öffnen.",
    ),
    password: Text("Passwort"),
    p12_button: Text(".p12 herunterladen"),
    p12_making: Text("Die Datei wird erzeugt …"),
    p12_done: Text(
        "Fertig. Die Datei ist bei Ihren Downloads, und dieser Browser vergisst den Schlüssel, wenn Sie gehen.",
    ),
    p12_lost: Text(
        "Der Schlüssel dieses Zertifikats ist nicht mehr in diesem Browser. Wenn Sie ihn gespeichert haben, nehmen Sie diese Datei. Wenn nicht, ist er verloren, und Sie können von vorn beginnen.",
    ),
    p12_elsewhere: Text("Ihr Schlüssel ist dort, wo Sie ihn erzeugt haben. Das Zertifikat steht unten."),
    certificate: Text("Zertifikat"),
    download_pem: Text("PEM herunterladen"),
    show_it: Text("Anzeigen"),
    certificate_label: Text("Das Zertifikat, PEM"),
    chain_label: Text("Das Zwischenzertifikat, PEM"),
    look_me_up: Text("Mich nachschlagen"),
    look_up_number: Text(
        "Wer Ihre Nummer kennt, findet das Zertifikat mit dem <a href=\"/ca/bundle.pem\" download>Bündel dieses Dienstes</a>, dessen Wurzel den Fingerabdruck <code class=\"long\">{fingerprint}</code> hat:",
    ),
    look_up_address: Text(
        "Wer Ihre Adresse kennt, findet das Zertifikat mit dem <a href=\"/ca/bundle.pem\" download>Bündel dieses Dienstes</a>, dessen Wurzel den Fingerabdruck <code class=\"long\">{fingerprint}</code> hat:",
    ),
    command_line: Text("Befehlszeile"),
    withdraw_lead: Text(
        "Wenn Sie nicht mehr gefunden werden wollen, nehmen Sie den Eintrag aus dem Verzeichnis. Ihr Zertifikat bleibt gültig; um wieder gefunden zu werden, bestätigen Sie die Nummer noch einmal.",
    ),
    withdraw: Text("Aus dem Verzeichnis nehmen"),
    withdraw_renewed: Text(
        "Wenn Ihr Gerät dieses Zertifikat aufgrund desselben Anrufs erneuert hat, können Sie den Eintrag des neuen aus dem Verzeichnis nehmen.",
    ),
    record_leaves: Text("Der Eintrag wird gerade aus dem Verzeichnis genommen."),
    record_revoked: Text("Widerrufen: Das Verzeichnis sagt, dass es kein Zertifikat gibt."),
    record_withdrawn: Text("Zurückgezogen: Das Verzeichnis sagt, dass es kein Zertifikat gibt."),
    record_comes: Text("Ausgestellt, wird veröffentlicht: Der Eintrag ist auf dem Weg in das Verzeichnis."),
    record_published: Text("Veröffentlicht in {place}"),
    record_published_somewhere: Text("Veröffentlicht im Verzeichnis"),
    record_slot: Text(", Platz {slot}"),
    record_bytes: Text(", {bytes} Bytes"),

    waiting: Text("Wartet"),
    held: Text("<span class=\"number\">{number}</span> ist bewiesen, und der neue Schlüssel wartet"),
    held_until: Text(
        "Vor Kurzem wurde für diese Nummer ein anderer Schlüssel beglaubigt. Damit niemand ungesehen jemandem seine Nummer nimmt, wartet Ihrer bis <b>{until}</b>. Dann wird das Zertifikat erzeugt, und diese Seite zeigt es: Lassen Sie die Seite offen, oder kommen Sie mit diesem Browser wieder.",
    ),
    held_meanwhile: Text(
        "Inzwischen sieht, wer die Nummer nachschlägt, dass ein anderer Schlüssel wartet, und wer den alten Schlüssel hat, kann ihn aufhalten. Nichts macht es schneller als der alte Schlüssel.",
    ),
    held_unexpected: Text(
        "Wenn Sie das nicht erwartet haben, hat jemand anders ein Zertifikat für Ihre Nummer. Verzichten Sie hierauf, rufen Sie {dial} von Ihrer Nummer an, geben Sie keinen Code ein, drücken Sie am Ende 9 und dann die Ziffer, die genannt wird: Das sperrt, was es für sie gibt.",
    ),
    old_key: Text("Haben Sie den alten Schlüssel?"),
    old_key_signs: Text("Den alten Schlüssel für den neuen unterschreiben lassen"),
    or_give_up: Text("Oder verzichten"),
    give_up: Text("Verzichten"),
    not_signed: Text(
        "Das ist nicht vom Schlüssel des geltenden Zertifikats unterschrieben. Wählen Sie diesen Schlüssel.",
    ),

    speak: Text("Mit Ihrem Schlüssel sprechen"),
    speak_title: Text("Mit dem Schlüssel Ihres Zertifikats sprechen"),
    speak_lead: Text(
        "Wer den Schlüssel des Zertifikats einer Nummer hat, kann dessen Sperre aufheben, seinen Eintrag aus dem Verzeichnis nehmen oder einen anderen Schlüssel aufhalten, der für die Nummer wartet: mit einer Unterschrift, ohne Anruf.",
    ),
    what_it_says: Text("Was er sagt"),
    lift: Text("Die Sperre des Zertifikats aufheben."),
    take_out: Text("Den Eintrag aus dem Verzeichnis nehmen. Das Zertifikat bleibt gültig."),
    veto: Text("Den Schlüssel aufhalten, der wartet."),
    waiting_key: Text("Der Schlüssel, der aufgehalten werden soll"),
    waiting_key_help: Text(
        "64 Ziffern und Buchstaben, wie die Seite Ihres Zertifikats sie zeigt. Nur für das letzte der drei.",
    ),
    sign: Text("Unterschreiben und senden"),
    key_file: Text("Sein Zertifikat und sein Schlüssel, PEM"),
    key_file_help: Text(
        "Die Datei bleibt in diesem Browser; gesendet wird eine Unterschrift. Aus der .p12, die Sie gespeichert haben: <code>openssl pkcs12 -in FILE.p12 -nodes -out key.pem</code>. Löschen Sie sie danach.",
    ),
    key_file_needs_scripts: Text(
        "Das braucht Skripte, die in diesem Browser abgeschaltet sind. Die API nimmt, was <code>openssl dgst -sha256 -sign</code> erzeugt.",
    ),
    key_missing: Text("In dieser Datei ist kein unverschlüsselter Schlüssel in PKCS#8 PEM."),
    key_unusable: Text("Dieser Browser kann mit dieser Art Schlüssel nicht umgehen."),
    key_uncertified: Text("Das Zertifikat dieses Schlüssels ist nicht in dieser Datei: Wählen Sie beide."),
    key_sent: Text("Gesendet."),
    key_done: Text("Fertig: Verzeichnis und Widerrufsliste folgen in einigen Minuten."),

    verify_your_address: Text("Bestätigen Sie Ihre E-Mail-Adresse"),
    address_lead: Text(
        "Wir senden einen Link und einen Code an Ihr Postfach. Sie bestätigen hier, und das Zertifikat kommt per Mail. Es besagt weniger als eines für eine Telefonnummer: Stufe L0.",
    ),
    email_address: Text("E-Mail-Adresse"),
    publish_question_address: Text("Dürfen andere Ihr Zertifikat über Ihre Adresse finden?"),
    publish_yes_address: Text(
        "<b>Ja, veröffentlichen.</b> Wer Ihre Adresse kennt, kann Ihr Zertifikat in einem öffentlichen Verzeichnis nachschlagen und sehen, dass es existiert.",
    ),
    verify_a_number: Text("Ein Telefon zur Hand? <a href=\"/\">Bestätigen Sie lieber dessen Nummer</a>."),
    key_is_needed: Text(
        "Ein Zertifikat braucht einen Schlüssel: Lassen Sie den Browser einen erzeugen, oder geben Sie einen Antrag.",
    ),

    look_into_mailbox: Text("Sehen Sie in Ihr Postfach"),
    making_certificate: Text("Ihr Zertifikat entsteht"),
    making_lead: Text("Sie haben bestätigt. Das Zertifikat wird erstellt; diese Seite zeigt es gleich."),
    mail_comes: Text(
        "Eine Mail ist unterwegs an <b class=\"long\">{address}</b>, außer wir haben dorthin schon oft geschrieben. Öffnen Sie ihren Link in diesem Browser, oder geben Sie hier ihren Code ein.",
    ),
    not_your_address: Text("Nicht Ihre Adresse? <a href=\"/email\">Beginnen Sie von vorn</a>."),
    mail_is_here: Text("In dieser Vorführung <a href=\"/demo/mail\">ist die Mail hier</a>."),
    mail_code: Text("Der Code aus der Mail"),
    mail_code_help: Text(
        "Acht Buchstaben und Ziffern. Geben Sie ihn nur hier ein, und nur, wenn Sie selbst das begonnen haben.",
    ),
    mail_code_missing: Text("Ein Code hat acht Buchstaben und Ziffern, wie in der Mail."),
    mail_code_wrong_once: Text("Das ist nicht der Code der Mail; Sie können es noch einmal versuchen."),
    mail_code_wrong: Text("Das ist nicht der Code der Mail; Sie können es noch {count}-mal versuchen."),
    your_key: Text("Ihr Schlüssel"),
    mail_good_until: Text("Gilt bis"),
    same_key: Text("Die Mail nennt denselben Schlüssel: So wissen Sie, dass es um diesen Auftrag geht."),

    address_not_verified: Text("Die Adresse <span class=\"long\">{address}</span> wurde nicht bestätigt."),
    mail_voided: Text("Zu viele falsche Codes"),
    mail_voided_why: Text(
        "Der Code war fünfmal falsch, darum ist dieser Auftrag ungültig. Wenn die Mail Ihre ist, beginnen Sie von vorn.",
    ),
    mail_expired_why: Text("Niemand hat Link oder Code innerhalb eines Tages benutzt. Beide gelten nicht mehr."),

    certificate_for: Text("Ein Zertifikat für <span class=\"long\">{address}</span>"),
    who_asked: Text("Wer gefragt hat"),
    when_asked: Text("Wann"),
    their_key: Text("Dessen Schlüssel"),
    not_in_this_browser: Text(
        "<b>Nicht in diesem Browser.</b> Das Zertifikat wurde anderswo angefordert und kann deshalb nicht hier bestätigt werden. Wenn Sie das waren, geben Sie dort diesen Code ein:",
    ),
    asked_elsewhere: Text(
        "Wenn Sie es nicht waren, tun Sie nichts und sagen Sie den Code niemandem: Wer ihn von Ihnen verlangt, will ein Zertifikat auf Ihren Namen.",
    ),
    asked_here: Text("Sie haben es in diesem Browser angefordert. Noch ein Schritt:"),
    make_it: Text("Ja, Zertifikat erstellen"),
    confirmed_already: Text("Schon bestätigt"),
    confirmed_already_why: Text(
        "Dieser Link wurde benutzt. Das Zertifikat ist in Ihrem Postfach oder auf dem Weg dorthin.",
    ),
    link_is_dead: Text("Dieser Link gilt nicht mehr"),
    link_is_dead_why: Text(
        "Seine Zeit ist um, oder der Code war zu oft falsch. Wenn Sie noch ein Zertifikat wollen, beginnen Sie von vorn.",
    ),

    revoke_title: Text("Ein Zertifikat widerrufen"),
    the_certificate_for: Text("Das Zertifikat für <span class=\"long\">{address}</span>"),
    revoked_on: Text("Es wurde am {day} widerrufen. Wer es nachschlägt, erfährt das."),
    key: Text("Schlüssel"),
    valid_until: Text("Gültig bis"),
    why_revoke: Text("Warum soll es widerrufen werden?"),
    not_me: Text("Ich habe es nicht angefordert."),
    key_lost: Text("Sein Schlüssel ist verloren oder gestohlen. Der Schlüssel wird nie wieder zertifiziert."),
    not_wanted: Text("Ich möchte es nicht mehr."),
    choose_a_reason: Text("Wählen Sie einen Grund."),
    cannot_be_undone: Text("Das lässt sich nicht rückgängig machen."),
    revoke_it: Text("Widerrufen"),

    about_title: Text("Wie es geht"),
    about_number: Text("Sie nennen Ihre Nummer; Ihr Browser erzeugt einen Schlüssel."),
    about_call: Text(
        "Sie rufen uns von dieser Nummer an. Ihre Telefongesellschaft sagt uns, wer anruft, darum kann eine unterdrückte Nummer nicht bestätigt werden.",
    ),
    about_code: Text("Sie geben den Code auf Ihrem Bildschirm ein und drücken eine Taste, die die Stimme nennt."),
    about_digits: Text(
        "Die Stimme liest sechs Ziffern vor. Sie geben sie auf der Seite ein und bekommen das Zertifikat.",
    ),
    about_scam: Text(
        "<b>Wenn jemand Sie gebeten hat anzurufen, legen Sie auf: Es ist Betrug.</b> Wer Ihre Ziffern bekommt, kann sich als Ihre Nummer ausgeben.",
    ),
    look_up: Text("Jemanden nachschlagen"),
    look_up_lead: Text(
        "Zertifikate, die ihre Inhaber veröffentlicht haben, liegen in {directory}. Mit dem <a href=\"/ca/bundle.pem\" download>Bündel dieses Dienstes</a> und einer Nummer kann jeder eines finden und prüfen:",
    ),
    look_up_fingerprint: Text(
        "Vergleichen Sie den Fingerabdruck der Wurzel des Bündels mit einem, den Sie anderswo bekommen haben:",
    ),
    about_key: Text(
        "Mit seinem Schlüssel können Sie <a href=\"/key\">eine Sperre aufheben, den Eintrag zurückziehen oder einen anderen Schlüssel aufhalten</a>.",
    ),
    about_programs: Text("Für Programme"),
    about_api: Text("<a href=\"/openapi.json\">Beschreibung der API</a> unter <code>{url}/v1</code>"),
    about_revoked: Text(
        "Widerrufene Zertifikate: <a href=\"/ca/tel.crl\">von Nummern</a>, <a href=\"/ca/email.crl\">von E-Mail-Adressen</a>",
    ),
    about_keys: Text("<a href=\"/.well-known/jwks.json\">Schlüssel der unterschriebenen Erklärungen</a>"),
};

fn kind(kind: Kind) -> Text {
    Text(match kind {
        Kind::Subscriber => "Das ist ein Fest- oder Mobilfunkanschluss.",
        Kind::Voip => {
            "Das ist eine Nummer der Internettelefonie und kann nicht bestätigt werden. Nehmen Sie einen Fest- oder Mobilfunkanschluss."
        }
        Kind::Personal => {
            "Das ist eine persönliche Rufnummer und kann nicht bestätigt werden. Nehmen Sie einen Fest- oder Mobilfunkanschluss."
        }
        Kind::TollFree => {
            "Das ist eine gebührenfreie Nummer und kann nicht bestätigt werden. Nehmen Sie einen Fest- oder Mobilfunkanschluss."
        }
        Kind::Premium => {
            "Das ist eine Mehrwertnummer und kann nicht bestätigt werden. Nehmen Sie einen Fest- oder Mobilfunkanschluss."
        }
        Kind::SharedCost => {
            "Das ist eine Nummer mit geteilten Kosten und kann nicht bestätigt werden. Nehmen Sie einen Fest- oder Mobilfunkanschluss."
        }
        Kind::UniversalAccess => {
            "Das ist die einheitliche Nummer einer Firma und kann nicht bestätigt werden. Nehmen Sie einen Fest- oder Mobilfunkanschluss."
        }
        Kind::Pager => {
            "Das ist ein Funkrufempfänger und kann nicht bestätigt werden. Nehmen Sie einen Fest- oder Mobilfunkanschluss."
        }
        Kind::Voicemail => {
            "Das ist die Nummer eines Anrufbeantworters und kann nicht bestätigt werden. Nehmen Sie einen Fest- oder Mobilfunkanschluss."
        }
    })
}

fn number(error: &NumberError) -> Text {
    Text(match error {
        NumberError::NotDigits => "Eine Nummer schreibt sich als + und Ziffern, die Landesvorwahl zuerst.",
        NumberError::NoCountry => "Die Landesvorwahl fehlt: Schreiben Sie zuerst + und die Vorwahl.",
        NumberError::TooShort => "Die Nummer ist zu kurz für einen Telefonanschluss mit seiner Landesvorwahl.",
        NumberError::TooLong => "Die Nummer hat mehr als 15 Ziffern.",
        NumberError::Unassigned => "Kein Nummernplan hat diese Nummer.",
        NumberError::Misspelled { .. } => "Die Nummer hat eine Ziffer zu viel oder zu wenig.",
    })
}

fn state(state: State) -> &'static str {
    match state {
        State::Waiting => "Wir warten auf Ihren Anruf.",
        State::Calling => "Der Code wurde am Telefon eingegeben.",
        State::ReadBack => "Die Stimme liest sechs Ziffern vor. Geben Sie sie hier ein.",
        State::Issuing => "Ihre Nummer ist bewiesen. Das Zertifikat wird gerade erzeugt.",
        State::Held => {
            "Ihre Nummer ist bewiesen, aber vor Kurzem wurde für sie ein anderer Schlüssel beglaubigt: Dieser muss warten."
        }
        State::Issued => "Fertig.",
        State::Voided => "Zu viele falsche Ziffern: Diese Bestätigung ist ungültig. Beginnen Sie von vorn.",
        State::Expired => "Diese Bestätigung ist vorbei. Beginnen Sie von vorn.",
        State::Failed => "Sie konnte nicht abgeschlossen werden.",
    }
}

fn step(name: &str) -> Option<&'static str> {
    Some(match name {
        "warning" => "Der Anruf ist angenommen: Die Stimme sagt, worum es geht.",
        "entering-code" => "Geben Sie den Code am Telefon ein.",
        "wrong-code" => "Der Code war falsch.",
        "code-matched" => "Der Code stimmt.",
        "confirming" => "Drücken Sie die Taste, die die Stimme nennt.",
        "confirmed" => "Bestätigt.",
        "reading-back" => "Die Stimme liest sechs Ziffern vor. Geben Sie sie hier ein.",
        "telling" => "Die Stimme sagt, welche Zertifikate die Nummer hat.",
        "suspending" => "Der Anrufer will sie sperren.",
        "ended" => "Der Anruf ist zu Ende.",
        _ => return None,
    })
}
