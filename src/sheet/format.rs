//! The formats: what stands in the headers of the files of `assets/peers`.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use minijinja::Value;
use serde::Deserialize;

use super::refusal::{Objection, Remedy, SheetRefused};
use super::values::{FarSide, plain};
use crate::plan::PeerSystem;
use crate::plan::peer::{ANY_SYSTEM, SYSTEMS};
use crate::plan::policy::EncryptionAlgorithm;

static FORMATS: LazyLock<Result<Vec<PeerFormat>, BrokenFormat>> = LazyLock::new(|| {
    let mut formats: Vec<PeerFormat> = SYSTEMS.files().map(PeerFormat::read).collect::<Result<_, _>>()?;
    formats.sort_by_key(|format| (format.header.place, format.word));
    Ok(formats)
});

/// What separates the header of a format from the sheet.
const FENCE: &str = "+++\n";

/// A way to write a sheet: for one system, or for any.
#[derive(Debug)]
pub struct PeerFormat {
    /// By which it is asked for: the name of its file.
    pub word: &'static str,
    pub(super) template: &'static str,
    header: Header,
}

/// A file of `assets/peers` that cannot be used; a test reads all of them.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the format {0} is broken: {1}")]
pub struct BrokenFormat(&'static str, String);

/// How far the sheets of a format were tried.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SheetProof {
    pub tier: Tier,
    /// What they were tried with, or what their words were compared with.
    pub with: String,
    /// The day of it, as `2026-11-29`.
    pub on: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// A tunnel came up from the sheet alone, and pings crossed it.
    Tunnel,
    /// What the system makes of it was written by rules of the vendor, and a tunnel came up from that.
    Rendered,
    /// Each word was compared with the choices that the vendor publishes.
    Words,
    /// Written from the vendor's documentation.
    Documented,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Header {
    /// As its owner calls the system.
    title: String,
    /// Which versions of it the sheet is for.
    versions: String,
    /// Where the sheet goes.
    goes_to: String,
    /// In the list of formats; equal ones by their words.
    #[serde(default)]
    place: u8,
    /// What begins a comment; nothing where the sheet is read by people alone.
    #[serde(default)]
    comment: String,
    proof: SheetProof,
    #[serde(default = "sixty_three")]
    longest_name: usize,
    sa: SaSplit,
    key: KeyRule,
    /// In seconds; without it, any.
    ike_lifetime: Option<[u32; 2]>,
    /// In seconds; without it, any.
    ipsec_lifetime: Option<[u32; 2]>,
    /// The format whose words it has, too.
    words_of: Option<String>,
    #[serde(default)]
    ike: Phase,
    #[serde(default)]
    ipsec: Phase,
    /// Whether it writes ranges of IPv6.
    #[serde(default = "yes")]
    takes_ipv6: bool,
    /// Whether it knows AH.
    #[serde(default)]
    takes_ah: bool,
    #[serde(default)]
    refuses: Vec<DeviceRule>,
}

const fn yes() -> bool {
    true
}

const fn sixty_three() -> usize {
    63
}

/// Which ranges an SA of the system carries, where VPNaaS has all of them in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum SaSplit {
    #[serde(rename = "one-for-all")]
    ForAll,
    #[serde(rename = "one-per-pair")]
    PerPair,
    /// One pair of ranges and no more.
    #[serde(rename = "one-pair-only")]
    PairOnly,
}

/// Which keys the system takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct KeyRule {
    pub(super) shortest: usize,
    pub(super) longest: usize,
    /// What it may not begin with.
    #[serde(default)]
    pub(super) not_first: Vec<String>,
}

/// How the words of the API are written; what is not there, the system does not have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Phase {
    encryption: Words,
    auth: Words,
    /// By the algorithm for integrity.
    #[serde(default)]
    prf: Words,
    group: Words,
}

type Words = BTreeMap<String, String>;

/// What cannot work with the system though it has the words.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceRule {
    /// Attributes and the words at which it applies; all of them.
    when: BTreeMap<String, Vec<String>>,
    why: String,
    instead: Option<Remedy>,
}

impl PeerFormat {
    /// All of them, the neutral one first.
    ///
    /// # Errors
    /// Only if a file of `assets/peers` was broken when the program was built.
    pub fn all() -> Result<&'static [Self], &'static BrokenFormat> {
        FORMATS.as_ref().map(Vec::as_slice)
    }

    /// The one for a system; without one, the neutral one.
    pub fn of(system: Option<PeerSystem>) -> Option<&'static Self> {
        let word = system.map_or(ANY_SYSTEM, PeerSystem::as_str);
        Self::all().ok()?.iter().find(|format| format.word == word)
    }

    /// The system it is for; none if it is for any.
    pub fn system(&self) -> Option<PeerSystem> {
        self.word.parse().ok()
    }

    fn read(file: &'static include_dir::File<'static>) -> Result<Self, BrokenFormat> {
        let word = file.path().file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let broken = |why: &str| BrokenFormat(word, why.to_owned());
        let text = file.contents_utf8().ok_or_else(|| broken("it is no text"))?;
        let (header, template) = text.split_once(FENCE).ok_or_else(|| broken("it has no header"))?;
        let header = toml::from_str(header).map_err(|error| broken(&error.to_string()))?;
        Ok(Self { word, template, header })
    }

    /// The header with its words.
    fn wording(&self) -> &Header {
        let of = self.header.words_of.as_deref();
        let other = of.and_then(|of| Self::all().ok()?.iter().find(|format| format.word == of));
        other.map_or(&self.header, |format| &format.header)
    }

    /// Every word it has for an algorithm: of which phase, what for, the word of the API, and as the system writes it.
    pub fn vocabulary(&self) -> impl Iterator<Item = (&'static str, &'static str, &str, &str)> {
        let Header { ike, ipsec, .. } = self.wording();
        [("ike", ike), ("ipsec", ipsec)].into_iter().flat_map(|(of, Phase { encryption, auth, prf, group })| {
            let tables = [("encryption", encryption), ("auth", auth), ("prf", prf), ("group", group)];
            tables.into_iter().flat_map(move |(what, table)| {
                table.iter().map(move |(api, word)| (of, what, api.as_str(), word.as_str()))
            })
        })
    }

    /// The word of the API for a group that the system calls so.
    pub(super) fn group_called(&self, word: &str) -> Option<&str> {
        self.wording().ike.group.iter().find(|(_, theirs)| *theirs == word).map(|(api, _)| api.as_str())
    }

    pub(super) const fn takes_ipv6(&self) -> bool {
        self.header.takes_ipv6
    }

    pub(super) const fn takes_ah(&self) -> bool {
        self.header.takes_ah
    }

    pub fn title(&self) -> &str {
        &self.header.title
    }

    pub fn versions(&self) -> &str {
        &self.header.versions
    }

    pub const fn proof(&self) -> &SheetProof {
        &self.header.proof
    }

    pub(super) fn comment(&self) -> &str {
        &self.header.comment
    }

    pub(super) const fn longest_name(&self) -> usize {
        self.header.longest_name
    }

    pub(super) const fn key_rule(&self) -> &KeyRule {
        &self.header.key
    }

    pub(super) fn has_one_sa_for_all(&self) -> bool {
        self.header.sa == SaSplit::ForAll
    }

    pub(super) fn takes_one_pair_only(&self) -> bool {
        self.header.sa == SaSplit::PairOnly
    }

    /// That of the VPN, or the nearest one that the system takes: the shorter one renews, so both ends still agree.
    pub(super) fn ike_lifetime(&self, seconds: u32) -> u32 {
        within(self.header.ike_lifetime, seconds)
    }

    /// The same for the IPsec SA.
    pub(super) fn ipsec_lifetime(&self, seconds: u32) -> u32 {
        within(self.header.ipsec_lifetime, seconds)
    }

    /// What stands above the values, a line each.
    pub(super) fn head(&self, side: &FarSide, has_key: bool) -> Vec<String> {
        let Header { title, versions, goes_to, proof, .. } = &self.header;
        let mut head = vec![
            format!(
                "{title}: the far side of the VPN {}, whose other half is in {}",
                side.vpn,
                plain(side.region.as_str())
            ),
            format!("For {versions}. {goes_to}"),
            proof.to_string(),
        ];
        head.push(if has_key {
            "This text holds the pre-shared key. Send it over a safe channel, and delete it afterwards.".to_owned()
        } else {
            format!("The pre-shared key is not in this text. Put it in the place of {}.", super::KEY_PLACE)
        });
        if !self.template.contains("Your address") {
            head.push(format!("{}{}", super::received::YOUR_ADDRESS, side.local.address));
        }
        if let Some(note) = self.several_sas(side) {
            head.push(note);
        }
        head
    }

    fn several_sas(&self, side: &FarSide) -> Option<String> {
        let pairs = side.local.networks.len() * side.remote.networks.len();
        let is_split = self.header.sa == SaSplit::PerPair && pairs > 1;
        is_split.then(|| format!("It has one SA for each of the {pairs} pairs of ranges. Let it begin, not the cloud."))
    }

    /// The words of one phase, as the system writes them.
    ///
    /// # Errors
    /// What it has no word for.
    pub(super) fn phases(&self, side: &FarSide) -> Result<[Value; 2], SheetRefused> {
        let mut reasons = Vec::new();
        let Header { ike, ipsec, .. } = self.wording();
        let phases = [("ike", ike), ("ipsec", ipsec)].map(|(of, phase)| {
            let encryption = side.word(&format!("{of}.encryption_algorithm"));
            let is_aead = encryption.parse().is_ok_and(EncryptionAlgorithm::is_aead);
            let mut word = |table: &Words, attribute: &str, is_needed: bool| {
                let theirs = side.word(&format!("{of}.{attribute}"));
                let found = table.get(theirs).cloned();
                if found.is_none() && is_needed {
                    reasons.push(Objection::no_word(self.title(), of, attribute, theirs));
                }
                found.unwrap_or_default()
            };
            minijinja::context! {
                encryption => word(&phase.encryption, "encryption_algorithm", true),
                // With a cipher that has its own, the integrity of the policy says the PRF alone.
                auth => word(&phase.auth, "auth_algorithm", !is_aead),
                prf => word(&phase.prf, "auth_algorithm", !phase.prf.is_empty()),
                group => word(&phase.group, "pfs", true),
                is_aead,
            }
        });
        if reasons.is_empty() { Ok(phases) } else { Err(SheetRefused::new(self.title(), reasons)) }
    }

    /// The rules of its header that the VPN breaks.
    pub(super) fn broken_rules(&self, side: &FarSide) -> impl Iterator<Item = Objection> {
        let applies = |rule: &&DeviceRule| {
            rule.when.iter().all(|(attribute, words)| words.iter().any(|word| word == side.word(attribute)))
        };
        let reason = |rule: &DeviceRule| Objection { why: rule.why.clone(), instead: rule.instead };
        self.header.refuses.iter().filter(applies).map(reason).collect::<Vec<_>>().into_iter()
    }
}

fn within(bounds: Option<[u32; 2]>, seconds: u32) -> u32 {
    let bounds: Option<RangeInclusive<u32>> = bounds.map(|[least, most]| least..=most);
    bounds.map_or(seconds, |bounds| seconds.clamp(*bounds.start(), *bounds.end()))
}

impl fmt::Display for SheetProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tier, with, on } = self;
        match tier {
            Tier::Tunnel => write!(f, "Proof: a tunnel came up from such a text alone ({with}, {on})."),
            Tier::Rendered => write!(f, "Proof: a tunnel came up from such a text by {with} ({on})."),
            Tier::Words => write!(f, "Proof: its words were compared with {with} ({on}); no tunnel was tried."),
            Tier::Documented => write!(f, "Proof: none; written from {with} ({on})."),
        }
    }
}
