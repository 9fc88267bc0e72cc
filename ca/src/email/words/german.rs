//! German.

use super::{Template, Words};

pub(super) const GERMAN: Words = Words {
    tag: "de",
    confirmation: Template {
        subject: "Ist das Ihr Postfach? Ein Zertifikat von {name}",
        text: "\
Jemand möchte ein Zertifikat von {name} für dieses Postfach.

{asked}
Wenn Sie es waren, öffnen Sie diesen Link in dem Browser, in dem Sie es
angefordert haben, und drücken Sie dort den Knopf:

{link}

Oder geben Sie diesen Code dort ein, wo Sie es angefordert haben:

    {code}

Beide gelten bis {until}.

Wenn Sie es nicht waren, tun Sie nichts. Sagen Sie den Code niemandem: Wer
ihn von Ihnen verlangt, will ein Zertifikat auf Ihren Namen.
",
    },
    certificate: Template {
        subject: "Ihr Zertifikat von {name}",
        text: "\
Hier ist das Zertifikat für dieses Postfach.

  certificate.cer   das Zertifikat allein
  certificate.p7c   dasselbe mit den Zertifikaten darüber, wie
                    Mailprogramme es einlesen

Es gilt bis {ends}. Sein privater Schlüssel hat das Gerät,
auf dem es angefordert wurde, nie verlassen; ohne ihn kann niemand etwas
mit diesen Dateien anfangen.
",
    },
    notice: Template {
        subject: "{name} hat ein Zertifikat für Ihr Postfach ausgestellt",
        text: "\
{name} hat ein Zertifikat für dieses Postfach ausgestellt.

{asked}
Wenn Sie es angefordert haben, ist nichts zu tun. Bewahren Sie diese Mail
auf: Wenn der Schlüssel verloren geht oder gestohlen wird, oder wenn Sie es
nicht waren, widerruft die Seite hinter diesem Link das Zertifikat:

{link}
",
    },
    signature: "{name}, {url}\nDiese Mail hat eine Maschine geschrieben; Antworten liest niemand.\n",
    who_asked: "Gefragt hat",
    their_key: "Schlüssel",
    serial_number: "Seriennummer",
    devices: &[
        ("a browser", "ein Browser"),
        ("a program", "ein Programm"),
        ("on an ", "auf einem "),
        (" on ", " unter "),
    ],
};
