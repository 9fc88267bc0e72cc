//! SIPp calls as a carrier's trunk would, many at once, and keys in the codes of its injection file.

use std::fmt::Write as _;
use std::path::Path;

use end_to_end::proving::happenings;
use end_to_end::service::Service;
use end_to_end::sipp::{LISTENING_MS, Scenario, sipp};
use ivr::phone::api::{Api, Start, Started};
use ivr_core::media::Law;
use tokio::runtime::Runtime;

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn fifty_callers_of_sipp_key_in_their_codes_at_once() {
    key_in_codes(50, "u1");
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn callers_of_sipp_share_one_tcp_connection() {
    key_in_codes(20, "t1");
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn callers_of_sipp_have_a_tcp_connection_each() {
    key_in_codes(20, "tn");
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs SIPp: run tests/run")]
fn a_caller_of_sipp_without_telephone_event_sings_its_code() {
    let demo = Service::demo();
    let api = Api::new(demo.http());
    let start = Start { number: "+12025550143", csr: None, publish: false, locale: "en" };
    let started = Runtime::new().expect("a runtime").block_on(api.start(&start)).expect("a verification");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let song = folder.path().join("code.ul");
    std::fs::write(&song, sung(started.code.expose())).expect("a file");
    Scenario::default()
        .opens("INVITE", "", Some("m=audio [rtpstream_audio_port] RTP/AVP 0\na=rtpmap:0 PCMU/8000"))
        .may_hear(100)
        .may_hear(180)
        .hears(200, &["RTP/AVP 0"])
        .says("ACK", "", None)
        .waits(LISTENING_MS)
        .streams(&song)
        .waits(4_000)
        .says("BYE", "", None)
        .hears(200, &[])
        .play("+12025550143", &started.dial.number, demo.sip(), "u1")
        .expect("a call");
    assert!(happenings(&demo, &started).iter().any(|what| what == "code-matched"), "the tones are the code");
}

/// µ-law: each key for 80 ms, and a pause as long after it.
fn sung(keys: &str) -> Vec<u8> {
    let tones = |key: u8| match key {
        b'1'..=b'9' => {
            let at = usize::from(key - b'1');
            ([697.0, 770.0, 852.0][at / 3], [1_209.0, 1_336.0, 1_477.0][at % 3])
        }
        _ => (941.0, 1_336.0),
    };
    let key = |key| {
        let (low, high) = tones(key);
        let wave = move |n: u16, hertz: f64| (std::f64::consts::TAU * hertz * f64::from(n) / 8_000.0).sin();
        (0..1_280_u16).map(move |n| if n < 640 { 6_000.0 * (wave(n, low) + wave(n, high)) } else { 0.0 })
    };
    keys.bytes().flat_map(key).map(|sample| Law::Mu.encode(sample as i16)).collect()
}

/// So many at once, over SIPp's transport of that name.
fn key_in_codes(calls: usize, transport: &str) {
    let demo = Service::demo();
    let runtime = Runtime::new().expect("a runtime");
    let api = Api::new(demo.http());
    let mut codes = String::from("SEQUENTIAL\n");
    let mut all = Vec::new();
    for n in 1..=calls {
        let number = format!("+120255501{n:02}");
        let start = Start { number: &number, csr: None, publish: false, locale: "en" };
        let started = runtime.block_on(api.start(&start)).expect("a verification");
        writeln!(codes, "{number};{};", started.code.expose()).expect("a string takes all");
        all.push(started);
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("codes.csv"), codes).expect("a file");

    let count = calls.to_string();
    let output = sipp(folder.path(), &Path::new(env!("CARGO_MANIFEST_DIR")).join("sipp/enter-code.xml"))
        .args(["-key", "secret", "none"])
        .args([&demo.sip().to_string(), "-s", &all[0].dial.number, "-inf", "codes.csv"])
        .args([
            "-t",
            transport,
            "-max_socket",
            "100",
            "-m",
            &count,
            "-l",
            &count,
            "-r",
            &count,
            "-d",
            &LISTENING_MS.to_string(),
            "-timeout",
            "90s",
            "-timeout_error",
        ])
        .output()
        .expect("SIPp is installed: run tests/setup");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "SIPp counts failed calls ({:?}):\n{said}", output.status);
    let is_matched = |started: &&Started| happenings(&demo, started).iter().any(|what| what == "code-matched");
    let matched = all.iter().filter(is_matched).count();
    assert_eq!(matched, calls, "each code opened its own verification");
}
