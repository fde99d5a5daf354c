//! What the user has answered. Answers are kept by what they belong to (a region's router, a router's subnets), so that
//! going back, choosing otherwise and returning loses nothing.

use std::collections::BTreeMap;

use itertools::Itertools;
use tui_input::Input;

use super::screen::Mode;
use super::secret_text::{SecretText, characters};
use crate::cloud::{Id, RegionId};
use crate::engine::Direction;
use crate::plan::fields::{Allowed, PolicyField};
use crate::plan::peer::PeerAddress;
use crate::plan::psk::KeyOrigin;
use crate::plan::{Far, Finding, Half, HalfDraft, Peer, Place, Plan, PlanDraft, Policy, Profile, VpnName, cidr};
use crate::sheet::PeerFormat;

/// One value for each half.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Halves<T> {
    /// Of the first half.
    pub a: T,
    pub b: T,
}

impl<T> Halves<T> {
    pub const fn get(&self, half: Half) -> &T {
        match half {
            Half::A => &self.a,
            Half::B => &self.b,
        }
    }

    pub const fn get_mut(&mut self, half: Half) -> &mut T {
        match half {
            Half::A => &mut self.a,
            Half::B => &mut self.b,
        }
    }
}

/// Everything answered so far.
#[derive(Debug)]
pub struct Answers {
    /// The mode; site-to-site unless chosen otherwise.
    pub mode: Mode,
    pub region: Halves<Option<RegionId>>,
    pub router: BTreeMap<RegionId, Id>,
    pub subnets: BTreeMap<Id, Vec<Id>>,
    pub peer_address: Input,
    /// The peer's id; empty means its address.
    pub peer_id: Input,
    pub peer_cidrs: Input,
    /// What stands on the far side; none means something else, of which nothing is known.
    pub system: Option<&'static PeerFormat>,
    pub key: SecretText,
    /// The profile; none means the recommended one.
    pub profile: Option<Profile>,
    pub custom: Policy,
    /// Whether the user has changed anything in it; from then on it is kept as it is.
    pub custom_edited: bool,
    pub numbers: BTreeMap<PolicyFieldKey, Input>,
    /// The name, once it was changed; none means the suggested one.
    pub name: Option<Input>,
}

/// A policy field as a map key, by its place in the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyFieldKey(usize);

impl From<PolicyField> for PolicyFieldKey {
    fn from(field: PolicyField) -> Self {
        Self(PolicyField::ALL.iter().position(|candidate| *candidate == field).unwrap_or_default())
    }
}

impl Answers {
    /// Nothing answered; a custom policy would start from that one.
    #[must_use]
    pub fn new(custom: Policy) -> Self {
        let mut answers = Self {
            mode: Mode::SiteToSite,
            region: Halves::default(),
            router: BTreeMap::new(),
            subnets: BTreeMap::new(),
            peer_address: Input::default(),
            peer_id: Input::default(),
            peer_cidrs: Input::default(),
            system: None,
            key: SecretText::default(),
            profile: None,
            custom: custom.clone(),
            custom_edited: false,
            numbers: BTreeMap::new(),
            name: None,
        };
        answers.start_custom_from(custom);
        answers
    }

    /// Forgets what belongs to a cloud that is left for another.
    pub fn leave_cloud(&mut self) {
        self.region = Halves::default();
        self.router.clear();
        self.subnets.clear();
    }

    /// Makes a policy the one that is edited field by field.
    pub fn start_custom_from(&mut self, policy: Policy) {
        self.custom = policy;
        let numbers = PolicyField::ALL.iter().filter(|field| matches!(field.allowed(), Allowed::Number(_)));
        self.numbers = numbers.map(|field| ((*field).into(), Input::new(field.get(&self.custom)))).collect();
    }

    pub(super) fn key_text(&self) -> String {
        let whose = if self.key.is_generated() { "generated" } else { "your own" };
        format!("{whose}, {}", characters(self.key.chars()))
    }

    pub fn router_of(&self, half: Half) -> Option<&Id> {
        self.region.get(half).as_ref().and_then(|region| self.router.get(region))
    }

    pub fn subnets_of(&self, half: Half) -> &[Id] {
        self.router_of(half).and_then(|router| self.subnets.get(router)).map_or(&[], Vec::as_slice)
    }

    /// The peer's id: as typed, else its address.
    pub fn peer_id_text(&self) -> &str {
        let typed = self.peer_id.value().trim();
        if typed.is_empty() { self.peer_address.value().trim() } else { typed }
    }

    /// What a plan is checked from.
    /// Errors: the first answer that is missing.
    pub(super) fn draft(&self, profile: Profile, policy: &Policy, name: &str) -> Result<PlanDraft, Finding> {
        let missing = |place: Place, what: &str| Finding::refusal(place, what.to_owned());
        let side = |half: Half| {
            let region = self.region.get(half).clone();
            let region = region.ok_or_else(|| missing(Place::Region(half), "still to be chosen"))?;
            let router = self.router_of(half).cloned();
            let router = router.ok_or_else(|| missing(Place::Router(half), "still to be chosen"))?;
            let subnets = self.subnets_of(half).to_vec();
            if subnets.is_empty() {
                return Err(missing(Place::Subnets(half), "still to be chosen"));
            }
            Ok(HalfDraft { region, router, subnets })
        };
        let a = side(Half::A)?;
        let far = match self.mode {
            Mode::SiteToSite => Far::Half(side(Half::B)?),
            Mode::Single => {
                let address = PeerAddress::parse(self.peer_address.value());
                let address = address.map_err(|problem| missing(Place::PeerAddress, &problem.to_string()))?;
                let cidrs = cidr::parse_list(self.peer_cidrs.value());
                let cidrs = cidrs.map_err(|problem| missing(Place::PeerCidrs, &problem.to_string()))?;
                let typed = self.peer_id.value().trim();
                let id = if typed.is_empty() { address.to_string() } else { typed.to_owned() };
                Far::Peer(Peer { address, id, cidrs, system: self.system.and_then(PeerFormat::system) })
            }
        };
        let psk = self.key.psk().ok_or_else(|| {
            let why = self.key.check().err().map_or_else(String::new, |problem| problem.to_string());
            missing(Place::Key, &why)
        })?;
        let name = VpnName::parse(name).map_err(|problem| missing(Place::Name, &problem.to_string()))?;
        Ok(PlanDraft { name, a, far, profile, policy: policy.clone(), psk })
    }

    /// Takes what a plan connects, and leaves the other answers.
    pub(super) fn take_ends(&mut self, plan: &Plan) {
        for half in plan.halves() {
            *self.region.get_mut(half.half) = Some(half.region.clone());
            self.router.insert(half.region.clone(), half.router.id.clone());
            self.subnets.insert(half.router.id.clone(), half.local.iter().map(|subnet| subnet.id.clone()).collect());
        }
        self.mode = match plan.far() {
            Far::Half(_) => Mode::SiteToSite,
            Far::Peer(peer) => {
                self.take_peer(peer);
                Mode::Single
            }
        };
    }

    pub(super) fn take_peer(&mut self, peer: &Peer) {
        self.peer_address = Input::new(peer.address.to_string());
        self.peer_id = Input::new(peer.id.clone());
        self.peer_cidrs = Input::new(peer.cidrs.iter().join(", "));
        self.system = peer.system.and_then(|system| PeerFormat::of(Some(system)));
    }

    pub(super) fn answer_as(&mut self, plan: &Plan, key: KeyOrigin, direction: Direction) {
        self.take_ends(plan);
        self.key = match (direction, key) {
            // What is rolled back needs no key, so the plan has any; the user's own has to be given again.
            (Direction::Back, KeyOrigin::Given) => SecretText::default(),
            _ => SecretText::of(plan.psk(), key),
        };
        self.profile = Some(plan.profile());
        if plan.profile() == Profile::Custom {
            self.start_custom_from(plan.policy().clone());
            self.custom_edited = true;
        }
        self.name = Some(Input::new(plan.name().to_string()));
    }
}
