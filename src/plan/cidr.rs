//! Ranges: reading them as people write them, and telling whether they collide.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::cloud::one_line;

/// How much is repeated of what is no range, in characters: one row of a small screen.
pub(super) const LONGEST_QUOTED: usize = 60;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CidrProblem {
    #[error("at least one range, for instance 192.168.7.0/24")]
    Empty,
    #[error("{0} has no prefix length; {0}/{1} is one host, or write the network, for instance /24")]
    NoPrefix(String, u8),
    #[error("{0} is not a range such as 192.168.7.0/24 or fd00:7::/64")]
    Malformed(String),
    /// An address that is not the first of its network; the API would store it as it is typed.
    #[error("{0} is an address inside a network; type the network, {1}")]
    HostBits(String, IpNet),
    /// An IPv4 network in the IPv6 notation for it, which the API stores and no agent takes for that network.
    #[error("{0} is an IPv4 network written as IPv6; type {1}")]
    Mapped(String, IpNet),
    #[error("{0} is {1}; type the network behind the peer, for instance 192.168.7.0/24")]
    Unusable(IpNet, &'static str),
    /// The same range again, which the API refuses and older releases hang on.
    #[error("{0} is listed twice; type it once")]
    Twice(IpNet),
    #[error("{0} contains {1}; leave {1} out")]
    Nested(IpNet, IpNet),
    /// IPv4 and IPv6 together, which one connection cannot carry.
    #[error("{0} and {1} are of different IP versions; one connection carries only one")]
    Mixed(IpNet, IpNet),
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '\t', '\n', ';']).filter(|word| !word.is_empty())
}

/// The networks of the ranges in a text, if one of them is an address inside its network and nothing else is wrong.
pub(crate) fn networks(text: &str) -> Option<String> {
    let is_meant = |word: &str| match parse(word) {
        Ok(range) | Err(CidrProblem::HostBits(_, range)) => Some(range),
        Err(_) => None,
    };
    let ranges = words(text).map(is_meant).collect::<Option<Vec<_>>>()?;
    let is_changed = words(text).any(|word| matches!(parse(word), Err(CidrProblem::HostBits(..))));
    is_changed.then(|| ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

/// Reads ranges separated by commas or spaces. `0.0.0.0/0` and `::/0` are ranges: the API stores them.
pub fn parse_list(text: &str) -> Result<Vec<IpNet>, CidrProblem> {
    let ranges = words(text).map(parse).collect::<Result<Vec<IpNet>, _>>()?;
    check_list(&ranges)?;
    Ok(ranges)
}

/// Checks ranges that are to lie behind a peer. Neutron stores all that is refused here but doubles and mixed families
/// (seen with 2026.1 and 2026.2), and no tunnel comes of it.
pub(crate) fn check_list(ranges: &[IpNet]) -> Result<(), CidrProblem> {
    let first = ranges.first().ok_or(CidrProblem::Empty)?;
    for (index, range) in ranges.iter().enumerate() {
        if let Some(kind) = unusable(range) {
            return Err(CidrProblem::Unusable(*range, kind));
        }
        if first.addr().is_ipv4() != range.addr().is_ipv4() {
            return Err(CidrProblem::Mixed(*first, *range));
        }
        if let Some(earlier) = ranges[..index].iter().find(|earlier| overlap(earlier, range)) {
            return Err(match earlier.prefix_len().cmp(&range.prefix_len()) {
                std::cmp::Ordering::Equal => CidrProblem::Twice(*range),
                std::cmp::Ordering::Less => CidrProblem::Nested(*earlier, *range),
                std::cmp::Ordering::Greater => CidrProblem::Nested(*range, *earlier),
            });
        }
    }
    Ok(())
}

fn parse(word: &str) -> Result<IpNet, CidrProblem> {
    if let Some(range) = range(word) {
        let network = range.trunc();
        if let Some(v4) = mapped(&network) {
            return Err(CidrProblem::Mapped(word.to_owned(), v4));
        }
        return if network == range { Ok(range) } else { Err(CidrProblem::HostBits(word.to_owned(), network)) };
    }
    match word.parse::<IpAddr>() {
        Ok(address) => Err(CidrProblem::NoPrefix(word.to_owned(), if address.is_ipv4() { 32 } else { 128 })),
        Err(_) => Err(CidrProblem::Malformed(one_line(word, LONGEST_QUOTED))),
    }
}

/// A range whose numbers have no noughts before them: `010` is 8 to some programs, and 10 to others.
fn range(word: &str) -> Option<IpNet> {
    let (address, prefix) = word.split_once('/')?;
    let is_plain = prefix.len() == 1 || !prefix.starts_with('0');
    let prefix = Some(prefix).filter(|prefix| is_plain && prefix.bytes().all(|byte| byte.is_ascii_digit()))?;
    IpNet::new(address.parse().ok()?, prefix.parse().ok()?).ok()
}

/// The IPv4 network that an IPv6 one stands for (`::ffff:10.0.0.0/104`).
fn mapped(range: &IpNet) -> Option<IpNet> {
    let IpNet::V6(v6) = range else { return None };
    let prefix = v6.prefix_len().checked_sub(96)?;
    Some(IpNet::V4(Ipv4Net::new(v6.addr().to_ipv4_mapped()?, prefix).ok()?))
}

/// The ranges no host across a network can have an address of; of several that fit, the first names them best.
const UNUSABLE: &[(IpNet, &str)] = &[
    (v4([0, 0, 0, 0], 8), "unspecified"),
    (v4([127, 0, 0, 0], 8), "loopback"),
    (v4([169, 254, 0, 0], 16), "link-local"),
    (v4([255, 255, 255, 255], 32), "the broadcast address"),
    (v4([224, 0, 0, 0], 4), "multicast"),
    (v4([240, 0, 0, 0], 4), "reserved"),
    (v4([224, 0, 0, 0], 3), "multicast and reserved"),
    (v6(0, 128), "unspecified"),
    (v6(1, 128), "loopback"),
    (v6(0xfe80 << 112, 10), "link-local"),
    (v6(0xff00 << 112, 8), "multicast"),
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn v6(bits: u128, prefix: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::from_bits(bits), prefix))
}

/// What kind of addresses a range holds, if no host across a network can have any of them.
pub fn unusable(range: &IpNet) -> Option<&'static str> {
    UNUSABLE.iter().find(|(kind, _)| kind.contains(range)).map(|(_, kind)| *kind)
}

pub(crate) fn is_everything(range: &IpNet) -> bool {
    range.prefix_len() == 0
}

pub fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

/// The first pair of ranges, one of each list, that have an address in common.
pub(crate) fn first_overlap<'a>(a: &'a [IpNet], b: &'a [IpNet]) -> Option<(&'a IpNet, &'a IpNet)> {
    a.iter().find_map(|left| b.iter().find(|right| overlap(left, right)).map(|right| (left, right)))
}

/// The first local and remote range that cannot be told apart across a tunnel. That everything is remote is no claim to
/// the local ranges.
pub(crate) fn on_both_sides<'a>(local: &'a [IpNet], remote: &'a [IpNet]) -> Option<(&'a IpNet, &'a IpNet)> {
    let overlapping = |ours: &'a IpNet| {
        let named = remote.iter().find(|theirs| !is_everything(theirs) && overlap(ours, theirs));
        named.map(|theirs| (ours, theirs))
    };
    local.iter().find_map(overlapping)
}

/// Whether an address cannot be reached over the Internet: RFC 1918, carrier NAT (100.64/10), loopback, link-local,
/// unique local IPv6. Such an external address means the cloud's outside is itself behind NAT.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = Ipv4Addr::new(100, 64, 0, 0).to_bits() >> 22 == v4.to_bits() >> 22;
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
