//! The answer of `osvpn list`: every VPN of the project, a line each, and unused objects.

use std::fmt::{self, Display, Formatter};

use ipnet::IpNet;
use itertools::Itertools;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::wrap::hanging;
use super::{Conclude, ExitStatus, FailureReport, ListedInterruption};
use crate::change::{Lag, curable_lags};
use crate::cloud::{Hidden, Id, RegionId};
use crate::engine::interruption::Interruption;
use crate::inspect::{Inspection, Keys, OtherHalf, Side, UnusedObject, Vpn};
use crate::plan::ShellCommand;
use crate::plan::shell::osvpn;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Listing {
    vpns: Vec<ListedVpn>,
    #[serde(rename = "strays")]
    unused: Vec<ListedUnused>,
    /// What was interrupted, as the journals of this machine tell.
    interrupted: Vec<ListedInterruption>,
    unread: Vec<FailureReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
    /// Whether the sign-in may be shown no VPN objects.
    is_blind: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct ListedVpn {
    pub(super) name: String,
    /// The word that names it alone.
    pub(super) id: String,
    pub(super) ours: bool,
    pub(super) shape: Shape,
    /// `ACTIVE` if every side is, else the first other status.
    pub(super) status: String,
    pub(super) sides: Vec<ListedSide>,
    /// The peer's address, as the first side has it.
    pub(super) peer_address: String,
    /// Why the other half is missing, or cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) missing: Option<String>,
    /// In what it is behind, of what its objects show: keys are not read for it.
    pub(super) behind: Vec<String>,
    #[serde(skip)]
    upgrade: ShellCommand,
    #[serde(skip)]
    repair: ShellCommand,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    Pair,
    /// Nothing: the other half is missing.
    Half,
    /// One of several, and nothing tells which.
    Ambiguous,
    Outside,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct ListedSide {
    pub(super) region: RegionId,
    pub(super) connection: Id,
    pub(super) status: String,
    pub(super) router: Option<String>,
    pub(super) address: Option<std::net::IpAddr>,
    /// The ranges it tunnels; none if not all can be seen.
    pub(super) local_cidrs: Option<Vec<IpNet>>,
    /// The ranges it expects at the other end.
    pub(super) remote_cidrs: Vec<IpNet>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct ListedUnused {
    region: RegionId,
    kind: &'static str,
    id: Id,
    name: String,
    /// The id in its marker.
    #[serde(skip_serializing_if = "Option::is_none")]
    vpn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
}

impl Listing {
    pub(crate) fn new(seen: &Inspection) -> Self {
        let unread = seen.unread.iter().map(|(region, error)| FailureReport::new(format!("reading {region}"), error));
        Self {
            vpns: seen.vpns.iter().map(ListedVpn::new).collect(),
            unused: seen.unused.iter().map(ListedUnused::new).collect(),
            interrupted: Vec::new(),
            unread: unread.collect(),
            left_out: seen.left_out().collect(),
            is_blind: seen.hidden().is_some(),
        }
    }

    /// With what was interrupted. The objects it still needs are not unused.
    pub(crate) fn with_interrupted(mut self, interruptions: &[Interruption], is_needed: impl Fn(&Id) -> bool) -> Self {
        self.interrupted = interruptions.iter().map(ListedInterruption::new).collect();
        self.unused.retain(|object| !is_needed(&object.id));
        self
    }
}

impl Conclude for Listing {
    fn exit_status(&self) -> ExitStatus {
        if self.unread.is_empty() && !self.is_blind { ExitStatus::Done } else { ExitStatus::Failed }
    }
}

impl ListedVpn {
    pub(crate) fn new(vpn: &Vpn) -> Self {
        let (shape, missing) = match &vpn.other_half {
            OtherHalf::Found(_) => (Shape::Pair, None),
            OtherHalf::Missing { because, .. } => (Shape::Half, Some(because.clone())),
            OtherHalf::Ambiguous(_) => (Shape::Ambiguous, vpn.ambiguity().map(|ambiguity| ambiguity.to_string())),
            OtherHalf::Outside => (Shape::Outside, None),
        };
        Self {
            name: vpn.name.clone(),
            id: vpn.handle(),
            ours: vpn.id.is_some(),
            shape,
            status: vpn.status().to_string(),
            sides: vpn.sides().map(|(_, side)| ListedSide::new(side)).collect(),
            peer_address: vpn.a.connection.peer_address.clone(),
            missing,
            behind: curable_lags(vpn, &Keys::Unread).iter().map(Lag::in_short).collect(),
            upgrade: vpn.command("upgrade"),
            repair: vpn.command("repair"),
        }
    }

    fn across(&self) -> String {
        match (self.sides.get(1), self.shape) {
            (Some(side), _) => side.to_string(),
            (None, Shape::Half) => "its other half is missing".to_owned(),
            (None, Shape::Ambiguous) => "its other half cannot be told".to_owned(),
            (None, _) => {
                let ranges = self.sides.first().map(|side| side.remote_cidrs.iter().join(",")).unwrap_or_default();
                format!("outside {} {ranges}", self.peer_address)
            }
        }
    }
}

impl ListedSide {
    fn new(side: &Side) -> Self {
        Self {
            region: side.region.clone(),
            connection: side.connection.id.clone(),
            status: side.connection.status.to_string(),
            router: side.router.as_ref().map(|router| router.name.clone()),
            address: side.address(),
            local_cidrs: side.local.clone(),
            remote_cidrs: side.remote.clone(),
        }
    }
}

impl ListedSide {
    /// Its local ranges, if all can be seen.
    pub(super) fn ranges(&self, separator: &str) -> Option<String> {
        Some(self.local_cidrs.as_ref()?.iter().join(separator))
    }
}

impl Display for ListedSide {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.region, self.ranges(",").as_deref().unwrap_or("?"))
    }
}

impl ListedUnused {
    fn new(object: &UnusedObject) -> Self {
        Self {
            region: object.region.clone(),
            kind: object.kind.label(),
            id: object.id.clone(),
            name: object.name.clone(),
            vpn: object.mark.as_ref().map(|(id, _)| id.to_string()),
            status: object.status.as_ref().map(ToString::to_string),
        }
    }
}

/// How wide the column of names may grow: one long name does not push everything else out of sight.
const LONGEST_COLUMN: usize = 40;

/// A name that fits its column.
fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_COLUMN {
        return name.to_owned();
    }
    name.chars().take(LONGEST_COLUMN - 1).chain(['…']).collect()
}

impl Display for Listing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.vpns.is_empty(), self.is_blind) {
            (true, true) => writeln!(f, "{Hidden}.")?,
            (true, false) if self.unread.is_empty() => writeln!(f, "There is no VPN in this project.")?,
            (true, false) => writeln!(f, "There is no VPN in the regions that could be read.")?,
            (false, _) => {}
        }
        let widest = |of: fn(&ListedVpn) -> usize, least: usize| self.vpns.iter().map(of).max().unwrap_or(0).max(least);
        let name = widest(|vpn| vpn.name.chars().count(), 3).min(LONGEST_COLUMN);
        let status = widest(|vpn| vpn.status.len(), 6);
        if !self.vpns.is_empty() {
            writeln!(f, "{:<name$}  {:<8}  {:<status$}  BETWEEN", "VPN", "ID", "STATUS")?;
        }
        for vpn in &self.vpns {
            let id: String = vpn.id.chars().take(8).collect();
            let own = vpn.sides.first().map(ToString::to_string).unwrap_or_default();
            let called = shortened(&vpn.name);
            let first = format!("{called:<name$}  {id:<8}  {:<status$}  ", vpn.status);
            // The two ends of a row that is too long stand one below the other.
            let (across, margin) = (vpn.across(), " ".repeat(first.width()));
            let whole = format!("{first}{own}  <->  {across}");
            if whole.width() < 80 {
                writeln!(f, "{whole}")?;
            } else {
                write!(f, "{first}{own}\n{}", hanging(&format!("{margin}<->  "), &across))?;
            }
        }
        for vpn in self.vpns.iter().filter(|vpn| !vpn.behind.is_empty()) {
            let behind = format!("{} is behind: {}. To bring it up to date:", vpn.name, vpn.behind.join(", "));
            write!(f, "\n{}  {}\n", hanging("", &behind), vpn.upgrade)?;
        }
        if self.vpns.iter().any(|vpn| !vpn.behind.is_empty()) {
            writeln!(f, "Keys are not read here. Whether one is public: osvpn upgrade --all --dry-run")?;
        }
        for interrupted in &self.interrupted {
            write!(f, "\n{interrupted}")?;
        }
        if !self.unused.is_empty() {
            writeln!(f, "\nNo connection uses these:")?;
            for object in &self.unused {
                let status = object.status.as_ref().map(|status| format!(", {status}")).unwrap_or_default();
                let mark = object.vpn.as_ref().map(|vpn| format!(", of VPN {vpn}")).unwrap_or_default();
                writeln!(
                    f,
                    "  {:<12} {:<14} {}  {}{status}{mark}",
                    object.region, object.kind, object.id, object.name
                )?;
            }
            for vpn in self.vpns.iter().filter(|vpn| vpn.shape == Shape::Half) {
                let text = format!("{} lacks a half, for which some of them may serve. To make it:", vpn.name);
                writeln!(f, "{}  {}", hanging("", &text), vpn.repair)?;
            }
            let lacks_a_half = self.vpns.iter().any(|vpn| vpn.shape == Shape::Half);
            if self.unused.iter().any(|object| object.vpn.is_none()) {
                let once = if lacks_a_half { ", once no half is missing any more" } else { "" };
                writeln!(
                    f,
                    "{}  osvpn delete --strays",
                    hanging("", &format!("To delete those without a marker{once}:"))
                )?;
            }
            for vpn in self.unused.iter().filter_map(|object| object.vpn.as_ref()).unique() {
                let command = osvpn("delete --strays --of").value(vpn);
                let text = format!("To delete those of {vpn}, unless somebody is creating or changing it:");
                writeln!(f, "{}  {command}", hanging("", &text))?;
            }
        }
        self.unread.iter().try_for_each(|failure| write!(f, "\n{failure}"))
    }
}
