//! What the owner of an outside peer has to be told, so that both ends agree.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::{address, commands};
use crate::plan::policy::TransformProtocol;
use crate::plan::{Outer, Plan, Policy};
use crate::provision::{Ledger, Step};

/// The values of a single-mode VPN as its peer sees them.
#[derive(Clone, Debug, Serialize)]
pub struct Handover {
    /// Where the peer connects to.
    pub our_address: Option<IpAddr>,
    /// How this side names itself.
    pub our_id: Option<String>,
    /// Where this side connects to.
    pub peer_address: String,
    /// How the peer must name itself.
    pub peer_id: String,
    /// The ranges on this side; remote ranges to the peer.
    pub our_cidrs: Vec<IpNet>,
    /// The ranges on the peer's side.
    pub peer_cidrs: Vec<IpNet>,
    /// The type of both identities: `IPv4`, `IPv6` or `FQDN`.
    pub id_type: &'static str,
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
    pub(super) fn of(plan: &Plan, ledger: &Ledger) -> Option<Self> {
        let peer = plan.peer()?;
        let half = plan.a();
        let connection = ledger.get(half.half, Step::Connection)?;
        let our_address = address(plan, ledger, half);
        // neutron-vpnaas makes names of both identities as soon as one of them is not an address.
        let id_type = match (peer.id.parse::<IpAddr>(), plan.outer()) {
            (Err(_), _) => "FQDN",
            (Ok(_), Outer::V4) => "IPv4",
            (Ok(_), Outer::V6) => "IPv6",
        };
        let carrier = match plan.policy().ipsec.transform_protocol {
            TransformProtocol::Esp => "ESP (IP protocol 50)",
            TransformProtocol::Ah => "AH (IP protocol 51)",
        };
        Some(Self {
            our_address,
            our_id: our_address.map(|address| address.to_string()),
            peer_address: peer.address.to_string(),
            peer_id: peer.id.clone(),
            id_type,
            our_cidrs: half.local_ranges(),
            peer_cidrs: half.remote.clone(),
            policy: plan.policy().clone(),
            firewall: vec!["UDP 500", "UDP 4500", carrier],
            key_command: Some(commands::key(connection)),
        })
    }
}
