//! A VPN to be created: what is answered, what the regions have, and the plan that comes of both.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::answers::Answers;
use super::message::{Beginning, Effect};
use super::picker::Choice;
use super::prefill::Prefill;
use super::proposals::Proposals;
use super::received::ReceivedAnswers;
use super::remote::{Remote, RequestId};
use super::screen::{Mode, Route, Screen};
use super::secret_text::SecretText;
use super::shared_keys::SharedKeys;
use super::shell::Shell;
use crate::cloud::{Detail, Error, Id, Inventory, RegionId};
use crate::plan::fields::PolicyField;
use crate::plan::{
    Finding, Half, Known, Labels, PeerAddress, Place, Plan, Policy, PolicyScope, Profile, Profiles, Psk, VpnId, cidr,
    names,
};
use crate::sheet::fitting;

/// One region as far as it is known.
#[derive(Clone, Debug)]
pub struct RegionState {
    pub id: RegionId,
    pub inventory: Remote<Inventory>,
    /// What was read once it was chosen.
    pub detail: Remote<Detail>,
    /// The legacy VPN services that can be upgraded, each with the name of its VPN.
    pub(super) upgrades: BTreeMap<Id, String>,
    /// How far the reading of its routers' subnets is, as far as it was asked for.
    pub(super) standing: HashMap<Id, Remote<()>>,
    /// How many requests for routers' subnets the first page has made since the region was read.
    pub(super) candidate_reads: u8,
    /// When the oldest of that was asked for, by [`Shell::now`].
    pub as_of: Duration,
}

impl RegionState {
    pub(super) fn new(id: RegionId) -> Self {
        let standing = HashMap::new();
        Self {
            id,
            inventory: Remote::NotAsked,
            detail: Remote::NotAsked,
            upgrades: BTreeMap::new(),
            standing,
            candidate_reads: 0,
            as_of: Duration::ZERO,
        }
    }

    /// What is known of the region, once it was read.
    pub fn known(&self) -> Option<Known<'_>> {
        let inventory = self.inventory.ready()?;
        Some(Known { region: &self.id, inventory, detail: self.detail.ready(), upgrades: Some(&self.upgrades) })
    }

    /// Whether an answer about it is still on its way.
    pub const fn is_loading(&self) -> bool {
        self.inventory.is_loading() || self.detail.is_loading()
    }
}

/// The part of the wizard that asks for a new VPN.
#[derive(Debug)]
pub struct NewVpn {
    pub id: VpnId,
    pub answers: Answers,
    pub regions: Vec<RegionState>,
    pub profiles: Profiles,
    /// The answer that is changed from the review; accepting it returns there.
    pub returning: Option<Screen>,
    /// The field of the custom policy whose values are listed.
    pub(super) field: Option<PolicyField>,
    /// The steps that were answered with the only candidate there was, and why there was no other.
    pub(super) only_candidate: BTreeMap<Screen, String>,
    /// The keys it has to share with connections that exist.
    pub(super) shared_keys: SharedKeys,
    /// What the first page proposes.
    pub(super) proposals: Proposals,
    /// The line of the first page that was taken.
    pub(super) begun_with: Option<Choice>,
    /// The key that was generated last.
    pub(super) offered: Psk,
    /// The profile the program was started with.
    pub(super) preset: Option<Profile>,
    pub(super) prefill: Option<Prefill>,
    /// What is pasted of what the other side has sent.
    pub(super) pasted: SecretText,
    /// What was read of that.
    pub(super) received: Option<ReceivedAnswers>,
    /// Whether what is upgraded at the moment is upgraded for it: it is created next.
    pub(super) is_next: bool,
}

impl NewVpn {
    pub(super) fn new(beginning: Beginning) -> Self {
        let mut vpn = Self {
            id: beginning.vpn,
            answers: Answers::new(beginning.profiles.modern.clone()),
            regions: Vec::new(),
            profiles: beginning.profiles,
            returning: None,
            field: None,
            only_candidate: BTreeMap::new(),
            shared_keys: SharedKeys::default(),
            proposals: Proposals::default(),
            begun_with: None,
            offered: beginning.psk,
            preset: beginning.profile,
            prefill: None,
            pasted: SecretText::default(),
            received: None,
            is_next: false,
        };
        vpn.begin_anew();
        if let Some(received) = beginning.received {
            vpn.answers.mode = Mode::Single;
            vpn.received = Some(ReceivedAnswers::new(received));
        }
        if let Some(file) = beginning.plan {
            vpn.take_file(*file);
        }
        vpn
    }

    /// Nothing is answered; what the regions have stays known.
    pub(super) fn begin_anew(&mut self) {
        self.answers = Answers::new(self.profiles.modern.clone());
        self.answers.key = SecretText::generated(&self.offered);
        self.answers.profile = self.preset;
        (self.returning, self.begun_with, self.prefill) = (None, None, None);
        (self.pasted, self.received) = (SecretText::default(), None);
        self.only_candidate.clear();
        self.shared_keys = SharedKeys::default();
    }

    /// Takes what no two VPNs have in common.
    pub(super) fn drawn(&mut self, id: VpnId, psk: Psk) {
        self.id = id;
        self.answers.key = SecretText::generated(&psk);
        self.offered = psk;
    }

    pub fn route(&self, shell: &Shell) -> Route {
        let custom = self.profile() == Profile::Custom;
        Route { mode: self.answers.mode, custom, clouds: !shell.clouds.is_empty() }
    }

    pub fn region(&self, id: &RegionId) -> Option<&RegionState> {
        self.regions.iter().find(|region| region.id == *id)
    }

    pub(super) fn region_mut(&mut self, id: &RegionId) -> Option<&mut RegionState> {
        self.regions.iter_mut().find(|region| region.id == *id)
    }

    pub fn region_of(&self, half: Half) -> Option<&RegionState> {
        self.answers.region.get(half).as_ref().and_then(|id| self.region(id))
    }

    pub fn inventory_of(&self, half: Half) -> Option<&Inventory> {
        self.region_of(half)?.inventory.ready()
    }

    /// The name of a half's region; `region A` before it is chosen.
    pub fn place(&self, half: Half, labels: &Labels) -> String {
        self.answers.region.get(half).as_ref().map_or_else(|| format!("region {half}"), |id| labels.name(id))
    }

    pub const fn halves(&self) -> &'static [Half] {
        match self.answers.mode {
            Mode::SiteToSite => &[Half::A, Half::B],
            Mode::Single => &[Half::A],
        }
    }

    fn chosen(&self) -> impl Iterator<Item = &RegionState> {
        self.halves().iter().filter_map(|half| self.region_of(*half))
    }

    /// Whether something of the chosen regions is still being read.
    pub fn is_reading(&self) -> bool {
        self.halves().iter().any(|half| self.is_reading_half(*half))
    }

    /// The chosen region that is being read, if there is one.
    pub(super) fn first_loading(&self) -> Option<&RegionState> {
        let half = self.halves().iter().find(|half| self.is_reading_half(**half))?;
        self.region_of(*half)
    }

    /// Whether something of the chosen regions was read that long ago.
    pub(super) fn is_older_than(&self, now: Duration, age: Duration) -> bool {
        self.chosen().any(|region| now.saturating_sub(region.as_of) > age)
    }

    pub(super) fn lacks_something(&self) -> bool {
        self.chosen().any(|region| region.inventory.ready().is_none() || region.detail.ready().is_none())
            || self.halves().iter().any(|half| self.standing_of(*half).is_some_and(|state| state.ready().is_none()))
    }

    /// The chosen regions that could not be read.
    pub(super) fn unread(&self) -> Vec<RegionId> {
        let unread = self.chosen().filter(|region| region.inventory.ready().is_none());
        unread.map(|region| region.id.clone()).collect()
    }

    pub(super) fn chosen_regions(&self) -> Vec<RegionId> {
        self.halves().iter().filter_map(|half| self.answers.region.get(*half).clone()).collect()
    }

    pub fn known(&self) -> Vec<Known<'_>> {
        self.chosen().filter_map(RegionState::known).collect()
    }

    pub fn setting(&self) -> PolicyScope<'_> {
        let regions = self.known().into_iter().map(|known| (known.region, &known.inventory.extensions)).collect();
        let remote = match self.answers.mode {
            Mode::SiteToSite => self.answers.subnets_of(Half::B).len(),
            Mode::Single => cidr::parse_list(self.answers.peer_cidrs.value()).map_or(1, |ranges| ranges.len()),
        };
        let local = self.local_ranges();
        let ipv6 = local.iter().any(|range| range.addr().is_ipv6());
        let has_external_peer = self.answers.mode == Mode::Single;
        PolicyScope { regions, ranges: (self.answers.subnets_of(Half::A).len(), remote), ipv6, has_external_peer }
    }

    pub(super) fn local_ranges(&self) -> Vec<ipnet::IpNet> {
        let inventory = self.inventory_of(Half::A);
        let chosen = self.answers.subnets_of(Half::A).iter().filter_map(|id| inventory?.subnet(id));
        chosen.map(|subnet| subnet.cidr).collect()
    }

    pub(super) fn recommended(&self) -> (Profile, Option<String>) {
        self.recommended_in(&self.setting())
    }

    /// The profile: chosen, else recommended.
    pub fn profile(&self) -> Profile {
        self.profile_in(&self.setting()).0
    }

    /// The profile for that scope, and why, where the user did not choose it.
    pub(super) fn profile_in(&self, scope: &PolicyScope<'_>) -> (Profile, Option<String>) {
        if let Some(profile) = self.answers.profile {
            return (profile, None);
        }
        let (profile, reason) = self.recommended_in(scope);
        (profile, Some(reason.unwrap_or_else(|| "the guide's values".to_owned())))
    }

    pub fn policy(&self) -> &Policy {
        self.profiles.get(self.profile()).unwrap_or(&self.answers.custom)
    }

    /// A name no VPN of the chosen regions has.
    pub fn suggested_name(&self) -> String {
        let regions = self.halves().iter().filter_map(|half| self.answers.region.get(*half).as_ref());
        let peer = match (self.answers.mode, PeerAddress::parse(self.answers.peer_address.value())) {
            (Mode::Single, Ok(PeerAddress::Name(name))) => name.split('.').next().map(ToOwned::to_owned),
            (Mode::Single, Ok(PeerAddress::Ip(address))) => Some(address.to_string()),
            _ => None,
        };
        name_for(regions.map(RegionId::as_str).chain(peer.as_deref()), &self.known())
    }

    /// The name: as typed, else suggested.
    pub fn name_text(&self) -> String {
        self.answers.name.as_ref().map_or_else(|| self.suggested_name(), |input| input.value().to_owned())
    }

    /// A name that was not changed is none of the user's own.
    pub(super) fn forget_unchanged_name(&mut self) {
        let suggested = self.suggested_name();
        self.answers.name.take_if(|name| name.value() == suggested);
    }

    /// The plan the answers make, or what stands in its way.
    /// Errors: at least one refusal.
    pub fn plan(&self, labels: &Labels) -> Result<Box<Plan>, Vec<Finding>> {
        for half in self.halves() {
            let Some(region) = self.region_of(*half) else { continue };
            let place = labels.name(&region.id);
            let refusal = |text| Err(vec![Finding::refusal(Place::Region(*half), text)]);
            if self.is_reading_half(*half) {
                return refusal(format!("{place} is still being read; a moment"));
            }
            if let Some(error) = self.standing_of(*half).and_then(Remote::error) {
                return refusal(format!(
                    "the subnets of the router in {place} could not be read: {error}; Enter reads again"
                ));
            }
            if let Some(error) = region.detail.error() {
                return refusal(format!(
                    "existing tunnels and quotas of {place} could not be read: {error}; Enter reads again"
                ));
            }
        }
        match self.wrong_in_file().iter().chain(self.wrong_in_received()).cloned().collect::<Vec<_>>() {
            wrong if wrong.is_empty() => self.shared(self.checked(labels)?).and_then(fitting).map(Box::new),
            wrong => Err(wrong),
        }
    }

    pub(super) fn checked(&self, labels: &Labels) -> Result<Plan, Vec<Finding>> {
        let draft = self.answers.draft(self.profile(), self.policy(), &self.name_text());
        let plan = Plan::check(draft.map_err(|finding| vec![finding])?, &self.known(), labels, self.id.clone())?;
        let doubts = self.doubts_of_received(&plan);
        Ok(plan.with_doubts(doubts))
    }

    pub(super) fn discover(&mut self, shell: &mut Shell, id: &RegionId) {
        let Some(region) = self.region_mut(id) else { return };
        let request = shell.out.request();
        region.inventory.ask(request, shell.now);
        region.standing.clear();
        region.candidate_reads = 0;
        region.as_of = shell.now;
        shell.out.push(Effect::Discover(request, id.clone()));
    }

    /// Reads everything of those regions that was read before; the rest follows as it is needed.
    pub(super) fn read_again(&mut self, shell: &mut Shell, ids: &[RegionId]) {
        self.shared_keys = SharedKeys::default();
        self.forget_failed_interfaces();
        for id in ids {
            self.discover(shell, id);
            if let Some(region) = self.region_mut(id)
                && !matches!(region.detail, Remote::NotAsked)
            {
                let request = shell.out.request();
                region.detail.ask(request, shell.now);
                shell.out.push(Effect::Detail(request, id.clone()));
            }
        }
        self.ask_details(shell);
    }

    /// Asks for the details of the chosen regions, each once.
    pub(super) fn ask_details(&mut self, shell: &mut Shell) {
        for id in self.chosen_regions() {
            let Some(region) = self.region_mut(&id) else { continue };
            if !region.detail.is_loading() && region.detail.ready().is_none() {
                let request = shell.out.request();
                region.detail.ask(request, shell.now);
                shell.out.push(Effect::Detail(request, id));
            }
        }
    }

    /// Takes an answer of discovery; false if another one is waited for.
    pub(super) fn discovered(&mut self, id: &RegionId, request: RequestId, result: Result<Inventory, Error>) -> bool {
        self.region_mut(id).is_some_and(|region| region.take_inventory(request, result))
    }

    pub(super) fn detailed(&mut self, id: &RegionId, request: RequestId, result: Result<Detail, Error>) -> bool {
        self.region_mut(id).is_some_and(|region| region.detail.answer(request, result))
    }
}

/// A name for a VPN of those regions that no VPN there has.
pub(super) fn name_for<'a>(places: impl IntoIterator<Item = &'a str>, known: &[Known<'_>]) -> String {
    let places: Vec<&str> = places.into_iter().collect();
    let services = known.iter().flat_map(|known| &known.inventory.services).map(|service| service.name.as_str());
    let connections =
        known.iter().flat_map(|known| &known.inventory.connections).map(|connection| connection.name.as_str());
    let taken: Vec<&str> = services.chain(connections).collect();
    names::suggest(&places, &taken)
}
