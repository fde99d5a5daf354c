use std::net::IpAddr;

use super::peer_address::set_peer;
use super::{Case, Check, Fix, Nature, Verdict, Weight};
use crate::inspect::Side;
use crate::plan::Half;
use crate::plan::sharing::is_same_identity;
use crate::plan::shell::openstack;

pub const PEER_ID: Check =
    Check { id: "peer-id", label: "peer ids fit the other side's identity", natures: &[Nature::SharedWithPeer], prove };

fn prove(case: &Case<'_>) -> Verdict {
    let Some(both) = case.both() else {
        let side = &case.vpn.a;
        let own = side.identity().unwrap_or_else(|| "its address".to_owned());
        return Verdict::Open(format!("see that the peer calls itself {} and expects {own}", side.connection.peer_id));
    };
    let mut seen = Vec::new();
    for (half, side, other) in both {
        let (Some(sent), Some(address)) = (sent_id(other), other.address()) else {
            return Verdict::Open(format!("the identity of {} is not known", case.place(half.other())));
        };
        let expected = expected_id(side);
        if !is_same_identity(&expected, &sent) {
            return Verdict::bad(
                Weight::Stops,
                format!(
                    "{} expects its peer to be called {expected}, and {} calls itself {sent}",
                    case.place(half),
                    case.place(half.other())
                ),
                "each half refuses a peer of another name",
                called_otherwise(half, side, other, address),
            );
        }
        seen.push(expected);
    }
    Verdict::good(seen.join(" and "))
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
