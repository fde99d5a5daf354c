//! IKE and IPsec policies: every algorithm, every refusal.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, case};
use super::recorder::{A, NOWHERE, Stage, path, singular};

const KINDS: [&str; 2] = ["ikepolicies", "ipsecpolicies"];

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("policies/made as the client makes them", |s: Stage| async move {
            let lifetime = |value: u32| json!({"units": "seconds", "value": value});
            let ike = json!({"name": "n", "description": "d", "auth_algorithm": "sha256", "encryption_algorithm": "aes-256",
                "phase1_negotiation_mode": "main", "ike_version": "v2", "pfs": "group14", "lifetime": lifetime(14400)});
            let ipsec = json!({"name": "n", "description": "d", "transform_protocol": "esp", "auth_algorithm": "sha256",
                "encryption_algorithm": "aes-256", "encapsulation_mode": "tunnel", "pfs": "group14", "lifetime": lifetime(3600)});
            for (collection, body) in KINDS.into_iter().zip([ike, ipsec]) {
                let key = singular(collection);
                let made = post(&s, collection, body).await[key].clone();
                let at = path(collection, &made);
                s.ask(Method::GET, A, &at, None).await;
                s.ask(Method::GET, A, &format!("vpn/{collection}"), None).await;
                for change in [
                    json!({"name": "renamed"}),
                    json!({"lifetime": {"value": 7200}}),
                    json!({"pfs": "group2"}),
                    json!({"id": "x"}),
                    json!({"bogus": 1}),
                    json!({"auth_algorithm": "md5"}),
                ] {
                    s.ask(Method::PUT, A, &at, Some(json!({ key: change }))).await;
                }
                for _ in 0..2 {
                    s.ask(Method::DELETE, A, &at, None).await;
                }
            }
        }),
        case("policies/with the defaults", |s: Stage| async move {
            for collection in KINDS {
                post(&s, collection, json!({})).await;
                post(&s, collection, json!({"auth_algorithm": "sha256"})).await;
                let text = json!({"auth_algorithm": "sha256", "lifetime": {"value": "7200"}});
                let made = post(&s, collection, text).await[singular(collection)].clone();
                s.ask(Method::GET, A, &path(collection, &made), None).await;
                post(&s, collection, json!({"auth_algorithm": "sha256", "lifetime": null})).await;
            }
        }),
        case("policies/in use", |s: Stage| async move {
            let service = s.service(A).await;
            let sound = s.sound(A, &service, NOWHERE, &["10.77.0.0/24"]).await;
            s.make(A, "ipsec-site-connections", sound.clone()).await;
            for collection in KINDS {
                let key = singular(collection);
                let at = format!("vpn/{collection}/{}", sound[format!("{key}_id")].as_str().unwrap());
                s.ask(Method::PUT, A, &at, Some(json!({ key: {"name": "renamed"} }))).await;
                s.ask(Method::DELETE, A, &at, None).await;
            }
        }),
    ];
    for (attribute, values) in algorithms() {
        cases.push(case(format!("policies/every {attribute}"), move |s: Stage| {
            let values = values.clone();
            async move {
                for value in values {
                    for collection in KINDS {
                        let mut body = json!({"auth_algorithm": "sha256"});
                        body[attribute] = json!(value);
                        let answer = s.try_make(A, collection, body).await;
                        let why = &answer.body["NeutronError"];
                        s.note(format!(
                            "{collection} {value}: {} {}",
                            answer.status,
                            if why.is_null() { String::new() } else { why.to_string() }
                        ));
                    }
                }
            }
        }));
    }
    cases.push(case("policies/refused", |s: Stage| async move {
        for collection in KINDS {
            for change in refusals() {
                let mut body = json!({"auth_algorithm": "sha256"});
                body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
                post(&s, collection, body).await;
            }
        }
    }));
    cases
}

async fn post(s: &Stage, collection: &str, body: Value) -> Value {
    let key = singular(collection);
    s.ask(Method::POST, A, &format!("vpn/{collection}"), Some(json!({ key: body }))).await.body
}

fn algorithms() -> Vec<(&'static str, Vec<String>)> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut ciphers = words(&["3des", "des", "aes-128", "aes-192", "aes-256"]);
    for bits in ["128", "192", "256"] {
        ciphers.push(format!("aes-{bits}-ctr"));
        ciphers.extend(
            ["ccm", "gcm"].iter().flat_map(|mode| ["8", "12", "16"].map(|size| format!("aes-{bits}-{mode}-{size}"))),
        );
    }
    let mut groups = words(&["group1", "group2", "group5", "group32"]);
    groups.extend((14..=31).map(|number| format!("group{number}")));
    vec![
        ("auth_algorithm", words(&["sha1", "sha256", "sha384", "sha512", "aes-xcbc", "aes-cmac", "md5"])),
        ("encryption_algorithm", ciphers),
        ("pfs", groups),
    ]
}

fn refusals() -> Vec<Value> {
    vec![
        json!({"lifetime": {"value": 59}}),
        json!({"lifetime": {"value": 60}}),
        json!({"lifetime": {"value": -1}}),
        json!({"lifetime": {"value": "long"}}),
        json!({"lifetime": {"value": null}}),
        json!({"lifetime": {"units": "kilobytes", "value": 3600}}),
        json!({"lifetime": {"units": "seconds", "value": 3600, "extra": 1}}),
        json!({"lifetime": 3600}),
        json!({"lifetime": "3600"}),
        json!({"lifetime": {"value": 2_147_483_648_i64}}),
        json!({"ike_version": "v3"}),
        json!({"phase1_negotiation_mode": "aggressive"}),
        json!({"phase1_negotiation_mode": "quick"}),
        json!({"transform_protocol": "ah-esp"}),
        json!({"transform_protocol": "gre"}),
        json!({"encapsulation_mode": "transport"}),
        json!({"encapsulation_mode": "none"}),
        json!({"auth_algorithm": null}),
        json!({"encryption_algorithm": 5}),
        json!({"name": "x".repeat(256)}),
        json!({"name": "blank "}),
        json!({"admin_state_up": true}),
    ]
}
