//! The kinds of problems, by the names in their type URIs: `/problems/{name}` shows each of them. A name never changes.

/// A kind of problem.
#[derive(Debug)]
pub struct Kind {
    /// Its name in the type URI, which never changes.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it means and what to do, for the page behind the type URI.
    pub meaning: &'static str,
}

impl Kind {
    const fn new(name: &'static str, title: &'static str, meaning: &'static str) -> Self {
        Self { name, title, meaning }
    }

    /// The kind of this name.
    pub fn of(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }
}

/// Every kind of problem.
pub const KINDS: &[Kind] = &[
    Kind::new(
        "not-found",
        "Not found",
        "There is no such page or resource, or the cookie or token does not open it: the two are not told apart.",
    ),
    Kind::new(
        "empty-slot",
        "The slot is empty",
        "All who had to be asked answered, and none has a record in this slot.",
    ),
    Kind::new(
        "foreign-slot",
        "Not a slot of this directory",
        "Only slots of the directory key are served, and those for locations of keys that are listed beside a certificate in force.",
    ),
    Kind::new(
        "method-not-allowed",
        "Method not allowed",
        "The resource is there, but not for this method. The Allow header names those that it takes.",
    ),
    Kind::new(
        "malformed",
        "The request cannot be read",
        "The body is no JSON, or no form, or lacks what the content type promises.",
    ),
    Kind::new(
        "too-large",
        "The request is too large",
        "A body has at most 32 KiB, which is four times the largest certificate request.",
    ),
    Kind::new(
        "unsupported-media-type",
        "The body is of a type that is not read here",
        "The API reads application/json; pages read forms.",
    ),
    Kind::new(
        "unauthorized",
        "Who are you?",
        "Send the secret of the verification or enrolment as a bearer token: Authorization: Bearer …; calls and \
         certificates need the cookie of an operator's login.",
    ),
    Kind::new("forbidden", "Not allowed", "You are known, but may not do this."),
    Kind::new(
        "form-expired",
        "The page is out of date",
        "Forms carry a token that belongs to a cookie. Allow cookies, open the page again and send it again.",
    ),
    Kind::new(
        "number",
        "Not a telephone number",
        "The number is not written as + and digits, or no numbering plan has it.",
    ),
    Kind::new(
        "number-kind",
        "This kind of number cannot be verified",
        "Only lines that a person answers are verified: no toll-free, premium, shared-cost, pager or voicemail \
         numbers, none of the sandbox, and none that this service is called at.",
    ),
    Kind::new(
        "address",
        "Not an email address",
        "The address is not written local@domain, or has quotes, comments, invisible or mixed letters, or an IP address.",
    ),
    Kind::new(
        "wrong-code",
        "Wrong code",
        "This is not the code that lies in the mailbox. Five wrong ones void the order.",
    ),
    Kind::new(
        "certificate-request",
        "The certificate request is refused",
        "The PKCS#10 cannot be read, is not signed by its own key, carries a key of another type than P-256 or Ed25519, or asks for what it will not get.",
    ),
    Kind::new(
        "old-key",
        "Not signed by the old key",
        "The signature is not one of the key of the number's last certificate over the text of docs/protocol.md, or its nonce \
         is older than ten minutes.",
    ),
    Kind::new("invalid-field", "A field is missing or wrong", "The detail names the field."),
    Kind::new(
        "wrong-digits",
        "Wrong digits",
        "These are not the digits that the voice read. Three wrong ones void the verification.",
    ),
    Kind::new("not-expected", "Not now", "The verification or enrolment is not in a state in which this can be done."),
    Kind::new(
        "voided",
        "The verification is void",
        "Wrong digits were entered too often: three on the page, six codes on the telephone, or five codes of a mail. \
         Start again.",
    ),
    Kind::new(
        "puzzle",
        "Some work first",
        "Many verifications begin just now, or wait for this number. Find decimal digits so that SHA-256 of `puzzle.challenge`, a \
         dot and them begins with `puzzle.bits` zero bits, and send the same again with `puzzle: { challenge, solution }`. It is good for this number, \
         once, until `puzzle.expires_at`.",
    ),
    Kind::new(
        "number-full",
        "Verifications of this number are open",
        "Three verifications of one number may be open from one network, and a certain number in all. Finish or stop one of \
         yours, or wait for as long as Retry-After says: then one has ended by itself.",
    ),
    Kind::new("too-many-requests", "Too many requests", "Wait for as long as Retry-After says."),
    Kind::new("busy", "Busy", "The same request may succeed after Retry-After."),
    Kind::new(
        "full",
        "No room left",
        "The service's disk is full. The same request succeeds when there is room again.",
    ),
    Kind::new("fault", "A fault of the service", "It is in the operator's log. Try again later."),
];
