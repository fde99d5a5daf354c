//! In what VPNs are behind today's standard.

use itertools::Itertools;

use super::is_legacy;
use crate::inspect::{Forecast, Inspection, Keys, Vpn, Weakness};
use crate::plan::fields::PolicyField;
use crate::plan::policy::IkeVersion;

/// In what a VPN is behind today's standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lag {
    /// A half is tied to one subnet, without endpoint groups.
    Legacy,
    /// `IKEv1`, which carries one pair of subnets only.
    IkeV1,
    /// Words of its policies that nobody should choose any more.
    Weak(Vec<String>),
    /// Its key.
    Key(Weakness),
    /// Its halves differ from the upgrade of one of its regions to OpenStack 2026.2 until that of the other.
    Parted,
}

impl Lag {
    /// In a word or two, for a list.
    #[must_use]
    pub fn in_short(&self) -> String {
        match self {
            Self::Legacy => "legacy".to_owned(),
            Self::Key(Weakness::Public) => "public key".to_owned(),
            Self::Key(_) => "weak key".to_owned(),
            lag => lag.to_string(),
        }
    }
}

impl std::fmt::Display for Lag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Legacy => f.write_str("of the old kind, tied to one subnet"),
            Self::IkeV1 => f.write_str("IKEv1"),
            Self::Weak(words) => f.write_str(&words.join(", ")),
            Self::Parted => f.write_str("down between the upgrades of its regions to OpenStack 2026.2"),
            Self::Key(weakness) => weakness.fmt(f),
        }
    }
}

/// In what it is behind, as far as that can be seen; nothing if it is up to date. `IKEv1` with SHA-1 alone is no lag where this
/// program made the VPN: the user chose the guide's policy on the review, and `forecast` tells what OpenStack 2026.2 does to it.
#[must_use]
pub fn lags(vpn: &Vpn, keys: &Keys) -> Vec<Lag> {
    let lags = differences_from_today(vpn, keys);
    let is_of_guide = |lag: &Lag| match lag {
        Lag::IkeV1 => true,
        Lag::Weak(words) => words.iter().all(|word| word == "sha1"),
        Lag::Legacy | Lag::Key(_) | Lag::Parted => false,
    };
    if vpn.id.is_some() && lags.iter().all(is_of_guide) { Vec::new() } else { lags }
}

fn differences_from_today(vpn: &Vpn, keys: &Keys) -> Vec<Lag> {
    let mut lags = Vec::new();
    if vpn.sides().any(|(_, side)| is_legacy(side)) {
        lags.push(Lag::Legacy);
    }
    if vpn.sides().any(|(_, side)| side.ike_version() == Some(IkeVersion::V1)) {
        lags.push(Lag::IkeV1);
    }
    let stored = vpn.sides().flat_map(|(_, side)| {
        PolicyField::of_policies().filter_map(|field| side.stored(field).filter(|word| field.is_weak(word)))
    });
    let weak: Vec<String> = stored.unique().collect();
    if !weak.is_empty() {
        lags.push(Lag::Weak(weak));
    }
    if let Keys::Read { weakness: Some(weakness), .. } = keys {
        lags.push(Lag::Key(*weakness));
    }
    lags
}

/// In what a VPN is behind, as far as an upgrade helps without anybody else. Policies and key of one with an external peer
/// are its owner's too.
#[must_use]
pub fn curable_lags(vpn: &Vpn, keys: &Keys) -> Vec<Lag> {
    let mut lags = if vpn.is_missing_a_half() { Vec::new() } else { lags(vpn, keys) };
    lags.retain(|lag| vpn.b().is_some() || *lag == Lag::Legacy);
    lags
}

/// What an upgrade of all VPNs mends of one without anybody else: its curable lags, or what `forecast` says of it.
#[must_use]
pub fn due_lags(seen: &Inspection, vpn: &Vpn, keys: &Keys) -> Vec<Lag> {
    let mut due = curable_lags(vpn, keys);
    let forecast = Forecast::of(seen, [vpn]);
    if due.is_empty() && forecast.vpns.iter().any(|one| one.prediction.is_cured_by_upgrade()) {
        due = differences_from_today(vpn, keys);
        due.push(Lag::Parted);
    }
    due
}
