//! English.

use super::{Template, Words};

pub(super) const ENGLISH: Words = Words {
    tag: "en",
    confirmation: Template {
        subject: "Is this your mailbox? A certificate from {name}",
        text: "\
Somebody wants a certificate for this mailbox from {name}.

{asked}
If it was you, open this link in the browser where you asked, and press
the button there:

{link}

Or type this code into the page or program where you asked:

    {code}

Both work until {until}.

If it was not you, do nothing. Tell nobody the code: whoever wants it from
you wants a certificate in your name.
",
    },
    certificate: Template {
        subject: "Your certificate from {name}",
        text: "\
Here is the certificate for this mailbox.

  certificate.cer   the certificate itself
  certificate.p7c   the same with the certificates above it, as mail
                    programs import them

It is good until {ends}. Its private key never left the
device that asked; without that key nobody can use these files.
",
    },
    notice: Template {
        subject: "A certificate for your mailbox was issued by {name}",
        text: "\
{name} has issued a certificate for this mailbox.

{asked}
If it was you, there is nothing to do. Keep this mail: if the key is lost
or stolen, or if it was not you, the page behind this link revokes the
certificate:

{link}
",
    },
    signature: "{name}, {url}\nThis mail was written by a machine; nobody reads answers to it.\n",
    who_asked: "Who asked",
    their_key: "Their key",
    serial_number: "Serial number",
    devices: &[],
};
