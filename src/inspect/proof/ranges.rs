//! What each half tunnels, and what it expects across.

use ipnet::IpNet;
use itertools::Itertools;

use super::{Case, Fix, Verdict, Weight};
use crate::plan::{Half, cidr};

impl Case<'_> {
    pub(super) fn ranges(&self) -> Verdict {
        let Some(both) = self.both() else {
            let side = &self.vpn.a;
            let own =
                side.local.as_deref().map_or_else(|| "not all to be seen".to_owned(), |own| own.iter().join(", "));
            return Verdict::Open(format!(
                "see that the peer has {} as its local and {own} as its remote ranges",
                side.remote.iter().join(", ")
            ));
        };
        let mut seen = Vec::new();
        let mut partial = None;
        for (half, side) in both {
            let other = if half == Half::A { both[1].1 } else { both[0].1 };
            let Some(local) = &other.local else {
                return Verdict::Open(format!("not all subnets of {} can be seen", self.place(half.other())));
            };
            if side.remote == *local {
                seen.push(local.iter().join(", "));
                continue;
            }
            let what = format!(
                "{} expects {} across, and {} tunnels {}",
                self.place(half),
                if side.remote.is_empty() { "nothing".to_owned() } else { side.remote.iter().join(", ") },
                self.place(half.other()),
                local.iter().join(", ")
            );
            let fix = Fix::MirrorRanges { half };
            if cidr::first_overlap(&side.remote, local).is_none() {
                let means = "they have no range in common, so no traffic is agreed upon";
                return Verdict::bad(Weight::Stops, what, means, fix);
            }
            if IpNet::aggregate(&side.remote) == IpNet::aggregate(local) {
                let means = "the same addresses in other pieces: strongSwan takes that, other daemons want one list on both sides";
                partial.get_or_insert_with(|| Verdict::bad(Weight::Warns, what, means, fix));
                continue;
            }
            let means = "where strongSwan runs, the tunnel comes up for what both name, says ACTIVE, and does not carry the rest; \
                         where LibreSwan runs, it stays down";
            partial.get_or_insert_with(|| Verdict::bad(Weight::Hides, what, means, fix));
        }
        if both.iter().any(|(_, side)| side.remote.iter().any(cidr::is_everything)) {
            seen.push("everything is across, so whatever leaves these subnets goes into the tunnel".to_owned());
        }
        partial.unwrap_or_else(|| Verdict::good(seen.join(" and ")))
    }

    pub(super) fn pairs(&self) -> Verdict {
        for (half, side) in self.sides() {
            let (local, remote) = (side.subnets.len(), side.remote.len());
            if side.ike_version().is_some_and(|version| !version.carries(local, remote)) {
                return Verdict::bad(
                    Weight::Hides,
                    format!("{} has IKEv1 with {local} subnets here and {remote} across", self.place(half)),
                    "where strongSwan runs, IKEv1 carries only the first of each, and still says ACTIVE",
                    self.modernise(),
                );
            }
        }
        Verdict::good("")
    }
}
