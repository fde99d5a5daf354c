//! The simulated Keystone: tokens, catalogue and regions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{Answer, UNAUTHENTICATED, keystone};
use super::server::Call;
use super::sign_in;
use super::world::World;

/// A user who can sign in.
pub(super) struct User {
    pub name: &'static str,
    pub id: String,
    pub password: String,
    /// Whether a one-time passcode is asked for besides the password.
    pub totp: bool,
    pub role: &'static str,
    pub projects: Vec<String>,
}

/// A token that was given out.
#[derive(Clone)]
pub(super) struct IssuedToken {
    pub user: String,
    pub project: Option<String>,
    /// Sorted, each once.
    pub methods: BTreeSet<String>,
    pub audit: String,
    pub issued: Duration,
    pub expires: Duration,
}

/// A sign-in that still misses a factor.
#[derive(Clone)]
pub(super) struct IssuedReceipt {
    pub user: String,
    pub methods: BTreeSet<String>,
    pub expires: Duration,
}

/// What Keystone knows.
#[derive(Default)]
pub(super) struct Identity {
    pub users: Vec<User>,
    /// Name and id.
    pub projects: Vec<(&'static str, String)>,
    pub credential: String,
    pub tokens: BTreeMap<String, IssuedToken>,
    /// The ids of revoked tokens.
    pub revoked: BTreeSet<String>,
    pub receipts: BTreeMap<String, IssuedReceipt>,
    /// Ids of services and their endpoints, by service, region and interface.
    catalog: BTreeMap<(String, String, &'static str), String>,
    roles: BTreeMap<&'static str, String>,
}

/// On whose behalf a request to Neutron is made.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    /// The id of the project; empty for an unscoped token.
    pub project: String,
    /// Whether the only role is `reader`.
    pub reader: bool,
}

impl Identity {
    pub fn new(world: &mut World) -> Self {
        let projects = ["demo", "other", "service"].map(|name| (name, hex(world)));
        let (demo, other) = (projects[0].1.clone(), projects[1].1.clone());
        let mut user = |name, suffix: &str, totp, role, projects: &[&String]| User {
            name,
            id: hex(world),
            password: format!("{}{suffix}", super::PASSWORD),
            totp,
            role,
            projects: projects.iter().map(|&project| project.clone()).collect(),
        };
        let users = vec![
            user("demo", "", false, "member", &[&demo, &other]),
            user("demo-reader", "", false, "reader", &[&demo]),
            user("demo-mfa", "", true, "member", &[&demo]),
            user("demo-appended", super::PASSCODE, false, "member", &[&demo]),
        ];
        let roles = ["member", "reader"].map(|role| (role, hex(world))).into();
        Self { users, projects: projects.into(), credential: hex(world), roles, ..Self::default() }
    }

    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// What is said of a token that was asked about and is good for nothing.
    pub fn unusable(&self, id: &str) -> Answer {
        let was_one = self.revoked.contains(id) || self.tokens.contains_key(id);
        keystone(404, if was_one { "Failed to validate token" } else { "Could not recognize Fernet token" })
    }

    pub fn project_named(&self, name: &str) -> Option<&str> {
        self.projects.iter().find(|(found, _)| *found == name).map(|(_, id)| id.as_str())
    }
}

/// An id in Keystone's form: a UUID without its dashes.
pub(super) fn hex(world: &mut World) -> String {
    world.uuid().replace('-', "")
}

impl World {
    /// A token that is still good.
    pub fn token(&self, id: Option<&str>) -> Option<&IssuedToken> {
        self.identity.tokens.get(id?).filter(|token| token.expires > self.now())
    }

    /// Who holds a token; none if it is unknown, expired or revoked.
    pub fn caller(&self, token: Option<&str>) -> Option<Caller> {
        let token = self.token(token)?;
        let user = self.identity.user(&token.user)?;
        Some(Caller { project: token.project.clone().unwrap_or_default(), reader: user.role == "reader" })
    }
}

/// Answers a request to Keystone; `path` is what follows the host.
pub(super) fn answer(world: &mut World, path: &[&str], call: &Call) -> Result<Answer, Answer> {
    let base = world.base.clone();
    let open = match (call.method.as_str(), path) {
        ("GET", []) => {
            let versions = json!({"versions": {"values": [version(&base)]}});
            Some(Answer::json(300, &versions).with("Location", &format!("{base}/v3/")))
        }
        ("GET", ["v3"]) => Some(Answer::json(200, &json!({"version": version(&base)}))),
        ("POST", ["v3", "auth", "tokens"]) => Some(sign_in::sign_in(world, call)?),
        (_, ["v3", "auth", "tokens" | "catalog" | "projects"] | ["v3", "regions" | "projects", ..]) => None,
        _ => Some(html_not_found()),
    };
    if let Some(answer) = open {
        return Ok(answer);
    }
    let token = world.token(call.token.as_deref()).cloned().ok_or_else(|| unauthenticated(&base))?;
    match (call.method.as_str(), &path[1..]) {
        ("GET", ["auth", "tokens"]) => {
            let (id, subject) = subject(world, call)?;
            let body = json!({"token": describe(world, &subject)});
            Ok(Answer::json(200, &body).with("X-Subject-Token", &id))
        }
        ("DELETE", ["auth", "tokens"]) => {
            let (id, _) = subject(world, call)?;
            world.identity.tokens.remove(&id);
            world.identity.revoked.insert(id);
            Ok(Answer::empty(204))
        }
        ("GET", ["auth", "catalog"]) => Ok(Answer::json(200, &json!({"catalog": catalog(world)}))),
        ("GET", ["auth", "projects"]) => {
            let user = world.identity.user(&token.user);
            let own = |id: &String| user.is_some_and(|user| user.projects.contains(id));
            let projects = world.identity.projects.iter().filter(|(_, id)| own(id)).map(|(name, id)| {
                json!({"id": id, "name": name, "domain_id": "default", "description": "", "enabled": true,
                    "parent_id": "default", "is_domain": false, "tags": [], "options": {},
                    "links": {"self": format!("{base}/v3/projects/{id}")}})
            });
            let links = json!({"next": null, "self": format!("{base}/v3/auth/projects"), "previous": null});
            Ok(Answer::json(200, &json!({"projects": projects.collect::<Vec<_>>(), "links": links})))
        }
        ("GET", ["regions"]) => {
            let regions: Vec<_> = world.regions.iter().map(|region| describe_region(&base, region)).collect();
            let links = json!({"next": null, "self": format!("{base}/v3/regions"), "previous": null});
            Ok(Answer::json(200, &json!({"regions": regions, "links": links})))
        }
        ("GET", ["regions", id]) => {
            let region = world.region(id).ok_or_else(|| keystone(404, &format!("Could not find region: {id}.")))?;
            Ok(Answer::json(200, &json!({"region": describe_region(&base, region)})))
        }
        ("GET", [collection @ ("projects" | "regions"), ..]) => Err(forbidden(&format!("list_{collection}"))),
        (method, _) => Err(forbidden(&format!("{}_region", method.to_lowercase()))),
    }
}

fn forbidden(action: &str) -> Answer {
    keystone(403, &format!("You are not authorized to perform the requested action: identity:{action}."))
}

fn subject(world: &World, call: &Call) -> Result<(String, IssuedToken), Answer> {
    let id = call.subject.clone().ok_or_else(|| forbidden("validate_token"))?;
    let token = world.token(Some(&id)).cloned().ok_or_else(|| world.identity.unusable(&id))?;
    Ok((id, token))
}

/// Keystone's answer to a failed sign-in or a missing or dead token.
pub(super) fn unauthenticated(base: &str) -> Answer {
    unauthorized(base, UNAUTHENTICATED)
}

/// The same where it does say why.
pub(super) fn unauthorized(base: &str, message: &str) -> Answer {
    keystone(401, message).with("WWW-Authenticate", &format!("Keystone uri=\"{base}/v3\""))
}

/// What stands in `token`; an unscoped one has no project, roles or catalogue.
pub(super) fn describe(world: &mut World, token: &IssuedToken) -> Value {
    let domain = json!({"id": "default", "name": "Default"});
    let identity = &world.identity;
    let user = identity.user(&token.user);
    let mut described = json!({
        "methods": token.methods,
        "user": {"domain": domain, "id": token.user, "name": user.map(|user| user.name), "password_expires_at": null},
        "audit_ids": [token.audit],
        "expires_at": world.keystone_time(token.expires),
        "issued_at": world.keystone_time(token.issued),
    });
    if token.methods.contains("application_credential") {
        described["application_credential"] =
            json!({"id": identity.credential, "name": super::CREDENTIAL_NAME, "restricted": true});
    }
    if let (Some(id), Some(user)) = (&token.project, user) {
        let name = identity.projects.iter().find(|(_, found)| found == id).map(|(name, _)| name);
        let roles: &[&str] = if user.role == "reader" { &["reader"] } else { &["member", "reader"] };
        let roles: Vec<_> = roles.iter().map(|name| json!({"id": identity.roles.get(name), "name": name})).collect();
        described["project"] = json!({"domain": domain, "id": id, "name": name});
        described["is_domain"] = json!(false);
        described["roles"] = Value::Array(roles);
        described["catalog"] = catalog(world);
    }
    described
}

fn catalog(world: &mut World) -> Value {
    let base = world.base.clone();
    let regions: Vec<String> = world.regions.iter().map(|region| region.id.clone()).collect();
    let mut catalog = Vec::new();
    for (kind, name) in [("identity", "keystone"), ("network", "neutron")] {
        let mut endpoints = Vec::new();
        for region in &regions {
            let url = if kind == "identity" { format!("{base}/v3") } else { format!("{base}/network/{region}") };
            for interface in ["public", "internal", "admin"] {
                let key = (kind.to_owned(), region.clone(), interface);
                let id = remembered(world, key);
                endpoints
                    .push(json!({"id": id, "interface": interface, "region_id": region, "url": url, "region": region}));
            }
        }
        let id = remembered(world, (kind.to_owned(), String::new(), ""));
        catalog.push(json!({"endpoints": endpoints, "id": id, "type": kind, "name": name}));
    }
    Value::Array(catalog)
}

fn remembered(world: &mut World, key: (String, String, &'static str)) -> String {
    if let Some(id) = world.identity.catalog.get(&key) {
        return id.clone();
    }
    let id = hex(world);
    world.identity.catalog.insert(key, id.clone());
    id
}

fn version(base: &str) -> Value {
    json!({"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{base}/v3/")}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}]})
}

fn describe_region(base: &str, region: &super::world::RegionState) -> Value {
    json!({"id": region.id, "description": region.description, "parent_region_id": null,
        "links": {"self": format!("{base}/v3/regions/{}", region.id)}})
}

/// Keystone's web framework answers unknown paths itself, in HTML.
fn html_not_found() -> Answer {
    let body = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was \
        not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n";
    Answer { status: 404, headers: vec![("Content-Type".into(), "text/html; charset=utf-8".into())], body: body.into() }
}
