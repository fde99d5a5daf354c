//! What the owner of an outside peer has to be told, so that both ends agree.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::{KeyOrigin, address, commands};
use crate::plan::policy::TransformProtocol;
use crate::plan::{Outer, Plan, Policy};
use crate::provision::{Ledger, Step};

/// The values of a single-mode VPN as its peer sees them.
#[derive(Clone, Debug, Serialize)]
pub struct Handover {
    /// Where the peer connects to.
    pub our_address: Option<IpAddr>,
    /// How this side names itself: always by its address, because no other `local_id` is given to it.
    pub our_id: Option<String>,
    /// `IPv4` or `IPv6`.
    pub our_id_type: &'static str,
    /// Where this side connects to.
    pub peer_address: String,
    /// How the peer must name itself.
    pub peer_id: String,
    /// `IPv4`, `IPv6` or `FQDN`: neutron-vpnaas makes a name of everything that is not an address.
    pub peer_id_type: &'static str,
    /// The ranges on this side; remote ranges to the peer.
    pub our_cidrs: Vec<IpNet>,
    /// The ranges on the peer's side.
    pub peer_cidrs: Vec<IpNet>,
    /// Both policies and the dead peer detection.
    pub policy: Policy,
    /// What the peer's firewall must let in from this side's address.
    pub firewall: Vec<&'static str>,
    /// The command that shows the key, if nobody but the cloud knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_command: Option<String>,
}

impl Handover {
    /// Of a VPN whose connection exists; none in site-to-site mode, where both ends are the user's.
    pub(super) fn of(plan: &Plan, ledger: &Ledger, key: KeyOrigin) -> Option<Self> {
        let peer = plan.peer()?;
        let half = plan.a();
        let connection = ledger.get(half.half, Step::Connection)?;
        let our_address = address(plan, ledger, half);
        let peer_id_type = match peer.id.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => "IPv4",
            Ok(IpAddr::V6(_)) => "IPv6",
            Err(_) => "FQDN",
        };
        let carrier = match plan.policy().ipsec.transform_protocol {
            TransformProtocol::Esp => "ESP (IP protocol 50)",
            TransformProtocol::Ah => "AH (IP protocol 51)",
        };
        Some(Self {
            our_address,
            our_id: our_address.map(|address| address.to_string()),
            our_id_type: if plan.outer() == Outer::V4 { "IPv4" } else { "IPv6" },
            peer_address: peer.address.to_string(),
            peer_id: peer.id.clone(),
            peer_id_type,
            our_cidrs: half.local_ranges(),
            peer_cidrs: half.remote.clone(),
            policy: plan.policy().clone(),
            firewall: vec!["UDP 500", "UDP 4500", carrier],
            key_command: (key == KeyOrigin::Generated).then(|| commands::key(connection)),
        })
    }
}
