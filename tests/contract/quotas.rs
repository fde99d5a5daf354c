//! Limits, and what happens at them.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, case};
use super::recorder::{A, Answer, NOWHERE, Stage, singular};

pub fn cases() -> Vec<Case> {
    vec![
        case("quotas/read", |s: Stage| async move {
            s.service(A).await;
            let own = format!("quotas/{}", s.ground.project_id);
            for path in [own.clone(), format!("{own}.json"), format!("{own}/details.json"), format!("{own}/details")] {
                read(&s, &path).await;
            }
            s.ask(Method::GET, A, &format!("quotas/{}", "0".repeat(32)), None).await;
            s.ask(Method::GET, A, &format!("quotas/{}/details", "0".repeat(32)), None).await;
            s.ask(Method::GET, A, "quotas", None).await;
            s.ask(Method::PUT, A, &own, Some(json!({"quota": {"vpnservice": 5}}))).await;
            s.ask(Method::DELETE, A, &own, None).await;
        }),
        case("quotas/reached", |s: Stage| async move {
            let service = s.service(A).await;
            let sound = s.sound(A, &service, NOWHERE, &["10.77.0.0/24"]).await;
            s.make(A, "ipsec-site-connections", sound.clone()).await;
            let policy = json!({"auth_algorithm": "sha256"});
            for (collection, body, limit) in [
                ("vpnservices", json!({"router_id": s.ground.id(A, "v4-router")}), 1),
                ("ikepolicies", policy.clone(), 1),
                ("ipsecpolicies", policy, 1),
                ("endpoint-groups", json!({"type": "cidr", "endpoints": ["10.0.0.0/8"]}), 2),
                ("ipsec-site-connections", sound, 1),
            ] {
                let key = singular(collection);
                s.ground.limit(A, key, limit).await;
                s.ask(Method::POST, A, &format!("vpn/{collection}"), Some(json!({ key: body }))).await;
                // A body that is wrong besides: which of the two is said.
                s.ask(Method::POST, A, &format!("vpn/{collection}"), Some(json!({ key: {"bogus": 1} }))).await;
            }
            read(&s, &format!("quotas/{}/details.json", s.ground.project_id)).await;
        }),
    ]
}

/// Only what concerns VPN, and some that do not: which others there are depends on what else an operator installed.
async fn read(s: &Stage, path: &str) {
    let mut answer: Answer = s.send_recorded(A, path).await;
    if let Some(Value::Object(quota)) = answer.body.get_mut("quota") {
        let known =
            ["vpnservice", "ikepolicy", "ipsecpolicy", "endpoint_group", "ipsec_site_connection", "router", "subnet"];
        quota.retain(|name, _| known.contains(&name.as_str()));
    }
    s.note_answer(&answer);
}
