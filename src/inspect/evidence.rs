//! What speaks for two connections being the halves of one VPN.

use std::net::IpAddr;

use super::nearby::Nearby;
use super::{EqualKeys, Side};
use crate::cloud::Status;
use crate::plan::sharing::is_same_identity;

/// The greater, the surer: what comes first counts before all that comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Evidence {
    /// How many of the two look for the other where it is.
    addresses: u8,
    /// How many of the two expect what the other tunnels.
    ranges: u8,
    /// How many of the two expect the name that the other gives itself.
    identities: u8,
    keys: Fit,
    /// Whether their markers name each other. Anybody can copy a description.
    marker: Fit,
    /// What this program or a script made has one name on both sides.
    names: bool,
    /// Whether both are up, or neither is.
    statuses: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Against,
    Unknown,
    For,
}

impl From<Option<bool>> for Fit {
    fn from(fits: Option<bool>) -> Self {
        match fits {
            Some(true) => Self::For,
            Some(false) => Self::Against,
            None => Self::Unknown,
        }
    }
}

impl Evidence {
    /// Of two connections, by their places; none if they cannot be halves of one VPN.
    ///
    /// If each end points at the other's address, that settles it. If only one points at the other, or only the ranges
    /// match, the other may not belong elsewhere: then one of the two is misconfigured.
    pub(super) fn of((one, other): (usize, usize), nearby: &Nearby<'_>, keys: &EqualKeys) -> Option<Self> {
        let (a, b) = (&nearby.sides[one], &nearby.sides[other]);
        if a.connection.id == b.connection.id || are_on_one_router(a, b) {
            return None;
        }
        let (ab, ba) = (a.points_at(b), b.points_at(a));
        let evidence = Self {
            addresses: count([ab, ba]),
            ranges: count([a.expects_ranges_of(b), b.expects_ranges_of(a)]),
            identities: count([a.expects_identity_of(b), b.expects_identity_of(a)]),
            keys: keys.are_equal(&a.connection.id, &b.connection.id).into(),
            marker: are_marked_for_each_other(a, b).into(),
            names: nearby.names[one] == nearby.names[other],
            statuses: (a.connection.status == Status::Active) == (b.connection.status == Status::Active),
        };
        // What it could aim at is near it.
        let is_astray = |place: usize| {
            let side = &nearby.sides[place];
            let is_up_elsewhere = side.connection.status == Status::Active && evidence.ranges < 2;
            !is_up_elsewhere && !nearby.to(place).any(|other| is_aim(side, other))
        };
        let may_be = match (evidence.marker, ab, ba) {
            (_, true, true) | (Fit::For, _, _) => true,
            (Fit::Against, _, _) => false,
            (Fit::Unknown, true, false) => is_astray(other),
            (Fit::Unknown, false, true) => is_astray(one),
            (Fit::Unknown, false, false) => evidence.ranges == 2 && is_astray(one) && is_astray(other),
        };
        may_be.then_some(evidence)
    }

    /// Only what the connections say of each other.
    pub(super) const fn of_content(self) -> Self {
        Self { keys: Fit::Unknown, marker: Fit::Unknown, names: false, statuses: false, ..self }
    }

    /// Whether connections with the same of this are as good as each other: whichever is taken, it is the right one.
    pub(super) fn is_of_equals(self) -> bool {
        self.keys == Fit::For
    }
}

/// Whether a connection has reason to take another for its peer, so that it is not one that looks in the wrong place: the
/// other tunnels what it expects, and is where it looks, or, as behind NAT that cannot be seen, is marked for it.
fn is_aim(side: &Side, other: &Side) -> bool {
    let is_marked_for_it = || are_marked_for_each_other(side, other) == Some(true) && other.expects_ranges_of(side);
    !are_on_one_router(side, other) && side.expects_ranges_of(other) && (side.points_at(other) || is_marked_for_it())
}

fn are_marked_for_each_other(a: &Side, b: &Side) -> Option<bool> {
    let ((of_a, a), (of_b, b)) = a.mark.as_ref().zip(b.mark.as_ref())?;
    Some(of_a == of_b && a != b)
}

fn are_on_one_router(a: &Side, b: &Side) -> bool {
    let router = |side: &Side| side.service.as_ref().map(|service| service.router.clone());
    a.region == b.region && router(a) == router(b)
}

fn count(answers: [bool; 2]) -> u8 {
    answers.into_iter().map(u8::from).sum()
}

impl Side {
    /// Whether it expects its peer at an address of that side.
    pub(super) fn points_at(&self, other: &Self) -> bool {
        self.aims_at(&other.addresses())
    }

    /// Whether it expects its peer at its own address.
    pub(crate) fn points_at_itself(&self) -> bool {
        self.aims_at(&self.addresses())
    }

    fn aims_at(&self, addresses: &[IpAddr]) -> bool {
        self.connection.peer_address.parse::<IpAddr>().is_ok_and(|peer| addresses.contains(&peer))
    }

    fn expects_ranges_of(&self, other: &Self) -> bool {
        other.local.as_ref().is_some_and(|local| *local == self.remote)
    }

    fn expects_identity_of(&self, other: &Self) -> bool {
        let expected = self.connection.peer_id.trim_start_matches('@');
        other.identity().is_some_and(|sent| is_same_identity(expected, sent.trim_start_matches('@')))
    }
}
