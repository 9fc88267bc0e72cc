//! The dialects that docs/trunks.md tells of, and how a call gives them away.

/// In which words a carrier says what it found out about its callers' signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Whose.
    pub carrier: &'static str,
    /// Its `[trunk.verstat]`, as docs/trunks.md has it.
    pub toml: &'static str,
}

/// One dialect for each carrier of docs/trunks.md, which says where each table comes from.
pub const DIALECTS: [Dialect; 4] = [TELNYX, TWILIO, BANDWIDTH, PLIVO];

/// A parameter of P-Asserted-Identity, which tells A by saying no other.
pub(super) const TELNYX: Dialect = Dialect {
    carrier: "Telnyx",
    toml: r#"[trunk.verstat]                      # Telnyx
header = "P-Asserted-Identity"
passed_a = ["TN-Validation-Passed"]
low = ["TN-Validation-Passed-B", "TN-Validation-Passed-C"]
failed = ["TN-Validation-Failed"]
unsigned = ["No-TN-Validation"]
"#,
};

/// A header of its own.
pub(super) const TWILIO: Dialect = Dialect {
    carrier: "Twilio",
    toml: r#"[trunk.verstat]                      # Twilio
header = "X-Twilio-VerStat"
passed_a = ["TN-Validation-Passed-A", "TN-Validation-Passed-A-Passthrough"]
low = [
    "TN-Validation-Passed-B", "TN-Validation-Passed-B-Passthrough",
    "TN-Validation-Passed-C", "TN-Validation-Passed-C-Passthrough",
]
failed = [
    "TN-Validation-Failed", "TN-Validation-Failed-A", "TN-Validation-Failed-B", "TN-Validation-Failed-C",
    "TN-Validation-Failed-A-Passthrough", "TN-Validation-Failed-B-Passthrough", "TN-Validation-Failed-C-Passthrough",
    "TN-Validation-Failed-A-Diverted", "TN-Validation-Failed-B-Diverted", "TN-Validation-Failed-C-Diverted",
    "No-TN-Validation", "NULL",
]
diverted = ["TN-Validation-Passed-A-Diverted", "TN-Validation-Passed-B-Diverted", "TN-Validation-Passed-C-Diverted"]
"#,
};

/// A parameter of P-Asserted-Identity, and a header that says with which attestation.
pub(super) const BANDWIDTH: Dialect = Dialect {
    carrier: "Bandwidth",
    toml: r#"[trunk.verstat]                      # Bandwidth
header = "P-Asserted-Identity"
attestation_header = "P-Attestation-Indicator"
passed = ["TN-Validation-Passed"]
low = ["No-TN-Validation"]
failed = ["TN-Validation-Failed"]
"#,
};

/// Two headers.
pub(super) const PLIVO: Dialect = Dialect {
    carrier: "Plivo",
    toml: r#"[trunk.verstat]                      # Plivo
header = "X-Plivo-Stir-Verification"
attestation_header = "P-Attestation-Indicator"
passed = ["Verified"]
low = ["Not Verified"]
unsigned = ["Not Applicable"]
"#,
};
