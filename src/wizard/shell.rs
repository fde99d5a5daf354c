//! What surrounds every screen: the terminal, the time, the sign-in, dialogs, notices, and the way out.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::attention::Attention;
use super::dialog::{Dialog, DialogSubject};
use super::gesture::Clicked;
use super::keymap::Action;
use super::message::{Beginning, Effect, Session};
use super::outbox::Outbox;
use super::remote::RequestId;
use super::sign_in_question::Asked;
use crate::change::{Proposal, Together};
use crate::cloud::{Exchange, RegionId};
use crate::plan::Labels;
use crate::plan::wrap::{LongWords, wrap};
use crate::sign_in::{ListedCloud, Login, Problem};

/// The smallest terminal the wizard can be used in, in columns and rows. In a smaller one it shows nothing, and takes no
/// answer.
pub const SMALLEST: (u16, u16) = (60, 18);

/// How long a key stays on the screen in clear.
const REVEALED: Duration = Duration::from_secs(60);

/// How many requests are remembered: those of a creation, and of what went wrong before it.
const MOST_EXCHANGES: usize = 400;

/// How far the sign-in is.
#[derive(Clone, Debug)]
pub enum Start {
    /// The first question is asked meanwhile.
    SigningIn {
        request: RequestId,
        /// By [`Shell::now`].
        since: Duration,
    },
    Choosing,
    /// There is no sign-in.
    Problem(Problem),
    Ready(Session),
}

/// A line for the user that goes away with the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    pub is_problem: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Left,
    AfterRun,
}

/// The part of the wizard that is the same on every screen.
#[derive(Debug)]
pub struct Shell {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    pub(super) in_lines: bool,
    /// Time since the start; it moves only with [`super::Message::Tick`].
    pub now: Duration,
    pub start: Start,
    pub login: Login,
    /// The clouds of clouds.yaml, when one had to be chosen.
    pub clouds: Vec<ListedCloud>,
    pub labels: Labels,
    /// The request for the names of the regions.
    describing: Option<RequestId>,
    pub dialog: Option<Dialog>,
    pub question: Option<Asked>,
    pub notice: Option<Notice>,
    pub ending: Option<Ending>,
    /// Whether a list of subnets has those of other routers.
    pub(super) with_others: bool,
    /// Lines the text of the screen is scrolled by; a dialog has its own.
    pub scroll: u16,
    /// Lines of what is on top that the terminal has no room for.
    pub overflow: u16,
    pub repaint: bool,
    pub wait: Duration,
    /// Since when something is awaited that may take minutes.
    pub(super) awaited: Option<Duration>,
    /// The button that was clicked last, as long as nothing else was done.
    pub(super) clicked: Option<Clicked>,
    pub(super) attention: Attention,
    revealed: Option<Duration>,
    /// The latest requests and their answers.
    exchanges: VecDeque<Exchange>,
    pub(super) out: Outbox,
}

impl Shell {
    pub(super) fn new(beginning: &Beginning) -> Self {
        Self {
            size: beginning.size,
            in_lines: beginning.in_lines,
            now: Duration::ZERO,
            start: Start::Choosing,
            login: beginning.login.clone(),
            clouds: Vec::new(),
            labels: beginning.labels.clone(),
            describing: None,
            dialog: None,
            question: None,
            notice: None,
            ending: None,
            with_others: false,
            scroll: 0,
            overflow: 0,
            repaint: false,
            wait: beginning.wait,
            awaited: None,
            clicked: None,
            attention: Attention::default(),
            revealed: None,
            exchanges: VecDeque::new(),
            out: Outbox::default(),
        }
    }

    pub(super) fn sign_in(&mut self) {
        let request = self.out.request();
        self.question = None;
        self.start = Start::SigningIn { request, since: self.now };
        self.out.push(Effect::SignIn(request, self.login.clone()));
    }

    pub(super) fn awaits_sign_in(&self, request: RequestId) -> bool {
        matches!(self.start, Start::SigningIn { request: awaited, .. } if awaited == request)
    }

    /// Asks for the names of the regions, which nothing waits for.
    pub(super) fn describe_regions(&mut self) {
        let request = self.out.request();
        self.describing = Some(request);
        self.out.push(Effect::DescribeRegions(request));
    }

    /// Takes the names of the regions; false if they are of another sign-in.
    pub(super) fn described(&mut self, request: RequestId, descriptions: BTreeMap<RegionId, String>) -> bool {
        let is_awaited = self.describing.take_if(|awaited| *awaited == request).is_some();
        if is_awaited {
            self.labels.describe(descriptions);
        }
        is_awaited
    }

    /// The session, once signed in.
    pub const fn session(&self) -> Option<&Session> {
        match &self.start {
            Start::Ready(session) => Some(session),
            _ => None,
        }
    }

    pub fn can_demo(&self) -> bool {
        self.login != Login::Demo
    }

    pub const fn is_too_small(&self) -> bool {
        self.size.0 < SMALLEST.0 || self.size.1 < SMALLEST.1
    }

    /// Whether the key on the screen is shown in clear.
    pub const fn is_revealed(&self) -> bool {
        self.revealed.is_some()
    }

    pub(super) fn reveal(&mut self) {
        self.revealed = if self.is_revealed() { None } else { Some(self.now) };
    }

    pub(super) const fn hide_keys(&mut self) {
        self.revealed = None;
    }

    /// Hides a key that has been in clear for long enough. What was said in lines stays said.
    pub(super) fn hide_old_keys(&mut self) {
        let is_in_time = |since: &Duration| self.in_lines || self.now.saturating_sub(*since) < REVEALED;
        self.revealed = self.revealed.filter(is_in_time);
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), is_problem: false });
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), is_problem: true });
    }

    /// How many rows a page of a list has: the screen without header, footer and what stands around the list.
    pub(super) fn page(&self) -> isize {
        isize::try_from(self.size.1.saturating_sub(12).max(1)).unwrap_or(1)
    }

    /// The columns of the rail on a screen of that width; below 80 the steps need them for themselves.
    pub const fn rail_columns(width: u16) -> u16 {
        match width {
            0..80 => 0,
            80..100 => 28,
            100..120 => 32,
            _ => 36,
        }
    }

    /// Whether the page of a VPN that has become ACTIVE has the room for all of this question.
    pub(super) fn shows_question(&self, proposal: &Proposal) -> bool {
        let (width, height) = self.size;
        let columns = width.saturating_sub(Self::rail_columns(width) + 2);
        let text = format!("{:.8}", Together(std::slice::from_ref(proposal)));
        let rows = |line: &str| wrap(line, usize::from(columns), LongWords::Broken).len();
        // Above it stands that the tunnel is up and carries nothing yet; around it header, heading, how much more there is,
        // buttons and footer.
        let (above, around) = (4, if width < 80 { 10 } else { 9 });
        self.in_lines || text.lines().map(rows).sum::<usize>() + above + around <= usize::from(height)
    }

    /// What to press on a screen, or what to type where there is none.
    pub const fn way(&self, key: &'static str, line: &'static str) -> &'static str {
        if self.in_lines { line } else { key }
    }

    /// Keeps what was sent and what came of it. Where that is shown, the end of it stays in sight.
    pub(super) fn exchanged(&mut self, exchange: Exchange) {
        if self.exchanges.len() == MOST_EXCHANGES {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(exchange);
        let text = self.requests();
        let overflow = self.overflow;
        if let Some(dialog) = self.requests_dialog() {
            dialog.text = text;
            if dialog.scroll >= overflow {
                dialog.scroll = u16::MAX;
            }
        }
    }

    fn requests(&self) -> Vec<String> {
        match self.exchanges.len() {
            0 => vec!["Nothing has been sent since the sign-in.".to_owned()],
            _ => self.exchanges.iter().map(ToString::to_string).collect(),
        }
    }

    fn requests_dialog(&mut self) -> Option<&mut Dialog> {
        self.dialog.as_mut().filter(|dialog| dialog.about == DialogSubject::Requests)
    }

    /// Shows what was sent and what came of it; there is no body and no secret in it.
    pub(super) fn show_requests(&mut self) {
        let dialog = Dialog::to_copy("Requests, the latest last", self.requests()).about(DialogSubject::Requests);
        self.dialog = Some(Dialog { scroll: u16::MAX, ..dialog });
    }

    /// What has gone well needs no such look.
    pub(super) fn hide_requests(&mut self) {
        if self.requests_dialog().is_some() {
            self.dialog = None;
        }
    }

    /// Moves the text of the screen, or of the dialog over it, as far as there is more of it.
    pub(super) fn scroll_by(&mut self, action: Action) {
        let (page, limit) = (u16::try_from(self.page()).unwrap_or(1), self.overflow);
        let scroll = self.dialog.as_mut().map_or(&mut self.scroll, |dialog| &mut dialog.scroll);
        *scroll = match action {
            Action::Up => scroll.saturating_sub(1),
            Action::PageUp => scroll.saturating_sub(page),
            Action::Down => scroll.saturating_add(1),
            Action::PageDown => scroll.saturating_add(page),
            Action::First => 0,
            Action::Last => limit,
            _ => *scroll,
        }
        .min(limit);
    }
}

/// The place beside one of several, the last being beside the first.
pub(super) const fn beside(at: usize, count: usize, forward: bool) -> usize {
    match (count, forward) {
        (0, _) => 0,
        (count, true) => (at + 1) % count,
        (count, false) => (at + count - 1) % count,
    }
}
