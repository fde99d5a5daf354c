//! The wizard in lines that are only appended: what is said of a model, given what was said before, and what a line means
//! that is typed in answer. For terminals that can show no screen, and for those who have one read to them.

mod commands;
mod hearing;
mod page;
mod paragraph;

use std::collections::BTreeMap;

use super::{Scene, Spots, Theme, header, work};
use crate::engine::Direction;
use crate::plan::shell::is_command;
use crate::wizard::fields::Field;
use crate::wizard::work::{RowState, Work};
use crate::wizard::{Content, Model};
use page::{Asks, BeingRead, Offer, PageKey, SpokenPage};
use paragraph::{Paragraph, TextKind, marked, plain, shown};

/// How many lines of a list are said at once.
pub(crate) const AT_ONCE: usize = 20;
/// So many lines are said over again when the user comes back to their page.
const SHORT: usize = 8;

/// What there is to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewLines {
    pub lines: Vec<String>,
    /// What the answer is typed behind; empty while nothing is asked.
    pub prompt: String,
    /// Whether the answer must not be seen.
    pub is_secret: bool,
}

impl NewLines {
    /// All that is written, the prompt last.
    pub fn written(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().chain([&self.prompt]).map(String::as_str)
    }
}

/// What was said last.
#[derive(Debug, Default)]
pub struct Transcript {
    who: String,
    heading: String,
    key: Option<PageKey>,
    body: Vec<String>,
    /// What was said last of long pages that were left, which is not said over again.
    left: Vec<(PageKey, Vec<String>)>,
    rows: Vec<String>,
    /// What was offered on this page, by its number.
    offered: BTreeMap<usize, Offer>,
    /// Lines of a long list before those said last.
    skipped: usize,
    asks: Asks,
    /// What Enter alone took as it was said.
    default: Option<usize>,
    /// What was still being read.
    reading: BeingRead,
    /// The field that was asked for, and what was remarked on it.
    field: Option<(Field, Option<String>)>,
    remark: Option<String>,
    /// Why the line that was typed last means nothing here.
    complaint: Option<&'static str>,
    /// The choice of that number is to be explained.
    explained: Option<usize>,
    /// Whether a line was typed since.
    is_answered: bool,
    /// Whether all that was offered is to be said once more.
    is_wanted: bool,
}

impl Transcript {
    /// What is new in a model since it was asked for last, in so many columns. No line of it has a control character.
    pub fn say(&mut self, model: &Model, theme: &Theme, columns: usize) -> NewLines {
        let spots = Spots::default();
        let scene = Scene { model, theme, spots: &spots };
        let mut lines = Vec::new();
        self.say_who(scene, &mut lines);
        self.say_work(scene, &mut lines);
        self.say_field(model, &mut lines);
        let key = PageKey::of(model);
        let is_new = self.key.as_ref() != Some(&key);
        if is_new {
            self.turn_to(&key);
        }
        let page = SpokenPage::of(scene, self.skipped);
        self.say_arrivals(model, &page, &mut lines);
        self.say_page(scene, &page, is_new, &mut lines);
        self.say_reading(model, &page, is_new, &mut lines);
        self.reading.clone_from(&page.reading);
        self.key = Some(key);
        self.say_remarks(model, &page, &mut lines);
        self.asks = page.asks;
        (self.is_answered, self.is_wanted) = (false, false);
        let lines = lines.iter().flat_map(|paragraph| paragraph.wrapped(columns)).collect();
        let prompt = if self.reading.is_empty() { shown(&page.prompt) } else { String::new() };
        NewLines { lines, prompt, is_secret: matches!(page.asks, Asks::Secret | Asks::Pasted) }
    }

    fn turn_to(&mut self, key: &PageKey) {
        let body = std::mem::take(&mut self.body);
        if let Some(before) = self.key.take().filter(|before| before.is_kept() && body.len() > SHORT) {
            self.left.push((before, body));
        }
        let known = self.left.iter().position(|(left, _)| left == key);
        self.body = known.map(|at| self.left.remove(at).1).unwrap_or_default();
        self.skipped = 0;
        self.offered.clear();
        self.reading.clear();
    }

    fn say_who(&mut self, scene: Scene<'_>, lines: &mut Vec<Paragraph>) {
        let (who, source, is_demo) = header::who(scene.model);
        let source = if is_demo { "DEMO: simulated cloud" } else { source };
        let who = [who.as_str(), source].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
        if self.who.is_empty() {
            lines.push(plain(commands::GREETING));
        }
        if who != self.who {
            lines.push(plain(format!("osvpn: {who}")));
            self.who = who;
        }
    }

    /// Each row once, when it has come to something.
    fn say_work(&mut self, scene: Scene<'_>, lines: &mut Vec<Paragraph>) {
        let rows = scene.model.work.current.as_ref().map(|work| work::sentences(scene, work)).unwrap_or_default();
        let mut new: Vec<String> = rows.iter().filter(|row| !self.rows.contains(row)).cloned().collect();
        self.rows = rows;
        if let (Some(work), Some(last)) = (&scene.model.work.current, new.last_mut()) {
            last.extend(["; ", &so_far(work)]);
        }
        lines.extend(new.iter().map(plain));
    }

    /// The remark on a text that was typed, at once and not when the user comes back to it.
    fn say_field(&mut self, model: &Model, lines: &mut Vec<Paragraph>) {
        if let Some((field, known)) = self.field.take()
            && let remark @ Some(_) = model.remark(field)
            && remark != known
            && self.is_answered
        {
            lines.extend(remark.as_deref().map(marked));
        }
        if let Content::Form(form) = model.content() {
            self.field = form.field().map(|field| (field, model.remark(field)));
        }
    }

    fn say_page(&mut self, scene: Scene<'_>, page: &SpokenPage, is_new: bool, lines: &mut Vec<Paragraph>) {
        let is_list = matches!(scene.model.content(), Content::List(_)) && page.asks == Asks::Choice;
        // A list that has come late is said with its question.
        let is_late = is_list && !is_new && !self.reading.is_empty() && self.offered.is_empty() && page.has_begun();
        if page.heading != self.heading || is_late {
            lines.extend([plain(""), plain(&page.heading)]);
        }
        self.heading.clone_from(&page.heading);
        lines.extend(self.explained.take().into_iter().flat_map(|number| page::explained(scene, number)).map(plain));
        // What a number means, and what is said, changes only with what is read, not for each part of it.
        let is_first = self.offered.is_empty() && page.has_begun();
        if !(page.reading.is_empty() || is_new || is_first || self.is_wanted) {
            return;
        }
        if self.is_wanted {
            self.body.clear();
        }
        let is_known = is_new && page.body.iter().any(|line| self.body.contains(line));
        let mut said: Vec<&String> = Vec::new();
        for line in page.body.iter().filter(|line| !self.body.contains(line)) {
            // On a new page, a line that both regions have belongs to each of them.
            if self.body.is_empty() || !said.contains(&line) {
                let kind = match () {
                    () if page.is_whole => TextKind::Whole,
                    () if is_command(line) => TextKind::Command,
                    () => TextKind::Prose,
                };
                lines.push(Paragraph { kind, ..plain(line) });
                said.push(line);
            }
        }
        lines.extend(page.further.iter().filter(|_| self.is_wanted).map(plain));
        lines.extend(is_known.then(|| plain(commands::AS_BEFORE)));
        self.body.clone_from(&page.body);
        self.default = page.default;
        let is_all_read = !self.reading.is_empty() && page.reading.is_empty();
        let is_moved = |(number, entry): &(usize, Offer)| {
            self.offered.get(number).is_some_and(|before| before.meant != entry.meant)
        };
        let is_changed = |(number, entry): &(usize, Offer)| self.offered.get(number) != Some(entry);
        let is_other = page.entries.iter().any(is_moved)
            || is_all_read && page.entries.iter().any(is_changed)
            || self.offered.keys().any(|number| *number > page.count);
        if is_other || page.entries.is_empty() {
            self.offered.clear();
        }
        let width = page.count.to_string().len();
        for (number, entry) in &page.entries {
            if self.is_wanted || self.offered.get(number) != Some(entry) {
                let mark = if page.default == Some(*number) { format!("[{number}]") } else { format!(" {number} ") };
                lines.push(Paragraph::led(format!("{mark:>0$} ", width + 2), &entry.text));
            }
        }
        self.offered.extend(page.entries.clone());
        if let Some(rest) = page.rest().filter(|_| is_new || is_other || self.is_wanted) {
            lines.push(plain(rest));
        }
    }

    /// A line for each part that was being read.
    fn say_arrivals(&self, model: &Model, page: &SpokenPage, lines: &mut Vec<Paragraph>) {
        for (region, name) in self.reading.iter().filter(|(region, _)| !page.reading.contains_key(*region)) {
            let Some(region) = region.as_ref().and_then(|id| model.new_vpn.region(id)) else { continue };
            let is_failed = region.inventory.error().is_some();
            lines.push(plain(if is_failed { format!("{name}: could not be read.") } else { format!("{name}: read.") }));
        }
    }

    /// What can be done meanwhile is said once a page.
    fn say_reading(&mut self, model: &Model, page: &SpokenPage, is_new: bool, lines: &mut Vec<Paragraph>) {
        if page.reading.keys().any(|region| !self.reading.contains_key(region)) {
            let names: Vec<&str> = page.reading.values().map(String::as_str).collect();
            let while_reading =
                if is_new || self.is_wanted { commands::while_reading(model, page) } else { String::new() };
            lines.push(plain(format!("Being read: {}.{while_reading}", names.join(", "))));
        }
    }

    fn say_remarks(&mut self, model: &Model, page: &SpokenPage, lines: &mut Vec<Paragraph>) {
        let notice = model.shell.notice.as_ref().map(|notice| notice.text.clone());
        let remark = notice.or_else(|| page.problem.clone());
        let is_new = self.is_answered || remark != self.remark;
        lines.extend(remark.iter().filter(|_| is_new).map(|text| marked(text)));
        lines.extend(self.complaint.take().map(marked));
        self.remark = remark;
    }
}

/// How far work is, by what it does.
fn so_far(work: &Work) -> String {
    let is_back = work.direction == Direction::Back;
    let count = |is_over: fn(&RowState) -> bool| work.rows.iter().filter(|row| is_over(&row.state)).count();
    let done = count(|state| matches!(state, RowState::Done(..)));
    match (is_back, work.is_creation()) {
        (false, true) => format!("{done} of {} made.", work.rows.len()),
        (false, false) => format!("{done} of {} done.", work.rows.len()),
        (true, is_creation) => {
            let back = count(|state| *state == RowState::RolledBack);
            let left = count(|state| !matches!(state, RowState::RolledBack | RowState::Waiting));
            format!("{back} {}, {left} left.", if is_creation { "deleted" } else { "rolled back" })
        }
    }
}
