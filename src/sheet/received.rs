//! What the other side sends, read: the configuration of its device, a download of AWS, a sheet of osvpn. Nothing is guessed:
//! what is not said stays open, what is not understood is told line by line, and what contradicts itself is refused.

mod aws;
mod cisco;
mod fortios;
mod ipsec_conf;
mod notes;
mod policy;
mod secrets;
mod swanctl;
mod values;
mod words;

use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;
use secrecy::{ExposeSecret, SecretString};

use crate::cloud::one_line;
use crate::plan::peer::check_id;
use crate::plan::policy::{DpdAction, IkeVersion, Phase1Mode};
use crate::sheet::PeerFormat;
pub use notes::ReceivedNote;
use notes::ReceivedNotes;
pub(crate) use notes::masked;
pub use policy::AgreedPolicy;
pub use words::Transforms;

/// Much more than the configuration of any VPN, in bytes.
pub const LONGEST_RECEIVED: usize = 1 << 20;

/// More than any text about one VPN has.
const MOST_SETTINGS: usize = 5000;
/// So many ranges of one end are read.
const MOST_RANGES: usize = 100;

/// What begins the line of a sheet with the address at which the cloud expects the far side; the comma can be in no name.
pub(super) const YOUR_ADDRESS: &str = "Your address, as the cloud has it: ";
const SHEET_HEAD: &str = ": the far side of the VPN ";

/// What a text says of a VPN.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub kind: ReceivedKind,
    /// Whether osvpn wrote it.
    pub is_sheet: bool,
    /// The end that the text is written for: its own side.
    pub own: ReceivedEnd,
    pub far: ReceivedEnd,
    pub policy: ReceivedPolicy,
    /// The text has no IKE version, and its maker's default was taken.
    pub is_ike_version_a_default: bool,
    pub key: Option<SecretString>,
    pub notes: Vec<ReceivedNote>,
    /// Which of several in the text it is.
    name: String,
    /// Which ranges it carries to each other, where that is said one by one.
    pairs: Vec<(IpNet, IpNet)>,
}

/// What kind of text it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceivedKind {
    #[default]
    Values,
    Swanctl,
    IpsecConf,
    FortiOs,
    Cisco,
    /// The sheet of osvpn for the console of AWS.
    AwsValues,
    /// What the console of AWS has for the owner of a customer gateway.
    AwsDownload,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceivedEnd {
    /// An address, or a host name.
    pub address: Option<String>,
    pub id: Option<String>,
    pub networks: Vec<IpNet>,
}

/// One of the two ends of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextSide {
    Own,
    Far,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceivedPolicy {
    pub ike_version: Option<IkeVersion>,
    pub mode: Option<Phase1Mode>,
    /// Any one of these is taken.
    pub ike: Vec<Transforms>,
    pub ipsec: Vec<Transforms>,
    /// In seconds.
    pub ike_lifetime: Option<u32>,
    /// In seconds.
    pub ipsec_lifetime: Option<u32>,
    pub dpd_action: Option<DpdAction>,
    /// In seconds.
    pub dpd_interval: Option<u32>,
    /// In seconds.
    pub dpd_timeout: Option<u32>,
    /// In bytes.
    pub mtu: Option<u32>,
    /// Whether the text's own side begins.
    pub own_begins: Option<bool>,
}

/// Why nothing can be taken from a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceivedProblem {
    #[error("it is empty")]
    Empty,
    #[error("it is no text")]
    NotText,
    #[error("it is too long; the part about the VPN is enough")]
    TooLong,
    /// Something else; what, and where it goes.
    #[error("{0}")]
    SomethingElse(&'static str),
    #[error(
        "it is none of: a swanctl.conf or ipsec.conf, a download of AWS for \"Generic\", a part of the configuration of FortiOS \
         or Cisco IOS, a sheet of osvpn for values, aws, swanctl, ipsec-conf, libreswan, fortios or ios-xe"
    )]
    Unknown,
    #[error("it looks like {}, but says nothing of a VPN", .0.title())]
    NoVpn(ReceivedKind),
    #[error("there are several VPNs in it ({0}); leave one of them in the text")]
    Several(String),
    #[error("it contradicts itself: {}", .0.iter().join("; "))]
    Contradicts(Vec<String>),
}

impl ReceivedKind {
    pub const fn title(self) -> &'static str {
        match self {
            Self::Values => "the values for any system",
            Self::Swanctl => "a swanctl.conf",
            Self::IpsecConf => "an ipsec.conf",
            Self::FortiOs => "a configuration of FortiOS",
            Self::Cisco => "a configuration of Cisco IOS",
            Self::AwsValues => "the values for AWS",
            Self::AwsDownload => "a download of AWS",
        }
    }

    /// The system whose configuration it is: that of the text's own side, but for a download, which is for its customer.
    pub(super) fn system(self, peer: TextSide) -> Option<&'static PeerFormat> {
        let word = match (self, peer) {
            (Self::AwsDownload, TextSide::Far) | (Self::AwsValues, TextSide::Own) => "aws",
            (Self::Swanctl, TextSide::Own) => "swanctl",
            (Self::FortiOs, TextSide::Own) => "fortios",
            (Self::Cisco, TextSide::Own) => "ios-xe",
            _ => return None,
        };
        PeerFormat::all().ok()?.iter().find(|format| format.word == word)
    }
}

impl TextSide {
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Own => Self::Far,
            Self::Far => Self::Own,
        }
    }
}

impl Received {
    /// Reads what the other side has sent.
    ///
    /// # Errors
    /// Why nothing can be taken from it. No secret is in the reason.
    pub fn read(text: &str) -> Result<Self, ReceivedProblem> {
        let kind = kind(text)?;
        let mut notes = ReceivedNotes::default();
        let read: fn(&str, &mut ReceivedNotes) -> Vec<Self> = match kind {
            ReceivedKind::Values => values::read,
            ReceivedKind::Swanctl => swanctl::read,
            ReceivedKind::IpsecConf => ipsec_conf::read,
            ReceivedKind::FortiOs => fortios::read,
            ReceivedKind::Cisco => cisco::read,
            ReceivedKind::AwsValues => aws::read_values,
            ReceivedKind::AwsDownload => aws::read_download,
        };
        let found = read(text, &mut notes);
        let mut received = joined(kind, found, &mut notes)?;
        let head = remarks(text);
        received.kind = kind;
        received.is_sheet = head.contains(SHEET_HEAD);
        if let Some((_, rest)) = head.split_once(YOUR_ADDRESS).filter(|_| received.is_sheet) {
            received.own.address = rest.split(' ').next().map(ToOwned::to_owned);
        }
        for end in [&mut received.own, &mut received.far] {
            end.settle(&mut notes);
        }
        received.notes = notes.end().map_err(ReceivedProblem::Contradicts)?;
        if let Some(key) = received.key.as_ref().map(ExposeSecret::expose_secret) {
            received
                .notes
                .iter_mut()
                .filter(|note| note.text.contains(key))
                .for_each(|note| "a key".clone_into(&mut note.text));
        }
        Ok(received)
    }

    pub const fn end(&self, side: TextSide) -> &ReceivedEnd {
        match side {
            TextSide::Own => &self.own,
            TextSide::Far => &self.far,
        }
    }

    /// What stands at that end.
    pub fn system(&self, peer: TextSide) -> Option<&'static PeerFormat> {
        self.kind.system(peer)
    }

    /// Which end is the peer, and why: the one that is not in this cloud, else the one for which such a text is not written.
    /// None if that cannot be told.
    pub fn peer(&self, in_cloud: impl Fn(IpAddr) -> Option<String>) -> Option<(TextSide, String)> {
        let place = |end: &ReceivedEnd| end.address.as_ref()?.parse().ok().and_then(&in_cloud);
        match (place(&self.own), place(&self.far)) {
            (Some(place), None) => Some((TextSide::Far, place)),
            (None, Some(place)) => Some((TextSide::Own, place)),
            (Some(_), Some(_)) => None,
            (None, None) => match self.kind {
                ReceivedKind::AwsDownload => {
                    Some((TextSide::Far, "AWS writes such a text for its other end".to_owned()))
                }
                ReceivedKind::Values if self.is_sheet => {
                    Some((TextSide::Far, "such a sheet is for the other end of the VPN that it names".to_owned()))
                }
                _ if self.is_sheet => None,
                _ => Some((TextSide::Own, "the configuration of a device is that of its own end".to_owned())),
            },
        }
    }
}

impl ReceivedEnd {
    /// What cannot be meant is left out, and told.
    fn settle(&mut self, notes: &mut ReceivedNotes) {
        let is_none = |address: &String| address.starts_with('%') || address == "0.0.0.0" || address == "::";
        self.address = self.address.take().filter(|address| !is_none(address));
        if let Some(Err(problem)) = self.id.as_deref().map(check_id) {
            notes.of_all(format!(
                "the identity {} is not taken: {problem}",
                one_line(self.id.as_deref().unwrap_or(""), 40)
            ));
            self.id = None;
        }
        self.networks = self.networks.iter().map(IpNet::trunc).unique().collect();
    }

    /// Takes a range, in one of the ways in which systems write one.
    fn take_network(&mut self, line: usize, word: &str, notes: &mut ReceivedNotes) {
        let word = word.trim();
        if self.networks.len() >= MOST_RANGES {
            return notes.of_line(line, "there are too many ranges for one VPN");
        }
        match word.parse::<IpNet>().or_else(|_| word.parse::<IpAddr>().map(IpNet::from)) {
            Ok(network) => self.networks.push(network),
            Err(_) => notes.of_line(line, format!("the range {} is not taken", one_line(word, 40))),
        }
    }
}

/// What it is, by what only such a text has in it.
fn kind(text: &str) -> Result<ReceivedKind, ReceivedProblem> {
    use ReceivedProblem::SomethingElse;
    if text.len() > LONGEST_RECEIVED {
        return Err(ReceivedProblem::TooLong);
    }
    if text.trim().is_empty() {
        return Err(ReceivedProblem::Empty);
    }
    if text.contains('\0') && text.bytes().filter(|byte| *byte == 0).count() * 3 > text.len() {
        return Err(SomethingElse("it is UTF-16; save it as UTF-8"));
    }
    if text.contains('\0') {
        return Err(ReceivedProblem::NotText);
    }
    let lines = || text.lines().map(str::trim);
    let begins =
        |word: &str| lines().any(|line| line.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word)));
    let is_section =
        |name: &str| lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.trim().starts_with('{')));
    Ok(match () {
        () if begins("-----BEGIN ") => {
            return Err(SomethingElse("it is a certificate or a private key, and this VPN has a pre-shared key"));
        }
        () if begins("export OS_") || begins("OS_") => {
            return Err(SomethingElse(
                "it is an openrc file: source it in the shell, and give what the other side has sent",
            ));
        }
        () if begins("[[half]]") => return Err(SomethingElse("it is a plan: use it with --plan, or osvpn apply")),
        () if begins("config vpn ipsec") => ReceivedKind::FortiOs,
        () if begins("crypto ") => ReceivedKind::Cisco,
        () if is_section("connections") || is_section("secrets") => ReceivedKind::Swanctl,
        () if begins("conn ") => ReceivedKind::IpsecConf,
        () if text.contains("Virtual Private Gateway") && begins("- ") => ReceivedKind::AwsDownload,
        () if begins("Phase 1 encryption ") && begins("Pre-shared key ") => ReceivedKind::AwsValues,
        () if begins("Connect to ") || begins("Its identity ") => ReceivedKind::Values,
        () => return Err(ReceivedProblem::Unknown),
    })
}

/// All that is a comment, or stands before the first empty line, as one line.
fn remarks(text: &str) -> String {
    let comment = |line: &str| line.trim().trim_start_matches(['#', '!', ' ']).to_owned();
    let head = text.lines().take_while(|line| !line.trim().is_empty()).map(comment);
    head.take(12).join(" ")
}

/// Several of one peer are one VPN; others are others.
fn joined(kind: ReceivedKind, found: Vec<Received>, notes: &mut ReceivedNotes) -> Result<Received, ReceivedProblem> {
    let mut vpns: Vec<Received> = Vec::new();
    for one in found {
        let is_same = |other: &&mut Received| {
            let ends = |of: &Received| [of.own.id.clone(), of.far.address.clone(), of.far.id.clone()];
            ends(other) == ends(&one) && other.policy == one.policy
        };
        match vpns.iter_mut().find(is_same) {
            Some(vpn) => vpn.add(one),
            None => vpns.push(one),
        }
    }
    match vpns.len() {
        0 => Err(ReceivedProblem::NoVpn(kind)),
        1 => Ok(vpns.remove(0).with_whole_ranges(notes)),
        _ => Err(ReceivedProblem::Several(vpns.iter().map(|vpn| one_line(&vpn.name, 30)).join(", "))),
    }
}

impl Received {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Takes ranges of which each of one side reaches each of the other.
    fn carry(&mut self, ends: &ReceivedEnds) {
        let ReceivedEnds { own, far } = ends;
        self.pairs.extend(own.networks.iter().cartesian_product(&far.networks).map(|(one, other)| (*one, *other)));
        self.own.networks.extend(&own.networks);
        self.far.networks.extend(&far.networks);
    }

    fn add(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
        self.own.networks.extend(other.own.networks);
        self.far.networks.extend(other.far.networks);
        self.key = self.key.take().or(other.key);
    }

    /// `VPNaaS` carries each range of one side to each of the other.
    fn with_whole_ranges(self, notes: &mut ReceivedNotes) -> Self {
        let count = |end: &ReceivedEnd| end.networks.iter().unique().count();
        let (all, some) = (count(&self.own) * count(&self.far), self.pairs.iter().unique().count());
        if some > 0 && some < all {
            notes.of_all(format!("it carries {some} of the {all} pairs of ranges; the cloud carries all of them"));
        }
        self
    }
}

/// Both ends, where only their ranges matter.
#[derive(Debug, Default)]
struct ReceivedEnds {
    own: ReceivedEnd,
    far: ReceivedEnd,
}
