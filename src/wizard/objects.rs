//! The lists that may be long, of routers and of subnets. Every candidate is shown, those that cannot be taken with the
//! reason; what is said of a line is made when it is shown.

use std::collections::HashSet;

use ipnet::IpNet;
use itertools::Itertools;

use super::choices::about;
use super::picker::{Choice, Line, worst};
use super::remote::Remote;
use super::screen::Mode;
use super::{NewVpn, RegionState};
use crate::cloud::{Detail, Id, Interfaces, Router, Subnet};
use crate::plan::checks::Tunnelled;
use crate::plan::{Finding, Half, Known, Place, Severity, checks, cidr};

/// How many subnets of a router are named; what comes after them has no room on any screen.
const MOST_NAMED: usize = 40;

impl NewVpn {
    pub(super) fn router_list(&self, half: Half) -> Option<RouterList<'_>> {
        RouterList::of(self.region_of(half)?, half)
    }

    pub(super) fn subnet_list(&self, half: Half) -> Option<SubnetList<'_>> {
        let region = self.region_of(half)?;
        SubnetList::of(region, self.answers.router_of(half)?, half, self.ranges_across(half))
    }

    /// The ranges the other side has. Only what was answered before binds: the first side is chosen freely.
    fn ranges_across(&self, half: Half) -> Vec<IpNet> {
        if (self.answers.mode, half) != (Mode::SiteToSite, Half::B) {
            return Vec::new();
        }
        self.local_ranges()
    }
}

/// The routers of a region, as candidates.
pub(super) struct RouterList<'a> {
    region: &'a RegionState,
    known: Known<'a>,
    half: Half,
}

impl<'a> RouterList<'a> {
    /// Those of a region that was read.
    pub(super) fn of(region: &'a RegionState, half: Half) -> Option<Self> {
        Some(Self { region, known: region.known()?, half })
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let routers = &self.known.inventory.routers;
        let twins = twins(routers.iter().map(|router| router.name.as_str()));
        routers.iter().map(|router| self.line(router, twins.contains(router.name.as_str()))).collect()
    }

    fn line(&self, router: &Router, twin: bool) -> Line {
        let v4 = router.external_v4.first().map(ToString::to_string);
        let address = v4.or_else(|| router.external_v6.first().map(ToString::to_string));
        let aside = match (twin, address) {
            (true, Some(address)) => format!("{address}  {}", router.id.short()),
            (true, None) => router.id.short().to_owned(),
            (false, address) => address.unwrap_or_else(|| "no gateway".to_owned()),
        };
        let worst = worst(&self.findings(router)).map(|finding| finding.severity);
        line(&router.id, &router.name, aside, worst)
    }

    fn findings(&self, router: &Router) -> Vec<Finding> {
        let mut findings = checks::router(&self.known, router, self.half);
        if is_bare(router) && !findings.iter().any(Finding::is_refusal) {
            let text = "has no subnet to tunnel; attach one first";
            findings.insert(0, Finding::refusal(Place::Router(self.half), text));
        }
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    pub(super) fn findings_of(&self, id: &Id) -> Option<Vec<Finding>> {
        self.known.inventory.router(id).map(|router| self.findings(router))
    }

    pub(super) fn detail_of(&self, id: &Id) -> Option<Vec<(String, String)>> {
        let router = self.known.inventory.router(id)?;
        let addresses = router.external_v4.iter().join(", ");
        let external = router.external_network.as_ref().map(|id| network(self.known.detail, id));
        let mut detail = vec![about("Id", router.id.as_str()), about("Status", router.status.to_string())];
        detail.extend(external.map(|external| about("Gateway", format!("{external} {addresses}"))));
        detail.extend(router.external_v6.first().map(|address| about("IPv6", address.to_string())));
        detail.push(about("Subnets", self.subnets(router)));
        Some(detail)
    }

    /// The subnets a router stands on, by its addresses.
    fn subnets(&self, router: &Router) -> String {
        let Some(interfaces) = &router.interfaces else {
            return match self.region.standing(&router.id) {
                Remote::Failed(error) => format!("could not be read: {error}; r reads again"),
                Remote::Loading { .. } => "being read".to_owned(),
                _ => "not read yet".to_owned(),
            };
        };
        if self.region.inventory.is_loading() && self.known.inventory.subnets.is_empty() {
            return "being read".to_owned();
        }
        let subnets = self.known.inventory.subnets.iter();
        let own = subnets.filter_map(|subnet| Some((interfaces.in_subnet(&subnet.id).first()?.address, subnet)));
        let own: Vec<_> = own.sorted_by_key(|(address, _)| *address).collect();
        let named =
            own.iter().take(MOST_NAMED).map(|(_, subnet)| format!("{} {}", subnet.name, subnet.cidr)).join(", ");
        match own.len().saturating_sub(MOST_NAMED) {
            0 if named.is_empty() => "none".to_owned(),
            0 => named,
            more => format!("{named}, and {more} more"),
        }
    }
}

impl RegionState {
    /// Whether it was read, and one of its routers can hold a VPN.
    pub(super) fn has_usable_router(&self) -> bool {
        let is_usable = |known: &Known<'_>, router: &Router| {
            !is_bare(router) && !checks::router(known, router, Half::A).iter().any(Finding::is_refusal)
        };
        self.known().is_some_and(|known| known.inventory.routers.iter().any(|router| is_usable(&known, router)))
    }
}

/// Whether a router is known to stand on no subnet.
fn is_bare(router: &Router) -> bool {
    router.interfaces.as_ref().is_some_and(Interfaces::is_empty)
}

/// The subnets of a region, as candidates for a tunnel from one of its routers.
pub(super) struct SubnetList<'a> {
    pub(super) known: Known<'a>,
    pub(super) router: &'a Router,
    pub(super) half: Half,
    /// The ranges of the other side.
    pub(super) across: Vec<IpNet>,
    /// What the router tunnels already.
    pub(super) tunnelled: Vec<Tunnelled<'a>>,
}

impl<'a> SubnetList<'a> {
    /// Those of the region of a router of which it was read where it stands.
    pub(super) fn of(region: &'a RegionState, router: &Id, half: Half, across: Vec<IpNet>) -> Option<Self> {
        let known = region.known()?;
        let router = known.inventory.router(router)?;
        router.interfaces.as_ref()?;
        let tunnelled = known.tunnelled(&router.id);
        Some(Self { known, router, half, across, tunnelled })
    }

    /// Only those that the router stands on.
    pub(super) fn own_lines(&self) -> Vec<Line> {
        let is_own = |subnet: &&Subnet| self.router.serves(&subnet.id) == Some(true);
        self.known.inventory.subnets.iter().filter(is_own).map(|subnet| self.line(subnet, false)).collect()
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let subnets = &self.known.inventory.subnets;
        let twins = twins(subnets.iter().map(|subnet| subnet.name.as_str()));
        let line = |subnet: &Subnet| self.line(subnet, twins.contains(subnet.name.as_str()));
        let mut lines: Vec<Line> = subnets.iter().map(line).collect();
        // What can be taken comes first; among thousands it would not be found otherwise.
        lines.sort_by_key(|line| !line.is_open());
        lines
    }

    fn line(&self, subnet: &Subnet, twin: bool) -> Line {
        let aside = if twin {
            let network = network(self.known.detail, &subnet.network);
            format!("{}  {network}  {}", subnet.cidr, subnet.id.short())
        } else {
            subnet.cidr.to_string()
        };
        // Most of a large region's subnets are on other routers, and what is said of those takes the longest to write.
        let worst = if self.router.serves(&subnet.id) == Some(true) {
            worst(&self.findings(subnet)).map(|finding| finding.severity)
        } else {
            Some(Severity::Refusal)
        };
        line(&subnet.id, &subnet.name, aside, worst)
    }

    fn findings(&self, subnet: &Subnet) -> Vec<Finding> {
        let place = Place::Subnets(self.half);
        let mut findings = checks::subnet(self.known.region, self.router, subnet, self.half);
        if let Some((_, other)) = cidr::on_both_sides(std::slice::from_ref(&subnet.cidr), &self.across) {
            findings.push(Finding::refusal(place, format!("overlaps {other} on the other side")));
        } else if let Some(other) =
            self.across.iter().find(|range| range.addr().is_ipv4() != subnet.cidr.addr().is_ipv4())
        {
            findings.push(Finding::refusal(place, format!("is of another IP version than {other} on the other side")));
        } else if self.router.serves(&subnet.id) == Some(true) && subnet.cidr.addr().is_ipv6() {
            findings.push(Finding::warning(place, "is IPv6; the other side must be IPv6 too"));
        }
        for tunnelled in &self.tunnelled {
            if let Some(range) = tunnelled.remote.iter().find(|range| cidr::overlap(range, &subnet.cidr)) {
                let text = format!("overlaps {range}, which {} tunnels to already", tunnelled.connection.name);
                findings.push(Finding::warning(place, text));
            }
        }
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    pub(super) fn findings_of(&self, id: &Id) -> Option<Vec<Finding>> {
        self.known.inventory.subnet(id).map(|subnet| self.findings(subnet))
    }

    pub(super) fn detail_of(&self, id: &Id) -> Option<Vec<(String, String)>> {
        let subnet = self.known.inventory.subnet(id)?;
        Some(vec![
            about("Id", subnet.id.as_str()),
            about("Network", network(self.known.detail, &subnet.network)),
            about("Gateway", subnet.gateway.map_or_else(|| "none".to_owned(), |gateway| gateway.to_string())),
        ])
    }
}

fn line(id: &Id, name: &str, aside: String, worst: Option<Severity>) -> Line {
    let title = if name.is_empty() { format!("(no name) {}", id.short()) } else { name.to_owned() };
    Line { choice: Choice::Object(id.clone()), title, aside, worst, about: None, pending: false }
}

fn network(detail: Option<&Detail>, id: &Id) -> String {
    detail.and_then(|detail| detail.network_name(id)).map_or_else(|| id.short().to_owned(), ToOwned::to_owned)
}

pub(super) fn twins<'a>(names: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
    let mut seen = HashSet::new();
    names.filter(|name| !seen.insert(*name)).collect()
}
