//! A user whose password is not enough, at a Keystone that really asks for the passcode.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::as_in_the_guide::is_as_in_the_guide;
use super::cloud::{A, B, RealCloud, in_each};
use super::guide_commands::Profile;
use super::passcode::passcode;
use super::pty::Printed;
use super::wizard::plan_between;

const GUARDED: &[(&str, &str)] = &[("OS_USERNAME", "demo-mfa")];

/// What Keystone says to a method of demo-mfa's.
fn ask(cloud: &RealCloud, method: &str, secret: (&str, &str), receipt: &str) -> (StatusCode, String, Value) {
    let mut user = json!({"name": "demo-mfa", "domain": {"id": "default"}});
    user[secret.0] = secret.1.into();
    let body = json!({"auth": {"identity": {"methods": [method], (method): {"user": user}}}});
    cloud.runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/auth/tokens", cloud.auth_url());
        let answer = client.post(url).header("Openstack-Auth-Receipt", receipt).json(&body).send().await.unwrap();
        let receipt = answer.headers().get("Openstack-Auth-Receipt");
        let receipt = receipt.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status(), receipt, answer.json().await.unwrap())
    })
}

/// Waits until a receipt given now has ended, and with it all given before.
#[track_caller]
fn outlive_receipts(cloud: &RealCloud) {
    let (_, receipt, body) = ask(cloud, "password", ("password", "demo"), "");
    assert!(!receipt.is_empty(), "{}: {body}", cloud.release);
    for _ in 0..400 {
        let (status, _, body) = ask(cloud, "totp", ("passcode", &passcode(0)), &receipt);
        if status != StatusCode::CREATED {
            assert!(body.to_string().contains("Could not find auth receipt"), "{}: {body}", cloud.release);
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{}: receipts do not end", cloud.release);
}

#[test]
fn apply_asks_for_the_passcode_and_a_receipt_that_ends_meanwhile_is_replaced_unseen() {
    in_each(|cloud| {
        let sides = [A, B].map(|region| (region, "border-router", &["private-subnet"][..]));
        let profile = Profile::of(cloud.release);
        let plan = cloud.plan("both", &plan_between("hlz-por", profile, sides));
        let mut pty = cloud.osvpn(&["apply", &plan], GUARDED);
        pty.wait_for("Passcode:");
        let old = passcode(-3);
        pty.send(&format!("{old}\r"));
        pty.wait("the second question", |screen| {
            screen.contains("was not accepted") && screen.trim_end().ends_with("Passcode:")
        });
        outlive_receipts(cloud);
        let code = passcode(0);
        pty.send(&format!("{code}\r"));
        let (exit, Printed { everything, .. }) = pty.end();
        assert_eq!(exit, 0, "{}: {everything}", cloud.release);
        assert_eq!(everything.matches("Passcode:").count(), 2, "{}: {everything}", cloud.release);
        assert!(!everything.contains(&code) && !everything.contains(&old), "{everything}");
        is_as_in_the_guide(cloud, profile);
    });
}

#[test]
fn the_wizard_takes_a_passcode_as_an_authenticator_shows_it() {
    in_each(|cloud| {
        let mut pty = cloud.osvpn(&[], &[GUARDED, &[("OS_PASSWORD", "")]].concat());
        pty.wait_for("The password of demo-mfa");
        pty.send("wrong\r");
        pty.wait_for("refused the password");
        pty.send("demo\r\r");
        pty.wait_for("authenticator of demo-mfa");
        let code = passcode(0);
        let (first, second) = code.split_at(3);
        pty.send(&format!("{first} {second}\r"));
        pty.wait("the sign-in", |screen| !screen.contains("not signed in"));
        pty.signal("TERM");
        assert_eq!(pty.end().0, 130);
    });
}
