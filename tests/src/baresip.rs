//! baresip, a softphone that people use: steered over its control socket, heard through the recording that it makes of
//! what it receives.

use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Process, free_port};
use crate::proving::Telephone;
use crate::service::wait_until;

/// How long an answer on the control socket may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of the recording: before its samples.
const WAV_HEADER_BYTES: u64 = 44;
/// In it: samples a second.
const WAV_RATE_AT: u64 = 24;

/// The last samples of a recording of 16 kHz that the low-pass still needs, counted at 8 kHz.
const NOT_YET_FILTERED: usize = 16;

/// How a telephone hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ear {
    /// G.711.
    Narrow,
    /// G.722, and G.711 where that is not spoken.
    Wide,
}

/// Does a telephone insist on SRTP?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// RTP: it knows nothing else.
    Clear,
    /// SRTP with keys in the description (RFC 4568), or no call.
    Encrypted,
}

/// A telephone that is switched on.
#[derive(Debug)]
pub struct Baresip {
    folder: TempDir,
    control: TcpStream,
    /// What of the recording was heard, in bytes.
    heard: u64,
    ear: Ear,
    /// What was heard of 16 kHz, and how much of it was given away at 8 kHz.
    wide: (Vec<i16>, usize),
    _process: Process,
}

impl Baresip {
    /// A telephone whose number is this, which hears so, over such media.
    ///
    /// # Panics
    /// If baresip is not installed, or does not come up.
    pub fn of(number: &str, ear: Ear, media: Media) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // It takes the port after the one for SIP, too, for TLS.
        let [control, sip, _tls] = [(); 3].map(|()| free_port());
        let at = folder.path().display();
        let (modules, codecs) = match ear {
            Ear::Narrow => ("module g711.so", "PCMU/8000/1,PCMA/8000/1"),
            Ear::Wide => ("module g722.so\nmodule g711.so", "G722/16000/1,PCMU/8000/1"),
        };
        let (encryption, insists) = match media {
            Media::Clear => ("", ""),
            Media::Encrypted => ("module srtp.so\n", ";mediaenc=srtp-mand"),
        };
        // A ringback tone would take the bridge before the call does; without a source of audio it sends no keys.
        let config = format!(
            "sip_listen 127.0.0.1:{sip}\n\
             audio_player aubridge,nil\naudio_source aubridge,nil\naudio_alert aubridge,nil\n\
             module_path /usr/lib/baresip/modules\n\
             {modules}\n{encryption}module aubridge.so\nmodule sndfile.so\nsnd_path {at}\n\
             module_app account.so\nmodule_app menu.so\nringback_disabled yes\n\
             module ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{control}\n"
        );
        std::fs::write(folder.path().join("config"), config).expect("a file");
        let account = format!("<sip:{number}@127.0.0.1>;regint=0;dtmfmode=rtpevent;audio_codecs={codecs}{insists}\n");
        std::fs::write(folder.path().join("accounts"), account).expect("a file");
        let mut command = Command::new("baresip");
        command.arg("-f").arg(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, control));
        let process = Process::start(&mut command);
        // It has one connection at a time: to try with another whether it listens would end this one.
        let mut control = None;
        wait_until("baresip listens", || {
            control = TcpStream::connect(address).ok();
            control.is_some()
        });
        let control = control.expect("waited for it");
        control.set_read_timeout(Some(PATIENCE)).expect("a timeout that is not zero");
        Self { folder, control, heard: 0, ear, wide: (Vec::new(), 0), _process: process }
    }

    /// Of more samples of 16 kHz what is known at 8 kHz.
    fn at_8_khz(&mut self, more: Vec<i16>) -> Vec<i16> {
        let (all, given) = &mut self.wide;
        all.extend(more);
        let mut known = voice_prompts::decimate(all);
        known.truncate(known.len().saturating_sub(NOT_YET_FILTERED).max(*given));
        let news = known.split_off(*given);
        *given += news.len();
        news
    }

    /// The rate of what is recorded.
    ///
    /// # Panics
    /// If nothing was recorded.
    pub fn rate(&self) -> u32 {
        let mut file = std::fs::File::open(self.recording().expect("something is recorded")).expect("it can be read");
        let mut rate = [0; 4];
        file.seek(SeekFrom::Start(WAV_RATE_AT)).expect("a file can be read anywhere");
        file.read_exact(&mut rate).expect("a WAV file has a header");
        u32::from_le_bytes(rate)
    }

    fn recording(&self) -> Option<PathBuf> {
        let mut entries = std::fs::read_dir(self.folder.path()).expect("the folder is there").flatten();
        entries.find(|entry| entry.file_name().to_string_lossy().ends_with("-dec.wav")).map(|entry| entry.path())
    }

    /// A netstring of JSON, as the module ctrl_tcp reads it.
    fn command(&mut self, name: &str, parameters: &str) {
        let message = format!(r#"{{"command":"{name}","params":"{parameters}"}}"#);
        let netstring = format!("{}:{message},", message.len());
        self.control.write_all(netstring.as_bytes()).expect("baresip listens");
    }
}

impl Telephone for Baresip {
    fn dial(&mut self, uri: &str) {
        self.command("dial", uri);
        let mut said = String::new();
        let mut bytes = [0; 4_096];
        while !said.contains("CALL_ESTABLISHED") {
            let length = self.control.read(&mut bytes).expect("baresip says how the call goes");
            said += &String::from_utf8_lossy(&bytes[..length]);
            assert!(length > 0 && !said.contains("CALL_CLOSED"), "the call is not answered: {said}");
        }
    }

    fn press(&mut self, key: char) {
        self.command("sndcode", &key.to_string());
    }

    fn listen(&mut self) -> Vec<i16> {
        let mut bytes = Vec::new();
        wait_until("baresip records what it hears", || {
            if let Some(mut file) = self.recording().and_then(|path| std::fs::File::open(path).ok()) {
                file.seek(SeekFrom::Start(WAV_HEADER_BYTES + self.heard)).expect("a file can be read anywhere");
                file.read_to_end(&mut bytes).expect("the recording is readable");
            }
            bytes.len() >= 2
        });
        let (samples, _half) = bytes.as_chunks::<2>();
        self.heard += 2 * samples.len() as u64;
        let samples = samples.iter().map(|sample| i16::from_le_bytes(*sample)).collect();
        match self.ear {
            Ear::Narrow => samples,
            Ear::Wide => self.at_8_khz(samples),
        }
    }

    fn hang_up(&mut self) {
        self.command("hangup", "");
    }
}
