//! Signing in, by every method and in every way it fails, and tokens that are good no longer.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, case};
use super::recorder::{A, Answer, Stage};
use super::test_project::password;

pub fn cases() -> Vec<Case> {
    vec![
        case("sign-in/versions", versions),
        case("sign-in/password", by_password),
        case("sign-in/project by name", project_by_name),
        case("sign-in/without a scope", without_a_scope),
        case("sign-in/token", token),
        case("sign-in/application credential", application_credential),
        case("sign-in/refused", refused),
        case("sign-in/token revoked", token_revoked),
        case("sign-in/token expired", token_expired),
        case("sign-in/no token, a made-up token", no_token_a_made_up_token),
        case("sign-in/regions of Keystone", regions_of_keystone),
    ]
}

async fn versions(s: Stage) {
    let root = s.ground.auth_url.trim_end_matches("/v3").to_owned();
    for url in [format!("{root}/"), s.ground.auth_url.clone(), format!("{root}/v3/nothing")] {
        let answer = s.exchange(Method::GET, &url, &[], None).await;
        s.note(format!("{} {}", answer.header("Content-Type"), answer.header("Location")));
        s.note_answer(&answer);
    }
}

async fn by_password(s: Stage) {
    let token = good(&s, "password", identity(&s)).await;
    let url = format!("{}/auth/tokens", s.ground.auth_url);
    let own = [("X-Auth-Token", token.as_str()), ("X-Subject-Token", token.as_str())];
    let mut answer = s.exchange(Method::GET, &url, &own, None).await;
    tidy(&mut answer.body);
    s.note("asking about the token:");
    s.note_answer(&answer);
}

async fn project_by_name(s: Stage) {
    let mut body = identity(&s);
    body["auth"]["scope"] = json!({"project": {"name": s.ground.project_name, "domain": {"name": "Default"}}});
    good(&s, "project by name", body).await;
}

async fn without_a_scope(s: Stage) {
    let mut body = identity(&s);
    body["auth"].as_object_mut().unwrap().remove("scope");
    let token = good(&s, "without a scope", body).await;
    let person = super::test_project::Person { token, ..s.ground.member.clone() };
    s.ask_as(&person, Method::GET, A, "routers?fields=name", None).await;
    s.ask_as(&person, Method::GET, A, "vpn/vpnservices", None).await;
}

async fn token(s: Stage) {
    let mut body = identity(&s);
    body["auth"]["identity"] = json!({"methods": ["token"], "token": {"id": s.ground.member.token}});
    good(&s, "token", body).await;
}

async fn application_credential(s: Stage) {
    for (what, credential) in credentials(&s) {
        let body = json!({"auth": {"identity": {"methods": ["application_credential"],
            "application_credential": credential}}});
        sign_in(&s, what, body).await;
    }
    let by_id = &credentials(&s)[0].1;
    let body = json!({"auth": {"identity": {"methods": ["application_credential"],
        "application_credential": by_id}, "scope": {"project": {"id": s.ground.project_id}}}});
    sign_in(&s, "with a scope", body).await;
}

async fn refused(s: Stage) {
    for (what, body) in mistakes(&s) {
        sign_in(&s, what, body).await;
    }
}

async fn token_revoked(s: Stage) {
    let (token, _) = s.ground.sign_in(&s.ground.member.clone()).await;
    let url = format!("{}/auth/tokens", s.ground.auth_url);
    let own = [("X-Auth-Token", token.as_str()), ("X-Subject-Token", token.as_str())];
    s.note_answer(&s.exchange(Method::DELETE, &url, &own, None).await);
    // With itself it is 401 or 404, as Keystone's cache will have it.
    s.note("asking about it with another one:");
    let other = [("X-Auth-Token", s.ground.member.token.as_str()), ("X-Subject-Token", token.as_str())];
    s.note_answer(&s.exchange(Method::GET, &url, &other, None).await);
    let body = json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token}}}});
    sign_in(&s, "exchanging it", body).await;
    let person = super::test_project::Person { token, ..s.ground.member.clone() };
    for path in ["routers", "vpn/vpnservices", "extensions"] {
        let answer = s.ask_as(&person, Method::GET, A, path, None).await;
        s.note(answer.header("WWW-Authenticate"));
    }
}

async fn token_expired(s: Stage) {
    let (token, answer) = s.ground.expired_token(&s).await;
    s.note_answer(&answer);
    let url = format!("{}/auth/tokens", s.ground.auth_url);
    let (asking, _) = s.ground.sign_in(&s.ground.member.clone()).await;
    let about = [("X-Auth-Token", asking.as_str()), ("X-Subject-Token", token.as_str())];
    s.note_answer(&s.exchange(Method::GET, &url, &about, None).await);
    let body = json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token}}}});
    sign_in(&s, "exchanging it", body).await;
}

async fn no_token_a_made_up_token(s: Stage) {
    for token in ["", "gAAAAABnonsense"] {
        let person = super::test_project::Person { token: token.to_owned(), ..s.ground.member.clone() };
        let answer = s.ask_as(&person, Method::GET, A, "routers", None).await;
        s.note(answer.header("WWW-Authenticate"));
    }
    let url = format!("{}/auth/tokens", s.ground.auth_url);
    let made_up = [("X-Auth-Token", "gAAAAABnonsense"), ("X-Subject-Token", "gAAAAABnonsense")];
    s.note_answer(&s.exchange(Method::GET, &url, &made_up, None).await);
    let asking = [("X-Auth-Token", s.ground.member.token.as_str()), made_up[1]];
    s.note_answer(&s.exchange(Method::GET, &url, &asking, None).await);
}

async fn regions_of_keystone(s: Stage) {
    let url = format!("{}/regions", s.ground.auth_url);
    let answer = s.exchange(Method::GET, &url, &[("X-Auth-Token", &s.ground.member.token)], None).await;
    let regions = answer.body["regions"].as_array().cloned().unwrap_or_default();
    s.note(format!("{} {}", answer.status, answer.body.get("links").is_some()));
    for mut region in regions.into_iter().filter(|region| region["id"] == A) {
        // What it says is the operator's own; that it is a text is the API's.
        assert!(region["description"].is_string());
        region["description"] = "<text>".into();
        s.note(region.to_string());
    }
}

fn identity(s: &Stage) -> Value {
    password(&s.ground.member, &s.ground.project_id)
}

fn credentials(s: &Stage) -> Vec<(&'static str, Value)> {
    let [id, name, secret] = &s.ground.credential;
    let user = json!({"name": s.ground.member.name, "domain": {"id": "default"}});
    vec![
        ("by id", json!({"id": id, "secret": secret})),
        ("by name and user", json!({"name": name, "secret": secret, "user": user})),
        ("wrong secret", json!({"id": id, "secret": "wrong"})),
        ("unknown id", json!({"id": "0".repeat(32), "secret": secret})),
        ("unknown name", json!({"name": "nothing", "secret": secret, "user": user})),
    ]
}

fn mistakes(s: &Stage) -> Vec<(&'static str, Value)> {
    let sound = identity(s);
    let change = |pointer: &str, value: Value| {
        let mut body = sound.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let user = "/auth/identity/password/user";
    vec![
        ("wrong password", change(&format!("{user}/password"), json!("wrong"))),
        ("unknown user", change(&format!("{user}/name"), json!("nobody"))),
        ("unknown domain", change(&format!("{user}/domain"), json!({"id": "nowhere"}))),
        ("unknown project", change("/auth/scope/project/id", json!("0".repeat(32)))),
        ("unknown project by name", change("/auth/scope/project", json!({"name": "x", "domain": {"id": "default"}}))),
        ("no domain", change(user, json!({"name": "demo", "password": "x"}))),
        ("unknown method", change("/auth/identity", json!({"methods": ["magic"], "magic": {}}))),
        (
            "a made-up token",
            change("/auth/identity", json!({"methods": ["token"], "token": {"id": "gAAAAABnonsense"}})),
        ),
        ("nothing", json!({})),
    ]
}

async fn good(s: &Stage, what: &str, body: Value) -> String {
    let answer = sign_in(s, what, body).await;
    answer.header("X-Subject-Token").to_owned()
}

async fn sign_in(s: &Stage, what: &str, body: Value) -> Answer {
    sign_in_with(s, what, &[], body).await
}

/// The same with headers.
pub async fn sign_in_with(s: &Stage, what: &str, headers: &[(&str, &str)], body: Value) -> Answer {
    let url = format!("{}/auth/tokens", s.ground.auth_url);
    let mut answer = s.exchange(Method::POST, &url, headers, Some(body.to_string())).await;
    s.note(format!("{what}: token in the header: {}", answer.header("X-Subject-Token").starts_with("gAAAAA")));
    if answer.status == 401 {
        s.note(answer.header("WWW-Authenticate"));
    }
    tidy(&mut answer.body);
    s.note_answer(&answer);
    answer
}

/// Only one region of the catalogue, and of it only the endpoints the client can use; roles and methods, which Keystone
/// holds in sets, in one order.
fn tidy(body: &mut Value) {
    if let Some(identity) = body.pointer_mut("/error/identity").and_then(Value::as_object_mut) {
        // Which methods there are is the operator's choice.
        identity.remove("methods");
    }
    if let Some(roles) = body.pointer_mut("/token/roles").and_then(Value::as_array_mut) {
        roles.sort_by_key(|role| role["name"].to_string());
    }
    if let Some(methods) = body.pointer_mut("/token/methods").and_then(Value::as_array_mut) {
        methods.sort_by_key(Value::to_string);
    }
    for rule in body.pointer_mut("/required_auth_methods").and_then(Value::as_array_mut).into_iter().flatten() {
        rule.as_array_mut().unwrap().sort_by_key(Value::to_string);
    }
    let Some(catalog) = body.pointer_mut("/token/catalog").and_then(Value::as_array_mut) else { return };
    catalog.retain(|service| service["type"] == "network" || service["type"] == "identity");
    catalog.sort_by_key(|service| service["type"].to_string());
    for service in catalog {
        let endpoints = service["endpoints"].as_array_mut().unwrap();
        endpoints.retain(|one| one["region_id"] == A && one["interface"] == "public");
    }
}
