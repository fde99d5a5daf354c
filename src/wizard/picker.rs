//! The state of a list to choose from: cursor, filter, marks. It knows nothing of what is chosen.
//!
//! A list may have 100,000 lines, of which twenty are shown. So a line holds little, what is said about it is made when it
//! is shown, and what a frame needs of all lines is counted when they change.

use tui_input::Input;
use unicode_width::UnicodeWidthStr;

use crate::cloud::{Id, RegionId};
use crate::plan::{Finding, Profile, Severity};
use crate::sheet::received::TextSide;

use super::screen::Mode;

/// What choosing a line means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    Cloud(String),
    /// The best VPN between two regions, while none is known yet.
    Best,
    /// A whole VPN between two regions.
    Proposal(RegionId, RegionId),
    Mode(Mode),
    Region(RegionId),
    Object(Id),
    Profile(Profile),
    /// A value of a field of the policy.
    Word(&'static str),
    Vpns,
    /// One of them, by the word that names it alone.
    Vpn(String),
    /// A creation that was interrupted, by the id in its markers.
    Creation(String),
    /// What no connection uses.
    Unused,
    PublicKeys,
    /// All VPNs that are behind today's standard.
    Upgrades,
    /// A new VPN, where there is none.
    Make,
    /// The subnets of other routers.
    Others,
    /// That end of a text is the peer.
    Peer(TextSide),
}

impl Choice {
    pub const fn id(&self) -> Option<&Id> {
        if let Self::Object(id) = self { Some(id) } else { None }
    }

    pub(super) fn object(self) -> Option<Id> {
        if let Self::Object(id) = self { Some(id) } else { None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub choice: Choice,
    pub title: String,
    /// What stands beside the name: an address, a range, a code.
    pub aside: String,
    /// The worst that speaks against it.
    pub worst: Option<Severity>,
    /// What there is to say about it, where the list is short; else it is made when it is shown.
    pub(super) about: Option<Box<About>>,
    /// Set while the line stands for something that is still being read.
    pub pending: bool,
}

/// What there is to say about a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Shown while the line is under the cursor.
    pub detail: Vec<(String, String)>,
    /// What speaks for or against it.
    pub findings: Vec<Finding>,
}

/// The reason to show beside a line.
pub fn worst(findings: &[Finding]) -> Option<&Finding> {
    findings.iter().min_by_key(|finding| finding.severity)
}

/// How many digits of an id have to be typed for the filter to find it: less is found by chance.
const ID_PREFIX: usize = 4;

impl Line {
    /// A line of a short list.
    pub(super) fn new(choice: Choice, title: impl Into<String>, aside: impl Into<String>, about: About) -> Self {
        let worst = worst(&about.findings).map(|finding| finding.severity);
        let (title, aside) = (title.into(), aside.into());
        Self { choice, title, aside, worst, about: Some(Box::new(about)), pending: false }
    }

    pub fn is_open(&self) -> bool {
        self.worst != Some(Severity::Refusal)
    }

    /// Whether it shows that, or is of an object whose id begins with it.
    fn matches(&self, needle: &str) -> bool {
        let contains = |text: &str| text.to_lowercase().contains(needle);
        let is_of_id = |id: &Id| {
            needle.len() >= ID_PREFIX
                && needle.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
                && id.as_str().starts_with(needle)
        };
        contains(&self.title) || contains(&self.aside) || self.choice.id().is_some_and(is_of_id)
    }

    /// How little speaks for going there first.
    pub(super) fn rank(&self) -> u8 {
        match self.worst {
            _ if self.choice == Choice::Others => 3,
            // What is still being read may turn out fine: the default must not depend on who answers first.
            _ if self.pending => 0,
            Some(Severity::Refusal) => 4,
            Some(Severity::Warning) => 2,
            Some(Severity::Notice) => 1,
            None => 0,
        }
    }

    /// How badly it fits what is looked for: a name that begins with it fits best, an address that has it somewhere least.
    fn distance(&self, needle: &str) -> u8 {
        let title = self.title.to_lowercase();
        if title.starts_with(needle) { 0 } else { 1 + u8::from(!title.contains(needle)) }
    }
}

/// A list, its cursor and its filter.
#[derive(Clone, Debug, Default)]
pub struct Picker {
    lines: Vec<Line>,
    /// Which lines pass the filter.
    visible: Vec<usize>,
    /// The cursor, by place in `visible`.
    cursor: usize,
    /// The filter's text; `None` while not filtering.
    filter: Option<Input>,
    /// The marked choices of a list that takes several; `None` where one is taken.
    marked: Option<Vec<Choice>>,
    /// Whether the marks are the user's; until then they are a suggestion, and the cursor can overrule it.
    is_decided: bool,
    /// Whether the user has moved, so that better defaults no longer move the cursor.
    touched: bool,
    tally: Tally,
    first_mark: Option<usize>,
}

/// What a frame needs to know of all lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many can be taken, now or perhaps once they are read.
    pub open: usize,
    pub pending: usize,
    /// How many have a reason beside them.
    pub with_reason: usize,
    /// The columns of the widest title and of the widest text beside one, so that scrolling does not move either.
    pub widest: (usize, usize),
    /// The only line that can be taken, if there is just one.
    only: Option<usize>,
}

impl Tally {
    fn of(lines: &[Line]) -> Self {
        let mut tally = Self::default();
        let mut takable = 0_usize;
        for (at, line) in lines.iter().enumerate() {
            if line.choice == Choice::Others {
                continue;
            }
            tally.widest = (tally.widest.0.max(line.title.width()), tally.widest.1.max(line.aside.width()));
            tally.open += usize::from(line.is_open() || line.pending);
            tally.pending += usize::from(line.pending);
            tally.with_reason += usize::from(line.worst.is_some());
            if line.is_open() && !line.pending {
                takable += 1;
                tally.only = (takable == 1).then_some(at);
            }
        }
        tally
    }
}

impl Picker {
    /// A list with the cursor on that choice, or else on the best line.
    #[must_use]
    pub fn new(lines: Vec<Line>, at: Option<&Choice>, marked: Option<Vec<Choice>>) -> Self {
        let mut picker = Self {
            tally: Tally::of(&lines),
            lines,
            visible: Vec::new(),
            cursor: 0,
            filter: None,
            marked,
            is_decided: false,
            touched: at.is_some(),
            first_mark: None,
        };
        picker.find_first_mark();
        picker.refilter();
        picker.cursor = at.and_then(|choice| picker.place_of(choice)).unwrap_or_else(|| picker.best());
        picker
    }

    /// With what was typed into the filter before there were any lines.
    #[must_use]
    pub fn filtered(mut self, filter: Option<Input>) -> Self {
        if filter.is_some() {
            self.filter = filter;
            self.refilter();
            self.cursor = self.best();
        }
        self
    }

    /// Replaces the lines and keeps filter, marks and, if the user has moved, the cursor.
    pub fn reload(&mut self, lines: Vec<Line>, default: Option<&Choice>) {
        let at = self.touched.then(|| self.current().map(|line| line.choice.clone())).flatten();
        (self.tally, self.lines) = (Tally::of(&lines), lines);
        self.find_first_mark();
        self.refilter();
        let at = at.iter().chain(default).find_map(|choice| self.place_of(choice));
        self.cursor = at.unwrap_or_else(|| self.best());
    }

    /// Whether those lines give another number to a line that is there.
    pub(super) fn moves_lines(&self, lines: &[Line]) -> bool {
        let mut kept = self.lines.iter().enumerate();
        kept.any(|(at, old)| lines.iter().position(|line| line.choice == old.choice).is_some_and(|now| now != at))
    }

    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// The only line that can be taken, if there is just one.
    pub fn only_open(&self) -> Option<&Line> {
        self.tally.only.and_then(|at| self.lines.get(at))
    }

    /// How many lines pass the filter.
    pub const fn shown(&self) -> usize {
        self.visible.len()
    }

    /// The lines from that place on, as far as they pass the filter, each with its place.
    pub fn window(&self, from: usize, height: usize) -> impl Iterator<Item = (usize, &Line)> {
        let places = self.visible.iter().enumerate().skip(from).take(height);
        places.filter_map(|(place, &line)| self.lines.get(line).map(|line| (place, line)))
    }

    /// The cursor's place among the lines shown.
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn current(&self) -> Option<&Line> {
        self.visible.get(self.cursor).and_then(|&line| self.lines.get(line))
    }

    /// The filter while it is being typed or in force.
    pub const fn filter(&self) -> Option<&Input> {
        self.filter.as_ref()
    }

    pub fn marked(&self) -> Option<&[Choice]> {
        self.marked.as_deref()
    }

    /// Whether the marks are the user's, and no suggestion.
    pub const fn is_decided(&self) -> bool {
        self.is_decided
    }

    #[must_use]
    pub const fn decided(mut self, is_decided: bool) -> Self {
        self.is_decided = is_decided;
        self
    }

    /// As it is before the user has moved.
    #[must_use]
    pub(super) fn untouched(self) -> Self {
        Self { touched: false, ..self }
    }

    pub(super) const fn is_touched(&self) -> bool {
        self.touched
    }

    /// What Enter takes in a list of several: what is marked. Where nothing is, or the marks are only a suggestion and
    /// the cursor has gone elsewhere, the line under the cursor.
    pub fn taken(&self) -> Vec<Choice> {
        match self.current().filter(|_| self.takes_current()) {
            Some(line) => vec![line.choice.clone()],
            None => self.marked.clone().unwrap_or_default(),
        }
    }

    pub fn is_marked(&self, choice: &Choice) -> bool {
        self.marked.as_ref().is_some_and(|marked| marked.contains(choice))
    }

    /// Moves the cursor to that line, if it is shown.
    pub(super) fn point_at(&mut self, choice: &Choice) {
        if let Some(place) = self.place_of(choice) {
            self.go(place);
        }
    }

    /// Moves the cursor by that many lines, stopping at the ends.
    pub fn step(&mut self, by: isize) {
        self.touched = true;
        let last = self.visible.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
    }

    /// Moves the cursor to that place among the lines shown; says whether it exists.
    pub fn go(&mut self, place: usize) -> bool {
        let exists = place < self.visible.len();
        if exists {
            self.touched = true;
            self.cursor = place;
        }
        exists
    }

    /// Moves the cursor to that line, and tells whether it was there. None if there is no such line.
    pub fn point(&mut self, choice: &Choice) -> Option<bool> {
        let was = self.current().is_some_and(|line| line.choice == *choice);
        if self.place_of(choice).is_none() && self.filter.is_some() {
            self.end_filter();
        }
        let place = self.place_of(choice)?;
        self.go(place);
        Some(was)
    }

    /// Marks those lines of a list of several, and no others; the cursor goes to the first of them.
    pub fn mark(&mut self, choices: Vec<Choice>) {
        if let Some(first) = choices.first() {
            self.point(first);
        }
        if let Some(marked) = &mut self.marked {
            (*marked, self.is_decided) = (choices, true);
            self.find_first_mark();
        }
    }

    /// Marks or unmarks the line under the cursor, if it can be chosen.
    pub fn toggle(&mut self) {
        self.touched = true;
        let Some(line) = self.current().filter(|line| line.is_open()) else { return };
        let choice = line.choice.clone();
        let Some(marked) = &mut self.marked else { return };
        self.is_decided = true;
        match marked.iter().position(|other| *other == choice) {
            Some(at) => {
                marked.remove(at);
            }
            None => marked.push(choice),
        }
        self.find_first_mark();
    }

    fn find_first_mark(&mut self) {
        let first = self.marked.iter().flatten().next();
        self.first_mark = first.and_then(|choice| self.lines.iter().position(|line| line.choice == *choice));
    }

    /// The line that Enter takes, or the first of them.
    pub fn first_taken(&self) -> Option<&Line> {
        if self.takes_current() { self.current() } else { self.lines.get(self.first_mark?) }
    }

    /// Whether Enter takes the line under the cursor, and nothing that is marked.
    fn takes_current(&self) -> bool {
        let marked = self.marked.as_deref().unwrap_or_default();
        let is_elsewhere = |line: &Line| marked.is_empty() || !(self.is_decided || self.is_marked(&line.choice));
        self.current().is_some_and(is_elsewhere)
    }

    pub fn start_filter(&mut self) {
        self.filter.get_or_insert_with(Input::default);
    }

    pub fn edit_filter(&mut self, edit: impl FnOnce(&mut Input)) {
        if let Some(filter) = &mut self.filter {
            let before = filter.value().to_owned();
            edit(filter);
            if filter.value() != before {
                self.touched = true;
                self.refilter();
                self.cursor = self.best();
            }
        }
    }

    /// Shows only the lines with that text; all of them if it is empty.
    pub fn filter_by(&mut self, text: &str) {
        if text.is_empty() {
            return self.end_filter();
        }
        self.start_filter();
        self.edit_filter(|input| *input = Input::new(text.to_owned()));
    }

    /// Ends filtering; the cursor stays on its line.
    pub fn end_filter(&mut self) {
        let at = self.current().map(|line| line.choice.clone());
        self.filter = None;
        self.refilter();
        self.cursor = at.and_then(|choice| self.place_of(&choice)).unwrap_or_else(|| self.best());
    }

    fn refilter(&mut self) {
        let needle = self.needle();
        let fits = |line: &Line| needle.is_empty() || line.matches(&needle);
        self.visible = self.lines.iter().enumerate().filter(|(_, line)| fits(line)).map(|(index, _)| index).collect();
        self.cursor = self.cursor.min(self.visible.len().saturating_sub(1));
    }

    fn place_of(&self, choice: &Choice) -> Option<usize> {
        self.visible.iter().position(|&line| self.lines.get(line).is_some_and(|line| line.choice == *choice))
    }

    fn needle(&self) -> String {
        self.filter.as_ref().map(|filter| filter.value().trim().to_lowercase()).unwrap_or_default()
    }

    /// The first of the lines that nothing, or least, speaks against; of those the one that fits the filter best.
    fn best(&self) -> usize {
        let needle = self.needle();
        let rank = |place: &usize| {
            let line = self.visible.get(*place).and_then(|&line| self.lines.get(line));
            line.map(|line| (line.rank(), if needle.is_empty() { 0 } else { line.distance(&needle) }))
        };
        (0..self.visible.len()).min_by_key(rank).unwrap_or(0)
    }
}
