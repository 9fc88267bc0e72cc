//! Linphone's program for the console, a softphone with another SIP stack and another RTP than baresip's: steered over its
//! standard input, heard through the recording that it makes of what it receives.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

use tempfile::TempDir;

use crate::process::{Process, free_port};
use crate::proving::Telephone;
use crate::service::wait_until;

/// Of the recording: before its samples.
const WAV_HEADER_BYTES: u64 = 44;

/// Who it is over TLS, and whom it believes: PEM files. Its media is then SRTP, or there is no call.
#[derive(Debug, Clone)]
pub struct Certified {
    /// Its certificate.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
    /// Who may sign the other side's.
    pub authorities: PathBuf,
}

/// A telephone that is switched on.
#[derive(Debug)]
pub struct Linphone {
    folder: TempDir,
    input: ChildStdin,
    /// What of the recording was heard, in bytes.
    heard: u64,
    _process: Process,
}

impl Linphone {
    /// A telephone whose number is this, with a certificate if it is given one.
    ///
    /// # Panics
    /// If it is not installed, or does not come up.
    pub fn of(number: &str, certified: Option<&Certified>) -> Self {
        let shown = |path: &Path| path.display().to_string();
        let tls_lines = certified.map_or(String::new(), |Certified { certificate, key, authorities }| {
            format!(
                "client_cert_chain={}\nclient_cert_key={}\nroot_ca={}\nverify_server_certs=1\nverify_server_cn=0\n\
                 media_encryption=srtp\nmedia_encryption_mandatory=1\n",
                shown(certificate),
                shown(key),
                shown(authorities)
            )
        });
        Self::with(number, &tls_lines, "")
    }

    /// A telephone whose number is this, and which answers challenges of this realm by SHA-256.
    ///
    /// # Panics
    /// If it is not installed, or does not come up.
    pub fn of_account(number: &str, realm: &str, (user, password): (&str, &str)) -> Self {
        let login = format!(
            "[auth_info_0]\nusername={number}\nuserid={user}\npasswd={password}\nrealm={realm}\nalgorithm=SHA-256\n"
        );
        Self::with(number, "", &login)
    }

    /// With more lines of `[sip]`, and more sections.
    fn with(number: &str, sip: &str, sections: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [udp, tcp, tls, rtp] = [(); 4].map(|()| free_port());
        let config = format!(
            "[sip]\nsip_port={udp}\nsip_tcp_port={tcp}\nsip_tls_port={tls}\nguess_hostname=0\nuse_info=0\nuse_rfc2833=1\n\
             contact=\"{number}\" <sip:{number}@127.0.0.1:{udp}>\n{sip}\
             [rtp]\naudio_rtp_port={rtp}\n[audio_codec_0]\nmime=PCMU\nrate=8000\nenabled=1\n{sections}"
        );
        std::fs::write(folder.path().join("rc"), config).expect("a file");
        // It keeps its history there, and does not make the folder.
        std::fs::create_dir_all(folder.path().join(".local/share/linphone")).expect("a folder");
        let log = std::fs::File::create(folder.path().join("said")).expect("a file");
        let mut command = Command::new("linphonec");
        command.args(["-d", "0", "-c"]).arg(folder.path().join("rc")).env("HOME", folder.path());
        command.stdin(Stdio::piped()).stdout(log.try_clone().expect("a second handle")).stderr(log);
        let (process, input) = Process::steered(&mut command);
        let mut phone = Self { folder, input, heard: 0, _process: process };
        phone.wait_for("linphonec>");
        phone.command("soundcard use files");
        let recording = phone.recording().display().to_string();
        phone.command(&format!("record {recording}"));
        phone
    }

    /// Calls, and waits until the other side refuses.
    pub fn fails_to_dial(&mut self, uri: &str) {
        self.command(&format!("call {uri}"));
        wait_until("the call fails", || self.said().contains(" error."));
    }

    fn recording(&self) -> PathBuf {
        self.folder.path().join("heard.wav")
    }

    /// What it has printed.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("said")).expect("a file")
    }

    fn wait_for(&self, text: &str) {
        wait_until(&format!("linphonec says {text:?}"), || {
            let said = self.said();
            assert!(!said.contains(" error."), "the call fails:\n{said}");
            said.contains(text)
        });
    }

    fn command(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).expect("linphonec reads");
    }
}

impl Telephone for Linphone {
    fn dial(&mut self, uri: &str) {
        self.command(&format!("call {uri}"));
        self.wait_for(" connected.");
    }

    fn press(&mut self, key: char) {
        self.command(&key.to_string());
    }

    fn listen(&mut self) -> Vec<i16> {
        let mut bytes = Vec::new();
        wait_until("linphonec records what it hears", || {
            if let Ok(mut file) = std::fs::File::open(self.recording()) {
                file.seek(SeekFrom::Start(WAV_HEADER_BYTES + self.heard)).expect("a file can be read anywhere");
                file.read_to_end(&mut bytes).expect("the recording is readable");
            }
            bytes.len() >= 2
        });
        let (samples, _half) = bytes.as_chunks::<2>();
        self.heard += 2 * samples.len() as u64;
        samples.iter().map(|sample| i16::from_le_bytes(*sample)).collect()
    }

    fn hang_up(&mut self) {
        self.command("terminate");
    }
}
