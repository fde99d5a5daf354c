//! Plan files: the answers of a run as TOML, without its key. Names, ids or (for subnets) CIDRs name the objects; a
//! name that fits several is an error that lists their ids.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use itertools::Itertools;
use serde::Deserialize;

use super::cidr;
use super::fit::PolicyScope;
use super::names::VpnName;
use super::peer::{Peer, PeerAddress, check_id};
use super::policy::{Policy, Profile, Profiles};
use super::{Far, Half, HalfDraft, Known, Plan, PlanDraft, Psk};
use crate::cloud::{Id, RegionId, Text, one_line};

const VERSION: u32 = 1;
/// How much of the parser's words is passed on, in characters. They may repeat a part of the file.
const LONGEST_MESSAGE: usize = 300;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is not TOML, or has a wrong or unknown key; says where.
    #[error("{0}")]
    Syntax(String),
    /// A key whose value does not fit; the key, and why.
    #[error("{0}: {1}")]
    Value(String, String),
    /// A name that stands for nothing, or for several objects; the key, and what is known.
    #[error("{0}: {1}")]
    Reference(String, String),
}

impl FileError {
    /// Whether the file itself is unusable (exit code 2), rather than at odds with the cloud (exit code 4).
    pub const fn is_unreadable(&self) -> bool {
        !matches!(self, Self::Reference(..))
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
        let value = |key: &str, why: &dyn std::fmt::Display| FileError::Value(key.to_owned(), why.to_string());
        if raw.version != VERSION {
            return Err(value(
                "version",
                &format!("{} is not known; this program reads version {VERSION}", raw.version),
            ));
        }
        let name = VpnName::parse(&raw.name).map_err(|problem| value("name", &problem))?;
        match (raw.profile, &raw.policy) {
            (Some(profile), Some(_)) if profile != Profile::Custom => {
                return Err(value("policy", &"give either a profile or a [policy] table, not both"));
            }
            (Some(Profile::Custom), None) => return Err(value("profile", &"custom needs a [policy] table")),
            _ => {}
        }
        let halves = raw.half.len();
        let mut halves_of = raw.half.into_iter();
        let (a, far) = match (raw.mode, halves_of.next(), halves_of.next(), raw.peer, halves) {
            (FileMode::SiteToSite, Some(a), Some(b), None, 2) => (a, Far::Half(b)),
            (FileMode::Single, Some(a), None, Some(peer), 1) => (a, Far::Peer(read_peer(&peer)?)),
            (FileMode::SiteToSite, _, _, Some(_), _) => return Err(value("peer", &"belongs to mode \"single\" only")),
            (FileMode::SiteToSite, ..) => {
                return Err(value("half", &format!("site-to-site needs two [[half]] tables; there are {halves}")));
            }
            (FileMode::Single, _, _, None, _) => return Err(value("peer", &"mode \"single\" needs a [peer] table")),
            (FileMode::Single, ..) => {
                return Err(value("half", &format!("mode \"single\" needs one [[half]] table; there are {halves}")));
            }
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

    pub(crate) const fn peer(&self) -> Option<&Peer> {
        match &self.far {
            Far::Peer(peer) => Some(peer),
            Far::Half(_) => None,
        }
    }

    /// Whether two plans are of one VPN: name, regions and peer outside are the same.
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
    /// Errors: every [`FileError::Reference`] there is.
    pub fn resolve(&self, known: &[Known<'_>], profiles: &Profiles, psk: Psk) -> Result<PlanDraft, Vec<FileError>> {
        let mut errors = Vec::new();
        let a = side(&self.a, 1, known, &mut errors);
        let far = match &self.far {
            Far::Half(b) => side(b, 2, known, &mut errors).map(Far::Half),
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
                    PolicyScope { regions, ranges, ..PolicyScope::default() }.recommended(profiles).0
                });
                (profile, profiles.get(profile).unwrap_or(&profiles.modern).clone())
            }
        };
        Ok(PlanDraft { name: self.name.clone(), a, far, profile, policy, psk })
    }
}

fn syntax(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let message = one_line(&error.message().trim().replace('\n', "; "), LONGEST_MESSAGE);
    line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}"))
}

fn read_peer(raw: &RawPeer) -> Result<Peer, FileError> {
    let address = PeerAddress::parse(&raw.address)
        .map_err(|problem| FileError::Value("peer.address".into(), problem.to_string()))?;
    let id = raw.id.clone().unwrap_or_else(|| address.to_string());
    check_id(&id).map_err(|problem| FileError::Value("peer.id".into(), problem.to_string()))?;
    let cidrs = cidr::parse_list(&raw.cidrs.join(","))
        .map_err(|problem| FileError::Value("peer.cidrs".into(), problem.to_string()))?;
    Ok(Peer { address, id, cidrs })
}

fn side(raw: &RawHalf, number: usize, known: &[Known<'_>], errors: &mut Vec<FileError>) -> Option<HalfDraft> {
    let Some(known) = known.iter().find(|known| *known.region == raw.region) else {
        errors.push(FileError::Reference(
            format!("half {number}, region"),
            format!("{} is not a region of this cloud with a network service", raw.region),
        ));
        return None;
    };
    let routers = known.inventory.routers.iter();
    let routers = routers.filter(|router| router.id.as_str() == raw.router.0 || router.name == raw.router.0);
    let router = one(routers.map(|router| &router.id), &raw.router.0, || {
        known.inventory.routers.iter().map(|router| router.name.as_str()).collect()
    });
    let mut subnets = Vec::new();
    for Text(wanted) in &raw.subnets {
        let range = wanted.parse().ok();
        let fits = known
            .inventory
            .subnets
            .iter()
            .filter(|subnet| subnet.id.as_str() == wanted || subnet.name == *wanted || Some(subnet.cidr) == range);
        // The router settles most ambiguities: a subnet that does not hang on it cannot be meant.
        let on_router = router.as_ref().ok().and_then(|id| known.inventory.router(id));
        let attached = |id: &Id| on_router.is_some_and(|router| router.serves(id) == Some(true));
        let mut all: Vec<&Id> = fits.map(|subnet| &subnet.id).collect();
        if all.len() > 1 && all.iter().any(|id| attached(id)) {
            all.retain(|id| attached(id));
        }
        let names = || known.inventory.subnets.iter().map(|subnet| subnet.name.as_str()).collect();
        match one(all.into_iter(), wanted, names) {
            Ok(id) => subnets.push(id),
            Err(why) => errors.push(FileError::Reference(format!("half {number}, subnets, {}", raw.region), why)),
        }
    }
    match router {
        Ok(router) => Some(HalfDraft { region: raw.region.clone(), router, subnets }),
        Err(why) => {
            errors.push(FileError::Reference(format!("half {number}, router, {}", raw.region), why));
            None
        }
    }
}

fn one<'a>(
    mut fits: impl Iterator<Item = &'a Id>,
    wanted: &str,
    names: impl Fn() -> Vec<&'a str>,
) -> Result<Id, String> {
    match (fits.next(), fits.next()) {
        (Some(id), None) => Ok(id.clone()),
        (Some(first), Some(second)) => {
            let ids = [first, second].into_iter().chain(fits).map(Id::as_str).join(", ");
            Err(format!("{wanted} fits several; use one of their ids: {ids}"))
        }
        (None, _) => {
            let mut names = names();
            names.sort_unstable();
            names.dedup();
            let more = if names.len() > 8 { ", …" } else { "" };
            names.truncate(8);
            Err(format!("{wanted} is not there; there are: {}{more}", names.join(", ")))
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
    }
    if plan.profile() == Profile::Custom
        && let Ok(policy) = toml::Table::try_from(plan.policy())
    {
        let table = toml::Table::from_iter([("policy".to_owned(), toml::Value::Table(policy))]);
        let _ = write!(out, "\n{table}");
    }
    out
}
