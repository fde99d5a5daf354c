//! What a monitor reads: everything once, and then the statuses.

use std::collections::{BTreeMap, BTreeSet};

use itertools::Itertools;
use jiff::Timestamp;

use crate::cloud::{Error, Id, RegionId};
use crate::commands::look::{ProjectVpns, look};
use crate::commands::options::CloudArgs;
use crate::commands::{CommandError, SignInContext};
use crate::inspect::{Aspects, Background, Exposures, Focus, Inquiry, Keys, Vpn};
use crate::report::{Health, ListedInterruption, Monitored};

pub(super) struct Monitor<'a> {
    seen: ProjectVpns,
    /// The VPN that is asked about; none for all, or the only one.
    words: &'a [&'a str],
    takes_all: bool,
    /// By the connection of half A.
    keys: BTreeMap<Id, Keys>,
    /// The regions that could not be read last. What is known of them is older.
    failed: BTreeMap<RegionId, Error>,
    /// Whether a region could not be read the last time everything was.
    lacks_regions: bool,
    read_at: Timestamp,
}

/// Security groups are not what a monitor asks about, and are not read for it.
const ASPECTS: Aspects = Aspects::KEYS;

impl<'a> Monitor<'a> {
    pub(super) async fn read(
        cloud: &CloudArgs,
        sign_in: &mut SignInContext,
        words: &'a [&'a str],
        takes_all: bool,
    ) -> Result<Self, CommandError> {
        let inquiry = Inquiry { focus: Focus::on(words), aspects: ASPECTS, ..Inquiry::default() };
        let (seen, background) = look(cloud, sign_in, inquiry).await?;
        let mut monitor = Self {
            seen,
            words,
            takes_all,
            keys: BTreeMap::new(),
            failed: BTreeMap::new(),
            lacks_regions: false,
            read_at: Timestamp::now(),
        };
        monitor.learn(background).await;
        Ok(monitor)
    }

    pub(super) async fn read_again(&mut self) {
        let (background, failed) = self.seen.refresh_or_hold(Focus::on(self.words), ASPECTS).await;
        self.fail_in(failed);
        self.learn(background).await;
    }

    /// Takes the statuses as they are now. Whether more than they has changed.
    pub(super) async fn poll(&mut self) -> bool {
        let (failed, is_changed) = self.seen.inspection.poll(&self.seen.signed_in.cloud).await;
        self.fail_in(failed);
        is_changed
    }

    fn fail_in(&mut self, failed: BTreeMap<RegionId, Error>) {
        if self.seen.inspection.surveys.keys().any(|region| !failed.contains_key(region)) {
            self.read_at = Timestamp::now();
        }
        self.failed = failed;
    }

    pub(super) const fn lacks_regions(&self) -> bool {
        self.lacks_regions
    }

    /// Keeps how the keys compare, and not the keys.
    async fn learn(&mut self, mut background: Background) {
        self.lacks_regions = !self.failed.is_empty() || !self.seen.inspection.unread.is_empty();
        let is_old = |vpn: &Vpn| vpn.sides().any(|(_, side)| self.failed.contains_key(&side.region));
        let chosen = self.chosen().unwrap_or_default();
        let (old, vpns): (Vec<&Vpn>, Vec<&Vpn>) = chosen.into_iter().partition(|vpn| is_old(vpn));
        background.complete(self.seen.cloud(), vpns.iter().copied(), ASPECTS).await;
        let known = old.into_iter().filter_map(|vpn| self.keys.get_key_value(&vpn.a.connection.id));
        let known = known.map(|(id, keys)| (id.clone(), keys.clone()));
        let read = vpns.iter().map(|vpn| (vpn.a.connection.id.clone(), background.keys_of(vpn)));
        self.keys = known.chain(read).collect();
    }

    /// Why there is no VPN to watch.
    pub(super) fn nothing(&self) -> CommandError {
        self.seen.nothing()
    }

    fn word(&self) -> Option<&str> {
        self.words.first().copied()
    }

    fn chosen(&self) -> Result<Vec<&Vpn>, CommandError> {
        match self.word() {
            None if self.takes_all => Ok(self.seen.inspection.vpns.iter().collect()),
            word => Ok(vec![self.seen.only(word)?]),
        }
    }

    /// Errors: if the VPN that is asked about is not there, or several are.
    pub(super) fn monitored(&self) -> Result<Monitored, CommandError> {
        let (word, inspection) = (self.word(), &self.seen.inspection);
        let mut unmade = self.seen.unmade(word);
        let vpns = match (self.chosen(), unmade.as_slice()) {
            (Err(_), [_]) if word.is_some() || inspection.vpns.is_empty() => Vec::new(),
            (vpns, _) => vpns?,
        };
        // Beside one VPN that was chosen, the others do not matter.
        let are_all = self.takes_all && word.is_none();
        if !vpns.is_empty() && !are_all {
            unmade.clear();
        }
        let health = |vpn: &&Vpn| {
            let keys = self.keys.get(&vpn.a.connection.id).cloned().unwrap_or_default();
            let diagnosis = inspection.diagnose(vpn, &keys, &Exposures::default());
            Health::new(vpn, &diagnosis).with_interruption(self.seen.interruption_of(vpn))
        };
        let regions = self.regions(&vpns);
        Ok(Monitored {
            vpns: vpns.iter().map(health).collect(),
            unmade: unmade.into_iter().map(ListedInterruption::new).collect(),
            regions,
            unsettled: vpns
                .iter()
                .filter(|vpn| inspection.may_lack_a_half(vpn))
                .map(|vpn| vpn.a.connection.id.clone())
                .collect(),
            hidden: inspection.hidden().map(|hidden| hidden.to_string()),
            read_at: self.read_at,
        })
    }

    /// Those of the VPN that is named, or all.
    fn regions(&self, vpns: &[&Vpn]) -> BTreeMap<RegionId, Option<String>> {
        let inspection = &self.seen.inspection;
        let of = |vpn: &&Vpn| inspection.regions_of(vpn);
        let wanted: Option<BTreeSet<RegionId>> = if self.word().is_some() {
            vpns.iter().map(of).fold_options(BTreeSet::new(), |all, more| &all | &more)
        } else {
            None
        };
        let failed = inspection.unread.iter().map(|(region, error)| (region, error)).chain(&self.failed);
        let known = inspection.surveys.keys().map(|region| (region.clone(), None));
        let all = known.chain(failed.map(|(region, error)| (region.clone(), Some(error.to_string()))));
        all.filter(|(region, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(region))).collect()
    }
}
