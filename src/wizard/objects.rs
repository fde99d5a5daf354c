//! The lists that may be long, of routers and of subnets. Every candidate is shown, those that cannot be taken with the
//! reason; what is said of a line is made when it is shown.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;
use itertools::Itertools;

use super::choices::about;
use super::interfaces::A_REQUEST;
use super::picker::{About, Choice, Line, worst};
use super::proposals::{HalfMade, routers_of};
use super::remote::Remote;
use super::screen::Mode;
use super::{NewVpn, RegionState};
use crate::cloud::{Detail, Id, Interfaces, Router, Subnet};
use crate::inspect::Vpn;
use crate::plan::checks::Tunnelled;
use crate::plan::{Finding, Half, Known, Place, Severity, checks, cidr};

/// How many subnets of a router are named; what comes after them has no room on any screen.
const MOST_NAMED: usize = 40;

impl NewVpn {
    pub(super) fn router_list(&self, half: Half) -> Option<RouterList<'_>> {
        let list = RouterList::of(self.region_of(half)?, half)?;
        Some(RouterList {
            across: self.ranges_across(half),
            connecting: self.connecting(half),
            half_made: &self.proposals.half_made,
            ..list
        })
    }

    pub(super) fn subnet_list(&self, half: Half) -> Option<SubnetList<'_>> {
        let region = self.region_of(half)?;
        SubnetList::of(region, self.answers.router_of(half)?, half, self.ranges_across(half))
    }

    /// The VPNs that exist on the router of the other side.
    fn connecting(&self, half: Half) -> Vec<&Vpn> {
        let other = self.answers.router_of(half.other()).filter(|_| self.answers.mode == Mode::SiteToSite);
        let is_on = |vpn: &&Vpn| routers_of(vpn).any(|router| Some(router) == other) && vpn.b().is_some();
        self.proposals.vpns.iter().filter(is_on).collect()
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
    /// The ranges of the other side.
    across: Vec<IpNet>,
    /// The VPNs on the router that was chosen on the other side.
    connecting: Vec<&'a Vpn>,
    half_made: &'a [HalfMade],
}

impl<'a> RouterList<'a> {
    /// Those of a region that was read.
    pub(super) fn of(region: &'a RegionState, half: Half) -> Option<Self> {
        Some(Self { region, known: region.known()?, half, across: Vec::new(), connecting: Vec::new(), half_made: &[] })
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let routers = &self.known.inventory.routers;
        let twins = twins(routers.iter().map(|router| router.name.as_str()));
        let subnets = if self.across.is_empty() { HashMap::new() } else { self.known.inventory.subnets_by_id() };
        let subnet = |id: &Id| subnets.get(id).copied();
        let line = |router: &Router| self.line(router, twins.contains(router.name.as_str()), subnet);
        // Where one page does not hold them all, they are read as the user comes by, and must not move then.
        let is_read_at_once = routers.len() <= A_REQUEST;
        let is_open = |router: &Router, line: &Line| {
            if is_read_at_once {
                line.is_open()
            } else {
                !checks::router(&self.known, router, self.half).iter().any(Finding::is_refusal)
            }
        };
        let mut lines: Vec<(bool, Line)> = routers
            .iter()
            .map(|router| (router, line(router)))
            .map(|(router, line)| (is_open(router, &line), line))
            .collect();
        lines.sort_by_key(|(is_open, _)| !is_open);
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// The routers, and where there are several that can be used, a line for who knows the subnet and not its router.
    pub(super) fn lines_and_more(&self) -> Vec<Line> {
        let mut lines = self.lines();
        let open = lines.iter().take_while(|line| line.is_open()).count();
        if open > 1 {
            let what = "lists the subnets of all routers; choosing one chooses its router";
            let about = About { detail: vec![about("Enter", what)], ..About::default() };
            lines.insert(open, Line::new(Choice::Others, "choose a subnet first", "", about));
        }
        lines
    }

    fn line(&self, router: &Router, twin: bool, subnet: impl Fn(&Id) -> Option<&'a Subnet>) -> Line {
        let v4 = router.external_v4.first().map(ToString::to_string);
        let address = v4.or_else(|| router.external_v6.first().map(ToString::to_string));
        let aside = match (twin, address) {
            (true, Some(address)) => format!("{address}  {}", router.id.short()),
            (true, None) => router.id.short().to_owned(),
            (false, address) => address.unwrap_or_else(|| "no gateway".to_owned()),
        };
        let worst = worst(&self.findings(router, subnet)).map(|finding| finding.severity);
        line(&router.id, &router.name, aside, worst)
    }

    fn findings(&self, router: &Router, subnet: impl Fn(&Id) -> Option<&'a Subnet>) -> Vec<Finding> {
        let mut findings = checks::router(&self.known, router, self.half);
        if is_bare(router) && !findings.iter().any(Finding::is_refusal) {
            let text = "has no subnet to tunnel; attach one first";
            findings.insert(0, Finding::refusal(Place::Router(self.half), text));
        }
        findings.extend(self.overlap(router, subnet));
        if let Some(vpn) = self.vpn_on(&router.id) {
            let text = format!("{} connects it with the router of the other side already", vpn.name);
            findings.push(Finding::warning(Place::Router(self.half), text));
        }
        if let Some(half_made) = self.half_made.iter().find(|one| one.is_on(&router.id)) {
            let text = format!(
                "is part of {}, whose creation was interrupted; resume it or roll it back first",
                half_made.name
            );
            findings.push(Finding::warning(Place::Router(self.half), text));
        }
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    /// That all its subnets are on the other side too, so that none of them can be tunnelled.
    fn overlap(&self, router: &Router, subnet: impl Fn(&Id) -> Option<&'a Subnet>) -> Option<Finding> {
        let own = router.interfaces.as_ref().filter(|own| !self.across.is_empty() && !own.is_empty())?;
        let overlaps = |range: IpNet| {
            cidr::on_both_sides(std::slice::from_ref(&range), &self.across).map(|(_, other)| (range, *other))
        };
        let ranges = own.iter().filter_map(|one| subnet(&one.subnet)).map(|subnet| subnet.cidr);
        let (own, other) = ranges.map(overlaps).collect::<Option<Vec<_>>>()?.into_iter().next()?;
        let text = format!("has only subnets that overlap the other side ({own} and {other})");
        Some(Finding::refusal(Place::Router(self.half), text))
    }

    /// The VPN that connects it with the router of the other side.
    pub(super) fn vpn_on(&self, router: &Id) -> Option<&'a Vpn> {
        self.connecting.iter().copied().find(|vpn| routers_of(vpn).any(|of_vpn| of_vpn == router))
    }

    pub(super) fn findings_of(&self, id: &Id) -> Option<Vec<Finding>> {
        let subnet = |id: &Id| self.known.inventory.subnet(id);
        self.known.inventory.router(id).map(|router| self.findings(router, subnet))
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
    /// The region, where another router can be taken for the sake of its subnets.
    pub(super) region: Option<&'a RegionState>,
}

/// Where a subnet is.
#[derive(Clone, Copy)]
enum Attached<'a> {
    Here,
    Elsewhere(&'a Router),
    /// Perhaps on a router that is still being read.
    Unread,
    Nowhere,
}

impl<'a> SubnetList<'a> {
    /// Those of the region of a router of which it was read where it stands.
    pub(super) fn of(region: &'a RegionState, router: &Id, half: Half, across: Vec<IpNet>) -> Option<Self> {
        let known = region.known()?;
        let router = known.inventory.router(router)?;
        router.interfaces.as_ref()?;
        let tunnelled = known.tunnelled(&router.id);
        Some(Self { known, router, half, across, tunnelled, region: Some(region) })
    }

    /// Only those that the router stands on, in the order of all.
    pub(super) fn own_lines(&self, by_id: &HashMap<&Id, &Subnet>) -> Vec<Line> {
        let interfaces = self.router.interfaces.iter().flat_map(Interfaces::iter);
        let own = interfaces.filter_map(|interface| by_id.get(&interface.subnet).copied());
        let own = own.sorted_by_key(|subnet| (&subnet.name, &subnet.id)).dedup_by(|one, other| one.id == other.id);
        own.map(|subnet| self.line(subnet, Attached::Here, false)).collect()
    }

    pub(super) fn lines(&self, with_others: bool) -> Vec<Line> {
        let subnets = &self.known.inventory.subnets;
        let twins = twins(subnets.iter().map(|subnet| subnet.name.as_str()));
        let line = |subnet: &Subnet, attached| self.line(subnet, attached, twins.contains(subnet.name.as_str()));
        let (own, others): (Vec<&Subnet>, Vec<&Subnet>) =
            subnets.iter().partition(|subnet| self.router.serves(&subnet.id) == Some(true));
        let mut lines: Vec<Line> = own.into_iter().map(|subnet| line(subnet, Attached::Here)).collect();
        if with_others {
            let routers = self.routers();
            lines
                .extend(others.into_iter().map(|subnet| line(subnet, self.attached(routers.get(&subnet.id).copied()))));
        }
        // What can be taken comes first; among thousands it would not be found otherwise.
        lines.sort_by_key(|line| !line.is_open());
        let count = subnets.len() - lines.len();
        if count > 0 {
            let title = format!("{count} more on other routers");
            let what = match self.region {
                Some(_) => "shows them; choosing one chooses its router".to_owned(),
                None => format!("shows them; this VPN ends on {}", self.router.name),
            };
            lines.push(Line::new(
                Choice::Others,
                title,
                "",
                About { detail: vec![about("Enter", what)], ..About::default() },
            ));
        }
        lines
    }

    /// Which router each subnet is on, as far as they were read.
    fn routers(&self) -> HashMap<&'a Id, &'a Router> {
        let routers = self.known.inventory.routers.iter();
        let of_router = |router: &'a Router| {
            router.interfaces.iter().flat_map(Interfaces::iter).map(move |interface| (&interface.subnet, router))
        };
        routers.flat_map(of_router).collect()
    }

    fn attached(&self, router: Option<&'a Router>) -> Attached<'a> {
        match (router, self.region) {
            (Some(router), _) if router.id == self.router.id => Attached::Here,
            (Some(router), _) => Attached::Elsewhere(router),
            (None, Some(region)) if region.has_unread_routers() => Attached::Unread,
            (None, _) => Attached::Nowhere,
        }
    }

    fn attached_by_id(&self, subnet: &Subnet) -> Attached<'a> {
        let mut routers = self.known.inventory.routers.iter();
        self.attached(routers.find(|router| router.serves(&subnet.id) == Some(true)))
    }

    /// The router that comes with a subnet that is on another one.
    pub(super) fn router_with(&self, id: &Id) -> Option<&'a Router> {
        match self.attached_by_id(self.known.inventory.subnet(id)?) {
            Attached::Elsewhere(router) if self.region.is_some() => Some(router),
            _ => None,
        }
    }

    fn line(&self, subnet: &Subnet, attached: Attached<'_>, twin: bool) -> Line {
        let aside = if twin {
            let network = network(self.known.detail, &subnet.network);
            format!("{}  {network}  {}", subnet.cidr, subnet.id.short())
        } else {
            subnet.cidr.to_string()
        };
        let worst = worst(&self.findings(subnet, attached)).map(|finding| finding.severity);
        let is_unread = matches!(attached, Attached::Unread);
        Line { pending: is_unread && worst != Some(Severity::Refusal), ..line(&subnet.id, &subnet.name, aside, worst) }
    }

    /// What speaks for or against the place of a subnet.
    fn of_place(&self, subnet: &Subnet, attached: Attached<'_>) -> Vec<Finding> {
        let place = Place::Subnets(self.half);
        let (text, other) = match (attached, self.region) {
            (Attached::Here | Attached::Nowhere, _) => {
                return checks::subnet(&self.known, self.router, subnet, self.half);
            }
            (Attached::Unread, _) => return Vec::new(),
            (Attached::Elsewhere(other), None) => {
                let text = format!("is on {}, and this VPN ends on {}", other.name, self.router.name);
                return vec![Finding::refusal(place, text)];
            }
            (Attached::Elsewhere(other), Some(_)) => (format!("is on {}", other.name), other),
        };
        let against = checks::router(&self.known, other, self.half).into_iter().find(Finding::is_refusal);
        match against {
            Some(why) => vec![Finding::refusal(place, format!("{text}, which {}", why.text))],
            None => vec![Finding::notice(place, format!("{text}; choosing it chooses that router"))],
        }
    }

    fn findings(&self, subnet: &Subnet, attached: Attached<'_>) -> Vec<Finding> {
        let place = Place::Subnets(self.half);
        let mut findings = self.of_place(subnet, attached);
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
        self.known.inventory.subnet(id).map(|subnet| self.findings(subnet, self.attached_by_id(subnet)))
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
