//! What the owner of an external peer has to be told, so that both ends agree.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;
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

    /// The values as a person reads them: what each is called, what it is, and the command that shows it.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, String, Option<&ShellCommand>)> {
        let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "not given by the cloud yet".to_owned());
        let [phase1, phase2] = self.phases();
        let key = match (&self.key_command, &self.key_of) {
            (Some(_), Some(of)) => format!("that of connection {of}, which you have. It is shown by:"),
            (Some(_), None) => "generated; give it to them over a safe channel. It is shown by:".to_owned(),
            (None, _) => "the one you gave; give it to them over a safe channel".to_owned(),
        };
        let row = |label, value| (label, value, None);
        vec![
            row("connect to", or_unknown(self.our_address.map(|address| address.to_string()))),
            row("our identity", format!("{} ({})", or_unknown(self.our_id.clone()), self.our_id_type)),
            row("your address", self.peer_address.clone()),
            row("your identity", format!("{} ({})", self.peer_id, self.peer_id_type)),
            row("your remote", self.our_cidrs.iter().join(", ")),
            row("your local", self.peer_cidrs.iter().join(", ")),
            row("IKE (phase 1)", phase1),
            row("IPsec (phase 2)", phase2),
            row("DPD", self.dead_peer_detection()),
            row("firewall", format!("allow {} from our address", self.firewall.join(", "))),
            ("pre-shared key", key, self.key_command.as_ref()),
        ]
    }
}

impl Display for Handover {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HANDOVER_TITLE}")?;
        for (label, value, command) in self.rows() {
            writeln!(f, "  {label:<16} {value}")?;
            // On a line of its own it can be copied in one piece.
            if let Some(command) = command {
                writeln!(f, "{:19}{command}", "")?;
            }
        }
        Ok(())
    }
}
