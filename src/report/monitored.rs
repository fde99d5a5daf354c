//! What a monitor is told of VPNs. Its two languages are beside it: that of Nagios' plugins and that of Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Health, ListedInterruption};
use crate::cloud::{Id, RegionId};
use crate::inspect::Vpn;

#[derive(Debug)]
pub(crate) struct Monitored {
    pub(crate) vpns: Vec<Health>,
    /// Those that were begun and have no connection.
    pub(crate) unmade: Vec<ListedInterruption>,
    /// The regions, and why one could not be read.
    pub(crate) regions: BTreeMap<RegionId, Option<String>>,
    /// The connections whose other half may be in a region that nothing is known of.
    pub(crate) unsettled: BTreeSet<Id>,
    /// Why there may be VPNs although none is shown.
    pub(crate) hidden: Option<String>,
    pub(crate) read_at: Timestamp,
}

impl Monitored {
    /// Whether nothing is there, and everything was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.vpns.is_empty() && self.unmade.is_empty() && self.unread().next().is_none()
    }

    /// What could not be read, in a sentence each.
    pub(crate) fn unread(&self) -> impl Iterator<Item = String> {
        let failed = |(region, why): (&RegionId, &Option<String>)| Some(format!("{region}: {}", why.as_ref()?));
        self.regions.iter().filter_map(failed).chain(self.hidden.clone())
    }

    /// Whether what is known of a VPN is of now.
    pub(crate) fn is_current(&self, vpn: &Vpn) -> bool {
        let is_settled = !self.unsettled.contains(&vpn.a.connection.id);
        is_settled && vpn.sides().all(|(_, side)| self.regions.get(&side.region).is_none_or(Option::is_none))
    }
}
