//! The state of a list to choose from: cursor, filter, marks. It knows nothing of what is chosen.

use tui_input::Input;

use crate::cloud::{Id, RegionId};
use crate::plan::{Finding, Profile, Severity};

use super::screen::Mode;

/// What choosing a line means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Cloud(String),
    Mode(Mode),
    Region(RegionId),
    Object(Id),
    Profile(Profile),
    Vpns,
    /// One of them, by the word that names it alone.
    Vpn(String),
    /// A creation that was interrupted, by the id in its markers.
    Creation(String),
    /// What no connection uses.
    Unused,
    PublicKeys,
    /// A new VPN, where there is none.
    Make,
}

impl Choice {
    pub(super) fn object(self) -> Option<Id> {
        if let Self::Object(id) = self { Some(id) } else { None }
    }
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub choice: Choice,
    pub title: String,
    /// What stands beside the name: an address, a range, a code.
    pub aside: String,
    /// More about it, shown while it is under the cursor.
    pub detail: Vec<(String, String)>,
    /// What speaks for or against it, refusals first.
    pub findings: Vec<Finding>,
    /// Set while the line stands for something that is still being read.
    pub pending: bool,
}

impl Line {
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.findings.iter().any(Finding::is_refusal)
    }

    /// The reason to show beside it: the worst finding.
    #[must_use]
    pub fn worst(&self) -> Option<&Finding> {
        self.findings.iter().min_by_key(|finding| finding.severity)
    }

    fn matches(&self, needle: &str) -> bool {
        let contains = |text: &str| text.to_lowercase().contains(needle);
        contains(&self.title) || contains(&self.aside) || self.detail.iter().any(|(_, value)| contains(value))
    }

    fn rank(&self) -> u8 {
        match self.worst().map(|finding| finding.severity) {
            // What is still being read may turn out fine: the default must not depend on who answers first.
            _ if self.pending => 0,
            Some(Severity::Refusal) => 3,
            Some(Severity::Warning) => 2,
            Some(Severity::Notice) => 1,
            None => 0,
        }
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
}

impl Picker {
    /// A list with the cursor on that choice, or else on the best line.
    #[must_use]
    pub fn new(lines: Vec<Line>, at: Option<&Choice>, marked: Option<Vec<Choice>>) -> Self {
        let mut picker = Self {
            lines,
            visible: Vec::new(),
            cursor: 0,
            filter: None,
            marked,
            is_decided: false,
            touched: at.is_some(),
        };
        picker.refilter();
        picker.cursor = at.and_then(|choice| picker.place_of(choice)).unwrap_or_else(|| picker.best());
        picker
    }

    /// Replaces the lines and keeps filter, marks and, if the user has moved, the cursor.
    pub fn reload(&mut self, lines: Vec<Line>, default: Option<&Choice>) {
        let at = self.touched.then(|| self.current().map(|line| line.choice.clone())).flatten();
        self.lines = lines;
        self.refilter();
        let at = at.as_ref().or(default);
        self.cursor = at.and_then(|choice| self.place_of(choice)).unwrap_or_else(|| self.best());
    }

    /// All lines.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How many lines pass the filter.
    #[must_use]
    pub const fn shown(&self) -> usize {
        self.visible.len()
    }

    /// The lines from that place on, as far as they pass the filter, each with its place.
    pub fn window(&self, from: usize, height: usize) -> impl Iterator<Item = (usize, &Line)> {
        let places = self.visible.iter().enumerate().skip(from).take(height);
        places.filter_map(|(place, &line)| self.lines.get(line).map(|line| (place, line)))
    }

    /// The cursor's place among the lines shown.
    #[must_use]
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    #[must_use]
    pub fn current(&self) -> Option<&Line> {
        self.visible.get(self.cursor).and_then(|&line| self.lines.get(line))
    }

    /// The filter while it is being typed or in force.
    #[must_use]
    pub const fn filter(&self) -> Option<&Input> {
        self.filter.as_ref()
    }

    #[must_use]
    pub fn marked(&self) -> Option<&[Choice]> {
        self.marked.as_deref()
    }

    /// Whether the marks are the user's, and no suggestion.
    #[must_use]
    pub const fn is_decided(&self) -> bool {
        self.is_decided
    }

    #[must_use]
    pub const fn decided(mut self, is_decided: bool) -> Self {
        self.is_decided = is_decided;
        self
    }

    /// What Enter takes in a list of several: what is marked. Where nothing is, or the marks are only a suggestion and
    /// the cursor has gone elsewhere, the line under the cursor.
    #[must_use]
    pub fn taken(&self) -> Vec<Choice> {
        let marked = self.marked.as_deref().unwrap_or_default();
        match self.current() {
            Some(line) if marked.is_empty() || !(self.is_decided || self.is_marked(&line.choice)) => {
                vec![line.choice.clone()]
            }
            _ => marked.to_vec(),
        }
    }

    #[must_use]
    pub fn is_marked(&self, choice: &Choice) -> bool {
        self.marked.as_ref().is_some_and(|marked| marked.contains(choice))
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
    }

    pub fn start_filter(&mut self) {
        self.filter.get_or_insert_with(Input::default);
    }

    pub fn edit_filter(&mut self, edit: impl FnOnce(&mut Input)) {
        if let Some(filter) = &mut self.filter {
            edit(filter);
            let at = self.current().map(|line| line.choice.clone());
            self.refilter();
            self.cursor = at.and_then(|choice| self.place_of(&choice)).unwrap_or(0);
        }
    }

    /// Ends filtering; the cursor stays on its line.
    pub fn end_filter(&mut self) {
        let at = self.current().map(|line| line.choice.clone());
        self.filter = None;
        self.refilter();
        self.cursor = at.and_then(|choice| self.place_of(&choice)).unwrap_or_else(|| self.best());
    }

    fn refilter(&mut self) {
        let needle = self.filter.as_ref().map(|filter| filter.value().trim().to_lowercase()).unwrap_or_default();
        let fits = |line: &Line| needle.is_empty() || line.matches(&needle);
        self.visible = self.lines.iter().enumerate().filter(|(_, line)| fits(line)).map(|(index, _)| index).collect();
        self.cursor = self.cursor.min(self.visible.len().saturating_sub(1));
    }

    fn place_of(&self, choice: &Choice) -> Option<usize> {
        self.visible.iter().position(|&line| self.lines.get(line).is_some_and(|line| line.choice == *choice))
    }

    /// The first of the lines that nothing, or least, speaks against.
    fn best(&self) -> usize {
        let rank =
            |place: &usize| self.visible.get(*place).and_then(|&line| self.lines.get(line)).map_or(u8::MAX, Line::rank);
        (0..self.visible.len()).min_by_key(rank).unwrap_or(0)
    }
}
