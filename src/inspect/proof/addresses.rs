//! Where each half looks for the other, and what it expects it to be called.

use std::net::IpAddr;

use itertools::Itertools;

use super::{Case, Fix, Verdict, Weight};
use crate::cloud::Status;
use crate::inspect::{Side, outside};
use crate::plan::sharing::is_same_identity;
use crate::plan::shell::openstack;
use crate::plan::{Half, cidr};

impl Case<'_> {
    pub(super) fn service_address(&self) -> Verdict {
        let mut seen = Vec::new();
        for (half, side) in self.sides() {
            let (Some(survey), Some(service), Some(router)) = (self.survey(side), &side.service, &side.router) else {
                return Verdict::Open(format!("service or router in {} cannot be seen", self.place(half)));
            };
            let place = self.place(half);
            let Some(address) = side.address() else {
                // What is up has an address, whoever does not tell it.
                if side.connection.status == Status::Active {
                    return Verdict::Open(format!(
                        "the VPN service {} in {place} does not tell its address",
                        service.name
                    ));
                }
                return Verdict::bad(
                    Weight::Stops,
                    format!("the VPN service {} in {place} has no outside address", service.name),
                    "nobody can reach it; its router had no gateway, or none of the peer's IP version",
                    Fix::ByHand(vec![
                        openstack(&side.region, "router set --external-gateway NETWORK")
                            .operand(&router.id)
                            .remark("then delete the VPN, and create it again")
                            .into(),
                    ]),
                );
            };
            if survey.inventory.extensions.is_ovn() {
                seen.push(format!("{place} {address} (its own, OVN)"));
                continue;
            }
            if !router.has_gateway() {
                return Verdict::bad(
                    Weight::Stops,
                    format!("the router {} in {place} has no gateway any more", router.name),
                    "nothing reaches the VPN service",
                    Fix::ByHand(vec![
                        openstack(&side.region, "router set --external-gateway NETWORK").operand(&router.id).into(),
                    ]),
                );
            }
            if !outside(router).any(|current| current == address) {
                let now = outside(router).map(|address| address.to_string()).join(", ");
                return Verdict::bad(
                    Weight::Stops,
                    format!(
                        "the VPN service in {place} still has {address}, and its router {} has {now} now",
                        router.name
                    ),
                    "the gateway was changed; a service keeps the address it was made with",
                    self.rebuild(half, side),
                );
            }
            seen.push(format!("{place} {address}"));
        }
        Verdict::good(seen.join(", "))
    }

    pub(super) fn peer_address(&self) -> Verdict {
        let Some(both) = self.both() else { return self.peer_outside() };
        let mut seen = Vec::new();
        for (half, side) in both {
            let other = if half == Half::A { both[1].1 } else { both[0].1 };
            let Some(address) = other.address() else {
                return Verdict::Open(format!("the address of {} is not known", self.place(half.other())));
            };
            let expects = &side.connection.peer_address;
            let expected = expects.parse::<IpAddr>();
            // Behind NAT a service has a private address, and its peer another one for it.
            if cidr::is_private(address) && expected.as_ref().is_ok_and(|expected| !cidr::is_private(*expected)) {
                return Verdict::Open(format!(
                    "see that {expects} leads to {}, whose own address {address} is a private one behind NAT",
                    self.place(half.other())
                ));
            }
            if expected.is_err() {
                return Verdict::Open(format!(
                    "see that {expects} is {address}, where {} is; the cloud resolves a name once, when the connection is made or \
                     changed",
                    self.place(half.other())
                ));
            }
            if expected != Ok(address) {
                let is_own = side.address().is_some_and(|own| expected == Ok(own));
                return Verdict::bad(
                    Weight::Stops,
                    format!(
                        "{} looks for its peer at {expects}{}, and {} is at {address}",
                        self.place(half),
                        if is_own { ", its own address" } else { "" },
                        self.place(half.other())
                    ),
                    "the two never meet",
                    set_peer(half, other, address),
                );
            }
            seen.push(expects.clone());
        }
        Verdict::good(seen.join(" and "))
    }

    /// Whether the only half there is has its own address for its peer's.
    fn is_its_own_peer(&self) -> bool {
        let peer = self.vpn.a.connection.peer_address.parse::<IpAddr>();
        self.vpn.b().is_none() && self.vpn.a.address().is_some_and(|own| Ok(own) == peer)
    }

    fn peer_outside(&self) -> Verdict {
        let side = &self.vpn.a;
        let peer = &side.connection.peer_address;
        if self.is_its_own_peer() {
            return Verdict::bad(
                Weight::Stops,
                format!("the peer address {peer} of the connection in {} is its own", self.place(Half::A)),
                "it talks to itself, so nobody answers",
                Fix::ByHand(vec![
                    "give it the address of the other end, which is its peer id too as a rule:".into(),
                    openstack(&side.region, "vpn ipsec site connection set --peer-address ADDRESS --peer-id ADDRESS")
                        .operand(&side.connection.id)
                        .into(),
                ]),
            );
        }
        match (self.is_outside(), side.address()) {
            (true, Some(own)) => {
                Verdict::Open(format!("see that the peer is at {peer} and looks for this side at {own}"))
            }
            _ => Verdict::Open(format!("the peer at {peer} cannot be seen")),
        }
    }

    pub(super) fn peer_id(&self) -> Verdict {
        let Some(both) = self.both() else {
            let side = &self.vpn.a;
            let own = side.identity().unwrap_or_else(|| "its address".to_owned());
            return Verdict::Open(format!(
                "see that the peer calls itself {} and expects {own}",
                side.connection.peer_id
            ));
        };
        let mut seen = Vec::new();
        for (half, side) in both {
            let other = if half == Half::A { both[1].1 } else { both[0].1 };
            let (Some(sent), Some(address)) = (sent_id(other), other.address()) else {
                return Verdict::Open(format!("the identity of {} is not known", self.place(half.other())));
            };
            let expected = expected_id(side);
            if !is_same_identity(&expected, &sent) {
                return Verdict::bad(
                    Weight::Stops,
                    format!(
                        "{} expects its peer to be called {expected}, and {} calls itself {sent}",
                        self.place(half),
                        self.place(half.other())
                    ),
                    "each half refuses a peer of another name",
                    called_otherwise(half, side, other, address),
                );
            }
            seen.push(expected);
        }
        Verdict::good(seen.join(" and "))
    }
}

/// A half that has a name itself makes a name of every peer id it is given; then the other half needs a name, too. Both
/// are called by their addresses instead, and both halves are told.
fn called_otherwise(half: Half, side: &Side, other: &Side, address: IpAddr) -> Fix {
    let is_named = |side: &Side| {
        let own = &side.connection.local_id;
        !own.is_empty() && own.parse::<IpAddr>().is_err()
    };
    let (true, false, Some(own)) = (is_named(side), is_named(other), side.address()) else {
        return set_peer(half, other, address);
    };
    let set = |side: &Side| openstack(&side.region, "vpn ipsec site connection set");
    let mut steps = vec![
        "one half has a name (local_id) and the other has none; call both by their addresses:".into(),
        set(side).words("--local-id").value(own).words("--peer-id").value(address).operand(&side.connection.id).into(),
    ];
    if !is_same_identity(&other.connection.peer_id, &own.to_string()) {
        steps.push(set(other).words("--peer-id").value(own).operand(&other.connection.id).into());
    }
    Fix::ByHand(steps)
}

fn set_peer(half: Half, other: &Side, address: IpAddr) -> Fix {
    let id = if other.connection.local_id.is_empty() { address.to_string() } else { other.connection.local_id.clone() };
    Fix::SetPeer { half, address: address.to_string(), id }
}

/// As soon as an id that was given is no address, Neutron's driver puts an `@` before each that was given, which makes a
/// name even of an address.
fn at(side: &Side) -> &'static str {
    let is_name = |id: &str| !id.is_empty() && id.parse::<IpAddr>().is_err();
    if is_name(&side.connection.local_id) || is_name(&side.connection.peer_id) { "@" } else { "" }
}

fn expected_id(side: &Side) -> String {
    format!("{}{}", at(side), side.connection.peer_id)
}

fn sent_id(side: &Side) -> Option<String> {
    if side.connection.local_id.is_empty() {
        side.address().map(|address| address.to_string())
    } else {
        Some(format!("{}{}", at(side), side.connection.local_id))
    }
}
