//! Plan files: the answers of a run as TOML, without its key. Names, ids or (for subnets) CIDRs name the objects; a
//! name that fits several is an error that lists their ids.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use itertools::Itertools;
use serde::Deserialize;

use super::cidr::{self, CidrProblem};
use super::fit::PolicyScope;
use super::names::{NameProblem, VpnName};
use super::peer::{Peer, PeerAddress, PeerProblem, UnknownSystem, check_id};
use super::policy::{Policy, Profile, Profiles};
use super::reference::{self, NotOne};
use super::{Far, Half, HalfDraft, Known, Plan, PlanDraft, Psk};
use crate::cloud::{RegionId, Text, one_line};

const VERSION: u32 = 1;
/// How much of the parser's words is passed on, in characters. They may repeat a part of the file.
const LONGEST_MESSAGE: usize = 300;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is not TOML, or has a wrong or unknown key; says where.
    #[error("{0}")]
    Syntax(String),
    #[error("version: {0} is not known; this program reads version {VERSION}")]
    Version(u32),
    #[error("name: {0}")]
    Name(#[from] NameProblem),
    #[error("policy: give either a profile or a [policy] table, not both")]
    TwoPolicies,
    #[error("profile: custom needs a [policy] table")]
    NoPolicy,
    #[error("peer: belongs to mode \"single\" only")]
    PeerOfTwoHalves,
    #[error("peer: mode \"single\" needs a [peer] table")]
    NoPeer,
    #[error("half: site-to-site needs two [[half]] tables; there are {0}")]
    NotTwoHalves(usize),
    #[error("half: mode \"single\" needs one [[half]] table; there are {0}")]
    NotOneHalf(usize),
    #[error("peer.address: {0}")]
    PeerAddress(PeerProblem),
    #[error("peer.id: {0}")]
    PeerId(PeerProblem),
    #[error("peer.cidrs: {0}")]
    PeerCidrs(#[from] CidrProblem),
    #[error("peer.system: {0}")]
    PeerSystem(#[from] UnknownSystem),
    /// More than one of these.
    #[error("{}", .0.iter().join("\n"))]
    Several(Vec<Self>),
    #[error("half {half}, region: {}", reference::no_region(region, there))]
    NoSuchRegion { half: Half, region: RegionId, there: Vec<RegionId> },
    #[error("half {half}, router, {region}: {problem}")]
    Router { half: Half, region: RegionId, problem: NotOne },
    #[error("half {half}, subnets, {region}: {problem}")]
    Subnet { half: Half, region: RegionId, problem: NotOne },
}

impl FileError {
    /// Whether the file itself is unusable (exit code 2), rather than at odds with the cloud (exit code 4).
    pub const fn is_unreadable(&self) -> bool {
        !matches!(self, Self::NoSuchRegion { .. } | Self::Router { .. } | Self::Subnet { .. })
    }

    /// In a cloud that has those regions.
    #[must_use]
    pub(crate) fn among(mut self, regions: &[RegionId]) -> Self {
        if let Self::NoSuchRegion { there, .. } = &mut self {
            *there = regions.to_vec();
        }
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum FileMode {
    #[serde(rename = "site-to-site")]
    SiteToSite,
    #[serde(rename = "single")]
    Single,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    name: String,
    mode: FileMode,
    profile: Option<Profile>,
    policy: Option<Policy>,
    #[serde(default)]
    half: Vec<RawHalf>,
    peer: Option<RawPeer>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHalf {
    region: RegionId,
    router: Text,
    subnets: Vec<Text>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPeer {
    address: String,
    id: Option<String>,
    cidrs: Vec<String>,
    system: Option<String>,
}

/// A plan file whose form is right; what it names is not looked up yet.
#[derive(Clone, Debug)]
pub struct PlanFile {
    name: VpnName,
    profile: Option<Profile>,
    policy: Option<Policy>,
    a: RawHalf,
    far: Far<RawHalf, Peer>,
}

impl PlanFile {
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let raw: Raw = toml::from_str(text).map_err(|error| FileError::Syntax(syntax(text, &error)))?;
        if raw.version != VERSION {
            return Err(FileError::Version(raw.version));
        }
        let name = VpnName::parse(&raw.name)?;
        match (raw.profile, &raw.policy) {
            (Some(profile), Some(_)) if profile != Profile::Custom => return Err(FileError::TwoPolicies),
            (Some(Profile::Custom), None) => return Err(FileError::NoPolicy),
            _ => {}
        }
        let halves = raw.half.len();
        let mut halves_of = raw.half.into_iter();
        let (a, far) = match (raw.mode, halves_of.next(), halves_of.next(), raw.peer, halves) {
            (FileMode::SiteToSite, Some(a), Some(b), None, 2) => (a, Far::Half(b)),
            (FileMode::Single, Some(a), None, Some(peer), 1) => (a, Far::Peer(read_peer(&peer)?)),
            (FileMode::SiteToSite, _, _, Some(_), _) => return Err(FileError::PeerOfTwoHalves),
            (FileMode::SiteToSite, ..) => return Err(FileError::NotTwoHalves(halves)),
            (FileMode::Single, _, _, None, _) => return Err(FileError::NoPeer),
            (FileMode::Single, ..) => return Err(FileError::NotOneHalf(halves)),
        };
        Ok(Self { name, profile: raw.profile, policy: raw.policy, a, far })
    }

    pub fn regions(&self) -> Vec<&RegionId> {
        match &self.far {
            Far::Half(b) => vec![&self.a.region, &b.region],
            Far::Peer(_) => vec![&self.a.region],
        }
    }

    /// The router and the subnets of a half, as it names them.
    pub(crate) fn objects(&self, half: Half) -> Option<(&str, impl Iterator<Item = &str>)> {
        let raw = match (half, &self.far) {
            (Half::A, _) => &self.a,
            (Half::B, Far::Half(b)) => b,
            (Half::B, Far::Peer(_)) => return None,
        };
        Some((raw.router.0.as_str(), raw.subnets.iter().map(|subnet| subnet.0.as_str())))
    }

    pub(crate) const fn name(&self) -> &VpnName {
        &self.name
    }

    pub(crate) const fn profile(&self) -> Option<Profile> {
        self.profile
    }

    pub(crate) const fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    pub(crate) const fn peer(&self) -> Option<&Peer> {
        match &self.far {
            Far::Peer(peer) => Some(peer),
            Far::Half(_) => None,
        }
    }

    /// Whether two plans are of one VPN: name, regions and external peer are the same.
    pub(crate) fn is_of_same_vpn(&self, other: &Self) -> bool {
        let regions = |file: &Self| file.regions().into_iter().cloned().collect::<BTreeSet<_>>();
        let address = |file: &Self| file.peer().map(|peer| peer.address.clone());
        self.name == other.name && regions(self) == regions(other) && address(self) == address(other)
    }

    /// Whether a key may be generated: both halves are ours, so no one else has to know it.
    pub(crate) const fn may_generate_key(&self) -> bool {
        matches!(self.far, Far::Half(_))
    }

    /// Looks up what the file names.
    /// Errors: everything that is not there, or not clear.
    pub fn resolve(&self, known: &[Known<'_>], profiles: &Profiles, psk: Psk) -> Result<PlanDraft, Vec<FileError>> {
        let mut errors = Vec::new();
        let a = side(&self.a, Half::A, known, &mut errors);
        let far = match &self.far {
            Far::Half(b) => side(b, Half::B, known, &mut errors).map(Far::Half),
            Far::Peer(peer) => Some(Far::Peer(peer.clone())),
        };
        let (Some(a), Some(far)) = (a, far) else { return Err(errors) };
        if !errors.is_empty() {
            return Err(errors);
        }
        let (profile, policy) = match (&self.policy, self.profile) {
            (Some(policy), _) => (Profile::Custom, policy.clone()),
            (None, profile) => {
                let ranges = match &far {
                    Far::Half(b) => (a.subnets.len(), b.subnets.len()),
                    Far::Peer(peer) => (a.subnets.len(), peer.cidrs.len()),
                };
                let regions = known.iter().map(|known| (known.region, &known.inventory.extensions)).collect();
                let profile = profile.unwrap_or_else(|| {
                    let has_external_peer = matches!(far, Far::Peer(_));
                    let scope = PolicyScope { regions, ranges, has_external_peer, ..PolicyScope::default() };
                    scope.recommended(profiles).0
                });
                (profile, profiles.get(profile).unwrap_or(&profiles.modern).clone())
            }
        };
        Ok(PlanDraft { name: self.name.clone(), a, far, profile, policy, psk })
    }
}

fn syntax(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let message = one_line(&in_words(error.message()), LONGEST_MESSAGE);
    line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}"))
}

/// The parser's messages say what its types expect; this says what to write.
fn in_words(message: &str) -> String {
    let message = message.trim().replace('\n', "; ");
    let replaced =
        [("unknown variant ", " is not known here; write"), ("unknown field ", " is not known here; known are")];
    for (begin, is_not) in replaced {
        if let Some((word, expected)) = message.strip_prefix(begin).and_then(|rest| rest.split_once(", expected ")) {
            return format!("{word}{is_not} {}", expected.trim_start_matches("one of "));
        }
    }
    if let Some(word) = message.strip_prefix("missing field ") {
        return format!("{word} is missing");
    }
    match message.strip_prefix("invalid type: string ").and_then(|rest| rest.strip_suffix(", expected a sequence")) {
        Some(word) => format!("a list is needed here: [{word}]"),
        None => message,
    }
}

fn read_peer(raw: &RawPeer) -> Result<Peer, FileError> {
    let mut problems = Vec::new();
    let mut note = |problem: FileError| problems.push(problem);
    let address = PeerAddress::parse(&raw.address).map_err(|problem| note(FileError::PeerAddress(problem))).ok();
    let id = raw.id.clone().or_else(|| address.as_ref().map(ToString::to_string));
    if let Some(Err(problem)) = id.as_deref().map(check_id) {
        note(FileError::PeerId(problem));
    }
    let cidrs = cidr::parse_list(&raw.cidrs.join(",")).map_err(|problem| note(problem.into())).ok();
    let system =
        raw.system.as_deref().map(str::parse).transpose().map_err(|problem: UnknownSystem| note(problem.into()));
    let system = system.unwrap_or_default();
    match (address, id, cidrs, problems.len()) {
        (Some(address), Some(id), Some(cidrs), 0) => Ok(Peer { address, id, cidrs, system }),
        (.., 1) => Err(problems.remove(0)),
        _ => Err(FileError::Several(problems)),
    }
}

fn side(raw: &RawHalf, half: Half, known: &[Known<'_>], errors: &mut Vec<FileError>) -> Option<HalfDraft> {
    let region = raw.region.clone();
    let Some(known) = known.iter().find(|known| *known.region == region) else {
        errors.push(FileError::NoSuchRegion { half, region, there: Vec::new() });
        return None;
    };
    let router = reference::router(known.inventory, &raw.router.0);
    let on_router = router.as_ref().ok().and_then(|id| known.inventory.router(id));
    let mut subnets = Vec::new();
    for Text(wanted) in &raw.subnets {
        match reference::subnet(known.inventory, on_router, wanted) {
            Ok(id) => subnets.push(id),
            Err(problem) => errors.push(FileError::Subnet { half, region: region.clone(), problem }),
        }
    }
    match router {
        Ok(router) => Some(HalfDraft { region, router, subnets }),
        Err(problem) => {
            errors.push(FileError::Router { half, region, problem });
            None
        }
    }
}

/// Writes a plan as a file that [`PlanFile::parse`] reads back, with the names behind the ids as comments.
pub fn write(plan: &Plan) -> String {
    let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
    let comment = |value: &str| value.chars().filter(|c| !c.is_control()).collect::<String>();
    let mode = if plan.peer().is_some() { "single" } else { "site-to-site" };
    let mut out = String::new();
    let mut line = |content: String| {
        out.push_str(&content);
        out.push('\n');
    };
    line("# A VPN for `osvpn apply`. It holds no key: give it with --psk-file or OSVPN_PSK.".into());
    line(format!("version = {VERSION}"));
    line(format!("name = {}", text(plan.name().as_str())));
    line(format!("mode = {}", text(mode)));
    if plan.profile() != Profile::Custom {
        line(format!("profile = {}", text(plan.profile().as_str())));
    }
    for half in plan.halves() {
        line("\n[[half]]".into());
        line(format!("region = {}", text(half.region.as_str())));
        line(format!("router = {} # {}", text(half.router.id.as_str()), comment(&half.router.name)));
        line("subnets = [".into());
        for subnet in &half.local {
            line(format!("  {}, # {} {}", text(subnet.id.as_str()), comment(&subnet.name), subnet.cidr));
        }
        line("]".into());
    }
    if let Some(peer) = plan.peer() {
        line("\n[peer]".into());
        line(format!("address = {}", text(&peer.address.to_string())));
        line(format!("id = {}", text(&peer.id)));
        let ranges = peer.cidrs.iter().map(|range| text(&range.to_string())).join(", ");
        line(format!("cidrs = [{ranges}]"));
        peer.system.iter().for_each(|system| line(format!("system = {}", text(system.as_str()))));
    }
    if plan.profile() == Profile::Custom
        && let Ok(policy) = toml::Table::try_from(plan.policy())
    {
        let table = toml::Table::from_iter([("policy".to_owned(), toml::Value::Table(policy))]);
        let _ = write!(out, "\n{table}");
    }
    out
}
