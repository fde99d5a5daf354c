//! The review: the plan of all answers, or the reasons why there is none.

use super::dialog::Dialog;
use super::keymap::Action;
use super::message::Which;
use super::picker::{Choice, Line};
use super::screen::{Mode, Screen};
use super::shell::Shell;
use super::{Content, Effect, Model, NewVpn};
use crate::cloud::RegionId;
use crate::engine::Course;
use crate::engine::pace::FRESH;
use crate::plan::shell::osvpn;
use crate::plan::{Finding, Half, Labels, Place, Plan, Profile, file};

/// What the review keeps.
#[derive(Clone, Debug)]
pub struct Review {
    pub plan: Result<Box<Plan>, Vec<Finding>>,
    /// 0 is Create; above it are the answers, the last one first.
    pub focus: usize,
    /// Create was pressed, and the regions are read once more before anything is created.
    pub confirming: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerLine {
    pub screen: Screen,
    pub value: String,
    /// Why it is that, where the user did not choose it.
    pub source: Option<String>,
}

impl NewVpn {
    /// A finding in words. With one half there is nothing to tell apart.
    pub fn finding_text(&self, finding: &Finding) -> String {
        match (self.answers.mode, finding.place) {
            (Mode::Single, Place::Region(_)) => format!("region: {}", finding.text),
            (Mode::Single, Place::Router(_)) => format!("router: {}", finding.text),
            (Mode::Single, Place::Subnets(_)) => format!("subnets: {}", finding.text),
            _ => finding.to_string(),
        }
    }

    fn lacks_shared_keys(&self, labels: &Labels) -> bool {
        self.missing_shared_keys(labels).is_some()
    }

    /// Whether something that the plan needs is still being read.
    pub fn is_reading_for_plan(&self, labels: &Labels) -> bool {
        self.is_reading() || self.lacks_shared_keys(labels)
    }

    /// The named policy that could be used instead of the one there is, and what speaks for it.
    pub fn other_policy(&self) -> Option<(Profile, &'static str)> {
        let (other, why) = match self.profile() {
            Profile::Modern => (Profile::Catalyst, "its values are those of Catalyst Cloud's guide"),
            Profile::Catalyst | Profile::Custom => {
                (Profile::Modern, "it carries several subnets in one tunnel, and OpenStack 2026.2 still stores it")
            }
        };
        let findings = self.profiles.get(other)?.findings(&self.setting());
        (!findings.iter().any(Finding::is_refusal)).then_some((other, why))
    }

    /// The policy in words, and the key that switches it.
    pub fn policy_text(&self) -> String {
        let (profile, reason) = self.profile_in(&self.setting());
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let text = format!("Policy {profile} ({}){reason}.", profile.summary());
        match self.other_policy() {
            Some((other, why)) => format!("{text} p uses {other} ({}): {why}.", other.summary()),
            None => text,
        }
    }

    fn save(&self, shell: &mut Shell) {
        if let Ok(plan) = self.plan(&shell.labels) {
            shell.attention.saves();
            shell.out.push(Effect::Save(plan.name().to_string(), file::write(&plan)));
        } else {
            shell.warn("The answers do not make a plan yet; what is missing is listed above.");
        }
    }
}

impl Model {
    pub fn answer_lines(&self) -> Vec<AnswerLine> {
        let line = |screen| AnswerLine { screen, value: self.answer_text(screen), source: self.answer_source(screen) };
        self.route().answers().map(line).collect()
    }

    /// The answers that choosing this line instead of the one there is would change as well.
    pub fn changed_with(&self, line: &Line) -> Option<String> {
        let (screen, mode) = (self.screen, self.new_vpn.answers.mode);
        let is_other = |chosen: Choice| chosen != line.choice && line.is_open();
        if self.new_vpn.returning != Some(screen) || !self.chosen(screen).is_some_and(is_other) {
            return None;
        }
        let is_taken = |half: Half| matches!(&line.choice, Choice::Region(region) if self.new_vpn.answers.region.get(half).as_ref() == Some(region));
        let name = if self.new_vpn.answers.name.is_none() { " and the name" } else { "" };
        Some(match screen {
            // Taking the other side's region leaves that side without one.
            Screen::Region(Half::A) if mode == Mode::SiteToSite && is_taken(Half::B) => {
                format!("changes both sides: regions, routers, subnets{name}")
            }
            Screen::Region(half) => {
                let names = [Screen::Router(half), Screen::Subnets(half)].map(|step| step.name(mode));
                if name.is_empty() {
                    format!("changes {}, too", names.join(" and "))
                } else {
                    format!("changes {}{name}, too", names.join(", "))
                }
            }
            Screen::Router(half) => format!("changes {}, too", Screen::Subnets(half).name(mode)),
            _ => return None,
        })
    }

    /// The key, or the connection that has it, if the plan in review shares one.
    pub(super) fn key_text(&self) -> String {
        if let Content::Review(Review { plan: Ok(plan), .. }) = &self.content
            && let Some(of) = plan.key_sharers().first()
        {
            return format!("that of connection {}", of.name);
        }
        self.new_vpn.answers.key_text()
    }

    pub(super) fn review_action(&mut self, action: Action) {
        let answers = self.answer_lines();
        let is_agreed = matches!(action, Action::Accept | Action::PageUp | Action::PageDown);
        // What was agreed to with an upgrade is what stood here then.
        self.new_vpn.is_next &= is_agreed;
        let is_next = self.new_vpn.is_next;
        let Content::Review(review) = &mut self.content else { return };
        review.confirming &= is_agreed;
        match action {
            Action::Accept if review.confirming || is_next => {}
            Action::Up => review.focus = (review.focus + 1).min(answers.len()),
            Action::Down => review.focus = review.focus.saturating_sub(1),
            Action::First => review.focus = answers.len(),
            Action::Last => review.focus = 0,
            Action::PageUp | Action::PageDown => self.shell.scroll_by(action),
            Action::Back => {
                self.new_vpn.returning = None;
                self.back();
            }
            Action::Save => self.new_vpn.save(&mut self.shell),
            Action::SwitchPolicy => self.switch_policy(),
            Action::ShowCommands | Action::ShowPlan => self.show_plan(action == Action::ShowCommands),
            Action::Retry => self.read_chosen_again(),
            Action::StopReading => self.stop_reading(),
            Action::Accept if review.focus == 0 => self.accept_review(),
            Action::Accept => {
                let line = answers.len().checked_sub(review.focus).and_then(|at| answers.get(at));
                if let Some(screen) = line.map(|line| line.screen) {
                    self.change_answer(screen);
                }
            }
            _ => {}
        }
    }

    fn switch_policy(&mut self) {
        let Some((other, _)) = self.new_vpn.other_policy() else {
            return self.shell.warn("No other policy fits these regions and subnets.");
        };
        self.new_vpn.answers.profile = Some(other);
        self.new_vpn.put_received_right(Screen::Policy);
        self.refresh();
        self.shell.say(format!("The policy is now {other}: {}.", other.summary()));
    }

    /// Shows what the plan is to other programs: to the `openstack` client, or in a file.
    fn show_plan(&mut self, as_commands: bool) {
        let Content::Review(Review { plan: Ok(plan), .. }) = &self.content else {
            return self.shell.warn("The answers do not make a plan yet; what is missing is listed above.");
        };
        let dialog = if as_commands {
            let lead = "# By hand. OSVPN_PSK has the pre-shared key, which is not shown.".to_owned();
            let first =
                self.new_vpn.upgraded_first(plan).into_iter().map(|vpn| osvpn("upgrade").operand(vpn).to_string());
            let commands = plan.openstack_commands().into_iter().map(|command| command.to_string());
            Dialog::to_copy(
                "The same with the openstack command",
                [lead].into_iter().chain(first).chain(commands).collect(),
            )
        } else {
            Dialog::to_copy("The plan as a file", file::write(plan).lines().map(ToOwned::to_owned).collect())
        };
        self.shell.dialog = Some(dialog);
    }

    fn change_answer(&mut self, screen: Screen) {
        self.new_vpn.returning = Some(screen);
        self.enter(screen);
    }

    /// The focus on the answer that was changed; on the last one if there is no such line any more, but never on Create.
    pub(super) fn review_focus(&self, changed: Screen) -> usize {
        if changed == Screen::Review {
            return 0;
        }
        let answers = self.answer_lines();
        let at = answers.iter().position(|line| line.screen == changed);
        at.map_or(1, |at| answers.len() - at)
    }

    /// Reads those regions once more, and shows that they are being read.
    pub(super) fn read_again(&mut self, regions: &[RegionId]) {
        self.new_vpn.read_again(&mut self.shell, regions);
        self.refresh();
    }

    pub(super) fn read_chosen_again(&mut self) {
        self.read_again(&self.new_vpn.chosen_regions());
    }

    fn accept_review(&mut self) {
        if let Some(region) = self.new_vpn.first_loading() {
            let place = self.shell.labels.name(&region.id);
            return self.shell.warn(format!("{place} is still being read; Enter again in a moment."));
        }
        if self.new_vpn.lacks_shared_keys(&self.shell.labels) {
            return self.shell.warn("A key that exists is still being read; Enter again in a moment.");
        }
        if self.new_vpn.lacks_something() {
            self.new_vpn.forget_failed_interfaces();
            return self.read_again(&self.new_vpn.unread());
        }
        match self.new_vpn.plan(&self.shell.labels) {
            // Somebody else may have created a VPN while the answers were given.
            Ok(_) if self.new_vpn.is_older_than(self.shell.now, FRESH) => {
                if let Content::Review(review) = &mut self.content {
                    review.confirming = true;
                }
                self.read_chosen_again();
            }
            Ok(plan) => self.begin(plan),
            Err(findings) => {
                if let Some(finding) = findings.into_iter().find(Finding::is_refusal) {
                    self.go_to_finding(&finding);
                }
            }
        }
    }

    fn go_to_finding(&mut self, finding: &Finding) {
        // A finding about what a region allows, for instance its quota: no other answer would change that.
        let has_regions =
            |model: &Self| model.new_vpn.halves().iter().all(|half| model.is_answered(Screen::Region(*half)));
        if matches!(finding.place, Place::Region(_)) && has_regions(self) {
            self.shell.warn(format!("{}; read again to see whether that has changed.", finding.text));
            return self.read_chosen_again();
        }
        self.change_answer(Screen::of(finding.place, self.route()));
        self.shell.warn(self.new_vpn.finding_text(finding));
    }

    pub(super) fn begin(&mut self, plan: Box<Plan>) {
        if self.upgrade_first(&plan) {
            return;
        }
        let course = Course::new(plan.to_change());
        let key = self.new_vpn.answers.key.key_origin();
        self.create((*plan).clone(), course, Which::Plan(plan, key));
    }

    /// Shows what has become known since the review was opened. While the regions are read once more, what the user has
    /// agreed to stays in view.
    pub(super) fn refresh_review(&mut self) {
        let Content::Review(Review { plan: agreed, focus, confirming }) = &self.content else { return };
        let (focus, confirming) = (*focus, *confirming);
        if confirming && self.new_vpn.is_reading_for_plan(&self.shell.labels) {
            return;
        }
        let agreed = agreed.as_ref().ok().filter(|_| confirming).map(|plan| plan.findings().to_vec());
        let plan = self.new_vpn.plan(&self.shell.labels);
        let news = match (&plan, agreed) {
            (Ok(plan), Some(agreed)) => plan.findings().iter().find(|finding| !agreed.contains(finding)),
            (Err(findings), Some(_)) => findings.first(),
            (_, None) => None,
        };
        let news = news.map(|finding| self.new_vpn.finding_text(finding));
        self.content = Content::Review(Review { plan, focus, confirming: confirming && news.is_none() });
        if let Some(text) = news {
            self.shell.warn(format!("Nothing was created: something has changed since you began. {text}"));
        }
    }

    /// Takes what was learned about the regions: creates what was agreed to, once they have been read again and nothing
    /// new speaks against it.
    pub(super) fn learned(&mut self) {
        self.refresh();
        match &self.content {
            Content::Review(Review { plan: Ok(plan), confirming: true, .. })
                if !self.new_vpn.is_reading_for_plan(&self.shell.labels) =>
            {
                self.begin(plan.clone());
            }
            _ => self.create_next(),
        }
    }
}
