//! A list, with what can still change it.

use super::super::super::{Scene, detail, first_page, picker, remote};
use super::super::AT_ONCE;
use super::{Asks, BeingRead, Meant, Offer, SpokenPage, UNWRAPPED, texts};
use crate::plan::Severity;
use crate::wizard::Content;
use crate::wizard::Model;
use crate::wizard::gesture::Spot;
use crate::wizard::picker::{Choice, Line as Candidate, Picker};
use crate::wizard::remote::Remote;
use crate::wizard::screen::Screen;

impl SpokenPage {
    pub(super) fn of_list(scene: Scene<'_>, picker: &Picker, skipped: usize) -> Self {
        let model = scene.model;
        if picker.lines().is_empty() {
            let body = texts(&remote::lines(scene, model.screen(), UNWRAPPED));
            let reading = being_read(model, picker);
            return Self { body, reading, asks: Asks::Choice, prompt: "b goes back: ".to_owned(), ..Self::default() };
        }
        let is_first = model.screen() == Screen::Mode;
        if is_awaited(picker) {
            // With the first pair every line gets another number.
            return Self { reading: being_read(model, picker), asks: Asks::Choice, ..Self::default() };
        }
        let mut body = if is_first { texts(&first_page::lacks(scene, UNWRAPPED)) } else { Vec::new() };
        body.extend(texts(&[picker::above(scene, picker)]));
        if let Some(filter) = picker.filter() {
            let rest = if picker.shown() == 0 { " / shows all." } else { "" };
            body.push(format!("With \"{}\": {} of {}.{rest}", filter.value(), picker.shown(), picker.lines().len()));
        }
        let entries = picker.window(skipped, AT_ONCE).map(|(place, line)| (place + 1, candidate(scene, picker, line)));
        let entries = entries.collect();
        let several = picker.marked().is_some();
        let default = (picker.shown() > 0).then(|| picker.cursor() + 1);
        let reading = being_read(model, picker);
        let page = Self { body, reading, entries, count: picker.shown(), default, ..Self::default() };
        if !several {
            return page.asked(Asks::Choice);
        }
        let taken = picker.taken();
        let names: Vec<&str> = picker
            .lines()
            .iter()
            .filter(|line| taken.contains(&line.choice))
            .map(|line| line.title.as_str())
            .take(AT_ONCE)
            .collect();
        let prompt = format!("Numbers, as in 1,3 [{}]: ", names.join(", "));
        Self { prompt, default: None, asks: Asks::Choices, ..page }
    }
}

/// Everything about the line of a list that has that number.
pub(in crate::view::lines) fn explained(scene: Scene<'_>, number: usize) -> Vec<String> {
    let Content::List(picker) = scene.model.content() else { return Vec::new() };
    let line = number.checked_sub(1).and_then(|place| picker.window(place, 1).next());
    line.map(|(_, line)| texts(&detail::lines(scene, line, UNWRAPPED))).unwrap_or_default()
}

/// Whether it is not known yet of any pair of the first page that it can be taken. Said now, all of it would be said twice.
pub(super) fn is_awaited(picker: &Picker) -> bool {
    let is_pair = |line: &Candidate| matches!(line.choice, Choice::Best | Choice::Proposal(..) | Choice::Vpn(_));
    let mut pairs = picker.lines().iter().filter(|line| is_pair(line)).peekable();
    pairs.peek().is_some() && pairs.all(|line| line.pending)
}

/// What can still change the lines of a list.
fn being_read(model: &Model, picker: &Picker) -> BeingRead {
    let labels = &model.shell.labels;
    let one = |name: String| BeingRead::from([(None, name)]);
    match model.screen() {
        Screen::Mode | Screen::Region(_) => {
            let loading = model.new_vpn.regions.iter().filter(|region| region.inventory.is_loading());
            let regions: BeingRead = loading.map(|region| (Some(region.id.clone()), labels.name(&region.id))).collect();
            let is_pending = picker.lines().iter().any(|line| line.pending);
            if regions.is_empty() && is_pending { one("what there is".to_owned()) } else { regions }
        }
        screen @ (Screen::Router(half) | Screen::Subnets(half)) if model.new_vpn.is_list_awaited(half, screen) => {
            one(model.place(half))
        }
        Screen::Vpns if model.vpns.seen.is_loading() => one("all regions".to_owned()),
        _ => BeingRead::new(),
    }
}

/// A line of a list with all that speaks for or against it.
fn candidate(scene: Scene<'_>, picker: &Picker, line: &Candidate) -> Offer {
    let mark = match picker.marked() {
        None => "",
        Some(_) if picker.is_marked(&line.choice) => "[x] ",
        Some(_) => "[ ] ",
    };
    let aside = if line.aside.is_empty() { String::new() } else { format!(", {}", line.aside) };
    let pending = if line.pending { " (being read)" } else { "" };
    let mut said = Vec::new();
    match scene.model.unread_subnets(line).filter(|_| line.worst.is_none()) {
        Some(Remote::Loading { .. }) => said.push("its subnets are being read".to_owned()),
        Some(Remote::Failed(error)) => said.push(format!("its subnets could not be read: {error}")),
        _ => {}
    }
    for finding in scene.model.findings(line).iter() {
        let word = match finding.severity {
            Severity::Refusal => "cannot be taken: ",
            Severity::Warning => "warning: ",
            Severity::Notice => "",
        };
        let glyph = scene.theme.severity_glyph(finding.severity);
        said.push(format!("{glyph} {word}{}", finding.text));
    }
    // The rest of a whole VPN is said by its number with a question mark, and on the review.
    let is_said = |name: &str| match line.choice {
        Choice::Proposal(..) => ["Name", "Also"].contains(&name),
        _ => matches!(line.choice, Choice::Profile(_) | Choice::Peer(_)),
    };
    let detail = scene.model.detail(line);
    let detail = detail.iter().filter(|(name, _)| is_said(name));
    said.extend(detail.map(|(name, value)| format!("{name}: {value}")));
    let text = [vec![format!("{mark}{}{aside}{pending}", line.title)], said].concat().join("; ");
    Offer { text, ..Offer::new(Meant::Take(Spot::Line(line.choice.clone())), line.title.clone()) }
}
