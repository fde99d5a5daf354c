//! The addresses the tunnel itself runs between, and the ranges it carries: one must not stand in the way of the other.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::cloud::{Router, VpnService};
use crate::plan::cidr;
use crate::plan::findings::{Finding, Place};

/// The addresses a half has outside: those of its router, and of its VPN service where the cloud gives it its own.
pub(crate) fn own_addresses(router: &Router, service: Option<&VpnService>) -> Vec<IpAddr> {
    let v4 = router.external_v4.iter().copied().chain(service.and_then(|service| service.external_v4));
    let v6 = router.external_v6.iter().copied().chain(service.and_then(|service| service.external_v6));
    v4.map(IpAddr::V4).chain(v6.map(IpAddr::V6)).collect()
}

pub fn peer(peer: IpAddr, router: &Router, own: &[IpAddr], local: &[IpNet], place: Place) -> Vec<Finding> {
    if own.contains(&peer) {
        let text = format!("{peer} is this region's own router {}; type the address of the other end", router.name);
        return vec![Finding::refusal(place, text)];
    }
    let Some(range) = local.iter().find(|range| range.contains(&peer)) else { return Vec::new() };
    let text =
        format!("{peer} is in {range}, a subnet on this side; the peer needs an address outside of what is tunnelled");
    vec![Finding::refusal(place, text)]
}

/// What else would go into a tunnel that carries those remote ranges. None of it stops the tunnel, whose own packets come
/// from outside the local ranges and so match none of its selectors.
pub(crate) fn captured(
    remote: &[IpNet],
    router: &Router,
    own: &[IpAddr],
    peer: Option<IpAddr>,
    place: Place,
) -> Vec<Finding> {
    if let Some(range) = remote.iter().find(|range| cidr::is_everything(range)) {
        let text = format!(
            "{range} takes all traffic of the subnets into the tunnel: to the Internet, of floating IPs, and to other \
             subnets of {}; unless that is meant, type the networks behind the peer",
            router.name
        );
        return vec![Finding::warning(place, text)];
    }
    let holding =
        |address: &IpAddr| remote.iter().find(|range| range.contains(address)).map(|range| (*range, *address));
    let own = own.iter().find_map(holding).map(|(range, address)| {
        format!(
            "{range} holds {address}, the outside of {} itself: the subnets would reach the network around it only \
             through the tunnel; type just the networks behind the peer",
            router.name
        )
    });
    let peer = peer.as_ref().and_then(holding).map(|(range, address)| {
        format!(
            "{range} holds the peer's own address {address}: what the subnets send there goes into the tunnel too; \
             leave it out of the ranges if the peer does not expect that"
        )
    });
    own.into_iter().chain(peer).map(|text| Finding::warning(place, text)).collect()
}
