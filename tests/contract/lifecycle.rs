//! The statuses a VPN goes through.

use reqwest::Method;
use serde_json::json;

use super::case::{Case, case};
use super::recorder::{A, B, Stage, path};

pub fn cases() -> Vec<Case> {
    vec![
        case("life cycle/a service alone waits", |s: Stage| async move {
            let service = s.service(A).await;
            let at = path("vpnservices", &service);
            for _ in 0..s.ground.patience().min(12) {
                s.ground.tick().await;
            }
            s.note(s.status(A, &at).await);
        }),
        case("life cycle/from PENDING_CREATE by way of DOWN to ACTIVE and back", |s: Stage| async move {
            let (here, there) = (s.service(A).await, s.service(B).await);
            let (service, far) = (path("vpnservices", &here), here["external_v4_ip"].as_str().unwrap().to_owned());
            let a = s.sound(A, &here, there["external_v4_ip"].as_str().unwrap(), &["10.20.30.0/24"]).await;
            let b = s.sound(B, &there, &far, &["10.0.0.0/24"]).await;
            let a = s.make(A, "ipsec-site-connections", a).await;
            s.note(format!("made: {}", a["status"]));
            let a = path("ipsec-site-connections", &a);
            s.until(A, &a, |status| status != "PENDING_CREATE").await;
            s.note(format!("one half: connection {}", s.status(A, &a).await));
            s.until(A, &service, |status| status != "PENDING_CREATE").await;
            s.note(format!("one half: service {}", s.status(A, &service).await));
            let b = path("ipsec-site-connections", &s.make(B, "ipsec-site-connections", b).await);
            s.until(B, &b, |status| status == "ACTIVE").await;
            s.until(A, &a, |status| status == "ACTIVE").await;
            s.note(format!("both halves: {} {}", s.status(A, &a).await, s.status(B, &b).await));
            s.quietly(Method::PUT, A, &service, Some(json!({"vpnservice": {"admin_state_up": false}}))).await;
            s.until(A, &a, |status| status == "DOWN").await;
            s.until(A, &service, |status| status == "DOWN").await;
            s.note(format!("switched off: {} {}", s.status(A, &a).await, s.status(A, &service).await));
            s.until(B, &b, |status| status == "DOWN").await;
            s.note(format!("its peer: {}", s.status(B, &b).await));
            s.quietly(Method::PUT, A, &service, Some(json!({"vpnservice": {"admin_state_up": true}}))).await;
            s.until(A, &a, |status| status == "ACTIVE").await;
            s.note(format!("switched on: {}", s.status(A, &a).await));
            s.quietly(Method::DELETE, A, &a, None).await;
            s.until(B, &b, |status| status == "DOWN").await;
            s.note(format!("peer deleted: {}", s.status(B, &b).await));
        }),
    ]
}
