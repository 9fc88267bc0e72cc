//! The conditions of `conditions.txt`: a name such as `-8dB_100ms_at-17` says what its group leaves open.

use ivr_core::media::Law;

/// One row of the table.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) group: &'static str,
    pub(crate) name: &'static str,
    pub(crate) expected: Expected,
    /// What spandsp and multimon-ng make of it.
    pub(crate) peers: [&'static str; 2],
    pub(crate) sound: Sound,
}

/// What Q.24 and the field want of a detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Accept,
    Reject,
    /// Between the two: reported only.
    Info,
}

/// How keys and what is around them sound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sound {
    /// Of each tone, in dBm0; with twist, the mean of both.
    pub(crate) level: f64,
    /// Higher over lower tone, in dB.
    pub(crate) twist: f64,
    /// How far the tones are off, in per cent. With `either_way` the signs are drawn for each key.
    pub(crate) off_by: [f64; 2],
    pub(crate) either_way: bool,
    /// Milliseconds of a key, of the pause after it, and of a hole in the key's middle.
    pub(crate) on: f64,
    pub(crate) off: f64,
    pub(crate) hole: f64,
    /// Both tones over white noise, in dB.
    pub(crate) signal_to_noise: Option<f64>,
    pub(crate) law: Option<Law>,
    /// Part of the packets of 20 ms that is lost, and what is in their place.
    pub(crate) loss: Option<(f64, Concealment)>,
    /// 350 and 440 Hz, each of this level in dBm0.
    pub(crate) dial_tone: Option<f64>,
    /// Speech so many dB under a tone.
    pub(crate) speech_below: Option<f64>,
    pub(crate) impairment: Option<Impairment>,
}

/// What a lost packet leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concealment {
    /// Nothing, and the detector is told.
    Told,
    /// The last packet again, fainter, and the detector is not told.
    Repeated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Impairment {
    /// 50 Hz of −20 dBm0.
    Hum,
    /// 1000 of 32768.
    DirectCurrent,
    /// The sum of both tones is cut off at half its peak.
    Clipping,
    /// Two clicks a second.
    Impulses,
    /// Noise of −65 dBm0.
    IdleNoise,
}

const PLAIN: Sound = Sound {
    level: -10.0,
    twist: 0.0,
    off_by: [0.0; 2],
    either_way: false,
    on: 50.0,
    off: 100.0,
    hole: 0.0,
    signal_to_noise: None,
    law: None,
    loss: None,
    dial_tone: None,
    speech_below: None,
    impairment: None,
};

/// Every condition, in the order of the file.
pub(crate) fn conditions() -> Vec<Condition> {
    let rows = include_str!("conditions.txt").lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| condition(line).unwrap_or_else(|| panic!("a condition that nobody understands: {line}"))).collect()
}

fn condition(line: &'static str) -> Option<Condition> {
    let mut columns = line.split('|').map(str::trim);
    let [group, name, expected, spandsp, multimon] = std::array::from_fn(|_| columns.next().unwrap_or_default());
    let expected = match expected {
        "accept" => Expected::Accept,
        "reject" => Expected::Reject,
        "info" => Expected::Info,
        _ => return None,
    };
    Some(Condition { group, name, expected, peers: [spandsp, multimon], sound: sound(group, name)? })
}

fn sound(group: &str, name: &str) -> Option<Sound> {
    let words: Vec<&str> = name.split('_').collect();
    let number = |place: usize, unit: &str| words.get(place)?.strip_suffix(unit)?.parse::<f64>().ok();
    let named = |prefix: &str, unit: &str| {
        let find = |word: &&str| word.strip_prefix(prefix)?.strip_suffix(unit)?.parse::<f64>().ok();
        words.iter().find_map(find)
    };
    let long = || named("", "ms").unwrap_or(PLAIN.on);
    Some(match group {
        "level" => Sound { level: number(0, "dBm0")?, ..PLAIN },
        "twist" => {
            Sound { twist: number(0, "dB")?, on: long(), level: named("at", "").unwrap_or(PLAIN.level), ..PLAIN }
        }
        "freq" => Sound { off_by: [number(0, "").or_else(|| number(0, "pc"))?, number(1, "pc")?], on: long(), ..PLAIN },
        "dur" => Sound { on: number(0, "ms")?, ..PLAIN },
        "gap" => Sound { on: named("", "on")?, off: named("", "off")?, ..PLAIN },
        "break" => Sound { hole: number(0, "ms")?, on: number(2, "ms")?, ..PLAIN },
        "snr" => Sound { signal_to_noise: Some(number(0, "dB")?), on: long(), ..PLAIN },
        "codec" => codec(&words)?,
        "loss" => {
            let concealment = if name.ends_with("plc") { Concealment::Repeated } else { Concealment::Told };
            Sound { loss: Some((number(0, "pc")? / 100.0, concealment)), on: long(), ..PLAIN }
        }
        "dialtone" => Sound { dial_tone: number(0, "dBm0"), level: named("under", "")?, ..PLAIN },
        "impair" => Sound { impairment: Some(impairment(name)?), ..PLAIN },
        "bargein" => Sound { speech_below: Some(number(1, "dB")?), ..PLAIN },
        _ => return None,
    })
}

fn codec(words: &[&str]) -> Option<Sound> {
    let law = Some(if *words.first()? == "ulaw" { Law::Mu } else { Law::A });
    Some(match words[1..] {
        ["snr15"] => Sound { law, signal_to_noise: Some(15.0), ..PLAIN },
        ["idle", "noise"] => Sound { law, impairment: Some(Impairment::IdleNoise), ..PLAIN },
        ["40ms", "tw-8", "1.5pc"] => Sound { law, on: 40.0, twist: -8.0, off_by: [1.5; 2], either_way: true, ..PLAIN },
        [level] => Sound { law, level: level.parse().ok()?, ..PLAIN },
        _ => return None,
    })
}

fn impairment(name: &str) -> Option<Impairment> {
    Some(match name {
        "hum50_-20" => Impairment::Hum,
        "dc+1000" => Impairment::DirectCurrent,
        "clip6dB" => Impairment::Clipping,
        "impulses_2ps" => Impairment::Impulses,
        _ => return None,
    })
}
