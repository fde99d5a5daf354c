//! Where the half that is missing belongs.

use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;

use super::missing_half;
use crate::change::proposal::Refused;
use crate::cloud::vpnaas::is_marked;
use crate::cloud::{Detail, Id, RegionId, Router, Status, Subnet, Survey, VpnService};
use crate::inspect::{Inspection, Vpn, outside};
use crate::plan::checks::{self, TunnelEnd};
use crate::plan::{Finding, Known, Outer, Place};

/// Where the half that is missing belongs.
pub(super) struct NewEnd<'a> {
    pub region: &'a RegionId,
    pub survey: &'a Survey,
    pub router: &'a Router,
    pub subnets: Vec<Id>,
    /// The service that it uses.
    pub service: Option<&'a VpnService>,
    /// Those beside it that no connection uses: a router runs one service.
    pub useless: Vec<&'a VpnService>,
    /// Where the other half reaches it; none until the cloud has made its service.
    pub address: Option<IpAddr>,
    pub outer: Outer,
}

impl<'a> NewEnd<'a> {
    pub fn of(seen: &'a Inspection, vpn: &'a Vpn, wanted: Option<&str>) -> Result<Self, Refused> {
        let side = &vpn.a;
        let (region, survey, router) = place(seen, vpn, wanted)?;
        let subnet = |range: &IpNet| subnet_of(survey, router, range);
        let missing = side.remote.iter().filter(|range| subnet(range).is_none()).join(", ");
        if !missing.is_empty() {
            let text = format!(
                "the half in {} expects {missing}, and router {} in {region} stands on no subnet with that",
                side.region, router.name
            );
            return Err(Refused::because(text));
        }
        if !router.admin_state_up {
            return Err(Refused::because(format!("router {} in {region} is switched off", router.name)));
        }
        let is_v6 = side.connection.peer_address.parse().is_ok_and(|peer: IpAddr| peer.is_ipv6());
        let (service, useless) = services(vpn, survey, router, region)?;
        let of_family = |address: &IpAddr| address.is_ipv6() == is_v6;
        let at_router = outside(router).find(of_family);
        let address = match service {
            Some(service) => service.addresses().find(of_family),
            None if survey.inventory.extensions.is_ovn() => None,
            None => at_router,
        };
        if address.is_none() && (service.is_some() || at_router.is_none()) {
            let text = format!("router {} in {region} has no external address for its peer to use", router.name);
            return Err(Refused::because(text));
        }
        let subnets = side.remote.iter().filter_map(subnet).collect();
        let outer = if is_v6 { Outer::V6 } else { Outer::V4 };
        Ok(Self { region, survey, router, subnets, service, useless, address, outer })
    }

    /// What speaks for or against carrying that there, as the checks of a new VPN have it.
    pub fn findings(&self, own: IpAddr, ranges: &[IpNet]) -> Vec<Finding> {
        let detail = Detail { groups: self.survey.groups.clone(), ..Detail::default() };
        let inventory = &self.survey.inventory;
        let known = Known { region: self.region, inventory, detail: Some(&detail), upgrades: None };
        let subnets: Vec<Subnet> = self.subnets.iter().filter_map(|id| inventory.subnet(id)).cloned().collect();
        let addresses = checks::outside::own_addresses(self.router, self.service);
        let end = TunnelEnd {
            known: &known,
            router: self.router,
            own: &addresses,
            peer: (Some(own), Place::PeerAddress),
            local: &subnets,
            remote: ranges,
            remote_at: Place::PeerCidrs,
            connection: None,
        };
        checks::carried(&end, None)
    }
}

fn subnet_of(survey: &Survey, router: &Router, range: &IpNet) -> Option<Id> {
    let inventory = &survey.inventory;
    let is_it = |id: &Id, cidr: &IpNet| cidr == range && router.serves(id) == Some(true);
    inventory.subnets.iter().find(|subnet| is_it(&subnet.id, &subnet.cidr)).map(|subnet| subnet.id.clone())
}

type Located<'a> = (&'a RegionId, &'a Survey, &'a Router);

/// The router that is wanted, by name or id; or the one with the address that the other half expects; or that of a service with
/// the marker of the half; or the only one that stands on its subnets.
fn place<'a>(seen: &'a Inspection, vpn: &Vpn, wanted: Option<&str>) -> Result<Located<'a>, Refused> {
    let side = &vpn.a;
    let is_own = |router: &Router| side.router.as_ref().is_some_and(|own| own.id == router.id);
    let all: Vec<Located<'a>> = seen
        .surveys
        .iter()
        .flat_map(|(region, survey)| survey.inventory.routers.iter().map(move |router| (region, survey, router)))
        .filter(|(.., router)| !is_own(router))
        .collect();
    let serves = |place: &Located<'a>| {
        side.remote.iter().all(|range| subnet_of(place.1, place.2, range).is_some()) && place.2.has_gateway()
    };
    let expected = side.remote.iter().join(", ");
    let of =
        |is_it: &dyn Fn(&Located<'a>) -> bool| all.iter().filter(|place| is_it(place)).copied().collect::<Vec<_>>();
    if let Some(wanted) = wanted {
        let is_called = |(.., router): &Located<'a>| router.id.as_str() == wanted || router.name == wanted;
        return match of(&|place| is_called(place) && serves(place)).as_slice() {
            [only] => Ok(*only),
            [] => Err(Refused::because(format!("no router {wanted} with a gateway stands on {expected}"))),
            several => Err(Refused::because(choose(vpn, several))),
        };
    }
    let peer = side.connection.peer_address.parse::<IpAddr>().ok();
    let mark = vpn.id.as_ref().map(|id| id.mark(missing_half(vpn)));
    let on = |(_, survey, router): &Located<'a>| survey.inventory.services_on(&router.id).collect::<Vec<_>>();
    let has_address = |place: &Located<'a>| {
        let of_services = on(place).into_iter().flat_map(VpnService::addresses).collect::<Vec<_>>();
        outside(place.2).chain(of_services).any(|address| Some(address) == peer)
    };
    let is_marked = |place: &Located<'a>| {
        mark.as_ref().is_some_and(|mark| on(place).iter().any(|one| is_marked(&one.description, mark)))
    };
    for is_it in [&has_address as &dyn Fn(&Located<'a>) -> bool, &is_marked] {
        let known = of(is_it);
        // Two regions may use the same addresses.
        let serving: Vec<Located<'a>> = known.iter().filter(|place| serves(place)).copied().collect();
        match (known.as_slice(), serving.as_slice()) {
            ([], _) => {}
            ([only], _) | (_, [only]) => return Ok(*only),
            (several, _) => return Err(Refused::because(choose(vpn, several))),
        }
    }
    match of(&serves).as_slice() {
        [only] => Ok(*only),
        [] => Err(Refused::because(format!(
            "no router of this project has the address {}, and none with a gateway stands on {expected}",
            side.connection.peer_address
        ))),
        several => Err(Refused::because(choose(vpn, several))),
    }
}

fn choose(vpn: &Vpn, several: &[Located<'_>]) -> String {
    let names =
        several.iter().map(|(region, _, router)| format!("{} in {region} ({})", router.name, router.id)).join(", ");
    format!(
        "the missing half of {} could be made on several routers: {names}; choose one by its name or id: {}",
        vpn.name,
        vpn.command("repair").words("--router ROUTER")
    )
}

type FoundServices<'a> = (Option<&'a VpnService>, Vec<&'a VpnService>);

/// The service of the router to use, and those in its way that no connection uses.
fn services<'a>(
    vpn: &Vpn,
    survey: &'a Survey,
    router: &'a Router,
    region: &RegionId,
) -> Result<FoundServices<'a>, Refused> {
    let connections = &survey.inventory.connections;
    let is_used = |service: &VpnService| connections.iter().any(|one| one.service == service.id);
    let is_usable = |service: &VpnService| {
        service.legacy_subnet.is_none() && service.status != Status::Error && service.admin_state_up
    };
    let (used, unused): (Vec<_>, Vec<_>) =
        survey.inventory.services_on(&router.id).partition(|service| is_used(service));
    match used.as_slice() {
        [] => {
            let usable = unused.iter().find(|service| is_usable(service)).copied();
            let useless = unused.into_iter().filter(|one| usable.is_none_or(|usable| usable.id != one.id));
            Ok((usable, useless.collect()))
        }
        [service] if is_usable(service) => Ok((Some(service), Vec::new())),
        [service] => {
            let why = match &service.legacy_subnet {
                Some(_) => "of the old kind, tied to one subnet; upgrade the VPN that uses it first (osvpn upgrade)",
                None => "switched off or in ERROR; see to the VPN that uses it first (osvpn doctor)",
            };
            Err(Refused::because(format!("the VPN service {} of {} in {region} is {why}", service.id, router.name)))
        }
        _ => {
            let doctor = vpn.command("doctor");
            let text = format!("router {} in {region} holds several VPN services; see {doctor}", router.name);
            Err(Refused::because(text))
        }
    }
}
