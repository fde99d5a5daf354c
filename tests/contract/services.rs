//! VPN services: made, changed, deleted, refused.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, case};
use super::recorder::{A, B, NOBODY, NOWHERE, Stage, path, with};

const POST: Method = Method::POST;
const PLACE: &str = "vpn/vpnservices";

pub fn cases() -> Vec<Case> {
    vec![
        case("services/made, read and deleted", made_read_and_deleted),
        case("services/with the defaults", with_the_defaults),
        case("services/of the old kind, with a subnet", of_the_old_kind_with_a_subnet),
        case("services/a second one on a router", a_second_one_on_a_router),
        case("services/changed while it waits for a connection", changed_while_it_waits_for_a_connection),
        case("services/changed", changed),
        case("services/refused", refused),
        case("services/bodies that are none", bodies_that_are_none),
        case("services/ids that are none", ids_that_are_none),
    ]
}

async fn made_read_and_deleted(s: Stage) {
    let router = s.ground.id(A, "border-router").to_owned();
    let body =
        json!({"vpnservice": {"name": "office", "description": "d", "router_id": router, "admin_state_up": true}});
    let made = s.ask(POST, A, PLACE, Some(body)).await.body["vpnservice"].clone();
    s.ask(Method::GET, A, &path("vpnservices", &made), None).await;
    s.ask(Method::GET, A, PLACE, None).await;
    s.ask(Method::GET, B, &path("vpnservices", &made), None).await;
    for _ in 0..2 {
        s.ask(Method::DELETE, A, &path("vpnservices", &made), None).await;
    }
    s.ask(Method::GET, A, &path("vpnservices", &made), None).await;
    s.ask(Method::PUT, A, &path("vpnservices", &made), Some(json!({"vpnservice": {"name": "x"}}))).await;
}

async fn with_the_defaults(s: Stage) {
    let router = s.ground.id(A, "v4-router").to_owned();
    s.ask(POST, A, PLACE, Some(json!({"vpnservice": {"router_id": router}}))).await;
}

async fn of_the_old_kind_with_a_subnet(s: Stage) {
    let (router, subnet) = (s.ground.id(A, "border-router"), s.ground.id(A, "db-subnet"));
    let body = json!({"vpnservice": {"name": "vpn_service", "router_id": router, "subnet_id": subnet}});
    s.ask(POST, A, PLACE, Some(body)).await;
}

async fn a_second_one_on_a_router(s: Stage) {
    s.service(A).await;
    let router = s.ground.id(A, "border-router").to_owned();
    s.ask(POST, A, PLACE, Some(json!({"vpnservice": {"name": "second", "router_id": router}}))).await;
}

async fn changed_while_it_waits_for_a_connection(s: Stage) {
    let service = s.service(A).await;
    let change = Some(json!({"vpnservice": {"name": "renamed"}}));
    s.ask(Method::PUT, A, &path("vpnservices", &service), change).await;
}

async fn changed(s: Stage) {
    let service = s.service(A).await;
    let sound = s.sound(A, &service, NOWHERE, &["10.77.0.0/24"]).await;
    s.make(A, "ipsec-site-connections", sound).await;
    let at = path("vpnservices", &service);
    s.until(A, &at, |status| status != "PENDING_CREATE").await;
    for change in [
        json!({"name": "renamed", "description": "other"}),
        json!({"router_id": NOBODY}),
        json!({"subnet_id": null}),
        json!({"status": "DOWN"}),
        json!({"external_v4_ip": "192.0.2.1"}),
        json!({"bogus": 1}),
        json!({}),
    ] {
        s.ask(Method::PUT, A, &at, Some(json!({"vpnservice": change}))).await;
    }
    s.ask(Method::DELETE, A, &at, None).await;
}

async fn refused(s: Stage) {
    let router = s.ground.id(A, "border-router").to_owned();
    let sound = json!({"name": "n", "router_id": router});
    for change in refusals(&s) {
        s.ask(POST, A, PLACE, Some(json!({"vpnservice": with(&sound, &change)}))).await;
    }
}

async fn bodies_that_are_none(s: Stage) {
    let url = format!("{}/v2.0/{PLACE}", s.ground.neutron(A));
    let token = s.ground.member.token.clone();
    for body in [
        "",
        "{}",
        "[]",
        "{",
        "null",
        "{\"service\": {}}",
        "{\"vpnservice\": 1}",
        "{\"vpnservice\": null}",
        "{\"vpnservices\": []}",
    ] {
        let answer = s.exchange(POST, &url, &[("X-Auth-Token", &token)], Some(body.to_owned())).await;
        s.note(format!("> {body}"));
        s.note_answer(&answer);
    }
}

async fn ids_that_are_none(s: Stage) {
    for method in [Method::GET, Method::DELETE] {
        for id in [NOBODY, "nonsense", "None"] {
            s.ask(method.clone(), A, &format!("{PLACE}/{id}"), None).await;
        }
    }
}

fn refusals(s: &Stage) -> Vec<Value> {
    vec![
        json!({"router_id": s.ground.id(A, "isolated-router")}),
        json!({"router_id": NOBODY}),
        json!({"router_id": "nonsense"}),
        json!({"router_id": null}),
        json!({"router_id": "-"}),
        json!({"subnet_id": s.ground.id(A, "lonely-subnet")}),
        json!({"subnet_id": NOBODY}),
        json!({"subnet_id": "nonsense"}),
        json!({"bogus": 1}),
        json!({"status": "ACTIVE"}),
        json!({"id": NOBODY}),
        json!({"external_v4_ip": "192.0.2.1"}),
        json!({"admin_state_up": "perhaps"}),
        json!({"name": "x".repeat(256)}),
        json!({"name": null}),
        json!({"name": 5}),
        json!({"name": " blank"}),
        json!({"name": "tab\there"}),
        json!({"description": "x".repeat(256)}),
        json!({"project_id": "0".repeat(32)}),
        json!({"tenant_id": "0".repeat(32)}),
        json!({"flavor_id": NOBODY}),
    ]
}
