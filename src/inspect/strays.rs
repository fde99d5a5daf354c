//! VPN objects that nothing uses.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::{Id, Kind, RegionId, SiteConnection, Status, Survey};
use crate::plan::{Half, VpnId};

/// A VPN object that no connection uses. An endpoint group keeps its subnet from being deleted, a service its router
/// from losing its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Where it is.
    pub region: RegionId,
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// The VPN and half its mark tells of; a run that is not done yet may still need it.
    pub mark: Option<(VpnId, Half)>,
    /// Its description.
    pub description: String,
    /// The status of a service.
    pub status: Option<Status>,
}

impl Stray {
    /// Its status, if that tells that somebody may be creating it: an agent has not reported on it yet.
    #[must_use]
    pub fn pending(&self) -> Option<&Status> {
        self.status.as_ref().filter(|status| is_pending(status))
    }
}

/// Whether the status of a service that no connection uses tells that somebody may be creating it.
pub(super) const fn is_pending(status: &Status) -> bool {
    !matches!(status, Status::Active | Status::Down | Status::Error)
}

/// All of them, in the order of regions and of deletion.
pub(super) fn find(surveys: &BTreeMap<RegionId, Survey>) -> Vec<Stray> {
    let mut strays = Vec::new();
    for (region, survey) in surveys {
        let used: BTreeSet<&Id> = survey.inventory.connections.iter().flat_map(SiteConnection::holds).collect();
        let mut add = |kind, id: &Id, name: &str, description: &str, status| {
            if !used.contains(id) {
                let mark = VpnId::of_description(description);
                strays.push(Stray {
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
    strays
}
