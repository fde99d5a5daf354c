//! Making a plan of a draft, or saying every reason why not.

use std::net::IpAddr;

use super::checks::{TunnelEnd, existing, outside};
use super::findings::{Finding, Place};
use super::fit::PolicyScope;
use super::{
    Far, Half, HalfDraft, HalfPlan, Known, Labels, Outer, Peer, PeerAddress, Plan, PlanDraft, ServicePlan, VpnId,
};
use super::{checks, cidr, peer, sharing};

impl Plan {
    /// Compares a draft with what is known of its regions.
    /// Errors: every refusal there is, with the warnings behind them; nothing can be made until they are gone.
    pub fn check(draft: PlanDraft, known: &[Known<'_>], labels: &Labels, id: VpnId) -> Result<Self, Vec<Finding>> {
        let mut found = Vec::new();
        if let Far::Half(b) = &draft.far
            && b.region == draft.a.region
        {
            found.push(Finding::refusal(
                Place::Region(Half::B),
                "both halves are in the same region, where no VPN is needed: attach both routers to one network, and give \
                 each a route to the subnets of the other (openstack router set --route)",
            ));
        }
        let a = half(Half::A, &draft.a, known, labels, &mut found);
        let b = match &draft.far {
            Far::Half(side) => half(Half::B, side, known, labels, &mut found).map(Far::Half),
            Far::Peer(peer) => Some(Far::Peer(peer.clone())),
        };
        let (Some((mut a, known_a)), Some(far)) = (a, b) else { return Err(sorted(found)) };
        let (far, known_b) = match far {
            Far::Half((b, known_b)) => (Far::Half(b), Some(known_b)),
            Far::Peer(peer) => (Far::Peer(peer), None),
        };
        a.remote = match &far {
            Far::Half(b) => b.local_ranges(),
            Far::Peer(peer) => peer.cidrs.clone(),
        };
        let remote_at = if known_b.is_some() { Place::Subnets(Half::B) } else { Place::PeerCidrs };
        let outer = outer_family(&a, &far, &mut found);
        a.address = address(&a, known_a, outer);
        let mut sharers = Vec::new();
        let far = match (far, known_b) {
            (Far::Half(mut b), Some(known_b)) => {
                b.remote = a.local_ranges();
                b.address = address(&b, known_b, outer);
                found.extend(carried(&a, known_a, (b.address, Place::Router(Half::B)), remote_at, Some((&b, known_b))));
                let peer = b.address.map(PeerAddress::Ip);
                found.extend(same_peer(&a, known_a, peer.as_ref(), Place::Router(Half::B)));
                sharers.extend(peer.iter().flat_map(|peer| sharing::of(known_a, &a, peer, &peer.to_string())));
                let peer = a.address.map(PeerAddress::Ip);
                found.extend(same_peer(&b, known_b, peer.as_ref(), Place::Router(Half::A)));
                sharers.extend(peer.iter().flat_map(|peer| sharing::of(known_b, &b, peer, &peer.to_string())));
                Far::Half(b)
            }
            (far, _) => far,
        };
        if let Far::Peer(peer) = &far {
            found.extend(carried(&a, known_a, (peer.address.ip(), Place::PeerAddress), remote_at, None));
            found.extend(same_peer(&a, known_a, Some(&peer.address), Place::PeerAddress));
            found.extend(peer_findings(peer));
            sharers.extend(sharing::of(known_a, &a, &peer.address, &peer.id));
        }
        let setting = PolicyScope {
            regions: std::iter::once(known_a)
                .chain(known_b)
                .map(|known| (known.region, &known.inventory.extensions))
                .collect(),
            ranges: (a.local.len(), a.remote.len()),
            ipv6: a.local.iter().any(|subnet| subnet.cidr.addr().is_ipv6()),
            has_external_peer: matches!(far, Far::Peer(_)),
        };
        found.extend(draft.policy.findings(&setting));
        found.extend(draft.psk.caution().map(|text| Finding::warning(Place::Key, text)));
        found.extend(checks::name(&draft.name, known));
        let findings = sorted(found);
        if findings.iter().any(Finding::is_refusal) {
            return Err(findings);
        }
        Ok(Self {
            id,
            name: draft.name,
            a,
            far,
            outer: outer.unwrap_or(Outer::V4),
            profile: draft.profile,
            policy: draft.policy,
            psk: draft.psk,
            sharers,
            findings,
        })
    }
}

/// The address the other end will see, if it is known yet.
fn address(half: &HalfPlan, known: &Known<'_>, outer: Option<Outer>) -> Option<IpAddr> {
    match (&half.service, outer?) {
        (ServicePlan::Reuse(service), Outer::V4) => service.external_v4.map(IpAddr::V4),
        (ServicePlan::Reuse(service), Outer::V6) => service.external_v6.map(IpAddr::V6),
        (ServicePlan::Create, _) if known.inventory.extensions.is_ovn() => None,
        (ServicePlan::Create, Outer::V4) => half.router.external_v4.first().copied().map(IpAddr::V4),
        (ServicePlan::Create, Outer::V6) => half.router.external_v6.first().copied().map(IpAddr::V6),
    }
}

fn carried(
    a: &HalfPlan,
    known_a: &Known<'_>,
    peer: (Option<IpAddr>, Place),
    remote_at: Place,
    b: Option<(&HalfPlan, &Known<'_>)>,
) -> Vec<Finding> {
    let own = [Some(a), b.map(|(b, _)| b)].map(|half| half.map(own_addresses).unwrap_or_default());
    let first = end(a, known_a, &own[0], peer, remote_at);
    let at_a = (a.address, Place::Router(Half::A));
    let second = b.map(|(b, known)| end(b, known, &own[1], at_a, Place::Subnets(Half::A)));
    checks::carried(&first, second.as_ref())
}

fn end<'a>(
    half: &'a HalfPlan,
    known: &'a Known<'a>,
    own: &'a [IpAddr],
    peer: (Option<IpAddr>, Place),
    remote_at: Place,
) -> TunnelEnd<'a> {
    let HalfPlan { router, local, remote, .. } = half;
    TunnelEnd { known, router, own, peer, local, remote, remote_at, connection: None }
}

fn own_addresses(half: &HalfPlan) -> Vec<IpAddr> {
    let service = match &half.service {
        ServicePlan::Reuse(service) => Some(service),
        ServicePlan::Create => None,
    };
    outside::own_addresses(&half.router, service)
}

fn same_peer(half: &HalfPlan, known: &Known<'_>, peer: Option<&PeerAddress>, at: Place) -> Vec<Finding> {
    peer.into_iter().flat_map(|peer| existing::same_peer(known, &half.router, peer, at)).collect()
}

fn half<'k>(
    half: Half,
    side: &HalfDraft,
    known: &'k [Known<'k>],
    labels: &Labels,
    found: &mut Vec<Finding>,
) -> Option<(HalfPlan, &'k Known<'k>)> {
    let Some(known) = known.iter().find(|known| *known.region == side.region) else {
        found.push(Finding::refusal(Place::Region(half), format!("nothing is known of region {}", side.region)));
        return None;
    };
    let Some(router) = known.inventory.router(&side.router) else {
        found
            .push(Finding::refusal(Place::Router(half), format!("{} is not a router of {}", side.router, side.region)));
        return None;
    };
    found.extend(checks::router(known, router, half));
    let service = known.inventory.services_on(&router.id).find(|service| known.can_hold(service));
    let mut needed = vec![("ikepolicy", 1), ("ipsecpolicy", 1), ("endpoint_group", 2), ("ipsec_site_connection", 1)];
    if service.is_none() {
        needed.insert(0, ("vpnservice", 1));
    }
    found.extend(checks::capacity(known, &needed, half));
    let (local, about_local) = checks::local(known, router, &side.subnets, half);
    found.extend(about_local);
    let plan = HalfPlan {
        half,
        region: side.region.clone(),
        label: labels.name(&side.region),
        router: router.clone(),
        service: service.map_or(ServicePlan::Create, |service| ServicePlan::Reuse(service.clone())),
        address: None,
        local,
        remote: Vec::new(),
        present: known.tunnelled(&router.id).iter().map(|one| one.connection.id.clone()).collect(),
    };
    Some((plan, known))
}

fn outer_family(a: &HalfPlan, far: &Far<HalfPlan, Peer>, found: &mut Vec<Finding>) -> Option<Outer> {
    let (a4, a6) = (!a.router.external_v4.is_empty(), !a.router.external_v6.is_empty());
    let (b4, b6, place) = match far {
        Far::Half(b) => (!b.router.external_v4.is_empty(), !b.router.external_v6.is_empty(), Place::Router(Half::B)),
        Far::Peer(peer) => match &peer.address {
            PeerAddress::Ip(IpAddr::V4(_)) => (true, false, Place::PeerAddress),
            PeerAddress::Ip(IpAddr::V6(_)) => (false, true, Place::PeerAddress),
            // The cloud looks a name up once, when the connection is made, and takes the first answer of either family.
            // Only IPv4 can be counted on.
            PeerAddress::Name(name) => {
                if a6 && a4 {
                    let text = format!(
                        "the cloud looks {name} up once and takes the first answer; this plan counts on an IPv4 one; \
                         type the address if the name has an IPv6 one too"
                    );
                    found.push(Finding::warning(Place::PeerAddress, text));
                } else if a6 {
                    let text = format!("{name} is taken for an IPv4 peer; type its IPv6 address instead of the name");
                    found.push(Finding::refusal(Place::PeerAddress, text));
                    return None;
                }
                (true, false, Place::PeerAddress)
            }
        },
    };
    if a4 && b4 {
        Some(Outer::V4)
    } else if a6 && b6 {
        Some(Outer::V6)
    } else {
        if a.router.has_gateway() && (b4 || b6) {
            let text = format!("the two ends have no IP version in common: {} has {}", a.router.name, families(a4, a6));
            found.push(Finding::refusal(place, text));
        }
        None
    }
}

const fn families(v4: bool, v6: bool) -> &'static str {
    match (v4, v6) {
        (true, true) => "IPv4 and IPv6",
        (true, false) => "only IPv4",
        (false, true) => "only IPv6",
        (false, false) => "no address",
    }
}

fn peer_findings(peer: &Peer) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(address) = peer.address.ip() {
        if let Err(problem) = peer::check_address(address) {
            found.push(Finding::refusal(Place::PeerAddress, problem.to_string()));
        } else if cidr::is_private(address) {
            let text = format!("{address} is a private address; the cloud reaches it only if it is routed there");
            found.push(Finding::warning(Place::PeerAddress, text));
        }
    }
    if let PeerAddress::Name(name) = &peer.address {
        let text = format!(
            "the cloud looks {name} up once, when it creates the connection; when its address changes (dynamic DNS), the \
             tunnel stays down until the connection is recreated"
        );
        found.push(Finding::warning(Place::PeerAddress, text));
        if !name.contains('.') {
            let text =
                format!("{name} is a name of one word, which the cloud's resolver may not know; type its full name");
            found.push(Finding::warning(Place::PeerAddress, text));
        }
    }
    if let Err(problem) = peer::check_id(&peer.id) {
        found.push(Finding::refusal(Place::PeerId, problem.to_string()));
    } else if let Ok(id) = peer.id.parse::<IpAddr>() {
        if cidr::is_private(id) && peer.address.ip() != Some(id) {
            let text = format!(
                "{id} is a private address: behind NAT a peer uses it as its identity unless another is configured; compare \
                 with the peer"
            );
            found.push(Finding::warning(Place::PeerId, text));
        }
    } else {
        let text = "the peer must send this identity as a name (type FQDN), also where it looks like an e-mail address";
        found.push(Finding::warning(Place::PeerId, text));
    }
    if let Err(problem) = cidr::check_list(&peer.cidrs) {
        found.push(Finding::refusal(Place::PeerCidrs, problem.to_string()));
    }
    found
}

/// Refusals first, each said once.
fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| finding.severity);
    let mut once: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        if !once.contains(&finding) {
            once.push(finding);
        }
    }
    once
}
