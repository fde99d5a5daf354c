//! `POST /v3/auth/tokens`: password, token, application credential and one-time passcode.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{Answer, keystone, unauthenticated, unauthorized};
use super::call::Call;
use super::identity::{CREDENTIAL_NAME, CREDENTIAL_SECRET, IssuedReceipt, IssuedToken, PASSCODE, User};
use super::token::describe;
use super::world::World;

/// How long a receipt can be used: Keystone's default.
const RECEIPT_LIFETIME: Duration = Duration::from_secs(300);

/// What the methods of a request prove.
struct Authenticated {
    user: String,
    methods: BTreeSet<String>,
    /// The project an application credential or a token without a scope of its own brings along.
    project: Option<String>,
    /// The token this one is made from: it keeps its expiry.
    from: Option<IssuedToken>,
}

/// Signs in, or says why not, which for most reasons is one and the same sentence.
pub(super) fn sign_in(world: &mut World, call: &Call) -> Result<Answer, Answer> {
    let body: Value =
        serde_json::from_slice(&call.body).map_err(|_| malformed("Expecting to find valid JSON in request body."))?;
    let auth = body.get("auth").ok_or_else(|| malformed("Expecting to find auth in request body."))?;
    let identity = auth.get("identity").ok_or_else(|| malformed("'identity' is a required property"))?;
    let scope = auth.get("scope").filter(|scope| scope.is_object());
    let base = world.base.clone();
    let refused = || unauthenticated(&base);
    // A project that does not exist is refused before the credentials are checked; one the user has no role in, at the end.
    let wanted = scope.map(|scope| find_project(world, scope).ok_or_else(refused)).transpose()?;
    let mut proof = prove(world, identity, scope.is_some())?;
    add_receipt(world, &mut proof, call)?;
    if let Some(receipt) = missing_factor(world, &proof) {
        return Err(receipt);
    }
    let is_in = |id: &String| world.identity.user(&proof.user).is_some_and(|user| user.projects.contains(id));
    let project = match wanted {
        None => proof.project,
        Some(id) if is_in(&id) => Some(id),
        Some(_) => return Err(refused()),
    };
    let now = world.now();
    let mut methods = proof.methods;
    methods.extend(proof.from.iter().flat_map(|from| from.methods.clone()));
    let token = IssuedToken {
        user: proof.user,
        project,
        methods,
        audit: format!("{:022x}", world.random() >> 40),
        issued: now,
        expires: proof.from.map_or_else(|| now.saturating_add(world.settings.token_lifetime), |from| from.expires),
    };
    let id = format!("gAAAAAB{}{}", world.hex(), world.hex());
    let described = json!({"token": describe(world, &token)});
    world.identity.tokens.insert(id.clone(), token);
    Ok(Answer::json(201, &described).with("X-Subject-Token", &id))
}

fn malformed(what: &str) -> Answer {
    let tail = "The server could not comply with the request since it is either malformed or otherwise incorrect. The \
        client is assumed to be in error.";
    keystone(400, &format!("{what} {tail}"))
}

fn prove(world: &World, identity: &Value, scoped: bool) -> Result<Authenticated, Answer> {
    let refused = || unauthenticated(&world.base);
    let names: Vec<&str> =
        identity.get("methods").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut proof: Option<Authenticated> = None;
    for name in &names {
        let given = identity.get(*name).ok_or_else(|| malformed(&format!("Expecting to find {name} in identity.")))?;
        let mut found = match *name {
            "password" => {
                let user = find_user(world, &given["user"])?
                    .filter(|user| given["user"]["password"] == user.password.as_str());
                plain(user.ok_or_else(refused)?.id.clone())
            }
            "totp" => {
                let user = find_user(world, &given["user"])?.filter(|user| user.totp);
                let user = user.filter(|_| given["user"]["passcode"] == PASSCODE).ok_or_else(refused)?;
                plain(user.id.clone())
            }
            "token" => {
                let id = given["id"].as_str().unwrap_or_default();
                let token = world.token(Some(id)).ok_or_else(|| world.identity.unusable(id))?;
                Authenticated { from: Some(token.clone()), ..plain(token.user.clone()) }
            }
            "application_credential" => credential(world, given, scoped)?,
            _ => {
                let supported = json!(["external", "password", "token", "totp", "application_credential"]);
                let message = "Attempted to authenticate with an unsupported method.";
                return Err(explained(&world.base, message, &json!({"methods": supported})));
            }
        };
        if proof.as_ref().is_some_and(|earlier| earlier.user != found.user) {
            return Err(refused());
        }
        found.methods.insert((*name).to_owned());
        found.methods.extend(proof.into_iter().flat_map(|earlier| earlier.methods));
        proof = Some(found);
    }
    proof.ok_or_else(refused)
}

/// Adds the methods a receipt stands for. Keystone looks at it once everything that came with it was right, and says so
/// if it is not valid, or another user's.
fn add_receipt(world: &World, proof: &mut Authenticated, call: &Call) -> Result<(), Answer> {
    let Some(id) = call.receipt.as_deref().filter(|id| !id.is_empty()) else { return Ok(()) };
    let found = world.identity.receipts.get(id);
    let Some(receipt) = found.filter(|found| found.expires > world.now() && found.user == proof.user) else {
        return Err(unauthorized(&world.base, &format!("Could not find auth receipt: {id}.")));
    };
    proof.methods.extend(receipt.methods.iter().cloned());
    Ok(())
}

fn plain(user: String) -> Authenticated {
    Authenticated { user, methods: BTreeSet::new(), project: None, from: None }
}

fn credential(world: &World, given: &Value, scoped: bool) -> Result<Authenticated, Answer> {
    let refused = || unauthenticated(&world.base);
    let owner = world.identity.users.first().ok_or_else(refused)?;
    if let Some(id) = given["id"].as_str() {
        if id != world.identity.credential {
            return Err(keystone(404, &format!("Could not find Application Credential: {id}.")));
        }
    } else {
        let user = find_user(world, &given["user"])?.ok_or_else(refused)?;
        if user.id != owner.id || given["name"] != CREDENTIAL_NAME {
            return Err(refused());
        }
    }
    if given["secret"] != CREDENTIAL_SECRET {
        return Err(refused());
    }
    if scoped {
        let why = "Error authenticating with application credential: Application credentials cannot request a scope.";
        return Err(explained(&world.base, why, &json!({})));
    }
    Ok(Authenticated { project: owner.projects.first().cloned(), ..plain(owner.id.clone()) })
}

fn explained(base: &str, message: &str, identity: &Value) -> Answer {
    let error = json!({"error": {"code": 401, "identity": identity, "message": message, "title": "Unauthorized"}});
    Answer::json(401, &error).with("WWW-Authenticate", &format!("Keystone uri=\"{base}/v3\""))
}

/// A user by id, or by name and domain; a name without a domain is an error of the request.
fn find_user<'a>(world: &'a World, given: &Value) -> Result<Option<&'a User>, Answer> {
    let users = &world.identity.users;
    if let Some(id) = given["id"].as_str() {
        return Ok(users.iter().find(|user| user.id == id));
    }
    let domain = given.get("domain").ok_or_else(|| malformed("Expecting to find domain in user."))?;
    Ok(users.iter().find(|user| given["name"] == user.name && is_default(domain)))
}

fn is_default(domain: &Value) -> bool {
    domain["id"] == "default" || domain["name"] == "Default"
}

fn find_project(world: &World, scope: &Value) -> Option<String> {
    let wanted = scope.get("project")?;
    let id = match wanted["id"].as_str() {
        Some(id) => id,
        None => world.identity.project_named(wanted["name"].as_str()?).filter(|_| is_default(&wanted["domain"]))?,
    };
    world.identity.projects.iter().find(|(_, found)| found == id).map(|(_, id)| id.clone())
}

/// Where a user needs two factors and one was right, Keystone hands out a receipt to come back with.
fn missing_factor(world: &mut World, proof: &Authenticated) -> Option<Answer> {
    let required = ["password", "totp"];
    let user = world.identity.user(&proof.user)?;
    if !user.totp || proof.from.is_some() || required.iter().all(|method| proof.methods.contains(*method)) {
        return None;
    }
    let name = user.name;
    let now = world.now();
    let expires = now.saturating_add(RECEIPT_LIFETIME);
    let id = format!("gAAAAAB{}", world.hex());
    let body = json!({
        "receipt": {
            "methods": proof.methods,
            "user": {"id": proof.user, "name": name, "domain": {"id": "default", "name": "Default"}},
            "expires_at": world.keystone_time(expires),
            "issued_at": world.keystone_time(now),
        },
        "required_auth_methods": [["totp", "password"]],
    });
    let receipt = IssuedReceipt { user: proof.user.clone(), methods: proof.methods.clone(), expires };
    world.identity.receipts.insert(id.clone(), receipt);
    Some(Answer::json(401, &body).with("Openstack-Auth-Receipt", &id))
}
