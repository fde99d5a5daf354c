//! What a caller sees of Neutron, and how much of it a project may have.

use serde_json::Value;

use super::answer::{Answer, neutron};
use super::identity::Caller;
use super::object::{Collection, StoredObject, text};
use super::release::Release;
use super::world::{RegionWorld, World};

/// Whether an object belongs to the caller's project, or is part of the external network everybody sees.
pub(super) fn is_visible(object: &StoredObject, caller: &Caller) -> bool {
    text(object, "project_id") == caller.project || object.get("router:external") == Some(&Value::Bool(true))
}

/// Whether the policy shows a caller objects of that kind at all: what a reader may not see is left out of lists, and
/// there is no path to it.
pub(super) fn shows(kind: Collection, caller: &Caller, release: Release) -> bool {
    !(kind.is_vpn() && caller.reader && release.keeps_readers_out())
}

/// Whether a region checks the names of query filters.
pub(super) fn validates_filters(world: &World, region: &RegionWorld) -> bool {
    !region.vpnaas || world.settings.release.validates_filters_with_vpnaas()
}

/// The limits every project starts with; VPN objects are unlimited unless the settings say otherwise.
pub(super) const LIMITS: [(&str, i64); 15] = [
    ("network", 100),
    ("subnet", 100),
    ("subnetpool", -1),
    ("port", 500),
    ("router_route", 30),
    ("router", 10),
    ("floatingip", 50),
    ("rbac_policy", 10),
    ("security_group", 10),
    ("security_group_rule", 100),
    ("ikepolicy", -1),
    ("ipsecpolicy", -1),
    ("endpoint_group", -1),
    ("vpnservice", -1),
    ("ipsec_site_connection", -1),
];

/// How many objects of a kind a project may have; negative for any number.
pub(super) fn limit(world: &World, name: &str) -> i64 {
    let default = LIMITS.iter().find(|(found, _)| *found == name).map_or(-1, |(_, default)| *default);
    world.settings.quotas.get(name).copied().unwrap_or(default)
}

/// Refuses another object of a kind where the project has as many as it may.
pub(super) fn check_quota(world: &World, at: usize, caller: &Caller, kind: Collection) -> Result<(), Answer> {
    let limit = usize::try_from(limit(world, kind.singular())).ok();
    let used = world.regions[at].referring(kind, "project_id", &caller.project).count();
    if limit.is_none_or(|limit| used < limit) {
        return Ok(());
    }
    Err(neutron(409, "OverQuota", &format!("Quota exceeded for resources: ['{}'].", kind.singular())))
}
