//! What a reader, and a member of another project, may do.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, case};
use super::recorder::{A, NOWHERE, Stage, singular};

const COLLECTIONS: [&str; 5] =
    ["vpnservices", "ikepolicies", "ipsecpolicies", "endpoint-groups", "ipsec-site-connections"];

pub fn cases() -> Vec<Case> {
    vec![
        case("roles/a reader looks", |s: Stage| async move {
            let objects = one_of_each(&s).await;
            for (collection, id) in COLLECTIONS.iter().zip(&objects) {
                s.ask_as(&s.ground.reader, Method::GET, A, &format!("vpn/{collection}?fields=id"), None).await;
                s.ask_as(&s.ground.reader, Method::GET, A, &format!("vpn/{collection}/{id}?fields=id"), None).await;
            }
            for collection in ["routers", "networks", "subnets", "ports"] {
                let path = format!("{collection}?fields=id&fields=name&name=border-router");
                s.ask_as(&s.ground.reader, Method::GET, A, &path, None).await;
            }
            let unknown = super::recorder::NOBODY;
            s.ask_as(&s.ground.reader, Method::GET, A, &format!("vpn/vpnservices/{unknown}"), None).await;
            let quotas = format!("quotas/{}", s.ground.project_id);
            let answer = s
                .exchange(
                    Method::GET,
                    &format!("{}/v2.0/{quotas}", s.ground.neutron(A)),
                    &[("X-Auth-Token", &s.ground.reader.token)],
                    None,
                )
                .await;
            s.note(format!("quotas: {}", answer.status));
            s.ask_as(&s.ground.reader, Method::GET, A, "extensions/vpnaas", None).await;
        }),
        case("roles/a reader acts", |s: Stage| async move {
            let objects = one_of_each(&s).await;
            for (collection, id) in COLLECTIONS.iter().zip(&objects) {
                let key = singular(collection);
                let body = |object: Value| Some(json!({ key: object }));
                let reader = &s.ground.reader;
                s.ask_as(reader, Method::POST, A, &format!("vpn/{collection}"), body(sound(&s, collection))).await;
                s.ask_as(reader, Method::POST, A, &format!("vpn/{collection}"), body(json!({"bogus": 1}))).await;
                s.ask_as(reader, Method::PUT, A, &format!("vpn/{collection}/{id}"), body(json!({"name": "x"}))).await;
                s.ask_as(reader, Method::DELETE, A, &format!("vpn/{collection}/{id}"), None).await;
            }
        }),
    ]
}

/// The ids of one object of each kind, made by the member.
async fn one_of_each(s: &Stage) -> Vec<String> {
    let service = s.service(A).await;
    let body = s.sound(A, &service, NOWHERE, &["10.77.0.0/24"]).await;
    let connection = s.make(A, "ipsec-site-connections", body.clone()).await;
    let ids =
        [&service["id"], &body["ikepolicy_id"], &body["ipsecpolicy_id"], &body["peer_ep_group_id"], &connection["id"]];
    ids.map(|id| id.as_str().unwrap().to_owned()).to_vec()
}

/// A body whose form is right; what it names need not exist, because the role is asked about first.
fn sound(s: &Stage, collection: &str) -> Value {
    let id = super::recorder::NOBODY;
    match collection {
        "vpnservices" => json!({"router_id": s.ground.id(A, "border-router")}),
        "endpoint-groups" => json!({"type": "cidr", "endpoints": ["10.0.0.0/8"]}),
        "ipsec-site-connections" => json!({"vpnservice_id": id, "ikepolicy_id": id, "ipsecpolicy_id": id,
            "peer_address": NOWHERE, "peer_id": NOWHERE, "psk": "k"}),
        _ => json!({"auth_algorithm": "sha256"}),
    }
}
