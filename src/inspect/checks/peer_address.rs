use std::net::IpAddr;

use super::{Case, Check, Fix, Nature, Verdict, Weight};
use crate::inspect::Side;
use crate::plan::shell::openstack;
use crate::plan::{Half, cidr};

pub const PEER_ADDRESS: Check = Check {
    id: "peer-address",
    label: "each end points at the other's address",
    natures: &[Nature::SharedWithPeer],
    prove,
};

fn prove(case: &Case<'_>) -> Verdict {
    let Some(both) = case.both() else { return peer_outside(case) };
    let mut seen = Vec::new();
    for (half, side, other) in both {
        let Some(address) = other.address() else {
            return Verdict::Open(format!("the address of {} is not known", case.place(half.other())));
        };
        let expects = &side.connection.peer_address;
        let expected = expects.parse::<IpAddr>();
        // Behind NAT a service has a private address, and its peer another one for it.
        if cidr::is_private(address) && expected.as_ref().is_ok_and(|expected| !cidr::is_private(*expected)) {
            return Verdict::Open(format!(
                "see that {expects} leads to {}, whose own address {address} is a private one behind NAT",
                case.place(half.other())
            ));
        }
        if expected.is_err() {
            return Verdict::Open(format!(
                "see that {expects} is {address}, where {} is; the cloud resolves a name once, when the connection is \
                 created or changed",
                case.place(half.other())
            ));
        }
        if expected != Ok(address) {
            let is_own = side.address().is_some_and(|own| expected == Ok(own));
            return Verdict::bad(
                Weight::Stops,
                format!(
                    "{} looks for its peer at {expects}{}, and {} is at {address}",
                    case.place(half),
                    if is_own { ", its own address" } else { "" },
                    case.place(half.other())
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
fn is_its_own_peer(case: &Case<'_>) -> bool {
    let peer = case.vpn.a.connection.peer_address.parse::<IpAddr>();
    case.vpn.b().is_none() && case.vpn.a.address().is_some_and(|own| Ok(own) == peer)
}

fn peer_outside(case: &Case<'_>) -> Verdict {
    let side = &case.vpn.a;
    let peer = &side.connection.peer_address;
    if is_its_own_peer(case) {
        return Verdict::bad(
            Weight::Stops,
            format!("the peer address {peer} of the connection in {} is its own", case.place(Half::A)),
            "it talks to itself, so no peer answers",
            Fix::ByHand(vec![
                "give it the address of the other end, which is its peer id too as a rule:".into(),
                openstack(&side.region, "vpn ipsec site connection set --peer-address ADDRESS --peer-id ADDRESS")
                    .operand(&side.connection.id)
                    .into(),
            ]),
        );
    }
    match (case.is_outside(), side.address()) {
        (true, Some(own)) => Verdict::Open(format!("see that the peer is at {peer} and looks for this side at {own}")),
        _ => Verdict::Open(format!("the peer at {peer} cannot be seen")),
    }
}

pub(super) fn set_peer(half: Half, other: &Side, address: IpAddr) -> Fix {
    let id = if other.connection.local_id.is_empty() { address.to_string() } else { other.connection.local_id.clone() };
    Fix::SetPeer { half, address: address.to_string(), id }
}
