//! What becomes of words that nobody takes.

use std::path::Path;
use std::process::Stdio;

use end_to_end::service::{dialproof, until_heard};

use super::recordings::write_five;
use super::{Operator, told};

/// What writes into it hears that nobody reads.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_who_has_heard_enough_changes_nothing() {
    let operator = Operator::new();
    let wav = operator.path("five.wav");
    write_five(&wav, 6_000.0);
    let nobody = operator.path("nobody.toml");
    std::fs::write(&nobody, "").expect("a file");
    let path = |path: &Path| path.to_str().expect("a plain path").to_owned();
    let [wav, nobody, prompts] = [&wav, &nobody, &operator.path("prompts")].map(|it| path(it));
    std::fs::create_dir(&prompts).expect("a folder");
    let commands: [(&[&str], i32); 5] = [
        (&["--help"], 0),
        (&["prompts", "verify", "--clips", &prompts], 0),
        (&["dtmf", &wav], 0),
        (&["check-config", "-c", &nobody], 1),
        (&["nonsense"], 1),
    ];
    for (arguments, code) in commands {
        let output = dialproof().args(arguments).stdout(closed_pipe()).output().expect("the program runs");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", told(&output));
        assert_eq!(output.stderr.is_empty(), arguments != ["nonsense"], "{arguments:?}: {}", told(&output));
        let deaf = dialproof().args(arguments).stdout(closed_pipe()).stderr(closed_pipe()).status();
        assert_eq!(deaf.expect("the program runs").code(), Some(code), "{arguments:?}");
        let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
        let output = dialproof().args(arguments).stdout(full).output().expect("the program runs");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", told(&output));
        let is_said = told(&output).contains("what it prints cannot be written: No space left on device");
        assert_eq!(is_said, arguments != ["nonsense"], "{arguments:?}: {}", told(&output));
    }

    // Who looks somebody up still learns from how it ends.
    assert!(operator.init_without(&[]).status.success());
    let service = operator.serve(&std::fs::read_to_string(operator.config()).expect("a file"));
    let unknown = until_heard(|| {
        let mut command = dialproof();
        command.args(["lookup", "tel:+12025550143", "--ca"]).arg(service.bundle());
        command.env("XDG_STATE_HOME", operator.path("state")).stdout(closed_pipe());
        command.output().expect("the program runs")
    });
    assert_eq!((unknown.status.code(), told(&unknown).as_str()), (Some(3), ""));
    assert!(service.terminate().success());
}
