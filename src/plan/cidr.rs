//! Ranges: reading them as people write them, and telling whether they collide.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// Why a text is no list of ranges.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CidrProblem {
    /// Nothing there.
    #[error("at least one range, for instance 192.168.7.0/24")]
    Empty,
    /// An address without a prefix length.
    #[error("{0} has no prefix length; {0}/{1} is one host, or write the network, for instance /24")]
    NoPrefix(String, u8),
    /// Not a range at all.
    #[error("{0} is not a range such as 192.168.7.0/24 or fd00:7::/64")]
    Malformed(String),
    /// Everything, which would swallow the router's own traffic.
    #[error("{0} is every address; write the networks behind the peer")]
    Everything(IpNet),
    /// IPv4 and IPv6 together, which one connection cannot carry.
    #[error("{0} and {1} are of different IP versions; one connection carries only one")]
    Mixed(IpNet, IpNet),
}

/// Reads ranges separated by commas or spaces; host bits are dropped, doubles too (the API refuses them, and older
/// releases hang on them).
///
/// # Errors
/// The first thing that is wrong.
pub fn parse_list(text: &str) -> Result<Vec<IpNet>, CidrProblem> {
    let mut ranges: Vec<IpNet> = Vec::new();
    for word in text.split([',', ' ', '\t', '\n', ';']).filter(|word| !word.is_empty()) {
        let range = parse(word)?;
        if let Some(first) = ranges.first().filter(|first| first.addr().is_ipv4() != range.addr().is_ipv4()) {
            return Err(CidrProblem::Mixed(*first, range));
        }
        if !ranges.contains(&range) {
            ranges.push(range);
        }
    }
    if ranges.is_empty() { Err(CidrProblem::Empty) } else { Ok(ranges) }
}

fn parse(word: &str) -> Result<IpNet, CidrProblem> {
    if let Ok(range) = word.parse::<IpNet>() {
        let range = range.trunc();
        return if range.prefix_len() == 0 { Err(CidrProblem::Everything(range)) } else { Ok(range) };
    }
    match word.parse::<IpAddr>() {
        Ok(address) => Err(CidrProblem::NoPrefix(word.to_owned(), if address.is_ipv4() { 32 } else { 128 })),
        Err(_) => Err(CidrProblem::Malformed(word.to_owned())),
    }
}

/// Whether two ranges have an address in common.
#[must_use]
pub fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

/// The first pair of ranges, one of each list, that have an address in common.
#[must_use]
pub fn first_overlap<'a>(a: &'a [IpNet], b: &'a [IpNet]) -> Option<(&'a IpNet, &'a IpNet)> {
    a.iter().find_map(|left| b.iter().find(|right| overlap(left, right)).map(|right| (left, right)))
}

/// Whether an address cannot be reached over the Internet: RFC 1918, carrier NAT (100.64/10), loopback, link-local,
/// unique local IPv6. Such an external address means the cloud's outside is itself behind NAT.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = Ipv4Addr::new(100, 64, 0, 0).to_bits() >> 22 == v4.to_bits() >> 22;
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
