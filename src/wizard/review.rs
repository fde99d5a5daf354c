//! The review: answers become a draft, the draft a plan or the reasons why not.

use itertools::Itertools;

use super::fields::Field;
use super::keymap::Action;
use super::progress::Progress;
use super::screen::{Mode, Screen};
use super::{Content, Effect, Model, RegionState};
use crate::engine::pace::FRESH;
use crate::plan::peer::PeerAddress;
use crate::plan::{
    Far, Finding, Half, HalfDraft, Known, Peer, Place, Plan, PlanDraft, Policy, PolicyScope, Profile, VpnName, cidr,
    file, names,
};
use crate::sign_in::Login;

/// The state of the review's screen.
#[derive(Clone, Debug)]
pub struct Review {
    /// The plan, or what stands in its way, refusals first.
    pub plan: Result<Box<Plan>, Vec<Finding>>,
    /// Where the focus is: 0 is Create, then the answers from the last upwards.
    pub focus: usize,
    /// Whether Create was pressed, and waits for the regions to be read once more.
    pub confirming: bool,
}

/// An answer as the review lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerLine {
    /// The step that asked for it.
    pub screen: Screen,
    /// What was answered.
    pub value: String,
    /// Why it is that, where the user did not choose it.
    pub source: Option<String>,
}

impl Model {
    /// One half or two, by mode.
    #[must_use]
    pub const fn halves(&self) -> &'static [Half] {
        match self.answers.mode {
            Mode::SiteToSite => &[Half::A, Half::B],
            Mode::Single => &[Half::A],
        }
    }

    /// What is known of the chosen regions.
    #[must_use]
    pub fn known(&self) -> Vec<Known<'_>> {
        let chosen = self.halves().iter().filter_map(|half| self.region_of(*half));
        chosen.filter_map(RegionState::known).collect()
    }

    /// What the policy has to cope with.
    #[must_use]
    pub fn setting(&self) -> PolicyScope<'_> {
        let regions = self.known().into_iter().map(|known| (known.region, &known.inventory.extensions)).collect();
        let remote = match self.answers.mode {
            Mode::SiteToSite => self.answers.subnets_of(Half::B).len(),
            Mode::Single => cidr::parse_list(self.answers.peer_cidrs.value()).map_or(1, |ranges| ranges.len()),
        };
        let local = self.answers.subnets_of(Half::A);
        let inventory = self.region_of(Half::A).and_then(|region| region.inventory.ready());
        let mut subnets = local.iter().filter_map(|id| inventory?.subnet(id));
        let ipv6 = subnets.any(|subnet| subnet.cidr.addr().is_ipv6());
        PolicyScope { regions, ranges: (local.len(), remote), ipv6 }
    }

    /// The profile: as chosen, else the recommended one.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.answers.profile.unwrap_or_else(|| self.setting().recommended().0)
    }

    /// The policy of both halves.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        self.profiles.get(self.profile()).unwrap_or(&self.answers.custom)
    }

    /// A name nothing in the chosen regions has yet.
    #[must_use]
    pub fn suggested_name(&self) -> String {
        let regions: Vec<&str> = self
            .halves()
            .iter()
            .filter_map(|half| self.answers.region.get(*half).as_ref())
            .map(super::super::cloud::inventory::RegionId::as_str)
            .collect();
        let known = self.known();
        let services = known.iter().flat_map(|known| &known.inventory.services).map(|service| service.name.as_str());
        let connections =
            known.iter().flat_map(|known| &known.inventory.connections).map(|connection| connection.name.as_str());
        let taken: Vec<&str> = services.chain(connections).collect();
        names::suggest(&regions, &taken)
    }

    /// The name: as typed, else the suggested one.
    #[must_use]
    pub fn name_text(&self) -> String {
        self.answers.input(Field::Name).map_or_else(|| self.suggested_name(), |input| input.value().to_owned())
    }

    /// The answers as a draft, or the first thing that is missing or does not parse.
    fn draft(&self) -> Result<PlanDraft, Finding> {
        let missing = |place: Place, what: &str| Finding::refusal(place, what.to_owned());
        let side = |half: Half| {
            let region = self.answers.region.get(half).clone();
            let region = region.ok_or_else(|| missing(Place::Region(half), "is still to be chosen"))?;
            let router = self.answers.router_of(half).cloned();
            let router = router.ok_or_else(|| missing(Place::Router(half), "is still to be chosen"))?;
            let subnets = self.answers.subnets_of(half).to_vec();
            if subnets.is_empty() {
                return Err(missing(Place::Subnets(half), "are still to be chosen"));
            }
            Ok(HalfDraft { region, router, subnets })
        };
        let a = side(Half::A)?;
        let far = match self.answers.mode {
            Mode::SiteToSite => Far::Half(side(Half::B)?),
            Mode::Single => {
                let address = PeerAddress::parse(self.answers.peer_address.value());
                let address = address.map_err(|problem| missing(Place::PeerAddress, &problem.to_string()))?;
                let cidrs = cidr::parse_list(self.answers.peer_cidrs.value());
                let cidrs = cidrs.map_err(|problem| missing(Place::PeerCidrs, &problem.to_string()))?;
                let typed = self.answers.peer_id.value().trim();
                let id = if typed.is_empty() { address.to_string() } else { typed.to_owned() };
                Far::Peer(Peer { address, id, cidrs })
            }
        };
        let psk = self.answers.key.psk();
        let psk = psk.ok_or_else(|| {
            let why = self.answers.key.check().err().map_or_else(String::new, |problem| problem.to_string());
            missing(Place::Key, &why)
        })?;
        let name = VpnName::parse(&self.name_text()).map_err(|problem| missing(Place::Name, &problem.to_string()))?;
        Ok(PlanDraft { name, a, far, profile: self.profile(), policy: self.policy().clone(), psk })
    }

    /// Holds the answers against what is known.
    ///
    /// # Errors
    /// What stands in the way, refusals first.
    pub fn plan(&self) -> Result<Box<Plan>, Vec<Finding>> {
        for half in self.halves() {
            let Some(region) = self.region_of(*half) else { continue };
            let place = self.labels.name(&region.id);
            if region.detail.is_loading() || region.inventory.is_loading() {
                return Err(vec![Finding::refusal(
                    Place::Region(*half),
                    format!("{place} is still being read; a moment"),
                )]);
            }
            if let Some(error) = region.detail.error() {
                let text =
                    format!("existing tunnels and quotas of {place} could not be read: {error}; Enter reads again");
                return Err(vec![Finding::refusal(Place::Region(*half), text)]);
            }
        }
        self.shared(self.checked()?).map(Box::new)
    }

    /// The same without the key it may have to share.
    pub(super) fn checked(&self) -> Result<Plan, Vec<Finding>> {
        let draft = self.draft().map_err(|finding| vec![finding])?;
        Plan::check(draft, &self.known(), &self.labels, self.vpn.clone())
    }

    /// A finding in words. With one half there is nothing to tell apart.
    #[must_use]
    pub fn finding_text(&self, finding: &Finding) -> String {
        match (self.answers.mode, finding.place) {
            (Mode::Single, Place::Region(_)) => format!("region: {}", finding.text),
            (Mode::Single, Place::Router(_)) => format!("router: {}", finding.text),
            (Mode::Single, Place::Subnets(_)) => format!("subnets: {}", finding.text),
            _ => finding.to_string(),
        }
    }

    /// Every answer, as the review lists them.
    #[must_use]
    pub fn answer_lines(&self) -> Vec<AnswerLine> {
        let steps = self.route().steps();
        let asked = steps.into_iter().filter(|step| !matches!(step, Screen::Cloud | Screen::Review | Screen::Run));
        asked
            .map(|step| AnswerLine { screen: step, value: self.answer_text(step), source: self.answer_source(step) })
            .collect()
    }

    /// What a step was answered with, in a few words; empty while it is not.
    #[must_use]
    pub fn answer_text(&self, step: Screen) -> String {
        match step {
            Screen::Cloud => match &self.login {
                Login::Named(name) => name.clone(),
                Login::Demo => "demo".to_owned(),
                Login::Default => String::new(),
            },
            Screen::Mode => match self.answers.mode {
                Mode::SiteToSite => "site-to-site".to_owned(),
                Mode::Single => "single".to_owned(),
            },
            Screen::Region(half) => {
                self.answers.region.get(half).as_ref().map_or_else(String::new, |id| self.labels.name(id))
            }
            Screen::Router(half) => {
                let inventory = self.region_of(half).and_then(|region| region.inventory.ready());
                let router = self.answers.router_of(half).and_then(|id| inventory?.router(id));
                router.map_or_else(String::new, |router| router.name.clone())
            }
            Screen::Subnets(half) => {
                let inventory = self.region_of(half).and_then(|region| region.inventory.ready());
                let ranges = self.answers.subnets_of(half).iter().filter_map(|id| inventory?.subnet(id));
                ranges.map(|subnet| subnet.cidr).join(", ")
            }
            Screen::Peer => {
                let cidrs = self.answers.peer_cidrs.value().trim();
                let address = self.answers.peer_address.value().trim();
                if cidrs.is_empty() { address.to_owned() } else { format!("{address}, {cidrs}") }
            }
            Screen::Key => {
                if let Some(text) = self.shared_key_text() {
                    return text;
                }
                let origin = if self.answers.key.is_generated() { "generated" } else { "your own" };
                format!("{origin}, {} characters", self.answers.key.chars())
            }
            Screen::Policy => self.profile().as_str().to_owned(),
            Screen::Custom => self.answers.custom.ike_text(),
            Screen::Name => self.name_text(),
            Screen::Review
            | Screen::Run
            | Screen::Vpns
            | Screen::Vpn
            | Screen::NewSubnets(_)
            | Screen::NewRanges
            | Screen::NewKey
            | Screen::Change
            | Screen::MissingKey => String::new(),
        }
    }

    /// Whose key the plan in review has, if it is one that exists.
    fn shared_key_text(&self) -> Option<String> {
        let Content::Review(Review { plan: Ok(plan), .. }) = &self.content else { return None };
        let of = plan.key_sharers().first()?;
        Some(format!("that of connection {}", of.name))
    }

    fn answer_source(&self, step: Screen) -> Option<String> {
        match step {
            Screen::Policy if self.answers.profile.is_none() => {
                Some(self.setting().recommended().1.unwrap_or_else(|| "the guide's values".to_owned()))
            }
            Screen::Name if self.answers.name.is_none() => Some("suggested".to_owned()),
            _ => None,
        }
    }

    pub(super) fn review_action(&mut self, action: Action) {
        let answers = self.answer_lines();
        let Content::Review(review) = &mut self.content else { return };
        if !matches!(action, Action::Accept | Action::PageUp | Action::PageDown) {
            review.confirming = false;
        }
        match action {
            Action::Accept if review.confirming => {}
            Action::Up => review.focus = (review.focus + 1).min(answers.len()),
            Action::Down => review.focus = review.focus.saturating_sub(1),
            Action::First => review.focus = answers.len(),
            Action::Last => review.focus = 0,
            Action::PageUp | Action::PageDown => self.scroll(action),
            Action::Back => {
                self.returning = None;
                return self.back();
            }
            Action::Save => return self.save(),
            Action::Accept if review.focus == 0 => return self.accept_review(),
            Action::Accept => {
                let line = answers.len().checked_sub(review.focus).and_then(|at| answers.get(at));
                if let Some(step) = line.map(|line| line.screen) {
                    self.returning = Some(step);
                    self.enter(step);
                }
            }
            _ => {}
        }
    }

    /// The focus on the answer that was changed; on the last one if there is no such line any more, but never on Create.
    pub(super) fn review_focus(&self, changed: Screen) -> usize {
        let answers = self.answer_lines();
        let at = answers.iter().position(|line| line.screen == changed);
        at.map_or(1, |at| answers.len() - at)
    }

    fn accept_review(&mut self) {
        let chosen: Vec<_> = self.halves().iter().filter_map(|half| self.region_of(*half)).collect();
        if let Some(region) = chosen.iter().find(|region| region.inventory.is_loading() || region.detail.is_loading()) {
            let text = format!("{} is still being read; Enter again in a moment.", self.labels.name(&region.id));
            self.warn(text);
            return;
        }
        if self.missing_shared_keys().is_some() {
            self.warn("A key that exists is still being read; Enter again in a moment.".to_owned());
            return;
        }
        let unread = chosen.iter().any(|region| region.inventory.ready().is_none() || region.detail.ready().is_none());
        if unread {
            let broken = chosen.iter().filter(|region| region.inventory.ready().is_none());
            let broken: Vec<_> = broken.map(|region| region.id.clone()).collect();
            return self.read_again(&broken);
        }
        // Somebody else may have made a VPN while the answers were given.
        let is_stale = chosen.iter().any(|region| self.now.saturating_sub(region.as_of) > FRESH);
        match self.plan() {
            Ok(_) if is_stale => {
                if let Content::Review(review) = &mut self.content {
                    review.confirming = true;
                }
                self.read_again(&self.chosen_regions())
            }
            Ok(plan) => self.begin(plan),
            Err(findings) => {
                if let Some(finding) = findings.into_iter().find(Finding::is_refusal) {
                    if self.is_about_the_region_itself(finding.place) {
                        self.warn(format!("{}; read again to see whether that has changed.", finding.text));
                        return self.read_again(&self.chosen_regions());
                    }
                    let step = Screen::of(finding.place, self.route());
                    self.returning = Some(step);
                    self.enter(step);
                    self.warn(self.finding_text(&finding));
                }
            }
        }
    }

    /// Whether a finding is about what a region allows, for instance its quota: no other answer would change that.
    fn is_about_the_region_itself(&self, place: Place) -> bool {
        matches!(place, Place::Region(_)) && self.halves().iter().all(|half| self.is_answered(Screen::Region(*half)))
    }

    fn begin(&mut self, plan: Box<Plan>) {
        let run = Progress::new((*plan).clone(), self.now, self.wait);
        let ledger = run.ledger.clone();
        self.run = Some(run);
        self.enter(Screen::Run);
        self.out.push(Effect::Create(plan, ledger, self.answers.key.key_origin()));
    }

    /// Whether a chosen region is being read.
    fn is_reading(&self) -> bool {
        let mut chosen = self.halves().iter().filter_map(|half| self.region_of(*half));
        chosen.any(|region| region.inventory.is_loading() || region.detail.is_loading())
            || self.missing_shared_keys().is_some()
    }

    /// Shows what has become known since the review was opened. While the regions are read once more, what the user has
    /// agreed to stays in view.
    pub(super) fn refresh_review(&mut self) {
        let Content::Review(review) = &self.content else { return };
        if !(review.confirming && self.is_reading()) {
            let Review { focus, confirming, plan: agreed } = review;
            let (focus, confirming) = (*focus, *confirming);
            let agreed = agreed.as_ref().ok().filter(|_| confirming).map(|plan| plan.findings().to_vec());
            let plan = self.plan();
            let news = match (&plan, agreed) {
                (Ok(plan), Some(agreed)) => plan.findings().iter().find(|finding| !agreed.contains(finding)),
                (Err(findings), Some(_)) => findings.first(),
                (_, None) => None,
            };
            let news = news.map(|finding| self.finding_text(finding));
            self.content = Content::Review(Review { plan, focus, confirming: confirming && news.is_none() });
            if let Some(text) = news {
                self.warn(format!("Nothing was made: something has changed since you began. {text}"));
            }
        }
    }

    /// Makes what was agreed to, once the regions have been read again and nothing new speaks against it.
    pub(super) fn confirmed(&mut self) {
        match &self.content {
            Content::Review(Review { plan: Ok(plan), confirming: true, .. }) if !self.is_reading() => {
                self.begin(plan.clone())
            }
            _ => {}
        }
    }

    fn save(&mut self) {
        if let Ok(plan) = self.plan() {
            self.attention.saves();
            self.out.push(Effect::Save(plan.name().to_string(), file::write(&plan)));
        } else {
            self.warn("The answers do not make a plan yet; what is missing is listed above.");
        }
    }
}

impl RegionState {
    /// What is known of the region, once it was discovered.
    #[must_use]
    pub fn known(&self) -> Option<Known<'_>> {
        let inventory = self.inventory.ready()?;
        Some(Known { region: &self.id, inventory, detail: self.detail.ready() })
    }
}
