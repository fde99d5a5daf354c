//! Endpoint groups.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, case};
use super::recorder::{A, NOBODY, NOWHERE, Stage, path};

const PLACE: &str = "vpn/endpoint-groups";

pub fn cases() -> Vec<Case> {
    vec![
        case("endpoint groups/made, changed and deleted", |s: Stage| async move {
            let subnets = json!([s.ground.id(A, "private-subnet"), s.ground.id(A, "db-subnet")]);
            for (kind, endpoints) in [("subnet", subnets), ("cidr", json!(["10.20.30.0/24", "10.20.31.0/24"]))] {
                let body = json!({"name": "n", "description": "d", "type": kind, "endpoints": endpoints});
                let made = post(&s, body).await["endpoint_group"].clone();
                let at = path("endpoint-groups", &made);
                s.ask(Method::GET, A, &at, None).await;
                for change in
                    [json!({"name": "renamed"}), json!({"endpoints": ["10.9.0.0/24"]}), json!({"type": "cidr"})]
                {
                    s.ask(Method::PUT, A, &at, Some(json!({"endpoint_group": change}))).await;
                }
                for _ in 0..2 {
                    s.ask(Method::DELETE, A, &at, None).await;
                }
            }
        }),
        case("endpoint groups/of every type", |s: Stage| async move {
            for kind in ["network", "router", "vlan", "host"] {
                for endpoint in [NOBODY, "nonsense", "100"] {
                    post(&s, json!({"type": kind, "endpoints": [endpoint]})).await;
                }
            }
        }),
        case("endpoint groups/ranges", |s: Stage| async move {
            for range in [
                "10.0.0.5/24",
                "10.0.0.0",
                "10.0.0.0/33",
                "10.0.0/24",
                "nonsense",
                "",
                "fd00::/64",
                "fd00::1/64",
                "fd00:0::/64",
                "fd00::/129",
                "0.0.0.0/0",
                "10.0.0.0/255.255.255.0",
                " 10.0.0.0/24",
                "010.0.0.0/24",
                "10.0.0.0/024",
                "10.0.0.0/-1",
            ] {
                post(&s, json!({"type": "cidr", "endpoints": [range]})).await;
            }
        }),
        case("endpoint groups/refused", |s: Stage| async move {
            for body in refusals(&s) {
                post(&s, body).await;
            }
        }),
        case("endpoint groups/in use", |s: Stage| async move {
            let service = s.service(A).await;
            let sound = s.sound(A, &service, NOWHERE, &["10.77.0.0/24"]).await;
            s.make(A, "ipsec-site-connections", sound.clone()).await;
            for key in ["local_ep_group_id", "peer_ep_group_id"] {
                let at = format!("{PLACE}/{}", sound[key].as_str().unwrap());
                s.ask(Method::PUT, A, &at, Some(json!({"endpoint_group": {"name": "renamed"}}))).await;
                s.ask(Method::DELETE, A, &at, None).await;
            }
        }),
    ]
}

async fn post(s: &Stage, body: Value) -> Value {
    s.ask(Method::POST, A, PLACE, Some(json!({"endpoint_group": body}))).await.body
}

fn refusals(s: &Stage) -> Vec<Value> {
    let subnet = s.ground.id(A, "private-subnet");
    vec![
        json!({}),
        json!({"type": "cidr"}),
        json!({"type": "cidr", "endpoints": []}),
        json!({"type": "cidr", "endpoints": null}),
        json!({"name": "n", "type": "cidr", "endpoints": []}),
        json!({"type": "cidr", "endpoints": "10.0.0.0/24"}),
        json!({"type": "cidr", "endpoints": [5]}),
        json!({"type": "cidr", "endpoints": ["10.0.0.0/24", "10.0.0.0/24"]}),
        json!({"type": "cidr", "endpoints": ["10.0.0.0/24", "fd00::/64"]}),
        json!({"type": "cidr", "endpoints": ["10.0.0.0/24", "10.0.0.5/24"]}),
        json!({"endpoints": ["10.0.0.0/24"]}),
        json!({"type": "subnet", "endpoints": [NOBODY]}),
        json!({"type": "subnet", "endpoints": ["nonsense"]}),
        json!({"type": "subnet", "endpoints": ["10.0.0.0/24"]}),
        json!({"type": "subnet", "endpoints": [subnet, subnet]}),
        json!({"type": "subnet", "endpoints": [s.ground.id(A, "lonely-subnet")]}),
        json!({"type": "subnet", "endpoints": [subnet.to_uppercase()]}),
        json!({"type": "cidr", "endpoints": ["10.0.0.0/24"], "bogus": 1}),
        json!({"type": "cidr", "endpoints": ["10.0.0.0/24"], "status": "ACTIVE"}),
        json!({"type": "cidr", "endpoints": ["10.0.0.0/24"], "name": " blank"}),
    ]
}
