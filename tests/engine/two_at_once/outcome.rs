//! What has to be so when both are done.

use std::collections::BTreeMap;

use itertools::Itertools;
use serde_json::Map;

use super::super::changes::{OUTSIDE, OUTSIDE_KEY};
use super::super::fault_matrix::{all, id_of};
use super::super::*;
use super::scene::{Before, Scene};
use super::{Deed, OTHER_KEY, Told};

type Found<'a> = Vec<&'a Map<String, Value>>;

fn text(object: &Map<String, Value>, key: &str) -> String {
    object[key].as_str().unwrap_or_default().to_owned()
}

/// Whether it is the connection to the external peer; an upgrade gives it the name that this program gives.
fn is_to_office(connection: &Map<String, Value>) -> bool {
    text(connection, "name").starts_with(OUTSIDE)
}

/// Whether one of them did that, and says that all is well.
fn did(deeds: [Deed; 2], told: &[Told; 2], deed: Deed) -> bool {
    deeds.iter().zip(told).any(|(one, told)| *one == deed && told.is_well)
}

impl Scene {
    pub fn check(&self, deeds: [Deed; 2], told: &[Told; 2]) -> Result<(), String> {
        let mut objects = all(&self.site);
        objects.retain(|(.., object)| !self.others.contains(&id_of(object)));
        let of = |kind: &str| Self::of(&objects, kind);
        let connections = of("ipsec_site_connections");
        if !told.iter().any(|told| told.keeps || told.is_unfinished) {
            is_all_used(&connections, of)?;
            are_alone(&of("vpnservices"))?;
        }
        self.check_other_vpns(deeds, told, &connections)?;
        let own: Found<'_> = connections.iter().copied().filter(|one| !is_to_office(one)).collect();
        check_halves(told, &own, &of("vpnservices"))?;
        self.check_count(deeds, told, &own)?;
        if did(deeds, told, Deed::Upgrade) && !did(deeds, told, Deed::Delete) {
            self.check_upgraded(deeds, told, &own, of)?;
        }
        // Somebody's subnets are what both halves say.
        let sets = deeds.iter().zip(told).filter(|(deed, told)| **deed == Deed::SetSubnets && told.is_well).count();
        if sets == 2 {
            return Err("both say that their subnets are set".to_owned());
        }
        Ok(())
    }

    /// The connection of somebody else's VPN is there, with its own key.
    fn check_other_vpns(&self, deeds: [Deed; 2], told: &[Told; 2], connections: &Found<'_>) -> Result<(), String> {
        let offices: Found<'_> = connections.iter().copied().filter(|one| is_to_office(one)).collect();
        let is_right = |count| {
            if told.iter().any(|told| told.is_unfinished) { offices.len() >= count } else { offices.len() == count }
        };
        if !is_right(usize::from(self.before.has_office())) {
            return Err(format!("{} connections to the office", offices.len()));
        }
        let key = if did(deeds, told, Deed::RotateOffice) { OTHER_KEY } else { OUTSIDE_KEY };
        let is_well = told.iter().all(|told| told.is_well) || !deeds.contains(&Deed::RotateOffice);
        match offices.first() {
            Some(office) if is_well && text(office, "psk") != key => Err(format!("the office has {}", office["psk"])),
            _ => Ok(()),
        }
    }

    /// One VPN stands, or as many as were made.
    fn check_count(&self, deeds: [Deed; 2], told: &[Told; 2], own: &Found<'_>) -> Result<(), String> {
        let count = own.len();
        let is_made = |deed: &Deed| matches!(deed, Deed::Apply | Deed::Further);
        if deeds.iter().any(is_made) {
            let well = deeds.iter().zip(told).filter(|(deed, told)| is_made(deed) && told.is_well).count();
            let all_well = told.iter().all(|told| told.is_well);
            return if all_well && count != 2 * well { Err(format!("{count} connections")) } else { Ok(()) };
        }
        let beside = if self.before == Before::Namesake { self.before.others() } else { 0 };
        let is_deleted = did(deeds, told, Deed::Delete);
        let any_well = told.iter().any(|told| told.is_well);
        let is_right = match (deeds.contains(&Deed::Delete), any_well) {
            (true, _) if is_deleted => count == beside,
            // It has replaced both halves, so what was overtaken is the deletion.
            (true, true) if deeds.contains(&Deed::Upgrade) => count == 2 + beside,
            // Whoever deletes may have been told that somebody else was there first.
            (true, _) => true,
            (false, true) if !told.iter().any(|told| told.is_unfinished) => count == 2 + beside,
            (false, _) => count >= 2 + beside,
        };
        if is_right { Ok(()) } else { Err(format!("{count} connections, deleted: {is_deleted}")) }
    }

    fn check_upgraded<'a>(
        &self,
        deeds: [Deed; 2],
        told: &[Told; 2],
        own: &Found<'_>,
        of: impl Fn(&str) -> Found<'a>,
    ) -> Result<(), String> {
        let policies = of("ikepolicies");
        let version = |one: &&&Map<String, Value>| {
            policies.iter().find(|policy| policy["id"] == one["ikepolicy_id"]).map(|policy| text(policy, "ike_version"))
        };
        let upgraded = own.iter().filter(|one| version(one).as_deref() == Some("v2")).count();
        let is_legacy = own.iter().any(|one| one["local_ep_group_id"].is_null());
        if upgraded != 2 || is_legacy {
            return Err(format!("{upgraded} connections with IKEv2, legacy: {is_legacy}"));
        }
        let is_known = own.iter().any(|one| one["psk"] == "pre_shared_key");
        // The upgrade of a VPN whose key is sound leaves it alone.
        let lost = did(deeds, told, Deed::Rotate) && !self.before.has_script() && own[0]["psk"] != OTHER_KEY;
        if is_known || lost { Err(format!("the key is {}", own[0]["psk"])) } else { Ok(()) }
    }
}

/// Each connection has its other half, once, with the same key.
fn check_halves(told: &[Told; 2], own: &Found<'_>, services: &Found<'_>) -> Result<(), String> {
    let all_well = told.iter().all(|told| told.is_well);
    let mut ends: BTreeMap<(String, String), Found<'_>> = BTreeMap::new();
    let services: BTreeMap<String, String> =
        services.iter().map(|one| (id_of(one), text(one, "external_v4_ip"))).collect();
    let address = |one: &Map<String, Value>| services.get(&text(one, "vpnservice_id")).cloned().unwrap_or_default();
    for one in own {
        ends.entry((address(one), text(one, "peer_address"))).or_default().push(one);
    }
    for ((here, there), ones) in &ends {
        let keys: Vec<String> = ones.iter().map(|one| text(one, "psk")).collect();
        let across = ends.get(&(there.clone(), here.clone())).cloned().unwrap_or_default();
        let differs = ones.iter().chain(&across).any(|one| text(one, "psk") != keys[0]);
        if differs && all_well {
            return Err("keys differ between the same two ends".to_owned());
        }
        if all_well && across.len() != ones.len() {
            return Err(format!("{} connections one way and {} the other", ones.len(), across.len()));
        }
    }
    Ok(())
}

/// No router has two VPN services: one takes the configuration of the other away.
fn are_alone(services: &Found<'_>) -> Result<(), String> {
    match services.iter().duplicates_by(|one| text(one, "router_id")).next() {
        Some(service) => Err(format!("two VPN services on router {}", service["router_id"])),
        None => Ok(()),
    }
}

/// Nothing is left that nobody uses, unless somebody says that it is still there.
fn is_all_used<'a>(connections: &Found<'_>, of: impl Fn(&str) -> Found<'a>) -> Result<(), String> {
    for kind in ["vpnservices", "ikepolicies", "ipsecpolicies", "endpoint_groups"] {
        for object in of(kind) {
            let id = id_of(object);
            if !connections.iter().any(|one| one.values().any(|value| *value == *id)) {
                return Err(format!("nobody uses the {kind} {} ({})", text(object, "name"), object["description"]));
            }
        }
    }
    Ok(())
}
