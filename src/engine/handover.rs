//! What the owner of an external peer has to be told, so that both ends agree.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::{Progress, Step, commands};
use crate::plan::policy::{IkeVersion, TransformProtocol};
use crate::plan::{HalfPlan, Outer, Plan, Policy, ShellCommand};

pub use crate::plan::psk::KeyOrigin;

/// What the values stand under.
pub const HANDOVER_TITLE: &str = "For the owner of the peer:";

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
    /// The command that shows the key, if only the cloud knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_command: Option<ShellCommand>,
    /// The connection to the same peer whose key it is, which the owner has already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_of: Option<String>,
}

impl Handover {
    /// Of a VPN whose connection exists; none in site-to-site mode, where both ends are the user's.
    #[must_use]
    pub fn of(plan: &Plan, progress: &Progress, key: KeyOrigin) -> Option<Self> {
        let peer = plan.peer()?;
        let half = plan.a();
        let connection = progress.get(half.half, Step::Connection)?;
        let our_address = external_address(plan, progress, half);
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
            key_of: plan.key_sharers().first().map(|of| of.name.clone()),
        })
    }
}

/// The address the cloud gave the VPN service; before there is one, the address it will have where that is certain.
#[must_use]
pub fn external_address(plan: &Plan, progress: &Progress, half: &HalfPlan) -> Option<IpAddr> {
    let given = progress.get(half.half, Step::Service).and_then(|made| match plan.outer() {
        Outer::V4 => made.external_v4.map(IpAddr::V4),
        Outer::V6 => made.external_v6.map(IpAddr::V6),
    });
    given.or(half.address)
}

impl Handover {
    /// What is negotiated: IKE, then IPsec.
    #[must_use]
    pub(crate) fn phases(&self) -> [String; 2] {
        let (ike, ipsec) = (&self.policy.ike, &self.policy.ipsec);
        let mode = match ike.ike_version {
            IkeVersion::V1 => format!("IKEv1, {} mode", ike.phase1_negotiation_mode),
            IkeVersion::V2 => "IKEv2".to_owned(),
        };
        let phase1 = format!(
            "{mode}, {}, {}, DH {}, lifetime {} s",
            ike.encryption_algorithm, ike.auth_algorithm, ike.pfs, ike.lifetime
        );
        let phase2 = format!(
            "{}, {} mode, {}, {}, PFS {}, lifetime {} s",
            ipsec.transform_protocol,
            ipsec.encapsulation_mode,
            ipsec.encryption_algorithm,
            ipsec.auth_algorithm,
            ipsec.pfs,
            ipsec.lifetime
        );
        [phase1, phase2]
    }

    pub(crate) fn dead_peer_detection(&self) -> String {
        let dpd = &self.policy.dpd;
        format!("{}, every {} s, timeout {} s", dpd.action, dpd.interval, dpd.timeout)
    }

    /// How the owner gets the key; a command that shows it stands behind that.
    #[must_use]
    pub fn key(&self) -> String {
        match (&self.key_command, &self.key_of) {
            (Some(_), Some(of)) => format!("that of connection {of}, which they have; it is shown by:"),
            (Some(_), None) => "give it to them over a safe channel; it is shown by:".to_owned(),
            (None, _) => "the one you gave; give it to them over a safe channel".to_owned(),
        }
    }
}
