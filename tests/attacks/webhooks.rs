//! Somebody wants the service to post where they like, or to be told of a number that is none of theirs.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::scene::{Scene, VICTIM};

impl Scene {
    /// A verification of the victim's number that is begun so: the status, and the answer.
    fn begin_naming(&self, webhook: Option<&str>) -> (u16, Value) {
        let url = format!("{}/v1/verifications", self.service.http());
        let body = json!({ "number": VICTIM, "publish": false, "webhook": webhook });
        self.runtime.block_on(async {
            let answer = reqwest::Client::new().post(url).json(&body).send().await.expect("an answer");
            (answer.status().as_u16(), answer.json().await.expect("an object"))
        })
    }

    /// Whoever began it gives it up.
    fn give_up(&self, begun: &Value) {
        let text = |name: &str| begun[name].as_str().expect("a text").to_owned();
        let url = format!("{}/v1/verifications/{}", self.service.http(), text("id"));
        let delete = async { reqwest::Client::new().delete(url).bearer_auth(text("secret")).send().await };
        assert_eq!(self.runtime.block_on(delete).expect("an answer").status().as_u16(), 204);
    }

    /// An operator adds an endpoint. Gives its name, or what is said against it.
    fn endpoint(&self, url: &str) -> Result<String, String> {
        let output = self.command(&["webhook", "add", url]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let name = said.split_whitespace().nth(1).map(str::to_owned);
        name.ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn a_stranger_says_nowhere_where_to_post_and_an_operator_not_inside() {
    let scene = Scene::plain();
    let inside = TcpListener::bind("127.0.0.1:0").expect("a port");
    inside.set_nonblocking(true).expect("a socket");
    let address = inside.local_addr().expect("an address");
    let unknown = format!("ep_{}", "0".repeat(32));
    for webhook in [&format!("http://{address}/"), &format!("https://{address}/"), &unknown, "ep_", ""] {
        assert_eq!(scene.begin_naming(Some(webhook)).0, 422, "{webhook}");
    }
    let (over_tls, in_clear) = (format!("https://{address}/"), format!("http://{address}/"));
    let by_name = format!("https://localhost:{}/", address.port());
    for url in [&over_tls, &in_clear, &by_name, "https://shop.localhost./", "https://[::1]/", "file:///etc/passwd"] {
        let refused = scene.endpoint(url).expect_err("it is refused");
        assert!(refused.contains("public addresses") || refused.contains("https URLs only"), "{url}: {refused}");
    }
    assert_eq!((scene.count("verifications"), scene.count("webhook_endpoints")), (0, 0));
    assert!(inside.accept().is_err(), "somebody came");
}

#[test]
fn whom_a_verification_does_not_name_is_not_told_of_it() {
    let scene = Scene::plain();
    let sites = ["https://one.invalid/", "https://two.invalid/"].map(|url| scene.endpoint(url).expect("an endpoint"));
    for webhook in [Some(sites[0].as_str()), None] {
        let (status, begun) = scene.begin_naming(webhook);
        assert_eq!(status, 201, "{begun}");
        scene.give_up(&begun);
    }
    let named = "webhook_deliveries d JOIN verifications v ON v.id = d.verification AND v.webhook = d.endpoint";
    assert_eq!((scene.count("webhook_deliveries"), scene.count(named)), (1, 1));
}
