//! What is said of work as a whole, and what can be done once it rests.

use super::{Stage, Turn, Work};
use crate::cloud::ErrorKind;
use crate::engine::{Direction, WorkEnd, is_cured_by_modern};

/// What can be done when the engine rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    Finish,
    Retry,
    RollBack,
    Leave,
    /// Wait for ACTIVE again.
    KeepWaiting,
    /// Back to the answers; nothing exists any more.
    ChangeAnswers,
    /// Recreate the policies with the profile `modern`, and do the rest.
    UseModern,
    ShowVpn,
    YourVpns,
    /// Look again what a lost request may have done.
    LookAgain,
    EnterKey,
    /// Add the security-group rules that a new VPN lacks.
    Admit,
    /// Go on to the next VPN.
    Another,
    /// What the outside peer has to be set to.
    Sheet,
}

impl Button {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Finish => "Finish",
            Self::Retry => "Retry",
            Self::RollBack => "Roll back",
            Self::Leave => "Leave",
            Self::KeepWaiting => "Keep waiting",
            Self::ChangeAnswers => "Change answers",
            Self::UseModern => "Use modern",
            Self::ShowVpn => "Show VPN",
            Self::YourVpns => "Your VPNs",
            Self::LookAgain => "Look again",
            Self::EnterKey => "Enter key",
            Self::Admit => "Admit traffic",
            Self::Another => "Make another",
            Self::Sheet => "Peer sheet",
        }
    }
}

impl Work {
    /// The VPN or the change, and how far it is.
    #[must_use]
    pub fn heading(&self) -> String {
        if self.is_creation() { self.heading_of_creation() } else { self.heading_of_change() }
    }

    /// What can be done now; the first is the sensible one.
    #[must_use]
    pub fn buttons(&self) -> Vec<Button> {
        let Some(end) = self.end() else { return Vec::new() };
        if self.is_creation() { self.buttons_of_creation(end) } else { self.buttons_of_change(end) }
    }

    #[must_use]
    pub fn focused(&self) -> Option<Button> {
        self.buttons().get(self.focus).copied()
    }

    fn heading_of_creation(&self) -> String {
        let name = &self.change().label;
        match (&self.stage, self.direction) {
            (Stage::Working, Direction::Forward) => format!("Creating {name}"),
            (Stage::Working, Direction::Back) => format!("Rolling back {name}"),
            (Stage::Watching, _) => format!("{name}: waiting for ACTIVE"),
            (Stage::Ended(end), _) => match end {
                WorkEnd::Active => format!("{name} is ACTIVE"),
                WorkEnd::NotYet(_) => format!("{name} is created, but not ACTIVE yet"),
                WorkEnd::Lost(_) => format!("{name}: its status can no longer be read"),
                WorkEnd::Done => format!("{name} is rolled back"),
                WorkEnd::Unsettled(..) => format!("{name}: rolled back, one request unconfirmed"),
                _ if self.is_left() => format!("{name} is not rolled back completely"),
                WorkEnd::Stopped => format!("{name}: stopped"),
                _ => format!("{name}: creation stopped at a failure"),
            },
        }
    }

    fn buttons_of_creation(&self, end: &WorkEnd) -> Vec<Button> {
        let roll_back = (!self.course.progress.is_clean()).then_some(Button::RollBack);
        let retry = self.plan.is_some().then_some(Button::Retry);
        let leave = Some(Button::Leave);
        let sheet = self.has_sheet().then_some(Button::Sheet);
        if *end == WorkEnd::Active {
            let admit = self.admission().map(|_| Button::Admit);
            let on = [Some(Button::Finish), Some(Button::ShowVpn), sheet, Some(Button::Another), roll_back];
            return admit.into_iter().chain(on.into_iter().flatten()).collect();
        }
        let buttons = match end {
            WorkEnd::Failed(row, error) if !self.is_left() => {
                let cured = self.task(*row).zip(self.plan.as_ref());
                let modern = cured.is_some_and(|(task, plan)| is_cured_by_modern(plan, task, error));
                let modern = modern.then_some(Button::UseModern);
                let answers = (roll_back.is_none() && modern.is_none()).then_some(Button::ChangeAnswers);
                // Neither the same once more nor another answer gives the user another role.
                if error.kind == ErrorKind::Forbidden {
                    [roll_back, leave, answers, retry]
                } else {
                    [modern, retry, roll_back.or(answers), leave]
                }
            }
            WorkEnd::NotYet(_) | WorkEnd::Lost(_) => {
                let on = [Some(Button::KeepWaiting), leave, sheet, Some(Button::ShowVpn), roll_back];
                return on.into_iter().flatten().collect();
            }
            WorkEnd::Done => [self.plan.is_some().then_some(Button::ChangeAnswers), leave, None, None],
            WorkEnd::Failed(..) | WorkEnd::Unsettled(..) => [roll_back, leave, None, None],
            _ => [retry, roll_back, leave, None],
        };
        buttons.into_iter().flatten().collect()
    }

    fn heading_of_change(&self) -> String {
        if self.completes_creation && self.direction == Direction::Forward {
            let name = &self.change().label;
            match self.stage {
                Stage::Working | Stage::Watching => return format!("{name}: adding the missing rules"),
                Stage::Ended(WorkEnd::Done) => return format!("{name}: the missing rules are added"),
                Stage::Ended(_) => {}
            }
        }
        let what = self.change().to_string();
        let turn = self.turn.map(|Turn { number, of }| format!(" ({number} of {of})")).unwrap_or_default();
        let named = capitalised(what.trim_start_matches("the ")) + &turn;
        let state = match (&self.stage, self.direction) {
            (Stage::Working | Stage::Watching, _) if self.settling.is_some() => "checking the lost request",
            (Stage::Working | Stage::Watching, Direction::Forward) => "in progress",
            (Stage::Working | Stage::Watching, Direction::Back) => "being rolled back",
            (Stage::Ended(WorkEnd::NotBegun(_)), _) => "not begun",
            (Stage::Ended(WorkEnd::Done), Direction::Forward) => "done",
            (Stage::Ended(WorkEnd::Done), Direction::Back) => "rolled back",
            (Stage::Ended(WorkEnd::Unsettled(..)), _) => "done, one request unconfirmed",
            (Stage::Ended(WorkEnd::Stopped), _) => "stopped",
            (Stage::Ended(_), _) => "stopped at a failure",
        };
        format!("{named}: {state}")
    }

    fn buttons_of_change(&self, end: &WorkEnd) -> Vec<Button> {
        if self.completes_creation && matches!(end, WorkEnd::Done) {
            return vec![Button::Finish, Button::ShowVpn, Button::Another];
        }
        let back = Some(if self.has_vpn { Button::ShowVpn } else { Button::YourVpns });
        let roll_back = (self.is_reversible() && self.has_begun()).then_some(Button::RollBack);
        let buttons = match end {
            WorkEnd::NotBegun(_) | WorkEnd::Done => [back, None, None],
            WorkEnd::Unsettled(..) => [Some(Button::LookAgain), back, None],
            WorkEnd::KeyNeeded(_) => [Some(Button::EnterKey), roll_back, back],
            _ => [Some(Button::Retry), roll_back.filter(|_| self.direction == Direction::Forward), back],
        };
        buttons.into_iter().flatten().collect()
    }
}

pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
