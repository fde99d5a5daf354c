//! What the events of a change add up to: its steps with their state and time, and what to do next.

use std::time::Duration;

use jiff::Timestamp;

use super::progress::Then;
use super::vpn::capitalised;
use crate::change;
use crate::change::{Change, Step};
use crate::cloud::retry::Pause;
use crate::cloud::{Error, Id};
use crate::engine::change::{ChangeError, ChangeEvent, Changed, Course, Direction, End};
use crate::inspect::{Diagnosis, Vpn};
use crate::plan::ShellCommand;

/// The state of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Its turn has not come.
    Waiting,
    /// Under way since then, by [`super::Model::now`].
    Running(Duration),
    /// Done; how long that took, if it was done just now.
    Done(End, Option<Duration>),
    /// It failed; how long that took.
    Failed(Error, Duration),
    /// What it did is being taken back, since then.
    TakingBack(Duration),
    /// What it did is taken back.
    TakenBack,
}

/// Where the change stands as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The engine is at work.
    Working,
    /// It could not even begin, and why.
    NotBegun(Vec<String>),
    /// The engine has come to rest.
    Ended(Result<Changed, ChangeError>),
}

/// What can be done when the engine rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Back to the VPN it was of.
    ToVpn,
    /// Back to the list.
    ToList,
    /// Do the failed step, and the rest.
    Retry,
    /// Undo what was done.
    TakeBack,
    /// Look again what a lost request may have done.
    LookAgain,
    /// Give the key it lacks.
    GiveKey,
}

impl Button {
    /// What it says.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ToVpn => "See how it stands",
            Self::ToList => "Your VPNs",
            Self::Retry => "Retry",
            Self::TakeBack => "Roll back",
            Self::LookAgain => "Look again",
            Self::GiveKey => "Give the key",
        }
    }
}

/// The place of a change among several that were agreed to at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Counted from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

/// A change as far as the screen knows it.
#[derive(Clone, Debug)]
pub struct Carried {
    /// What is to be done, and how far it is.
    pub course: Course,
    /// What the user was told beforehand.
    pub notes: Vec<String>,
    /// Which one it is of several that were agreed to at once.
    pub turn: Option<Turn>,
    /// Whether it is carried out or taken back.
    pub direction: Direction,
    /// Every step's state, in order.
    pub steps: Vec<StepState>,
    /// The pause before a request is tried again, as long as it lasts.
    pub pause: Option<(usize, Pause)>,
    /// Until when it is waited for what a lost request may do.
    pub settling: Option<Timestamp>,
    /// Objects of lost requests that were found and deleted.
    pub removed: Vec<Id>,
    /// Where it stands.
    pub stage: Stage,
    /// When it began, by [`super::Model::now`].
    pub begun: Duration,
    /// When the engine came to rest.
    pub ended: Option<Duration>,
    /// Which button has the focus.
    pub focus: usize,
    /// What the user wants once the engine has come to rest.
    pub then: Option<Then>,
    /// Whether there is a VPN on the screen below to go back to.
    pub has_vpn: bool,
    /// The VPN afterwards, and its fresh proof.
    pub after: Option<Box<(Vpn, Diagnosis)>>,
}

impl Carried {
    /// A change that goes on from there now.
    #[must_use]
    pub fn new(course: Course, notes: Vec<String>, direction: Direction, now: Duration) -> Self {
        let step =
            |end: &Option<End>| end.as_ref().map_or(StepState::Waiting, |end| StepState::Done(end.clone(), None));
        Self {
            steps: course.ends.iter().map(step).collect(),
            course,
            notes,
            turn: None,
            direction,
            pause: None,
            settling: None,
            removed: Vec::new(),
            stage: Stage::Working,
            begun: now,
            ended: None,
            focus: 0,
            then: None,
            has_vpn: false,
            after: None,
        }
    }

    /// What is to be done.
    #[must_use]
    pub const fn change(&self) -> &Change {
        &self.course.change
    }

    /// Whether the engine is at work.
    #[must_use]
    pub const fn is_working(&self) -> bool {
        matches!(self.stage, Stage::Working)
    }

    /// Whether it rests because the key of the user's own is not there any more.
    #[must_use]
    pub const fn lacks_key(&self) -> bool {
        matches!(self.stage, Stage::Ended(Err(ChangeError::KeyNeeded(_))))
    }

    /// Whether what was wanted is so, for good.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Ended(Ok(Changed::Done)))
    }

    /// Whether it is of that VPN, among those there are, and that should be up afterwards. A connection that was made anew has
    /// another id, but a VPN is still known by its name.
    #[must_use]
    pub fn is_of(&self, vpn: &Vpn, all: &[Vpn]) -> bool {
        let Change { verb, subject, label, .. } = self.change();
        let is_known = || all.iter().any(|vpn| change::is_of(subject, vpn));
        verb.is_about_a_vpn() && (change::is_of(subject, vpn) || *label == vpn.name && !is_known())
    }

    /// Whether there is something left to finish or to take back.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        match &self.stage {
            Stage::Working | Stage::Ended(Ok(Changed::Unsettled(..))) => true,
            Stage::NotBegun(_) | Stage::Ended(Ok(Changed::Done)) => false,
            Stage::Ended(Err(_)) => self.has_begun(),
        }
    }

    /// Whether any step has done something, or may have.
    fn has_begun(&self) -> bool {
        // Once the engine rests it has told what it knows.
        if matches!(self.stage, Stage::Ended(_)) {
            return self.course.is_begun;
        }
        self.steps.iter().any(|state| !matches!(state, StepState::Waiting | StepState::TakenBack))
    }

    /// Whether it can be taken back, as far as can be told from here while the engine is at work.
    #[must_use]
    pub fn is_reversible(&self) -> bool {
        let is_begun = |state: &StepState| !matches!(state, StepState::Waiting | StepState::TakenBack);
        let mut steps = self.change().steps().iter().zip(&self.steps);
        let may = if self.is_working() {
            !steps.any(|(step, state)| matches!(step, Step::Delete(..) | Step::SetKey(_)) && is_begun(state))
        } else {
            true
        };
        self.course.is_reversible && may
    }

    /// Takes an event.
    pub fn apply(&mut self, event: ChangeEvent, now: Duration) {
        if let ChangeEvent::Waiting(step, pause) = event {
            self.pause = Some((step, *pause));
            return;
        }
        self.pause = None;
        self.settling = None;
        match event {
            ChangeEvent::Waiting(..) => {}
            ChangeEvent::Started(step) => self.set(step, StepState::Running(now)),
            ChangeEvent::Finished(step, end, took) => {
                if let Some(slot) = self.course.ends.get_mut(step) {
                    *slot = Some(end.clone());
                }
                self.set(step, StepState::Done(end, Some(took)));
            }
            ChangeEvent::Failed(step, error, took) => self.set(step, StepState::Failed(error, took)),
            ChangeEvent::TakingBack(step) => self.set(step, StepState::TakingBack(now)),
            ChangeEvent::TakenBack(step, _) => {
                if let Some(slot) = self.course.ends.get_mut(step) {
                    *slot = None;
                }
                self.set(step, StepState::TakenBack);
            }
            ChangeEvent::Removed(_, id) => self.removed.push(id),
            ChangeEvent::Settling(until) => self.settling = Some(until),
        }
    }

    fn set(&mut self, step: usize, state: StepState) {
        if let Some(slot) = self.steps.get_mut(step) {
            *slot = state;
        }
    }

    /// Takes the end of the work.
    pub fn end(&mut self, ended: Result<Changed, ChangeError>, course: Course, now: Duration) {
        // A request that was given up has no answer, and nothing runs any more.
        for (state, end) in self.steps.iter_mut().zip(&course.ends) {
            if matches!(state, StepState::Running(_) | StepState::TakingBack(_)) {
                *state = end.as_ref().map_or(StepState::Waiting, |end| StepState::Done(end.clone(), None));
            }
        }
        self.course = course;
        self.rest(Stage::Ended(ended), now);
    }

    /// Takes the news that it could not even begin.
    pub fn refuse(&mut self, why: Vec<String>, now: Duration) {
        self.rest(Stage::NotBegun(why), now);
    }

    fn rest(&mut self, stage: Stage, now: Duration) {
        self.stage = stage;
        (self.pause, self.settling) = (None, None);
        self.ended = Some(now);
        self.focus = 0;
    }

    /// Back to work.
    pub fn resume(&mut self, direction: Direction) {
        self.direction = direction;
        self.stage = Stage::Working;
        self.ended = None;
        self.then = None;
    }

    /// The command that goes on with it once the wizard is left. None if it is kept nowhere, or there is nothing to do.
    #[must_use]
    pub fn command(&self) -> Option<ShellCommand> {
        self.course.journal.is_some().then(|| self.course.go_on(self.direction))
    }

    /// What can be done now; the first is the sensible one.
    #[must_use]
    pub fn buttons(&self) -> Vec<Button> {
        let back = if self.has_vpn { Button::ToVpn } else { Button::ToList };
        let take_back = (self.is_reversible() && self.has_begun()).then_some(Button::TakeBack);
        match &self.stage {
            Stage::Working => Vec::new(),
            Stage::NotBegun(_) | Stage::Ended(Ok(Changed::Done)) => vec![back],
            Stage::Ended(Ok(Changed::Unsettled(..))) => vec![Button::LookAgain, back],
            Stage::Ended(Err(ChangeError::KeyNeeded(_))) => {
                [Some(Button::GiveKey), take_back, Some(back)].into_iter().flatten().collect()
            }
            Stage::Ended(Err(_)) => {
                let take_back = take_back.filter(|_| self.direction == Direction::Forward);
                [Some(Button::Retry), take_back, Some(back)].into_iter().flatten().collect()
            }
        }
    }

    /// Which way a retry goes. What cannot be taken back any more can only be finished.
    #[must_use]
    pub const fn way_on(&self) -> Direction {
        match self.stage {
            Stage::Ended(Err(ChangeError::TooLate)) => Direction::Forward,
            _ => self.direction,
        }
    }

    /// The change, and how far it is.
    #[must_use]
    pub fn heading(&self) -> String {
        let what = self.change().to_string();
        let turn = self.turn.map(|Turn { number, of }| format!(" ({number} of {of})")).unwrap_or_default();
        let named = capitalised(what.trim_start_matches("the ")) + &turn;
        match (&self.stage, self.direction) {
            (Stage::Working, _) if self.settling.is_some() => format!("{named}: waiting for certainty"),
            (Stage::Working, Direction::Forward) => format!("{named}: under way"),
            (Stage::Working, Direction::Back) => format!("{named}: being rolled back"),
            (Stage::NotBegun(_), _) => format!("{named}: not begun"),
            (Stage::Ended(Ok(Changed::Done)), Direction::Forward) => format!("{named}: done"),
            (Stage::Ended(Ok(Changed::Done)), Direction::Back) => format!("{named}: rolled back"),
            (Stage::Ended(Ok(Changed::Unsettled(..))), _) => format!("{named}: done, as far as can be told"),
            (Stage::Ended(Err(ChangeError::Stopped)), _) => format!("{named}: stopped"),
            (Stage::Ended(Err(_)), _) => format!("{named}: stopped at a failure"),
        }
    }
}
