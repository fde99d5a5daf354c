//! The simulated Keystone: tokens, catalogue and regions.

use serde_json::{Value, json};

use super::answer::{Answer, keystone, unauthenticated};
use super::call::Call;
use super::identity::IssuedToken;
use super::sign_in;
use super::token::{catalog, describe};
use super::world::{RegionWorld, World};

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

fn version(base: &str) -> Value {
    json!({"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{base}/v3/")}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}]})
}

fn describe_region(base: &str, region: &RegionWorld) -> Value {
    json!({"id": region.id, "description": region.description, "parent_region_id": null,
        "links": {"self": format!("{base}/v3/regions/{}", region.id)}})
}

/// Keystone's web framework answers unknown paths itself, in HTML.
fn html_not_found() -> Answer {
    let body = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was \
        not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n";
    Answer { status: 404, headers: vec![("Content-Type".into(), "text/html; charset=utf-8".into())], body: body.into() }
}
