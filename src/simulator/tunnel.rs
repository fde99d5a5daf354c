//! Whether two halves of a VPN come to a tunnel: strongSwan as Neutron's driver configures it, observed with real
//! daemons. `ACTIVE` proves less than it seems to: neither equal policies nor equal selectors.

use std::net::IpAddr;

use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};

/// One IPsec site connection, with what it inherits from its service, policies and endpoint groups.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one setting of the API that is on or off")]
pub struct TunnelHalf {
    pub addresses: Vec<IpAddr>,
    pub peer_address: Option<IpAddr>,
    /// How it expects its peer to name itself.
    pub peer_id: String,
    /// How it names itself; empty for its address.
    pub local_id: String,
    pub psk: SecretString,
    /// Whether its IKE policy says `v2`.
    pub ike_v2: bool,
    /// Whether its IKE policy says `aggressive`; only `IKEv1` has that mode.
    pub aggressive: bool,
    /// The encryption algorithm of its IKE policy. `IKEv1` negotiates only CBC ciphers for itself.
    pub ike_cipher: String,
    /// Whether its IPsec policy says `esp` in `tunnel` mode.
    pub esp_tunnel: bool,
    /// Its local subnets, in order.
    pub local: Vec<IpNet>,
    /// The ranges it expects behind its peer, in order.
    pub remote: Vec<IpNet>,
    /// Whether a daemon runs it: it and its service are admin up, and no later service took the router over.
    pub running: bool,
}

/// Why two halves do not come to a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// One of them is admin down or displaced.
    NotRunning,
    PeerAddress,
    /// One speaks `IKEv1`, the other `IKEv2`.
    IkeVersion,
    /// Aggressive mode with a pre-shared key, which strongSwan refuses.
    AggressiveMode,
    /// A cipher `IKEv1` cannot negotiate for itself.
    Cipher,
    /// One of them names itself differently from what the other expects.
    Identity,
    Key,
    /// One of them wants AH or transport mode. The IKE SA comes up. Seen with strongSwan's user-space IPsec, which has
    /// neither; between two kernels that have AH, AH on both sides may do.
    Transform,
    /// With `IKEv2`, what is one range to one of them is several to the other. Both agree on the parts; strongSwan's
    /// user-space IPsec does not route them.
    Split,
    /// Nothing of what one offers lies in what the other expects. The IKE SA itself comes up.
    Selectors,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Negotiation {
    /// Both connections become `ACTIVE`; the tunnel carries traffic between these pairs of ranges (the first half's,
    /// the second half's), which can be fewer and smaller than either half was told.
    Up(Vec<(IpNet, IpNet)>),
    Down(Reason),
}

/// Lets two halves negotiate. Different algorithms or PFS groups do not matter: the driver leaves strongSwan's default
/// proposals in. Neither does `initiator`, which the driver ignores.
pub fn negotiate(a: &TunnelHalf, b: &TunnelHalf) -> Negotiation {
    let reason = if !a.running || !b.running {
        Reason::NotRunning
    } else if !a.expects_at(b) || !b.expects_at(a) {
        Reason::PeerAddress
    } else if a.ike_v2 != b.ike_v2 {
        Reason::IkeVersion
    } else if !a.ike_v2 && (a.aggressive || b.aggressive) {
        Reason::AggressiveMode
    } else if !a.ike_v2 && (needs_v2(&a.ike_cipher) || needs_v2(&b.ike_cipher)) {
        Reason::Cipher
    } else if a.ids().1 != b.ids().0 || b.ids().1 != a.ids().0 {
        Reason::Identity
    } else if a.psk.expose_secret() != b.psk.expose_secret() {
        Reason::Key
    } else if !a.esp_tunnel || !b.esp_tunnel {
        Reason::Transform
    } else {
        if a.ike_v2
            && [(&a.local, &b.remote), (&b.local, &a.remote)].into_iter().any(|(x, y)| splits(x, y) || splits(y, x))
        {
            return Negotiation::Down(Reason::Split);
        }
        let (ours, theirs) = (narrow(&a.local, &b.remote, a.ike_v2), narrow(&b.local, &a.remote, a.ike_v2));
        if !ours.is_empty() && !theirs.is_empty() {
            return Negotiation::Up(ours.iter().flat_map(|o| theirs.iter().map(move |t| (*o, *t))).collect());
        }
        Reason::Selectors
    };
    Negotiation::Down(reason)
}

impl TunnelHalf {
    fn expects_at(&self, other: &Self) -> bool {
        self.peer_address.is_some_and(|address| other.addresses.contains(&address))
    }

    /// The ids it uses: its own and its peer's. As soon as one that was given is no address, Neutron puts an `@` before
    /// each that was given, which turns even an address into a name. Its own address, standing in for an id that was not
    /// given, stays an address: so one named half and one unnamed half never agree.
    fn ids(&self) -> (String, String) {
        let is_name = |id: &str| !id.is_empty() && id.parse::<IpAddr>().is_err();
        let at = if is_name(&self.peer_id) || is_name(&self.local_id) { "@" } else { "" };
        let own = if self.local_id.is_empty() {
            let family = self.peer_address.map(|address| address.is_ipv4());
            let address = self.addresses.iter().find(|address| Some(address.is_ipv4()) == family);
            address.map(IpAddr::to_string).unwrap_or_default()
        } else {
            format!("{at}{}", self.local_id)
        };
        (own.to_lowercase(), format!("{at}{}", self.peer_id).to_lowercase())
    }
}

fn needs_v2(cipher: &str) -> bool {
    ["ccm", "gcm", "ctr"].iter().any(|mode| cipher.contains(mode))
}

/// Whether one of these ranges holds several of those.
fn splits(ranges: &[IpNet], parts: &[IpNet]) -> bool {
    ranges.iter().any(|range| parts.iter().filter(|part| range.contains(*part)).count() > 1)
}

/// What is common to the ranges one side offers and the other expects. With `IKEv1` only the first of each takes part.
fn narrow(offered: &[IpNet], expected: &[IpNet], ike_v2: bool) -> Vec<IpNet> {
    let count = if ike_v2 { usize::MAX } else { 1 };
    let mut common = Vec::new();
    for offer in offered.iter().take(count) {
        for expect in expected.iter().take(count) {
            if expect.contains(offer) {
                common.push(offer.trunc());
            } else if offer.contains(expect) {
                common.push(expect.trunc());
            }
        }
    }
    common.sort_unstable();
    common.dedup();
    common
}
