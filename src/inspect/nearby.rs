//! Which connections may have to do with each other: each is looked up by what the others say, not compared with every other.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;

use super::Side;
use super::vpn::name_of;
use crate::plan::VpnId;

/// Connections by their places, and of each those it can be a half of a VPN with.
pub(super) struct Nearby<'a> {
    pub sides: &'a [Side],
    /// The VPN's name in that of each.
    pub names: Vec<String>,
    others: Vec<BTreeSet<usize>>,
}

impl<'a> Nearby<'a> {
    pub fn of(sides: &'a [Side]) -> Self {
        let mut at_address: HashMap<IpAddr, Vec<usize>> = HashMap::new();
        let mut of_id: HashMap<&VpnId, Vec<usize>> = HashMap::new();
        let mut with_ranges: HashMap<(&[IpNet], &[IpNet]), Vec<usize>> = HashMap::new();
        for (place, side) in sides.iter().enumerate() {
            for address in side.addresses() {
                at_address.entry(address).or_default().push(place);
            }
            if let Some((id, _)) = &side.mark {
                of_id.entry(id).or_default().push(place);
            }
            if let Some(local) = &side.local {
                with_ranges.entry((local, &side.remote)).or_default().push(place);
            }
        }
        let mut others = vec![BTreeSet::new(); sides.len()];
        for (place, side) in sides.iter().enumerate() {
            let peer = side.connection.peer_address.parse::<IpAddr>().ok();
            let aims_at = peer.and_then(|peer| at_address.get(&peer));
            let marked = side.mark.as_ref().and_then(|(id, _)| of_id.get(id));
            let mirrored =
                side.local.as_ref().and_then(|local| with_ranges.get(&(side.remote.as_slice(), local.as_slice())));
            let near = [aims_at, marked, mirrored].into_iter().flatten().flatten();
            for other in near.copied().filter(|other| *other != place) {
                others[place].insert(other);
                others[other].insert(place);
            }
        }
        Self { names: sides.iter().map(|side| name_of(&side.connection.name)).collect(), sides, others }
    }

    /// Every two that are near each other, in order.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize)> {
        let after = |(place, others): (usize, &'_ BTreeSet<usize>)| {
            others.range(place + 1..).map(|other| (place, *other)).collect::<Vec<_>>()
        };
        self.others.iter().enumerate().flat_map(after)
    }

    pub fn to(&self, place: usize) -> impl Iterator<Item = &'a Side> {
        self.others[place].iter().map(|other| &self.sides[*other])
    }
}
