//! What the other side has sent: pasted or from a file, read, and taken as answers.

use std::net::IpAddr;

use ipnet::IpNet;
use itertools::Itertools;
use secrecy::ExposeSecret;
use tui_input::Input;

use super::choices::about;
use super::fields::Field;
use super::picker::{About, Choice, Line};
use super::screen::{Mode, Screen};
use super::secret_text::{SecretText, characters};
use super::{Content, Model, NewVpn};
use crate::cloud::{Id, RegionId};
use crate::plan::checks::outside;
use crate::plan::psk::KeyOrigin;
use crate::plan::{Finding, Half, Labels, Place, Plan, Policy, Profile, Psk, reference};
use crate::sheet::received::{AgreedPolicy, Received, ReceivedEnd, TextSide, masked};

/// What was read of a text, and what became of it.
#[derive(Debug)]
pub(super) struct ReceivedAnswers {
    received: Box<Received>,
    /// The end that was taken for the peer.
    peer: Option<TextSide>,
    /// The policy that was taken last, until the user chooses one.
    policy: Option<Policy>,
    is_policy_chosen: bool,
    /// What could not be taken, until it is answered.
    wrong: Vec<Finding>,
}

impl ReceivedAnswers {
    pub(super) const fn new(received: Box<Received>) -> Self {
        Self { received, peer: None, policy: None, is_policy_chosen: false, wrong: Vec::new() }
    }
}

impl Model {
    /// What stands in the way of reading what was pasted.
    pub(super) fn pasted_problem(&self) -> Option<String> {
        let text = &self.new_vpn.pasted;
        if text.is_full() {
            return Some("it is too long to be pasted; start with osvpn --from FILE".to_owned());
        }
        Received::read(text.expose()).err().map(|problem| problem.to_string())
    }

    /// Goes on with what was pasted.
    pub(super) fn take_pasted(&mut self) {
        if let Ok(received) = Received::read(self.new_vpn.pasted.expose()) {
            self.new_vpn.pasted = SecretText::default();
            self.new_vpn.received = Some(ReceivedAnswers::new(Box::new(received)));
            self.enter(Screen::Received);
        }
    }

    /// Whether Enter is part of a text while one is pasted.
    pub(super) fn takes_lines(&self) -> bool {
        self.screen == Screen::Paste && self.shell.dialog.is_none() && self.shell.question.is_none()
    }

    /// Takes a text of several lines that is pasted where it is asked for, or where the peer is.
    pub(super) fn takes_text(&mut self, text: &str) -> bool {
        // Addresses and ranges below each other are for a field; all else may have a secret in it, and no field shows that.
        let is_range = |word: &str| word.parse::<IpAddr>().is_ok() || word.parse::<IpNet>().is_ok();
        let is_text = || {
            text.trim().contains(['\n', '\r'])
                && !text.split([' ', ',', ';', '\n', '\r', '\t']).filter(|word| !word.is_empty()).all(is_range)
        };
        if !(self.screen == Screen::Paste || self.screen == Screen::Peer && is_text()) {
            return false;
        }
        if self.screen == Screen::Peer {
            self.enter(Screen::Paste);
        }
        self.new_vpn.pasted.clear();
        self.new_vpn.pasted.append_lines(text);
        self.take_pasted();
        self.blame_pasted();
        true
    }

    /// Takes a line of a text. A single dot ends it.
    pub(super) fn take_line(&mut self, line: &str) {
        if line.trim() == "." {
            self.take_pasted();
            return self.blame_pasted();
        }
        if let Content::Form(form) = &mut self.content
            && !form.blamed.is_empty()
        {
            // What was wrong is pasted once more.
            form.blamed.clear();
            self.new_vpn.pasted.clear();
        }
        self.new_vpn.pasted.append_lines(line);
        self.new_vpn.pasted.append_lines("\n");
    }

    fn blame_pasted(&mut self) {
        if let Content::Form(form) = &mut self.content
            && self.screen == Screen::Paste
        {
            form.blamed = vec![Field::Text];
        }
    }

    /// Fills in what the text says, with that end of it as the peer.
    pub(super) fn take_received(&mut self, peer: TextSide) {
        self.new_vpn.fill_in(peer);
        self.new_vpn.ask_details(&mut self.shell);
        self.new_vpn.take_subnets_of_received();
        self.new_vpn.take_policy_of_received();
        let is_placed = self.new_vpn.answers.router_of(Half::A).is_some();
        let has_peer = self.is_filled_in(Screen::Peer);
        if is_placed && has_peer {
            self.new_vpn.returning = None;
            return self.enter(Screen::Review);
        }
        // Only what is missing is asked, and then Enter creates.
        self.new_vpn.returning = Some(Screen::Review);
        self.advance();
    }
}

impl NewVpn {
    /// The last lines of what is pasted, without anything that may be secret.
    pub fn pasted_shown(&self, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = self.pasted.expose().lines().rev().take(most).map(masked).collect();
        lines.reverse();
        lines
    }

    pub(super) fn before_received(&self) -> Screen {
        if self.received.as_ref().is_some_and(|of| of.peer.is_none()) && self.answers.mode == Mode::Single {
            Screen::Paste
        } else {
            Screen::Mode
        }
    }

    /// The router of the project that has that address outside, and where it is.
    fn router_at(&self, address: IpAddr) -> Option<(&RegionId, &Id, &str)> {
        self.regions.iter().find_map(|region| {
            let inventory = region.inventory.ready()?;
            let has_it = |router: &&crate::cloud::Router| {
                let service = inventory.services.iter().find(|service| service.router == router.id);
                outside::own_addresses(router, service).contains(&address)
            };
            let router = inventory.routers.iter().find(has_it)?;
            Some((&region.id, &router.id, router.name.as_str()))
        })
    }

    /// Both ends of the text: the one that is the peer as far as can be told first, with why.
    pub(super) fn received_lines(&self, labels: &Labels) -> Vec<Line> {
        let Some(ReceivedAnswers { received, .. }) = &self.received else { return Vec::new() };
        let in_cloud = |address| {
            let (region, _, router) = self.router_at(address)?;
            Some(format!("{address} is {router} in {}", labels.name(region)))
        };
        let known = received.peer(in_cloud);
        let first = known.as_ref().map_or(TextSide::Own, |(side, _)| *side);
        let why = known.map(|(_, why)| why);
        let line = |side: TextSide, findings: Vec<Finding>| {
            let end = received.end(side);
            let who = end.address.as_ref().or(end.id.as_ref());
            let title = who.map_or_else(|| "the end without an address".to_owned(), ToString::to_string);
            let aside = match side {
                TextSide::Own => "the text's own end",
                TextSide::Far => "the end it connects to",
            };
            let detail = self.received_detail(received, side, why.as_deref().filter(|_| side == first));
            Line::new(Choice::Peer(side), title, aside, About { detail, findings })
        };
        let notes = received.notes.iter().map(|note| Finding::warning(Place::PeerAddress, note.to_string()));
        vec![line(first, notes.collect()), line(first.other(), Vec::new())]
    }

    /// What would be filled in.
    fn received_detail(&self, received: &Received, peer: TextSide, why: Option<&str>) -> Vec<(String, String)> {
        let (end, cloud) = (received.end(peer), received.end(peer.other()));
        let ranges = |end: &ReceivedEnd| {
            let ranges = end.networks.iter().join(", ");
            if ranges.is_empty() { "not said".to_owned() } else { ranges }
        };
        let AgreedPolicy { policy, refusals, unsaid } = self.agreed(received);
        let mut detail = vec![about("Text", received.kind.title())];
        detail.extend(why.map(|why| about("Because", why)));
        detail.push(about("Peer", end.address.as_deref().unwrap_or("its address is not said")));
        detail.extend(
            end.id.iter().filter(|id| Some(*id) != end.address.as_ref()).map(|id| about("Its id", id.as_str())),
        );
        detail.push(about("Behind it", ranges(end)));
        detail.push(about(
            "This cloud",
            format!("{}, {}", cloud.address.as_deref().unwrap_or("address not said"), ranges(cloud)),
        ));
        detail.push(about("IKE", policy.ike_text()));
        detail.push(about("IPsec", policy.ipsec_text()));
        detail.extend(refusals.iter().map(|finding| about("Open", finding.to_string())));
        if !unsaid.is_empty() {
            detail.push(about("Not said", format!("{}; as in the policy modern", unsaid.join(", "))));
        }
        let key = received.key.as_ref().map(ExposeSecret::expose_secret);
        detail.push(about(
            "Key",
            key.map_or_else(
                || "not in the text: the peer's owner tells it, or sets the one of the review".to_owned(),
                |key| characters(key.chars().count()),
            ),
        ));
        detail.extend(received.policy.own_begins.map(|own| {
            let is_peer = own == (peer == TextSide::Own);
            about("Begins", if is_peer { "the peer" } else { "this cloud; the peer waits" })
        }));
        detail
    }

    fn agreed(&self, received: &Received) -> AgreedPolicy {
        let known = self.known();
        let stores = |field: crate::plan::fields::PolicyField, word: &str| {
            known.iter().all(|known| field.is_stored_by(word, &known.inventory.extensions))
        };
        received.policy(&self.profiles.modern, &stores)
    }

    fn fill_in(&mut self, peer: TextSide) {
        let Some(mut taken) = self.received.take() else { return };
        let (end, cloud) = (taken.received.end(peer), taken.received.end(peer.other()));
        let answers = &mut self.answers;
        answers.mode = Mode::Single;
        answers.system = taken.received.system(peer);
        if let Some(address) = &end.address {
            answers.peer_address = Input::new(address.clone());
        }
        let id = end.id.clone().filter(|id| Some(id) != end.address.as_ref());
        answers.peer_id = Input::new(id.unwrap_or_default());
        if !end.networks.is_empty() {
            answers.peer_cidrs = Input::new(end.networks.iter().join(", "));
        }
        taken.wrong.clear();
        match taken.received.key.as_ref().map(|key| Psk::parse(key.expose_secret())) {
            Some(Ok(psk)) => answers.key = SecretText::of(&psk, KeyOrigin::Given),
            Some(Err(problem)) => {
                let advice = problem.advice().map(|advice| format!("; {advice}")).unwrap_or_default();
                let text = format!("that of the text is not taken: {problem}{advice}");
                taken.wrong.push(Finding::refusal(Place::Key, text));
            }
            None => {}
        }
        let address = cloud.address.as_ref().and_then(|address| address.parse().ok());
        let place = address.and_then(|address| self.router_at(address));
        if let Some((region, router)) = place.map(|(region, router, _)| (region.clone(), router.clone())) {
            self.answers.region.a = Some(region.clone());
            self.answers.router.insert(region, router);
        }
        taken.peer = Some(peer);
        self.received = Some(taken);
    }

    /// Chooses the subnets that the text has for this cloud, once it is known which are on the router.
    pub(super) fn take_subnets_of_received(&mut self) {
        let Some(ReceivedAnswers { received, peer: Some(peer), .. }) = &self.received else { return };
        let wanted = &received.end(peer.other()).networks;
        let (Some(router), Some(region)) = (self.answers.router_of(Half::A), self.region_of(Half::A)) else { return };
        let is_read = region.standing(router).ready().is_some() && !region.inventory.is_loading();
        let (Some(inventory), true, []) = (region.inventory.ready(), is_read, self.answers.subnets_of(Half::A)) else {
            return;
        };
        if wanted.is_empty() {
            return;
        }
        let on_router = inventory.router(router);
        let found = wanted.iter().map(|range| reference::subnet(inventory, on_router, &range.to_string()));
        let (ids, missing): (Vec<Id>, Vec<_>) = found.partition_result();
        let router = router.clone();
        self.answers.subnets.insert(router, ids);
        let text = missing.iter().join("; ");
        if let Some(taken) = self.received.as_mut().filter(|_| !missing.is_empty()) {
            taken.wrong.retain(|finding| finding.place != Place::Subnets(Half::A));
            taken.wrong.push(Finding::refusal(Place::Subnets(Half::A), format!("of the text: {text}")));
        }
    }

    /// Takes the best policy of the text that the region stores, unless the user has chosen another since.
    pub(super) fn take_policy_of_received(&mut self) {
        let Some(ReceivedAnswers { received, peer: Some(_), policy: before, is_policy_chosen, .. }) = &self.received
        else {
            return;
        };
        let said = &received.policy;
        let is_custom = self.answers.profile == Some(Profile::Custom);
        let is_edited = is_custom && before.as_ref().is_some_and(|before| self.answers.custom != *before);
        if *is_policy_chosen
            || is_edited
            || (said.ike.is_empty() && said.ipsec.is_empty() && said.ike_version.is_none())
        {
            return;
        }
        let AgreedPolicy { policy, refusals, .. } = self.agreed(received);
        let profile = self.profiles.profile_of(&policy);
        self.answers.profile = Some(profile);
        if profile == Profile::Custom {
            self.answers.start_custom_from(policy.clone());
            self.answers.custom_edited = true;
        }
        if let Some(taken) = &mut self.received {
            taken.wrong.retain(|finding| !matches!(finding.place, Place::Policy(_)));
            taken.wrong.extend(refusals);
            taken.policy = Some(policy);
        }
    }

    /// What the review has to say of the text: what decides whether the VPN comes up, and is not in it or not so here.
    pub(super) fn doubts_of_received(&self, plan: &Plan) -> Vec<Finding> {
        let Some(ReceivedAnswers { received, peer: Some(peer), is_policy_chosen, .. }) = &self.received else {
            return Vec::new();
        };
        let mut doubts = Vec::new();
        if !is_policy_chosen {
            let unsaid = self.agreed(received).unsaid.into_iter().filter(|what| !what.ends_with("lifetime"));
            let unsaid = unsaid.chain(received.is_ike_version_a_default.then_some("IKE version")).join(", ");
            if !unsaid.is_empty() {
                let text = format!("not in the text: {unsaid}; ask the peer's owner whether this is right");
                doubts.push(Finding::warning(Place::Policy(None), text));
            }
        }
        let (expected, own) = (received.end(peer.other()), plan.a().address);
        let is_other = |said: &str| own.is_some_and(|own| said.parse() != Ok(own));
        let is_ip = |said: &str| said.parse::<IpAddr>().is_ok();
        if let Some(address) = expected.address.as_ref().filter(|address| is_ip(address) && is_other(address)) {
            let own = own.map(|own| own.to_string()).unwrap_or_default();
            let text =
                format!("the text connects to {address}, and this end is {own}: change it there, or take that router");
            doubts.push(Finding::warning(Place::Router(Half::A), text));
        }
        let id = expected.id.as_ref().filter(|id| Some(*id) != expected.address.as_ref());
        if let Some(id) = id.filter(|id| is_other(id)) {
            let own = own.map(|own| own.to_string()).unwrap_or_default();
            let text = format!("the text expects this end to call itself {id}; it will be {own}: change it there");
            doubts.push(Finding::warning(Place::PeerAddress, text));
        }
        doubts
    }

    pub(super) fn wrong_in_received(&self) -> &[Finding] {
        self.received.as_ref().map_or(&[], |of| &of.wrong)
    }

    /// What could not be taken of the text is answered.
    pub(super) fn put_received_right(&mut self, screen: Screen) {
        let Some(ReceivedAnswers { wrong, is_policy_chosen, .. }) = &mut self.received else { return };
        *is_policy_chosen |= matches!(screen, Screen::Policy | Screen::Custom);
        wrong.retain(|finding| match finding.place {
            Place::Policy(_) => !matches!(screen, Screen::Policy | Screen::Custom),
            Place::Key => screen != Screen::Key,
            Place::Subnets(_) => !matches!(screen, Screen::Region(_) | Screen::Router(_) | Screen::Subnets(_)),
            _ => true,
        });
    }
}
