//! VPN objects that no connection uses.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::{Id, Kind, RegionId, SiteConnection, Status, Survey};
use crate::plan::{Half, VpnId};

/// A VPN object that no connection uses. An endpoint group keeps its subnet from being deleted, a service its router
/// from losing its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedObject {
    pub region: RegionId,
    pub kind: Kind,
    pub id: Id,
    pub name: String,
    /// The VPN and half in its marker: an interrupted creation may still need it.
    pub mark: Option<(VpnId, Half)>,
    pub description: String,
    pub status: Option<Status>,
}

impl UnusedObject {
    /// Its status, if no agent has reported on it yet: it may be under construction.
    pub fn pending(&self) -> Option<&Status> {
        self.status.as_ref().filter(|status| is_pending(status))
    }
}

/// Whether no agent has reported on a service yet, so that it may be under construction.
pub(super) const fn is_pending(status: &Status) -> bool {
    !matches!(status, Status::Active | Status::Down | Status::Error)
}

pub(super) fn find(surveys: &BTreeMap<RegionId, Survey>) -> Vec<UnusedObject> {
    let mut unused = Vec::new();
    for (region, survey) in surveys {
        let used: BTreeSet<&Id> = survey.inventory.connections.iter().flat_map(SiteConnection::holds).collect();
        let mut add = |kind, id: &Id, name: &str, description: &str, status| {
            if !used.contains(id) {
                let mark = VpnId::of_description(description);
                unused.push(UnusedObject {
                    region: region.clone(),
                    kind,
                    id: id.clone(),
                    name: name.to_owned(),
                    mark,
                    description: description.to_owned(),
                    status,
                });
            }
        };
        for one in &survey.groups {
            add(Kind::EndpointGroup, &one.id, &one.name, &one.description, None);
        }
        for one in &survey.ipsec_policies {
            add(Kind::IpsecPolicy, &one.id, &one.name, &one.description, None);
        }
        for one in &survey.ike_policies {
            add(Kind::IkePolicy, &one.id, &one.name, &one.description, None);
        }
        for one in &survey.inventory.services {
            add(Kind::VpnService, &one.id, &one.name, &one.description, Some(one.status.clone()));
        }
    }
    unused
}
