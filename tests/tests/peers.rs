//! The peers' harnesses themselves: what the other tests stand on.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use end_to_end::smtp::MailServer;

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs python3-aiosmtpd: run tests/run")]
fn the_mail_server_keeps_what_it_is_given() {
    let server = MailServer::start();
    let mut stream = TcpStream::connect(server.address()).expect("the server listens");
    let mut replies = BufReader::new(stream.try_clone().expect("a second handle")).lines();
    let mut expect = |code: &str| loop {
        let reply = replies.next().expect("a reply").expect("a line");
        assert!(reply.starts_with(code), "{reply}");
        if !reply[3..].starts_with('-') {
            break;
        }
    };
    expect("220");
    for (line, code) in [
        ("EHLO localhost", "250"),
        ("MAIL FROM:<ca@example.com>", "250"),
        ("RCPT TO:<bob@example.com>", "250"),
        ("DATA", "354"),
        ("Subject: hello\r\n\r\nA body.\r\n.", "250"),
    ] {
        stream.write_all(format!("{line}\r\n").as_bytes()).expect("the server reads");
        expect(code);
    }
    assert!(server.wait_for(|mail| mail.contains("Subject: hello")).contains("A body."));
}
