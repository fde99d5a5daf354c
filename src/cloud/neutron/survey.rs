//! Reads the VPNs of a region: the VPN lists whole, and then, by their ids, the routers and subnets that these name. The region
//! may have thousands of others.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::by::{By, INTERFACE_OWNERS, batches};
use super::wire::vpn::{WireConnection, WireGroup, WirePolicy, WireService};
use super::wire::{Wire as _, WirePort, WireRouter, WireSubnet};
use super::{Readable, unless_absent, wire};
use crate::cloud::error::{Error, ErrorKind};
use crate::cloud::inventory::{
    EndpointGroup, Extensions, Id, Interfaces, Router, SiteConnection, Subnet, Survey, VpnService,
};
use crate::cloud::keystone::Region;
use crate::cloud::request::Kind;

/// The VPN objects of a region, without what is around them.
#[derive(Clone, Debug, Default)]
pub struct VpnLists {
    survey: Survey,
    /// The services whose addresses the cloud is too old to tell: they have their router's.
    untold: BTreeSet<Id>,
    /// Known only where a list was missing.
    extensions: Option<Extensions>,
}

/// Which subnets are read beside those that connections tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherSubnets {
    /// None: comparing halves needs no others.
    Leave,
    /// All subnets of the routers with a VPN service: other subnets to tunnel are chosen among them.
    OfRouters,
}

impl VpnLists {
    pub fn connections(&self) -> &[SiteConnection] {
        &self.survey.inventory.connections
    }

    /// The subnets a connection tunnels, as far as the lists tell: not where a group has ranges in their place.
    pub fn tunnelled<'a>(&'a self, connection: &'a SiteConnection) -> impl Iterator<Item = Id> {
        let group = self.group(connection).filter(|group| group.kind != "cidr");
        let endpoints = group.into_iter().flat_map(|group| &group.endpoints).map(|id| Id::new(id.as_str()));
        let service = self.service(connection).filter(|_| connection.local_group.is_none());
        endpoints.chain(service.and_then(|service| service.legacy_subnet.clone()))
    }

    fn group(&self, connection: &SiteConnection) -> Option<&EndpointGroup> {
        self.survey.groups.iter().find(|group| Some(&group.id) == connection.local_group.as_ref())
    }

    fn service(&self, connection: &SiteConnection) -> Option<&VpnService> {
        self.survey.inventory.services.iter().find(|service| service.id == connection.service)
    }

    fn is_empty(&self) -> bool {
        let Survey { inventory, groups, ike_policies, ipsec_policies } = &self.survey;
        inventory.services.is_empty()
            && inventory.connections.is_empty()
            && groups.is_empty()
            && ike_policies.is_empty()
            && ipsec_policies.is_empty()
    }
}

impl Region {
    /// The VPN lists, in five requests at once. A region without `VPNaaS` has none, which one request more tells.
    pub async fn vpn_lists(&self) -> Result<VpnLists, Error> {
        let (services, connections, groups, ike, ipsec) = tokio::join!(
            self.fit_vpn::<WireService>(Kind::VpnService),
            self.fit_vpn::<WireConnection>(Kind::SiteConnection),
            self.fit_vpn::<WireGroup>(Kind::EndpointGroup),
            self.fit_vpn::<WirePolicy>(Kind::IkePolicy),
            self.fit_vpn::<WirePolicy>(Kind::IpsecPolicy),
        );
        let is_missing = is_missing(&services)
            || is_missing(&connections)
            || is_missing(&groups)
            || is_missing(&ike)
            || is_missing(&ipsec);
        let extensions = if is_missing { Some(self.extensions().await?) } else { None };
        let absent = extensions.as_ref().is_some_and(|extensions| !extensions.has("vpnaas"));
        let mut survey = Survey::default();
        let unfit = &mut survey.inventory.unfit;
        let services = self.own(unless_absent(services, absent)?.and(unfit));
        let connections = self.own(unless_absent(connections, absent)?.and(unfit));
        let groups = self.own(unless_absent(groups, absent)?.and(unfit));
        let ike = self.own(unless_absent(ike, absent)?.and(unfit));
        let ipsec = self.own(unless_absent(ipsec, absent)?.and(unfit));
        let untold = services.iter().filter(|service| !service.tells_address()).map(|service| service.id.clone());
        let untold = untold.collect();
        survey.inventory.services = services.into_iter().map(WireService::into_service).collect();
        survey.inventory.connections = connections.into_iter().map(WireConnection::into_connection).collect();
        survey.groups = groups.into_iter().map(WireGroup::into_group).collect();
        survey.ike_policies = ike.into_iter().map(WirePolicy::into_policy).collect();
        survey.ipsec_policies = ipsec.into_iter().map(WirePolicy::into_policy).collect();
        Ok(VpnLists { survey, untold, extensions })
    }

    /// The connections and services alone, in two requests at once; none where there is no `VPNaaS`. What does not match the API
    /// is left out.
    pub async fn vpn_states(&self) -> Result<(Vec<SiteConnection>, Vec<VpnService>), Error> {
        let (connections, services) = tokio::join!(
            self.fit_vpn::<WireConnection>(Kind::SiteConnection),
            self.fit_vpn::<WireService>(Kind::VpnService),
        );
        let connections = self.own(unless_absent(connections, true)?.items);
        let services = self.own(unless_absent(services, true)?.items);
        let connections = connections.into_iter().map(WireConnection::into_connection).collect();
        Ok((connections, services.into_iter().map(WireService::into_service).collect()))
    }

    /// What is around the VPN objects, in one round trip, and one more for other subnets. Where there are no VPN objects
    /// nothing depends on the extensions, and they are not read either.
    pub async fn survey(&self, lists: VpnLists, others: OtherSubnets) -> Result<Survey, Error> {
        if lists.is_empty() {
            return Ok(lists.survey);
        }
        let on: Vec<Id> = ids(lists.survey.inventory.services.iter().map(|service| &service.router));
        let tunnelled: BTreeSet<Id> =
            lists.connections().iter().flat_map(|connection| lists.tunnelled(connection)).collect();
        let in_order = Vec::from_iter(&tunnelled);
        let (extensions, routers, interfaces, subnets) = tokio::try_join!(
            async {
                match &lists.extensions {
                    Some(known) => Ok(known.clone()),
                    None => self.extensions().await,
                }
            },
            self.matching::<WireRouter>("routers", By::Id, &on),
            self.interfaces(&on),
            self.matching::<WireSubnet>("subnets", By::Id, &in_order),
        )?;
        let mut unfit = Vec::new();
        let mut routers: Vec<Router> =
            self.own(routers.and(&mut unfit)).into_iter().map(WireRouter::into_router).collect();
        add_interfaces(&mut routers, interfaces);
        let mut subnets = subnets.and(&mut unfit);
        let (more, across) = tokio::try_join!(
            self.other_subnets(&lists, &routers, &tunnelled, others),
            self.routers_across(&lists, &routers, &subnets),
        )?;
        subnets.extend(more.and(&mut unfit));
        routers.extend(across);
        routers.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let external = routers.iter().filter_map(|router| router.external_network.as_ref()).collect();
        let VpnLists { mut survey, untold, .. } = lists;
        let inventory = &mut survey.inventory;
        for service in inventory.services.iter_mut().filter(|service| untold.contains(&service.id)) {
            if let Some(router) = routers.iter().find(|router| router.id == service.router) {
                service.external_v4 = router.external_v4.first().copied();
                service.external_v6 = router.external_v6.first().copied();
            }
        }
        inventory.extensions = extensions;
        let (own, foreign) = self.usable(subnets, &external);
        inventory.subnets = own.into_iter().chain(foreign).collect();
        inventory.subnets.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        inventory.routers = routers;
        inventory.unfit.extend(unfit);
        Ok(survey)
    }

    /// The subnets that routers stand on and that have not been read: all of them, or only where a connection tunnels
    /// ranges instead of subnets, which these may be.
    async fn other_subnets(
        &self,
        lists: &VpnLists,
        routers: &[Router],
        read: &BTreeSet<Id>,
        others: OtherSubnets,
    ) -> Result<Readable<WireSubnet>, Error> {
        let has_ranges =
            |connection: &&SiteConnection| lists.group(connection).is_some_and(|group| group.kind == "cidr");
        let with_ranges = lists.connections().iter().filter(has_ranges).filter_map(|one| lists.service(one));
        let with_ranges: BTreeSet<&Id> = with_ranges.map(|service| &service.router).collect();
        let wanted =
            routers.iter().filter(|router| others == OtherSubnets::OfRouters || with_ranges.contains(&router.id));
        let stands_on = wanted.filter_map(|router| router.interfaces.as_ref()).flat_map(Interfaces::iter);
        let ids = ids(stands_on.map(|interface| &interface.subnet).filter(|subnet| !read.contains(subnet)));
        self.matching("subnets", By::Id, &ids).await
    }

    /// The routers that have the gateway of a subnet which is tunnelled from another router and is not attached to that.
    async fn routers_across(
        &self,
        lists: &VpnLists,
        routers: &[Router],
        subnets: &[WireSubnet],
    ) -> Result<Vec<Router>, Error> {
        let router =
            |connection| lists.service(connection).and_then(|one| routers.iter().find(|own| own.id == one.router));
        let lost = lists.connections().iter().flat_map(|connection| {
            let own = router(connection);
            let is_lost = move |subnet: &Id| own.is_some_and(|router| router.serves(subnet) == Some(false));
            lists.tunnelled(connection).filter(move |subnet| is_lost(subnet))
        });
        let lost: BTreeSet<Id> = lost.filter(|lost| subnets.iter().any(|subnet| subnet.id == *lost)).collect();
        let standing = self.interfaces_in(lost.iter()).await?;
        let others = ids(standing.keys().filter(|id| !routers.iter().any(|router| router.id == **id)));
        let (mut found, interfaces) = tokio::try_join!(self.routers(By::Id, &others), self.interfaces(&others))?;
        add_interfaces(&mut found, interfaces);
        Ok(found)
    }

    /// The routers that stand on subnets with those ranges, these subnets, and what the region can do: where a half that
    /// tunnels them can be made.
    pub(crate) async fn routers_on(&self, ranges: &[IpNet]) -> Result<(Extensions, Vec<Router>, Vec<Subnet>), Error> {
        let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
        let (extensions, subnets) = tokio::try_join!(self.extensions(), self.subnets(By::Cidr, &ranges))?;
        if subnets.is_empty() {
            return Ok((extensions, Vec::new(), subnets));
        }
        let standing = self.interfaces_in(subnets.iter().map(|subnet| &subnet.id)).await?;
        let ids = ids(standing.keys());
        let (mut routers, interfaces) = tokio::try_join!(self.routers(By::Id, &ids), self.interfaces(&ids))?;
        add_interfaces(&mut routers, interfaces);
        Ok((extensions, routers, subnets))
    }

    async fn interfaces_in(&self, subnets: impl Iterator<Item = &Id>) -> Result<BTreeMap<Id, Interfaces>, Error> {
        let filters: Vec<String> = subnets.map(|id| format!("subnet_id={id}")).collect();
        let mut ports = Vec::new();
        for some in batches("fixed_ips", filters.iter().map(String::as_str)) {
            let owners = INTERFACE_OWNERS.map(|owner| ("device_owner", owner));
            let filters: Vec<_> = owners.into_iter().chain(some).collect();
            ports.extend(self.list::<WirePort>(&["ports"], "ports", WirePort::FIELDS, &filters).await?);
        }
        Ok(wire::interfaces(ports))
    }
}

fn is_missing<T>(list: &Result<T, Error>) -> bool {
    list.as_ref().is_err_and(|error| error.kind == ErrorKind::NotFound)
}

fn ids<'a>(ids: impl Iterator<Item = &'a Id>) -> Vec<Id> {
    ids.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

fn add_interfaces(routers: &mut [Router], mut read: BTreeMap<Id, Interfaces>) {
    for router in routers {
        router.interfaces = read.remove(&router.id);
    }
}
