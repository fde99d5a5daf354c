//! From what is known to the lines of a list: every candidate is shown, those that cannot be taken with the reason.

use std::collections::HashMap;

use ipnet::IpNet;
use itertools::Itertools;

use super::picker::{Choice, Line};
use super::remote::Remote;
use super::screen::Mode;
use super::{Model, RegionState};
use crate::cloud::{Detail, Id, Interfaces, Inventory, Router, Subnet};
use crate::plan::checks::Tunnelled;
use crate::plan::{Finding, Half, Known, Place, Profile, Severity, checks, cidr};

pub(super) fn line(choice: Choice, title: impl Into<String>, aside: impl Into<String>) -> Line {
    Line { choice, title: title.into(), aside: aside.into(), detail: Vec::new(), findings: Vec::new(), pending: false }
}

pub(super) fn about(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

impl Model {
    pub(super) fn region_line(&self, region: &RegionState, half: Half) -> Line {
        let name = self.shell.labels.name(&region.id);
        let code = if name == region.id.as_str() { String::new() } else { region.id.to_string() };
        let mut line = line(Choice::Region(region.id.clone()), name, code);
        let place = Place::Region(half);
        match &region.inventory {
            Remote::NotAsked | Remote::Loading { .. } => line.pending = true,
            Remote::Failed(error) => {
                line.findings.push(Finding::refusal(place, format!("did not answer: {error}")));
                line.detail.extend(error.request.iter().map(|request| about("Request", request.clone())));
                line.detail.extend(error.request_id.iter().map(|id| about("Number", id.clone())));
            }
            Remote::Ready(inventory) => {
                let text = "has no VPN service (VPNaaS)";
                if !inventory.extensions.has_vpnaas() {
                    line.findings.push(Finding::refusal(place, text));
                } else if half == Half::B && self.new_vpn.answers.region.a.as_ref() == Some(&region.id) {
                    line.findings.push(Finding::refusal(place, "is the first region already; site-to-site needs two"));
                } else if let Some(known) = region.known()
                    && !inventory.routers.iter().any(|router| is_usable(&known, router))
                {
                    line.findings
                        .push(Finding::warning(place, "has no router that can hold a VPN; the next list says why"));
                }
                line.detail = vec![
                    about("Routers", inventory.routers.len().to_string()),
                    about("Subnets", inventory.subnets.len().to_string()),
                    about("VPN services", inventory.services.len().to_string()),
                    about("Connections", inventory.connections.len().to_string()),
                ];
                if inventory.extensions.has_vpnaas() && !inventory.extensions.stores_sha1() {
                    line.detail.push(about("SHA-1", "no longer stored"));
                }
            }
        }
        line
    }

    pub(super) fn router_lines(&self, half: Half) -> Vec<Line> {
        let Some(known) = self.new_vpn.region_of(half).and_then(RegionState::known) else { return Vec::new() };
        let routers = &known.inventory.routers;
        let twin = |router: &Router| routers.iter().filter(|other| other.name == router.name).count() > 1;
        // With thousands of subnets, looking each one up in the list would be felt at every answer of the cloud.
        let subnets: HashMap<&Id, &Subnet> =
            known.inventory.subnets.iter().map(|subnet| (&subnet.id, subnet)).collect();
        routers.iter().map(|router| router_line(&known, router, half, twin(router), &subnets)).collect()
    }

    pub(super) fn subnet_lines(&self, half: Half) -> Vec<Line> {
        let Some(known) = self.new_vpn.region_of(half).and_then(RegionState::known) else { return Vec::new() };
        let Some(router) = self.new_vpn.answers.router_of(half).and_then(|id| known.inventory.router(id)) else {
            return Vec::new();
        };
        let around = Surroundings { across: self.ranges_across(half), tunnelled: known.tunnelled(&router.id) };
        subnets_around(&known, router, half, &around)
    }

    /// The ranges the other side has. Only what was answered before binds: the first side is chosen freely.
    fn ranges_across(&self, half: Half) -> Vec<IpNet> {
        if (self.new_vpn.answers.mode, half) != (Mode::SiteToSite, Half::B) {
            return Vec::new();
        }
        let inventory = self.new_vpn.region_of(Half::A).and_then(|region| region.inventory.ready());
        let chosen = self.new_vpn.answers.subnets_of(Half::A).iter().filter_map(|id| inventory?.subnet(id));
        chosen.map(|subnet| subnet.cidr).collect()
    }

    pub(super) fn policy_lines(&self) -> Vec<Line> {
        let setting = self.new_vpn.setting();
        let (recommended, reason) = self.new_vpn.recommended();
        Profile::ALL
            .iter()
            .map(|&profile| {
                let mut line = line(Choice::Profile(profile), profile.as_str(), profile.summary());
                if let Some(policy) = self.new_vpn.profiles.get(profile) {
                    line.findings = policy.findings(&setting);
                    // Both policies of a profile have the same words, so most is found twice.
                    line.findings.dedup_by(|a, b| a.text == b.text);
                    line.detail = vec![
                        about("IKE", policy.ike_text()),
                        about("IPsec", policy.ipsec_text()),
                        about("Connection", policy.connection_text()),
                    ];
                } else {
                    line.detail = vec![about("Starts from", "the policy chosen so far")];
                }
                if profile == recommended {
                    let text = reason
                        .clone()
                        .unwrap_or_else(|| "the documented values; every region here takes them".to_owned());
                    line.findings.push(Finding::notice(Place::Policy(None), format!("recommended: {text}")));
                }
                line
            })
            .collect()
    }
}

/// The lines of a region's subnets, for a VPN that stands on that router already.
pub(super) fn subnets_of(known: &Known<'_>, router: &Router, half: Half, across: Vec<IpNet>) -> Vec<Line> {
    subnets_around(known, router, half, &Surroundings { across, tunnelled: Vec::new() })
}

fn subnets_around(known: &Known<'_>, router: &Router, half: Half, around: &Surroundings<'_>) -> Vec<Line> {
    let twins = twins(known.inventory);
    let subnets = known.inventory.subnets.iter();
    let mut lines: Vec<Line> = subnets
        .map(|subnet| subnet_line(known, router, subnet, half, around, twins.contains(&subnet.name.as_str())))
        .collect();
    // What can be taken comes first; among thousands it would not be found otherwise.
    lines.sort_by_key(|line| !line.is_open());
    lines
}

pub(super) fn modes() -> Vec<Line> {
    let mut both = line(Choice::Mode(Mode::SiteToSite), "site-to-site", "region to region");
    both.detail = vec![
        about("Creates", "both halves, with one key, each the other's peer"),
        about("Asks for", "regions, routers, subnets"),
    ];
    let mut single = line(Choice::Mode(Mode::Single), "single", "region to outside peer");
    single.detail = vec![
        about("Creates", "the half in this cloud, and the values for the other end"),
        about("Asks for", "also the peer's address and networks"),
    ];
    let mut vpns = line(Choice::Vpns, "your VPNs", "those that exist");
    vpns.detail = vec![
        about("Shows", "how each stands, and why one is down"),
        about("Can", "fix it, set a new key, change its subnets, delete it"),
    ];
    vec![both, single, vpns]
}

fn is_usable(known: &Known<'_>, router: &Router) -> bool {
    !is_bare(router) && !checks::router(known, router, Half::A).iter().any(Finding::is_refusal)
}

/// Whether a router is known to stand on no subnet.
fn is_bare(router: &Router) -> bool {
    router.interfaces.as_ref().is_some_and(Interfaces::is_empty)
}

fn router_line(known: &Known<'_>, router: &Router, half: Half, twin: bool, subnets: &HashMap<&Id, &Subnet>) -> Line {
    let addresses: Vec<String> = router.external_v4.iter().map(ToString::to_string).collect();
    let address = addresses.first().cloned().or_else(|| router.external_v6.first().map(ToString::to_string));
    let aside = match (twin, address) {
        (true, Some(address)) => format!("{address}  {}", router.id.short()),
        (true, None) => router.id.short().to_owned(),
        (false, address) => address.unwrap_or_else(|| "no gateway".to_owned()),
    };
    let mut line = line(Choice::Object(router.id.clone()), named(&router.name, &router.id), aside);
    line.findings = checks::router(known, router, half);
    if line.is_open() && is_bare(router) {
        line.findings.insert(0, Finding::refusal(Place::Router(half), "has no subnet to tunnel; attach one first"));
    }
    line.findings.sort_by_key(|finding| finding.severity);
    let external = router.external_network.as_ref().map(|id| network(known.detail, id));
    let interfaces = router.interfaces.iter().flat_map(Interfaces::iter).sorted_by_key(|interface| interface.address);
    let subnets = interfaces.filter_map(|interface| subnets.get(&interface.subnet));
    let subnets = subnets.map(|subnet| format!("{} {}", subnet.name, subnet.cidr)).join(", ");
    line.detail = vec![about("Id", router.id.as_str()), about("Status", router.status.to_string())];
    line.detail.extend(external.map(|external| about("Gateway", format!("{external} {}", addresses.join(", ")))));
    line.detail.extend(router.external_v6.first().map(|address| about("IPv6", address.to_string())));
    line.detail.push(about("Subnets", if subnets.is_empty() { "none".to_owned() } else { subnets }));
    line
}

/// What a subnet has to agree with.
struct Surroundings<'a> {
    across: Vec<IpNet>,
    tunnelled: Vec<Tunnelled<'a>>,
}

fn subnet_line(
    known: &Known<'_>,
    router: &Router,
    subnet: &Subnet,
    half: Half,
    around: &Surroundings<'_>,
    twin: bool,
) -> Line {
    let mut line = line(Choice::Object(subnet.id.clone()), named(&subnet.name, &subnet.id), subnet.cidr.to_string());
    if twin {
        line.aside = format!("{}  {}  {}", subnet.cidr, network(known.detail, &subnet.network), subnet.id.short());
    }
    line.findings = checks::subnet(known.region, router, subnet, half);
    let place = Place::Subnets(half);
    if let Some((_, other)) = cidr::on_both_sides(std::slice::from_ref(&subnet.cidr), &around.across) {
        line.findings.push(Finding::refusal(place, format!("overlaps {other} on the other side")));
    } else if let Some(other) =
        around.across.iter().find(|range| range.addr().is_ipv4() != subnet.cidr.addr().is_ipv4())
    {
        line.findings.push(Finding::refusal(place, format!("is of another IP version than {other} on the other side")));
    } else if router.serves(&subnet.id) == Some(true) && subnet.cidr.addr().is_ipv6() {
        line.findings.push(Finding::warning(place, "is IPv6; the other side must be IPv6 too"));
    }
    for tunnelled in &around.tunnelled {
        if let Some(range) = tunnelled.remote.iter().find(|range| cidr::overlap(range, &subnet.cidr)) {
            let text = format!("overlaps {range}, which {} tunnels to already", tunnelled.connection.name);
            line.findings.push(Finding::warning(place, text));
        }
    }
    line.findings.sort_by_key(|finding| finding.severity);
    line.detail = vec![
        about("Id", subnet.id.as_str()),
        about("Network", network(known.detail, &subnet.network)),
        about("Gateway", subnet.gateway.map_or_else(|| "none".to_owned(), |gateway| gateway.to_string())),
    ];
    line
}

fn named(name: &str, id: &Id) -> String {
    if name.is_empty() { format!("(no name) {}", id.short()) } else { name.to_owned() }
}

fn network(detail: Option<&Detail>, id: &Id) -> String {
    detail.and_then(|detail| detail.network_name(id)).map_or_else(|| id.short().to_owned(), ToOwned::to_owned)
}

fn twins(inventory: &Inventory) -> std::collections::BTreeSet<&str> {
    // Subnets come sorted by name, so equal names are neighbours.
    inventory.subnets.windows(2).filter(|pair| pair[0].name == pair[1].name).map(|pair| pair[0].name.as_str()).collect()
}

/// The only line that can be taken, if there is just one; a list with one line says so.
#[must_use]
pub fn only_open(lines: &[Line]) -> Option<&Line> {
    let mut open = lines.iter().filter(|line| line.is_open() && !line.pending);
    match (open.next(), open.next()) {
        (Some(line), None) => Some(line),
        _ => None,
    }
}

/// Whether a line is open without a reservation.
#[must_use]
pub fn is_plain(line: &Line) -> bool {
    !line.pending && line.findings.iter().all(|finding| finding.severity == Severity::Notice)
}
