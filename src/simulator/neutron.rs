//! One region's Neutron: who may ask, what paths there are, and the parts that are not lists of objects.

use serde_json::{Value, json};

use super::access::{LIMITS, limit, validates_filters};
use super::answer::{Answer, UNAUTHENTICATED, html_not_found, method_not_allowed, neutron, no_such_path};
use super::call::Call;
use super::identity::Caller;
use super::list;
use super::object::{Collection, StoredObject};
use super::security_groups;
use super::vpnaas;
use super::world::{RegionWorld, World};

/// The extensions every region has, VPN or not, as a 2026.2 with the ML2 and L3 plugins lists them.
const EXTENSIONS: &str = include_str!("../../assets/demo-extensions.txt");

/// Answers a request to a region's Neutron; `path` is what follows the region.
pub(super) fn answer(world: &mut World, at: usize, path: &[&str], call: &Call) -> Result<Answer, Answer> {
    let base = format!("{}/network/{}", world.base, world.regions[at].id);
    if path.is_empty() {
        let links = json!([{"rel": "self", "href": format!("{base}/v2.0/")}]);
        let versions = json!({"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]});
        return Ok(Answer::json(200, &versions));
    }
    let caller = world.caller(call.token.as_deref()).ok_or_else(|| unauthenticated(&world.base))?;
    let path: Vec<&str> = path.iter().map(|segment| segment.trim_end_matches(".json")).collect();
    let ["v2.0", path @ ..] = path.as_slice() else {
        return Err(no_such_path());
    };
    let region = &world.regions[at];
    match (call.method.as_str(), path) {
        ("GET", ["extensions"]) => {
            let items: Vec<_> = extensions(world, region).iter().map(|alias| extension(alias)).collect();
            Ok(Answer::json(200, &json!({"extensions": items})))
        }
        ("GET", ["extensions", alias]) if extensions(world, region).contains(alias) => {
            Ok(Answer::json(200, &json!({"extension": extension(alias)})))
        }
        ("GET", ["extensions", alias]) => Err(html_not_found(&format!("Extension with alias {alias} does not exist"))),
        (_, ["extensions", ..]) => Err(html_not_found("Resource not found.")),
        ("GET", ["quotas", project, rest @ ..]) => quotas(world, region, &caller, project, rest),
        ("GET", ["quotas"]) => Err(disallowed("get_quota")),
        ("PUT", ["quotas", _]) => Err(disallowed("update_quota")),
        ("DELETE", ["quotas", _]) => Err(disallowed("delete_quota")),
        (method, ["vpn", segment, id @ ..]) if region.vpnaas && id.len() < 2 => {
            let kind = Collection::from_segment(&Collection::VPN, segment).ok_or_else(no_such_path)?;
            match (method, id) {
                ("GET", []) => list::list(world, at, &caller, kind, call),
                ("GET", [id]) => list::show(world, at, &caller, (kind, id), call),
                ("POST", []) => vpnaas::create(world, at, &caller, kind, &call.body),
                ("PUT", [id]) => vpnaas::update(world, at, &caller, (kind, id), &call.body),
                ("DELETE", [id]) => vpnaas::delete(world, at, &caller, kind, id),
                ("PUT" | "DELETE", []) => Err(kind.not_found("None")),
                _ => Err(method_not_allowed()),
            }
        }
        (method, [segment, id @ ..]) if id.len() < 2 => {
            let kind = Collection::from_segment(&Collection::CORE, segment).ok_or_else(no_such_path)?;
            if matches!(kind, Collection::SecurityGroup | Collection::SecurityGroupRule) {
                security_groups::ensure_default(world, at, &caller.project);
            }
            match (method, id) {
                ("GET", []) => list::list(world, at, &caller, kind, call),
                ("GET", [id]) => list::show(world, at, &caller, (kind, id), call),
                ("POST", []) if kind == Collection::SecurityGroupRule => {
                    security_groups::create_rule(world, at, &caller, &call.body)
                }
                ("PUT", [id]) if kind == Collection::SecurityGroupRule => {
                    security_groups::update_rule(world, at, &caller, id, &call.body)
                }
                ("DELETE", [id]) if kind == Collection::SecurityGroupRule => {
                    security_groups::delete_rule(world, at, &caller, id)
                }
                _ => Err(method_not_allowed()),
            }
        }
        _ => Err(no_such_path()),
    }
}

/// Neutron's token check does not say whether a token is missing, unknown, expired or revoked.
fn unauthenticated(base: &str) -> Answer {
    let error = json!({"error": {"code": 401, "title": "Unauthorized", "message": UNAUTHENTICATED}});
    Answer::json(401, &error).with("WWW-Authenticate", &format!("Keystone uri=\"{base}\""))
}

fn disallowed(rule: &str) -> Answer {
    neutron(403, "PolicyNotAuthorized", &format!("rule:{rule} is disallowed by policy"))
}

fn extensions(world: &World, region: &RegionWorld) -> Vec<&'static str> {
    let release = world.settings.release;
    let mut aliases: Vec<_> = EXTENSIONS.split_whitespace().filter(|alias| !release.lacks_extension(alias)).collect();
    if validates_filters(world, region) {
        aliases.push("filter-validation");
    }
    if region.vpnaas {
        aliases.extend(["vpn-endpoint-groups", "vpnaas"]);
        if release.stores_new_algorithms() {
            aliases.push("vpn-aes-ctr");
        }
        aliases.push(if world.settings.ovn && release.has_ovn_plugin() {
            "vpn-agent-scheduler"
        } else {
            "vpn-flavors"
        });
    }
    aliases
}

fn extension(alias: &str) -> Value {
    let (name, description, updated) = match alias {
        "vpnaas" => ("VPN service", "Extension for VPN service", "2013-05-29T10:00:00-00:00"),
        "vpn-endpoint-groups" => ("VPN Endpoint Groups", "VPN endpoint groups support", "2015-08-04T10:00:00-00:00"),
        "vpn-flavors" => {
            ("VPN Service Flavor Extension", "Flavor support for vpnservices.", "2017-04-19T00:00:00-00:00")
        }
        "vpn-aes-ctr" => (
            "VPN support for AES CTR mode",
            "Add AES CTR choices for encryption algorithm",
            "2024-01-09T09:00:00-00:00",
        ),
        other => (other, other, "2016-10-10T10:00:00-00:00"),
    };
    json!({"name": name, "alias": alias, "description": description, "updated": updated, "links": []})
}

fn quotas(
    world: &World,
    region: &RegionWorld,
    caller: &Caller,
    project: &str,
    rest: &[&str],
) -> Result<Answer, Answer> {
    let detailed = match rest {
        [] => false,
        ["details"] => true,
        _ => return Err(no_such_path()),
    };
    if project != caller.project {
        let why = "User does not have admin privileges: Only admin is authorized to access quotas for another project.";
        return Err(if detailed { neutron(403, "AdminRequired", why) } else { disallowed("get_quota") });
    }
    let mut quota = StoredObject::new();
    for (name, _) in LIMITS {
        let kind = Collection::CORE.into_iter().chain(Collection::VPN).find(|kind| kind.singular() == name);
        if !region.vpnaas && kind.is_some_and(Collection::is_vpn) {
            continue;
        }
        let limit = limit(world, name);
        let used = kind.map_or(0, |kind| region.referring(kind, "project_id", project).count());
        let value = if detailed { json!({"limit": limit, "used": used, "reserved": 0}) } else { json!(limit) };
        quota.insert(name.to_owned(), value);
    }
    Ok(Answer::json(200, &json!({"quota": quota})))
}
