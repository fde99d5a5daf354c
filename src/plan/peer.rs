//! The external peer of single mode, as the user describes it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use include_dir::{Dir, include_dir};
use ipnet::IpNet;
use itertools::Itertools;

use super::cidr;
use crate::cloud::one_line;

/// Where a peer is. A name is resolved once, by the cloud, when the connection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerAddress {
    Ip(IpAddr),
    Name(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerProblem {
    #[error("the address where the peer answers: IPv4, IPv6 or a host name")]
    NoAddress,
    #[error("{0} is neither an IP address nor a host name")]
    NotAnAddress(String),
    /// An address or a name with something too much, or misspelt; what.
    #[error("{0}: {1}")]
    Misspelt(String, &'static str),
    #[error("{0} is a range; the peer has one address")]
    Range(String),
    /// An address that no remote peer can have; what it is.
    #[error("{0} is {1}; type the address this cloud reaches the peer at, for instance 198.51.100.7")]
    Unusable(IpAddr, &'static str),
    /// A name the cloud takes for itself: it stores 127.0.0.1.
    #[error("{0} is the cloud's own machine; type the address it reaches the peer at, for instance 198.51.100.7")]
    Localhost(String),
    /// What strongSwan takes for any identity at all.
    #[error("{0} stands for any identity; type what the peer calls itself, usually its address")]
    AnyId(String),
    /// A character the agents' configuration would garble.
    #[error("an identity may hold letters, digits and . @ _ : - only")]
    IdAlphabet,
    #[error("an identity is needed; usually the peer's address")]
    NoId,
    /// Longer than the database's column.
    #[error("at most 255 characters")]
    TooLong,
}

impl PeerAddress {
    /// Reads an address or a host name. An IPv4 address written as IPv6 (`::ffff:198.51.100.7`) is that IPv4 address.
    pub fn parse(text: &str) -> Result<Self, PeerProblem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PeerProblem::NoAddress);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            let address = address.to_canonical();
            check_address(address)?;
            return Ok(Self::Ip(address));
        }
        if text.parse::<IpNet>().is_ok() {
            return Err(PeerProblem::Range(text.to_owned()));
        }
        if text.len() > 253 {
            return Err(PeerProblem::TooLong);
        }
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        let name = text.strip_suffix('.').unwrap_or(text);
        let last = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        // No top-level domain is a number, so this is a mistyped address; resolvers read some of them as one.
        let digits = last
            .strip_prefix("0x")
            .map_or_else(|| last.chars().all(|c| c.is_ascii_digit()), |hex| hex.chars().all(|c| c.is_ascii_hexdigit()));
        if digits || !name.split('.').all(label) {
            let quoted = one_line(text, cidr::LONGEST_QUOTED);
            return Err(match misspelling(text) {
                Some(what) => PeerProblem::Misspelt(quoted, what),
                None => PeerProblem::NotAnAddress(quoted),
            });
        }
        if last == "localhost" || last == "localdomain" {
            return Err(PeerProblem::Localhost(text.to_owned()));
        }
        // The dot at the end is a resolver's matter: an identity has none.
        Ok(Self::Name(name.to_owned()))
    }

    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            Self::Name(_) => None,
        }
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// What is too much or wrong in a text that was to be an address or a host name.
fn misspelling(text: &str) -> Option<&'static str> {
    let digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let parts: Vec<&str> = text.split('.').collect();
    let port =
        text.rsplit_once(':').filter(|(host, port)| digits(port) && (host.ends_with(']') || !host.contains(':')));
    if text.contains("://") {
        Some("this is a URL; type the host or the address in it alone")
    } else if text.contains(',') || text.contains(';') || text.contains(char::is_whitespace) {
        Some("type one address or one host name, without blanks and commas")
    } else if port.is_some() {
        Some("leave out the port; IKE has its own (UDP 500 and 4500)")
    } else if text.starts_with('[') {
        Some("leave out the brackets")
    } else if text.contains('%') {
        Some("leave out the zone (from % on); an address that needs one cannot be reached over a network")
    } else if text.contains('/') {
        Some("leave out what follows the slash")
    } else if text.contains('@') {
        Some("leave out what is before the @; an identity goes into its own field")
    } else if text.contains(|c: char| !c.is_ascii() && c.is_alphabetic()) {
        Some("write the name as DNS has it, in ASCII (xn--...)")
    } else if !parts.iter().all(|part| digits(part)) {
        None
    } else if parts.len() != 4 {
        Some("an IPv4 address has four numbers")
    } else if parts.iter().any(|part| part.len() > 1 && part.starts_with('0')) {
        Some("write its numbers without leading zeros, which some systems read as octal")
    } else {
        Some("the numbers of an IPv4 address go up to 255")
    }
}

/// Checks that a peer can be reached at an address at all. Neutron stores any.
pub(crate) fn check_address(address: IpAddr) -> Result<(), PeerProblem> {
    cidr::unusable(&IpNet::from(address)).map_or(Ok(()), |kind| Err(PeerProblem::Unusable(address, kind)))
}

pub fn check_id(text: &str) -> Result<(), PeerProblem> {
    if text.is_empty() {
        Err(PeerProblem::NoId)
    } else if text.len() > 255 {
        Err(PeerProblem::TooLong)
    } else if is_any(text) {
        Err(PeerProblem::AnyId(text.to_owned()))
    } else if text.chars().all(|c| c.is_ascii_alphanumeric() || ".@_:-".contains(c)) {
        Ok(())
    } else {
        Err(PeerProblem::IdAlphabet)
    }
}

/// strongSwan's words for any identity (`identification_create_from_string`), and other spellings of the same addresses.
fn is_any(text: &str) -> bool {
    matches!(text, "%any" | "%any6" | "*") || text.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
}

/// A file for each system that a sheet can be written for.
pub(crate) static SYSTEMS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/assets/peers");

/// The format for any system, which names none.
pub(crate) const ANY_SYSTEM: &str = "values";

/// What stands on the far side, by the word of its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerSystem(&'static str);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not known here; leave it out, or write {known}", known = PeerSystem::all().format(", "))]
pub struct UnknownSystem(String);

impl PeerSystem {
    /// What begins the word of a description that names it.
    const DESCRIBED: &str = "peer:";

    pub fn all() -> impl Iterator<Item = Self> {
        let words = SYSTEMS.files().filter_map(|file| file.path().file_stem()?.to_str());
        words.filter(|word| *word != ANY_SYSTEM).sorted_unstable().map(Self)
    }

    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The system that the description of a connection names behind its marker.
    pub(crate) fn of_description(description: &str) -> Option<Self> {
        let mut words = description.split(' ').skip(1);
        words.find_map(|word| word.strip_prefix(Self::DESCRIBED)?.parse().ok())
    }

    /// A marker with the system behind it.
    pub(crate) fn described(self, marker: &str) -> String {
        format!("{marker} {}{self}", Self::DESCRIBED)
    }
}

impl FromStr for PeerSystem {
    type Err = UnknownSystem;

    fn from_str(text: &str) -> Result<Self, UnknownSystem> {
        Self::all().find(|system| system.0 == text).ok_or_else(|| UnknownSystem(one_line(text, cidr::LONGEST_QUOTED)))
    }
}

impl fmt::Display for PeerSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub address: PeerAddress,
    /// How it names itself; by default its address.
    pub id: String,
    /// The ranges behind it; one or more, of one IP version.
    pub cidrs: Vec<IpNet>,
    /// None where it is not known.
    pub system: Option<PeerSystem>,
}
