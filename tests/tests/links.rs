//! The service as a carrier's customer: it registers with Kamailio, is called through it, and sees it go and come back.

use std::net::{Ipv4Addr, UdpSocket};

use end_to_end::installation::{BELIEVED, Families, Installation, Wanted, own_ring};
use end_to_end::kamailio::{Algorithm, DOMAIN, Kamailio, PASSWORD, USER};
use end_to_end::nameserver::{NameServer, a, srv};
use end_to_end::process::free_port;
use end_to_end::service::{Service, media_ports, wait_until};
use end_to_end::sipp::{SPEECH, Scenario};
use ivr::phone::api::{Api, Start};
use tokio::runtime::Runtime;

const SECRET: &str = "k1b2m3n4q5r6s7t8";

/// A service that is the customer of this carrier; `links` are the lines that say how.
fn customer(sip: &str, links: &str) -> (Installation, Service) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("password"), PASSWORD).expect("a file");
    std::fs::write(folder.path().join("secret"), SECRET).expect("a file");
    let trunks = format!(
        "[[trunk]]\nname = \"carrier\"\nsources = [\"127.0.0.1\"]\ningress_secret_file = \"secret\"\n{BELIEVED}\n{links}"
    );
    let wanted = Wanted { families: Families::Ipv4, media: &media_ports(), sip, trunks: &trunks, dht: &own_ring() };
    let place = Installation::new(folder, wanted);
    let service = place.serve();
    (place, service)
}

fn register(registrar: &str) -> String {
    format!(
        "[trunk.register]\nregistrar = \"{registrar}\"\nuser = \"{USER}\"\npassword_file = \"password\"\nexpires_seconds = 60\n"
    )
}

/// Does `/metrics` have this line?
fn tells(service: &Service, line: &str) -> bool {
    let page = Runtime::new().expect("a runtime").block_on(async {
        let answer = reqwest::get(format!("{}/metrics", service.http())).await.expect("an answer");
        answer.text().await.expect("a text")
    });
    page.lines().any(|told| told == line)
}

/// Is this link up?
fn is_up(service: &Service, by: &str) -> bool {
    tells(service, &format!("dialproof_trunk_up{{trunk=\"carrier\",by=\"{by}\"}} 1"))
}

/// Somebody calls the number at Kamailio, is answered, and hangs up.
fn is_called_through(kamailio: &Kamailio, service: &Service) {
    let number = "+12025550161";
    let start = Start { number, csr: None, publish: false, locale: "en" };
    let runtime = Runtime::new().expect("a runtime");
    let started = runtime.block_on(Api::new(service.http()).start(&start)).expect("a verification");
    let ringing = Scenario::default().opens("INVITE", "", Some(SPEECH)).may_hear(100).may_hear(180);
    let answered = ringing.hears(200, &["Record-Route", "m=audio"]).says("ACK", "[routes]\n", None).waits(500);
    let call = answered.says("BYE", "[routes]\n", None).hears(200, &[]);
    let played = call.play(number, &started.dial.number, kamailio.address(), "u1");
    played.unwrap_or_else(|otherwise| panic!("{otherwise}\n{}", service.log()));
    // The ACK came with our tag by way of the proxy, and so did the BYE.
    for line in ["dialproof_sip_confirmed_total 1", "dialproof_sip_calls 0"] {
        wait_until(&format!("/metrics tells {line}"), || tells(service, line));
    }
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs Kamailio and SIPp: run tests/run")]
fn the_second_server_of_the_carrier_registers_us_and_its_calls_arrive() {
    let kamailio = Kamailio::at(free_port(), Algorithm::Sha256);
    // The first takes what is sent to it, and says nothing.
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let port = silent.local_addr().expect("an address").port();
    let names = NameServer::of(vec![
        ("_sip._udp.carrier.example", srv(10, 1, port, "sbc.carrier.example")),
        ("_sip._udp.carrier.example", srv(20, 1, kamailio.address().port(), "sbc.carrier.example")),
        ("sbc.carrier.example", a(Ipv4Addr::LOCALHOST)),
    ]);
    let sip = format!("nameservers = [\"{}\"]", names.address());
    let (_place, service) = customer(&sip, &register(&format!("sip:{DOMAIN}")));
    wait_until("the service is registered", || is_up(&service, "register"));
    is_called_through(&kamailio, &service);
    assert!(service.terminate().success(), "it says good-bye, and ends");
}

#[test]
#[cfg_attr(not(feature = "peers"), ignore = "needs Kamailio and SIPp: run tests/run")]
fn a_carrier_that_goes_and_comes_back_is_noticed() {
    let port = free_port();
    let kamailio = Kamailio::at(port, Algorithm::Md5);
    let at = format!("sip:{}", kamailio.address());
    let (_place, service) = customer("", &format!("probe = \"{at}\"\n{}", register(&at)));
    for by in ["register", "probe"] {
        wait_until(&format!("{by} is up"), || is_up(&service, by));
    }
    drop(kamailio);
    for by in ["register", "probe"] {
        wait_until(&format!("{by} is down"), || !is_up(&service, by));
    }
    let kamailio = Kamailio::at(port, Algorithm::Md5);
    for by in ["probe", "register"] {
        wait_until(&format!("{by} is up again"), || is_up(&service, by));
    }
    is_called_through(&kamailio, &service);
}
