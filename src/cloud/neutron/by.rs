//! Reads objects by their ids or names, and routers' interfaces: what a question needs, where a list of all would take long.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use futures::future::try_join_all;

use super::Readable;
use super::wire::{self, Owned, Wire, WireExternalNetwork, WireNetwork, WirePort, WireRouter, WireSubnet};
use crate::cloud::error::Error;
use crate::cloud::inventory::{Id, Interfaces, Router, Subnet};
use crate::cloud::keystone::Region;

/// Whose ports are a router's feet in its subnets: centralised, distributed (DVR) and highly available routers.
pub(super) const INTERFACE_OWNERS: [&str; 3] =
    ["network:router_interface", "network:router_interface_distributed", "network:ha_router_replicated_interface"];

/// How many routers' ports are asked for at once. Neutron looks up the network of each, so a few small answers side by side
/// are there long before a large one.
const ROUTERS_A_REQUEST: usize = 25;

/// How many bytes of a query a filter may take, so that an address stays below the 2,000 that every proxy lets pass.
const LONGEST_FILTER: usize = 1_700;

/// The attribute by which objects are asked for: one that every release declares a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Id,
    Name,
    /// Of subnets alone, as the API writes it: with the address of the network.
    Cidr,
}

impl By {
    const fn attribute(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Cidr => "cidr",
        }
    }
}

/// Filters for any of those values, in parts of at most [`LONGEST_FILTER`].
pub(in crate::cloud) fn batches<'a>(
    attribute: &'a str,
    values: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = Vec<(&'a str, &'a str)>> {
    let mut parts: Vec<Vec<(&str, &str)>> = Vec::new();
    let mut left = 0;
    for value in values {
        // What is no letter or digit may take three bytes, and so does what separates it from the next.
        let length = attribute.len()
            + 3
            + value.bytes().map(|byte| if byte.is_ascii_alphanumeric() || byte == b'-' { 1 } else { 3 }).sum::<usize>();
        match parts.last_mut() {
            Some(part) if length <= left => part.push((attribute, value)),
            _ => {
                left = LONGEST_FILTER;
                parts.push(vec![(attribute, value)]);
            }
        }
        left = left.saturating_sub(length);
    }
    parts.into_iter()
}

impl Region {
    /// The interfaces of those routers, by router: one request for every 25, all at once.
    ///
    /// Neutron takes some milliseconds for each port it lists, whatever is asked of it.
    pub async fn interfaces(&self, routers: &[Id]) -> Result<BTreeMap<Id, Interfaces>, Error> {
        let owners = INTERFACE_OWNERS.map(|owner| ("device_owner", owner));
        let read = routers.chunks(ROUTERS_A_REQUEST).map(|some| {
            let devices = some.iter().map(|router| ("device_id", router.as_str()));
            let filters: Vec<_> = owners.into_iter().chain(devices).collect();
            async move { self.list::<WirePort>(&["ports"], "ports", WirePort::FIELDS, &filters).await }
        });
        let mut read = wire::interfaces(try_join_all(read).await?.into_iter().flatten().collect());
        for router in routers {
            read.entry(router.clone()).or_default();
        }
        Ok(read)
    }

    /// The project's routers with one of those values, without their interfaces; those that do not exist, or
    /// do not match the API, are not there.
    pub async fn routers(&self, by: By, values: &[impl AsRef<str>]) -> Result<Vec<Router>, Error> {
        let routers = self.matching::<WireRouter>("routers", by, values).await?.items;
        Ok(self.own(routers).into_iter().map(WireRouter::into_router).collect())
    }

    /// The routers of the project, without their interfaces, if one of them may have one of those addresses outside: none where
    /// no external network has them, which takes two small requests and not pages of routers.
    pub(crate) async fn routers_at(&self, addresses: &[IpAddr]) -> Result<Vec<Router>, Error> {
        let external = [("router:external", "True")];
        let networks =
            self.list::<WireExternalNetwork>(&["networks"], "networks", WireExternalNetwork::FIELDS, &external).await?;
        let ids: Vec<Id> = networks.into_iter().flat_map(|network| network.subnets.unwrap_or_default()).collect();
        let subnets = self.matching::<WireSubnet>("subnets", By::Id, &ids).await?.items;
        let is_there = |address| subnets.iter().any(|subnet| subnet.cidr.contains(address));
        // Not every cloud shows everybody the ranges outside.
        if !ids.is_empty() && subnets.len() == ids.len() && !addresses.iter().any(is_there) {
            return Ok(Vec::new());
        }
        self.all_routers().await
    }

    async fn all_routers(&self) -> Result<Vec<Router>, Error> {
        let routers = self.router_list().await?.items;
        Ok(self.own(routers).into_iter().map(WireRouter::into_router).collect())
    }

    pub(super) async fn router_list(&self) -> Result<Readable<WireRouter>, Error> {
        let own = self.of_project();
        self.fit(&["routers"], "routers", WireRouter::FIELDS, own.as_slice()).await
    }

    /// The subnets with one of those values that can be seen, whosever they are, without those of external networks and
    /// `OVN`'s transit subnets. A name or range that the project has itself does not mean that of another project.
    pub async fn subnets(&self, by: By, values: &[impl AsRef<str>]) -> Result<Vec<Subnet>, Error> {
        let mut subnets = self.matching::<WireSubnet>("subnets", by, values).await?.items;
        subnets.retain(|subnet| subnet.external != Some(true) && !subnet.is_transit());
        let is_own = |subnet: &WireSubnet| subnet.belongs_to(self.cloud().project_id());
        let value = |subnet: &WireSubnet| match by {
            By::Id => subnet.id.to_string(),
            By::Name => subnet.key().0.to_owned(),
            By::Cidr => subnet.cidr.to_string(),
        };
        let own: BTreeSet<String> = subnets.iter().filter(|subnet| is_own(subnet)).map(value).collect();
        subnets.retain(|subnet| is_own(subnet) || !own.contains(&value(subnet)));
        subnets.sort_by(|a, b| a.key().cmp(&b.key()));
        Ok(subnets.into_iter().map(WireSubnet::into_subnet).collect())
    }

    /// The names of the networks with one of those values that can be seen, whosever they are.
    pub async fn networks(&self, by: By, values: &[impl AsRef<str>]) -> Result<HashMap<Id, String>, Error> {
        let networks = self.matching::<WireNetwork>("networks", by, values).await?.items;
        Ok(networks.into_iter().map(WireNetwork::into_name).collect())
    }

    /// The objects with one of those values, in as many requests at once as keep their addresses short; none for no value.
    pub(super) async fn matching<T: Wire>(
        &self,
        collection: &'static str,
        by: By,
        values: &[impl AsRef<str>],
    ) -> Result<Readable<T>, Error> {
        let asked = batches(by.attribute(), values.iter().map(AsRef::as_ref))
            .map(|filters| async move { self.fit::<T>(&[collection], collection, T::FIELDS, &filters).await });
        let mut found = Readable::default();
        for part in try_join_all(asked).await? {
            found.items.extend(part.items);
            found.unfit.extend(part.unfit);
        }
        Ok(found)
    }
}
