//! The outside peer of single mode, as the user describes it.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

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
    /// An address nobody can be reached at.
    #[error("{0} cannot be a peer's address")]
    Unusable(IpAddr),
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
    /// Reads an address or a host name.
    ///
    /// # Errors
    /// See [`PeerProblem`].
    pub fn parse(text: &str) -> Result<Self, PeerProblem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PeerProblem::NoAddress);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            let unusable = address.is_unspecified() || address.is_multicast() || address.is_loopback();
            return if unusable { Err(PeerProblem::Unusable(address)) } else { Ok(Self::Ip(address)) };
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
        // All digits and dots is a mistyped address, not a name: no top-level domain is a number.
        let numeric = text.rsplit('.').next().is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()));
        if !numeric && text.trim_end_matches('.').split('.').all(label) {
            Ok(Self::Name(text.to_owned()))
        } else {
            Err(PeerProblem::NotAnAddress(text.to_owned()))
        }
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
