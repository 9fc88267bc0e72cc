//! PocketSphinx, an ear that knows nothing of our recordings, and English digits.

use std::process::Command;

/// The digit that each of these words is, or `?`; samples of 8 kHz.
///
/// # Panics
/// If it is not installed.
pub fn recognise(words: &[&[i16]]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |(n, word): (usize, &&[i16])| {
        let path = folder.path().join(format!("{n:03}.raw"));
        let octets: Vec<u8> = twice_as_many(word).iter().flat_map(|sample| sample.to_le_bytes()).collect();
        std::fs::write(&path, octets).expect("a file");
        path
    };
    let output = Command::new("/usr/bin/python3")
        .env("PYTHONPATH", "/usr/local/lib/dialproof-tests")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/recognise.py"))
        .args(words.iter().enumerate().map(file))
        .output()
        .expect("Python is installed: run tests/setup");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What is between the pauses.
pub fn words(samples: &[i16]) -> Vec<&[i16]> {
    let (mut words, mut begin, mut silent) = (Vec::new(), None, 0);
    for (n, sample) in samples.iter().enumerate() {
        silent = if sample.unsigned_abs() > 8 { 0 } else { silent + 1 };
        match begin {
            None if silent == 0 => begin = Some(n),
            Some(from) if silent == PAUSE => {
                words.push(&samples[from..n + 1 - PAUSE]);
                begin = None;
            }
            _ => {}
        }
    }
    words.extend(begin.map(|from| &samples[from..]));
    words
}

/// At 16 kHz, which the recogniser wants, with nothing above 4: a windowed sinc.
fn twice_as_many(samples: &[i16]) -> Vec<i16> {
    use std::f64::consts::PI;
    const REACH: isize = 16;
    let weight = |distance: f64| {
        let x = PI * distance / 2.0;
        let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
        sinc * (0.5 + 0.5 * (PI * distance / (2 * REACH) as f64).cos())
    };
    let at = |n: isize| {
        let near = (n / 2 - REACH..=n / 2 + REACH).filter(|k| (2 * k - n).abs() < 2 * REACH);
        let heard = near.filter_map(|k| Some((k, *samples.get(usize::try_from(k).ok()?)?)));
        heard.map(|(k, sample)| f64::from(sample) * weight((2 * k - n) as f64)).sum::<f64>() as i16
    };
    (0..2 * samples.len() as isize).map(at).collect()
}

/// Between two digits there is more silence than this, in samples, and in none so much.
const PAUSE: usize = 1_200;
