//! What Keystone tells of a token, with the catalogue.

use serde_json::{Value, json};

use super::identity::{CREDENTIAL_NAME, IssuedToken};
use super::world::World;

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
            json!({"id": identity.credential, "name": CREDENTIAL_NAME, "restricted": true});
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

/// All endpoints of all regions.
pub(super) fn catalog(world: &mut World) -> Value {
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
    let id = world.hex();
    world.identity.catalog.insert(key, id.clone());
    id
}
