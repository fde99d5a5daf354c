use itertools::Itertools;

use super::policies::words;
use super::{Case, Check, FaultRole, Fix, Nature, PeerValue, Verdict, Weight};
use crate::cloud::Status;

pub const PEER: Check = Check { id: "peer", label: "the peer answers", natures: &[Nature::PeerOnly], prove };

fn prove(case: &Case<'_>) -> Verdict {
    let side = &case.vpn.a;
    let service = side.service.as_ref().map(|service| &service.status);
    match side.connection.status {
        Status::Active => Verdict::good(side.connection.peer_address.clone()),
        Status::Down if service.is_none_or(|status| *status == Status::Active) => Verdict::bad(
            Weight::Stops,
            format!("the peer {} does not answer", side.connection.peer_address),
            "it is not set up yet, it cannot be reached, or one of the values below differs there",
            Fix::Compare(compared(case)),
        )
        .in_role(FaultRole::LastResort),
        _ => Verdict::Open("this side has to run first".to_owned()),
    }
}

fn compared(case: &Case<'_>) -> Vec<PeerValue> {
    let side = &case.vpn.a;
    let peer = &side.connection.peer_address;
    let own = side.address().map_or_else(|| "this side's address".to_owned(), |address| address.to_string());
    let me = side.identity().unwrap_or_else(|| own.clone());
    let it = &side.connection.peer_id;
    let resolved = if peer.parse::<std::net::IpAddr>().is_ok() {
        String::new()
    } else {
        format!(" (the cloud looked {peer} up once, when the connection was created or changed)")
    };
    let row = |what, peer_has| PeerValue { what, peer_has };
    let mut rows = vec![
        row("address", format!("it is at {peer}{resolved}, and connects to {own}")),
        row("identity", format!("it calls itself {it}, and expects {me}")),
        row("key", "the same pre-shared key".to_owned()),
    ];
    rows.extend(side.ike.as_ref().map(|policy| row("IKE policy", words(policy))));
    rows.extend(side.ipsec.as_ref().map(|policy| row("IPsec policy", words(policy))));
    let local =
        side.local.as_deref().map_or_else(|| "not all can be seen".to_owned(), |ranges| ranges.iter().join(", "));
    rows.push(row("ranges", format!("local {}; remote {local}", side.remote.iter().join(", "))));
    rows.push(row("firewall", "UDP 500, UDP 4500 and ESP (IP protocol 50) pass, both ways".to_owned()));
    rows
}
