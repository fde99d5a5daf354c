//! Security groups, their rules, and the ports they stand before.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, case};
use super::recorder::{A, Answer, NOBODY, Stage, with};

const RULES: &str = "security-group-rules";

pub fn cases() -> Vec<Case> {
    vec![
        case("security groups/listed", listed),
        case("security groups/their rules", their_rules),
        case("security groups/a rule made, read and deleted", a_rule_made_read_and_deleted),
        case("security groups/rules as they are kept", rules_as_they_are_kept),
        case("security groups/rules that exist", rules_that_exist),
        case("security groups/rules refused", rules_refused),
        case("security groups/over the quota", over_the_quota),
        case("security groups/as a reader", as_a_reader),
        case("security groups/ports of subnets", ports_of_subnets),
    ]
}

async fn listed(s: Stage) {
    sorted(&s, "security-groups?fields=id&fields=name&fields=description&fields=project_id").await;
    let web = s.ground.id(A, "web").to_owned();
    sorted(&s, &format!("security-groups?id={web}")).await;
    for query in ["name=default", "name=web&fields=name", "name=nothing", "fields=security_group_rules&name=web"] {
        sorted(&s, &format!("security-groups?{query}")).await;
    }
    let project = s.ground.project_id.clone();
    sorted(&s, &format!("security-groups?project_id={project}&fields=name")).await;
    s.ask(Method::GET, A, "security-groups?bogus=1&fields=name&name=web", None).await;
    sorted(&s, &format!("security-groups/{web}")).await;
    s.ask(Method::GET, A, &format!("security-groups/{web}?fields=name"), None).await;
    for id in [NOBODY, "nonsense"] {
        s.ask(Method::GET, A, &format!("security-groups/{id}"), None).await;
    }
}

async fn their_rules(s: Stage) {
    sorted(&s, RULES).await;
    let [web, default] = ["web", "default"].map(|name| s.ground.id(A, name).to_owned());
    for query in [
        format!("security_group_id={web}"),
        format!("security_group_id={web}&security_group_id={default}&direction=ingress"),
        format!("remote_group_id={default}"),
        format!("security_group_id={NOBODY}"),
        "direction=egress&ethertype=IPv6".to_owned(),
        "protocol=tcp".to_owned(),
        "protocol=TCP".to_owned(),
        "remote_ip_prefix=0.0.0.0/0".to_owned(),
        "port_range_min=443".to_owned(),
        "description=HTTPS".to_owned(),
    ] {
        let fields = "fields=security_group_id&fields=direction&fields=ethertype&fields=protocol";
        sorted(&s, &format!("{RULES}?{query}&{fields}")).await;
    }
    s.ask(Method::GET, A, &format!("{RULES}?bogus=1&protocol=tcp&fields=protocol"), None).await;
    s.ask(Method::GET, A, &format!("{RULES}/{NOBODY}"), None).await;
}

async fn a_rule_made_read_and_deleted(s: Stage) {
    let body = with(
        &rule(&s),
        &json!({"protocol": "tcp", "port_range_min": 22, "port_range_max": 23, "description": "osvpn:4f7a:a"}),
    );
    let made = post(&s, body).await.body["security_group_rule"].clone();
    let at = format!("{RULES}/{}", made["id"].as_str().unwrap());
    s.ask(Method::GET, A, &at, None).await;
    s.ask(Method::GET, A, &format!("{RULES}?remote_ip_prefix=10.20.30.0/24&fields=description"), None).await;
    sorted(&s, "security-groups?name=web&fields=security_group_rules").await;
    for _ in 0..2 {
        s.ask(Method::DELETE, A, &at, None).await;
    }
    s.ask(Method::GET, A, &at, None).await;
}

async fn rules_as_they_are_kept(s: Stage) {
    for change in [
        json!({}),
        json!({"remote_ip_prefix": "10.20.31.5/24"}),
        json!({"remote_ip_prefix": "10.20.32.5"}),
        json!({"remote_ip_prefix": "10.20.33.0/255.255.255.0"}),
        json!({"remote_ip_prefix": "", "protocol": "udp"}),
        json!({"remote_ip_prefix": null, "protocol": "esp"}),
        json!({"remote_ip_prefix": "FD00::1/64", "ethertype": "ipv6"}),
        json!({"protocol": "TCP", "port_range_min": "80", "port_range_max": "81"}),
        json!({"protocol": "tcp", "port_range_min": 1, "port_range_max": 65535}),
        json!({"protocol": "icmp"}),
        json!({"protocol": "icmp", "port_range_min": 8, "port_range_max": 0}),
        json!({"protocol": 50}),
        json!({"protocol": "any", "remote_ip_prefix": "10.20.34.0/24"}),
        json!({"direction": "egress", "description": ""}),
        json!({"remote_ip_prefix": "-", "remote_group_id": s.ground.id(A, "default")}),
    ] {
        post(&s, with(&rule(&s), &change)).await;
    }
}

async fn rules_that_exist(s: Stage) {
    let https = json!({"protocol": "tcp", "port_range_min": 443, "port_range_max": 443});
    let made = post(&s, with(&rule(&s), &https)).await;
    assert_eq!(made.status, 201);
    for change in [
        json!({}),
        json!({"description": "another"}),
        json!({"protocol": "6"}),
        json!({"protocol": "TCP", "port_range_min": "443"}),
        // Other host bits make it another rule, and so does another group.
        json!({"remote_ip_prefix": "10.20.30.5/24"}),
        json!({"security_group_id": s.ground.id(A, "default")}),
        // From anywhere, three times: the second and third are there already.
        json!({"remote_ip_prefix": "0.0.0.0/0", "port_range_min": 22, "port_range_max": 22}),
        json!({"remote_ip_prefix": null, "port_range_min": 22, "port_range_max": 22}),
        json!({"remote_ip_prefix": "-", "port_range_min": 22, "port_range_max": 22}),
    ] {
        post(&s, with(&with(&rule(&s), &https), &change)).await;
    }
}

async fn rules_refused(s: Stage) {
    for change in [
        json!({"remote_ip_prefix": "nonsense"}),
        json!({"remote_ip_prefix": "10.20.30.0/33"}),
        json!({"remote_ip_prefix": "10/8"}),
        json!({"remote_ip_prefix": "fd00::/64"}),
        json!({"ethertype": "IPv6"}),
        json!({"ethertype": "IPX"}),
        json!({"direction": "sideways"}),
        json!({"direction": "-"}),
        json!({"security_group_id": NOBODY}),
        json!({"security_group_id": "nonsense"}),
        json!({"security_group_id": "-"}),
        json!({"security_group_id": null}),
        json!({"remote_group_id": s.ground.id(A, "default")}),
        json!({"remote_ip_prefix": "-", "remote_group_id": NOBODY}),
        json!({"protocol": "tcpp"}),
        json!({"protocol": 256}),
        json!({"protocol": "ipv6-icmp"}),
        json!({"port_range_min": 80, "port_range_max": 80}),
        json!({"protocol": "tcp", "port_range_min": 80}),
        json!({"protocol": "tcp", "port_range_min": 81, "port_range_max": 80}),
        json!({"protocol": "tcp", "port_range_min": 0, "port_range_max": 80}),
        json!({"protocol": "tcp", "port_range_min": 80, "port_range_max": 65536}),
        json!({"protocol": "icmp", "port_range_max": 8}),
        json!({"protocol": "icmp", "port_range_min": 256}),
        json!({"protocol": "esp", "port_range_min": 1, "port_range_max": 2}),
        json!({"description": "x".repeat(256)}),
        json!({"bogus": 1}),
        json!({"name": "n"}),
        json!({"normalized_cidr": "10.20.30.0/24"}),
        json!({"id": NOBODY}),
        json!({"project_id": "0".repeat(32)}),
    ] {
        post(&s, with(&rule(&s), &change)).await;
    }
    s.ask(Method::POST, A, RULES, Some(json!({}))).await;
    s.ask(Method::DELETE, A, &format!("{RULES}/nonsense"), None).await;
    let made = post(&s, rule(&s)).await.body["security_group_rule"]["id"].clone();
    let at = format!("{RULES}/{}", made.as_str().unwrap());
    for change in
        [json!({"protocol": "tcp"}), json!({"remote_ip_prefix": "10.0.0.0/8"}), json!({"description": "other"})]
    {
        s.ask(Method::PUT, A, &at, Some(json!({"security_group_rule": change}))).await;
    }
}

async fn over_the_quota(s: Stage) {
    let all = s.send_quietly(A, "security-group-rules?fields=id").await["security_group_rules"].clone();
    s.ground.limit(A, "security_group_rule", i64::try_from(all.as_array().unwrap().len()).unwrap()).await;
    post(&s, rule(&s)).await;
    post(&s, with(&rule(&s), &json!({"security_group_id": NOBODY}))).await;
    post(&s, with(&rule(&s), &json!({"remote_ip_prefix": "nonsense"}))).await;
}

async fn as_a_reader(s: Stage) {
    let reader = &s.ground.reader;
    s.ask_as(reader, Method::GET, A, "security-groups?name=web&fields=name", None).await;
    let query = "protocol=tcp&fields=protocol&fields=port_range_min";
    s.ask_as(reader, Method::GET, A, &format!("{RULES}?{query}"), None).await;
    s.ask_as(reader, Method::POST, A, RULES, Some(json!({"security_group_rule": rule(&s)}))).await;
    let made = s.quietly(Method::POST, A, RULES, Some(json!({"security_group_rule": rule(&s)}))).await;
    let at = format!("{RULES}/{}", made["security_group_rule"]["id"].as_str().unwrap());
    s.ask_as(reader, Method::DELETE, A, &at, None).await;
    s.ask_as(reader, Method::DELETE, A, &format!("{RULES}/{NOBODY}"), None).await;
}

async fn ports_of_subnets(s: Stage) {
    let [private, db, six] = ["private-subnet", "db-subnet", "v6-subnet"]
        .map(|name| format!("fixed_ips=subnet_id%3D{}", s.ground.id(A, name)));
    let fields = "fields=id&fields=name&fields=device_owner&fields=fixed_ips&fields=security_groups\
        &fields=port_security_enabled&fields=project_id";
    for query in [
        private.clone(),
        format!("{private}&{db}&device_owner=compute:nova"),
        format!("{db}&device_owner=compute:nova&device_owner=compute:az-2"),
        format!("{six}&device_owner=compute:nova"),
        format!("{db}&fixed_ips=ip_address%3D10.0.1.11"),
        format!("{private}&fixed_ips=ip_address%3D10.0.1.11"),
        format!("{private}&security_groups={}", s.ground.id(A, "web")),
        format!("fixed_ips=subnet_id%3D{NOBODY}"),
    ] {
        sorted(&s, &format!("ports?{query}&{fields}")).await;
    }
    for name in ["web-1", "monitor-1"] {
        let mut port = s.send_quietly(A, &format!("ports/{}", s.ground.id(A, name))).await;
        // Whether something runs there is the compute service's affair.
        port["port"].as_object_mut().unwrap().remove("status");
        tidy(&s, &mut port["port"]);
        note(&s, &format!("GET ports/{}", s.ground.id(A, name)), port);
    }
}

/// A rule that admits the other region.
fn rule(s: &Stage) -> Value {
    json!({"security_group_id": s.ground.id(A, "web"), "direction": "ingress", "remote_ip_prefix": "10.20.30.0/24"})
}

async fn post(s: &Stage, body: Value) -> Answer {
    s.ask(Method::POST, A, RULES, Some(json!({"security_group_rule": body}))).await
}

/// A list as a set, whatever its order, and each of its objects likewise.
async fn sorted(s: &Stage, path: &str) {
    let mut body = s.send_quietly(A, path).await;
    for (_, found) in body.as_object_mut().unwrap() {
        let all =
            if found.is_array() { found.as_array_mut().unwrap().as_mut_slice() } else { std::slice::from_mut(found) };
        for object in all.iter_mut() {
            tidy(s, object);
        }
        all.sort_by_key(|one| s.masked(one));
    }
    // An id that begins in the middle of a word is not seen to be one.
    note(s, &format!("GET {} (sorted)", path.replace("%3D", "=")), body);
}

fn tidy(s: &Stage, object: &mut Value) {
    for key in ["security_group_rules", "fixed_ips", "security_groups"] {
        if let Some(list) = object.get_mut(key).and_then(Value::as_array_mut) {
            list.sort_by_key(|one| s.masked(one));
        }
    }
}

fn note(s: &Stage, request: &str, body: Value) {
    s.note_request(request, None);
    s.note_answer(&Answer { status: 200, headers: reqwest::header::HeaderMap::new(), body });
}
