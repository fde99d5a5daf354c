//! The outside peer of single mode, as the user describes it.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::cidr;
use crate::cloud::one_line;

/// Where a peer is. A name is resolved once, by the cloud, when the connection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerAddress {
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
    /// A host name.
    Name(String),
}

/// Why a text is no peer address or identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerProblem {
    /// Nothing there.
    #[error("the address where the peer answers: IPv4, IPv6 or a host name")]
    NoAddress,
    /// Neither an address nor a host name.
    #[error("{0} is neither an IP address nor a host name")]
    NotAnAddress(String),
    /// A range was given.
    #[error("{0} is a range; the peer has one address")]
    Range(String),
    /// An address nobody can be reached at across a network; what it is.
    #[error("{0} is {1}; type the address this cloud reaches the peer at, for instance 198.51.100.7")]
    Unusable(IpAddr, &'static str),
    /// A name the cloud takes for itself: it stores 127.0.0.1.
    #[error("{0} is the cloud's own machine; type the address it reaches the peer at, for instance 198.51.100.7")]
    Localhost(String),
    /// A character the agents' configuration would garble.
    #[error("an identity may hold letters, digits and . @ _ : - only")]
    IdAlphabet,
    /// Nothing there.
    #[error("an identity is needed; usually the peer's address")]
    NoId,
    /// Longer than the database's column.
    #[error("at most 255 characters")]
    TooLong,
}

impl PeerAddress {
    /// Reads an address or a host name. An IPv4 address written as IPv6 (`::ffff:198.51.100.7`) is that IPv4 address.
    ///
    /// # Errors
    /// See [`PeerProblem`].
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
            return Err(PeerProblem::NotAnAddress(one_line(text, cidr::LONGEST_QUOTED)));
        }
        if last == "localhost" || last == "localdomain" {
            return Err(PeerProblem::Localhost(text.to_owned()));
        }
        Ok(Self::Name(text.to_owned()))
    }

    /// The address, unless it is a name.
    #[must_use]
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

/// Checks that a peer can be reached at an address at all. Neutron stores any.
///
/// # Errors
/// [`PeerProblem::Unusable`].
pub fn check_address(address: IpAddr) -> Result<(), PeerProblem> {
    cidr::unusable(&IpNet::from(address)).map_or(Ok(()), |kind| Err(PeerProblem::Unusable(address, kind)))
}

/// Checks the identity a peer will name itself by.
///
/// # Errors
/// See [`PeerProblem`].
pub fn check_id(text: &str) -> Result<(), PeerProblem> {
    if text.is_empty() {
        Err(PeerProblem::NoId)
    } else if text.len() > 255 {
        Err(PeerProblem::TooLong)
    } else if text.chars().all(|c| c.is_ascii_alphanumeric() || ".@_:-".contains(c)) {
        Ok(())
    } else {
        Err(PeerProblem::IdAlphabet)
    }
}

/// The other side of a VPN in single mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where it is.
    pub address: PeerAddress,
    /// How it names itself; by default its address.
    pub id: String,
    /// The ranges behind it; one or more, of one IP version.
    pub cidrs: Vec<IpNet>,
}
