//! What is in front of the user, as paragraphs and numbered choices.

mod existing;
mod list;

use std::collections::BTreeMap;

use ratatui::text::Line;

use super::super::{Scene, policy_form, problem, review, sign_in_question};
use super::commands;
use crate::cloud::RegionId;
use crate::plan::fields::Allowed;
use crate::wizard::dialog::{Act, Dialog, DialogButton};
use crate::wizard::fields::Field;
use crate::wizard::gesture::{Gesture, Spot};
use crate::wizard::keymap::{self, Action};
use crate::wizard::review::{AnswerLine, Review};
use crate::wizard::screen::Screen;
use crate::wizard::secret_text::characters;
use crate::wizard::sign_in_question::Asked;
use crate::wizard::vpns::{Open, VpnButton};
use crate::wizard::work::Stage;
use crate::wizard::{Content, Form, Model, Start};
use existing::presses;
pub(super) use list::explained;
use list::is_awaited;

/// More than any paragraph has: they are wrapped when they are said.
const UNWRAPPED: usize = 4000;

/// What makes it another page, of which everything is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PageKey {
    Question(Option<String>, bool, usize),
    Dialog(String),
    Problem(String),
    Step(Screen, usize, String),
}

impl PageKey {
    /// Whether what was said of it is remembered when it is left. A question is asked as a whole each time, and a sheet may
    /// have shown the key.
    pub(super) const fn is_kept(&self) -> bool {
        matches!(self, Self::Step(..)) && !matches!(self, Self::Step(Screen::Sheet, ..))
    }

    pub(super) fn of(model: &Model) -> Self {
        if let Some(asked) = &model.shell.question {
            return Self::Question(asked.question.refused.clone(), asked.is_sent, asked.focus);
        }
        if let Some(dialog) = &model.shell.dialog {
            return Self::Dialog(dialog.title.clone());
        }
        if let Start::Problem(problem) = &model.shell.start {
            return Self::Problem(problem.title.clone());
        }
        let (part, more) = match (model.content(), &model.work.current) {
            (Content::List(picker), _) => (0, picker.filter().map(|filter| filter.value().to_owned())),
            (Content::Form(form), _) if model.screen() != Screen::Custom => (form.focus, None),
            (Content::None, Some(work)) if model.screen() == Screen::Work => {
                let stage = match work.stage {
                    Stage::Working => 0,
                    Stage::Watching => 1,
                    Stage::Ended(_) => 2,
                };
                (stage, Some(format!("{:?} {:?}", work.begun, work.direction)))
            }
            // All of it is said again, because all of it is taken.
            (Content::None, _) if model.screen() == Screen::Sheet => {
                (usize::from(model.sheet.sheet().is_ok_and(|sheet| sheet.has_key)), Some(model.heading()))
            }
            (Content::None, _) => (0, model.vpns.open.as_ref().map(|open| open.name.clone())),
            _ => (0, None),
        };
        Self::Step(model.screen(), part, more.unwrap_or_default())
    }
}

/// What the next line is the answer to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Asks {
    /// Only commands are taken.
    #[default]
    Nothing,
    Choice,
    /// Several lines of a list.
    Choices,
    Text,
    Secret,
    /// A text of several lines, which must not be seen.
    Pasted,
    Policy,
}

/// What a number stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    Take(Spot),
    Go(Spot),
    Act(Action),
    /// Fix the finding of that number.
    Fix(u8),
}

/// What a page waits for, by its region where it is one of several.
pub(super) type BeingRead = BTreeMap<Option<RegionId>, String>;

impl Meant {
    pub(super) fn gestures(&self) -> Vec<Gesture> {
        match self {
            Self::Take(spot) => vec![Gesture::Take(spot.clone())],
            Self::Go(spot) => vec![Gesture::Go(spot.clone())],
            Self::Act(action) => vec![Gesture::Act(*action)],
            Self::Fix(number) => {
                vec![Gesture::Act(Action::Pick(*number)), Gesture::Act(Action::Do(VpnButton::Fix))]
            }
        }
    }
}

/// A choice as it is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) meant: Meant,
    pub(super) title: String,
    pub(super) text: String,
}

impl Offer {
    fn new(meant: Meant, title: impl Into<String>) -> Self {
        let title = title.into();
        Self { meant, text: title.clone(), title }
    }
}

#[derive(Debug, Default)]
pub(super) struct SpokenPage {
    pub(super) heading: String,
    pub(super) body: Vec<String>,
    /// What is said only when everything is asked for.
    pub(super) further: Vec<String>,
    /// No line of the body is wrapped.
    pub(super) is_whole: bool,
    /// Its choices change with what is still being read.
    pub(super) reading: BeingRead,
    /// The choices that are said now, each with its number.
    pub(super) entries: Vec<(usize, Offer)>,
    /// How many there are in all.
    pub(super) count: usize,
    /// What Enter alone takes.
    pub(super) default: Option<usize>,
    pub(super) problem: Option<String>,
    pub(super) prompt: String,
    pub(super) asks: Asks,
}

fn texts(lines: &[Line<'_>]) -> Vec<String> {
    let text = |line: &Line<'_>| line.spans.iter().map(|span| &*span.content).collect::<String>().trim_end().to_owned();
    lines.iter().map(text).filter(|text| !text.is_empty()).collect()
}

impl SpokenPage {
    pub(super) fn of(scene: Scene<'_>, skipped: usize) -> Self {
        let model = scene.model;
        if let Some(asked) = &model.shell.question {
            return Self::of_question(scene, asked);
        }
        if let Some(dialog) = &model.shell.dialog {
            return Self::of_dialog(scene, dialog);
        }
        if let Start::Problem(problem) = &model.shell.start {
            let body = texts(&problem::text(scene, problem, UNWRAPPED));
            let ways = keymap::screen_bindings(model).into_iter().filter(|way| way.in_footer);
            let entries = ways.map(|way| Offer::new(Meant::Act(way.action), way.label)).collect();
            return Self { body, ..Self::default() }.choice(entries, 0);
        }
        let page = match model.content() {
            Content::List(picker) => Self::of_list(scene, picker, skipped),
            Content::Form(form) if model.screen() == Screen::Custom => Self::of_policy(scene, form),
            Content::Form(form) => Self::of_field(scene, form),
            Content::Review(review) => Self::of_review(scene, review),
            Content::None if model.screen() == Screen::Work => {
                model.work.current.as_ref().map(|work| Self::of_work(scene, work)).unwrap_or_default()
            }
            Content::None if model.screen() == Screen::Sheet => Self::of_sheet(scene),
            Content::None => model.vpns.open.as_ref().map(|open| Self::of_vpn(scene, open)).unwrap_or_default(),
        };
        Self { heading: model.heading(), ..page }
    }

    /// Whether some of what is being read can be chosen already.
    pub(super) fn has_begun(&self) -> bool {
        !self.entries.is_empty()
    }

    /// How to see the rest of a long list.
    pub(super) fn rest(&self) -> Option<String> {
        let (first, last) = (self.entries.first()?.0, self.entries.last()?.0);
        let is_part = self.entries.len() < self.count;
        is_part
            .then(|| format!("{first} to {last} of {}. m: more; /text: only those with that text; /: all.", self.count))
    }

    fn choice(self, entries: Vec<Offer>, focus: usize) -> Self {
        let count = entries.len();
        let entries = (1..).zip(entries).collect();
        Self { entries, count, default: Some(focus + 1), ..self }.asked(Asks::Choice)
    }

    fn asked(self, asks: Asks) -> Self {
        let default = self.default.map(|number| format!(" [{number}]")).unwrap_or_default();
        let prompt = match asks {
            Asks::Choices => format!("Numbers, as in 1,3{default}: "),
            _ => format!("Number{default}: "),
        };
        Self { prompt, asks, ..self }
    }

    fn of_question(scene: Scene<'_>, asked: &Asked) -> Self {
        let heading = asked.question.title().to_owned();
        let mut body = texts(&sign_in_question::text(scene, asked, UNWRAPPED));
        if asked.is_sent {
            return Self { heading, body: vec!["Signing in.".to_owned()], ..Self::default() };
        }
        body.push(commands::UNSEEN.to_owned());
        let label = asked.fields.get(asked.focus).map_or("", |field| field.part.label());
        let prompt = format!("{label}: ");
        Self { heading, body, prompt, asks: Asks::Secret, ..Self::default() }
    }

    fn of_dialog(scene: Scene<'_>, dialog: &Dialog) -> Self {
        let mut body = dialog.text.clone();
        if dialog.is_help {
            body.extend(commands::help(scene.model));
        }
        body.extend(dialog.typed.iter().map(|typed| format!("To do it, type {}", typed.name)));
        let page = Self { heading: dialog.title.clone(), body, is_whole: dialog.has(Act::Copy), ..Self::default() };
        if dialog.buttons.is_empty() {
            return Self { asks: Asks::Choice, prompt: "b cancels: ".to_owned(), ..page };
        }
        let entry = |button: &DialogButton| Offer::new(Meant::Take(Spot::Answer(button.act)), button.label.as_str());
        page.choice(dialog.buttons.iter().map(entry).collect(), dialog.focus)
    }

    fn of_field(scene: Scene<'_>, form: &Form) -> Self {
        let model = scene.model;
        let Some(field) = form.field() else { return Self::default() };
        let mut body = vec![model.field_help(field).to_owned()];
        if field == Field::Text {
            let problem = model.problem(field);
            let has_begun = problem.is_none() && model.secret(field).is_some_and(|text| text.chars() > 0);
            let prompt = if has_begun { String::new() } else { format!("{}, :b goes back: ", field.label()) };
            return Self { body, problem, prompt, asks: Asks::Pasted, ..Self::default() };
        }
        body.extend(model.origin(field).map(|origin| format!("{}: {origin}", field.label())));
        body.extend(model.remark(field));
        let problem = model.problem(field);
        let (value, asks) = match model.secret(field) {
            Some(secret) if secret.chars() > 0 => (format!(" [{}]", characters(secret.chars())), Asks::Secret),
            Some(_) => (String::new(), Asks::Secret),
            None => {
                let typed = model.input(field).map(|input| input.value().to_owned()).filter(|text| !text.is_empty());
                let typed = typed.filter(|_| problem.is_none() && model.check(field).is_none());
                let value = typed.unwrap_or_else(|| model.suggestion(field));
                (if value.is_empty() { value } else { format!(" [{value}]") }, Asks::Text)
            }
        };
        if asks == Asks::Secret {
            body.push(commands::UNSEEN_KEY.to_owned());
        }
        Self { body, problem, prompt: format!("{}{value}: ", field.label()), asks, ..Self::default() }
    }

    fn of_policy(scene: Scene<'_>, form: &Form) -> Self {
        let model = scene.model;
        let entry = |at: usize, field: &Field| {
            let Field::Policy(of_policy) = field else { return None };
            let text = policy_form::text(scene, *of_policy);
            Some(Offer { text, ..Offer::new(Meant::Go(Spot::Field(at)), field.label()) })
        };
        let entries: Vec<_> = form.fields.iter().enumerate().filter_map(|(at, field)| entry(at, field)).collect();
        let mut body = vec![commands::POLICY.to_owned()];
        if let Some(Field::Policy(field)) = form.field()
            && let Allowed::Words(words) = field.allowed()
        {
            let (object, name) = field.label();
            let words = words
                .iter()
                .map(|word| field.blemish(word).map_or_else(|| (*word).to_owned(), |said| format!("{word} ({said})")));
            let words = words.collect::<Vec<_>>().join(", ");
            body.push(format!("{}  {object} {name} takes one of: {words}. {}", form.focus + 1, field.help()));
        }
        let problem = form.field().and_then(|field| model.check(field));
        let page = Self { body, problem, ..Self::default() }.choice(entries, 0);
        Self { default: None, prompt: "Number and value: ".to_owned(), asks: Asks::Policy, ..page }
    }

    fn of_review(scene: Scene<'_>, review: &Review) -> Self {
        let new_vpn = &scene.model.new_vpn;
        if new_vpn.is_reading_for_plan(&scene.model.shell.labels) {
            return Self { reading: [(None, "what the plan needs".to_owned())].into(), ..Self::default() };
        }
        let (lines, makes) = review::text(scene, review, UNWRAPPED, false);
        let mut body = vec!["Nothing exists yet.".to_owned()];
        body.extend(texts(&lines));
        let create = match makes {
            Some(makes) => match review::upgrades(scene.model) {
                Some(first) => format!("Create: {first}, then {makes} objects"),
                None => format!("Create: {makes} objects"),
            },
            None => "Go to what is missing".to_owned(),
        };
        let mut entries = vec![Offer { text: create, ..Offer::new(Meant::Take(Spot::Create), "Create") }];
        entries.extend(answers(scene.model));
        let answers = entries.len() - 1;
        let focus = if review.focus == 0 { 0 } else { (answers + 1).saturating_sub(review.focus) };
        Self { body, ..Self::default() }.choice(entries, focus)
    }
}

fn answers(model: &Model) -> Vec<Offer> {
    let offer = |answer: AnswerLine| {
        let name = answer.screen.name(model.new_vpn.answers.mode);
        let why = answer.source.map(|source| format!(" ({source})")).unwrap_or_default();
        let text = format!("change {name}: {}{why}", answer.value);
        Offer { text, ..Offer::new(Meant::Take(Spot::Step(answer.screen)), name) }
    };
    model.answer_lines().into_iter().map(offer).collect()
}

/// What can be taken by its name before it has a number.
pub(super) fn coming(model: &Model) -> Vec<Offer> {
    match (model.content(), &model.work.current) {
        (Content::Review(_), _) => answers(model),
        (Content::None, Some(work)) if model.screen() == Screen::Work => presses(work),
        (Content::None, _) if model.screen() == Screen::Vpn => {
            let buttons = model.vpns.open.iter().flat_map(Open::buttons);
            buttons.map(|button| Offer::new(Meant::Take(Spot::Vpn(button)), button.label())).collect()
        }
        (Content::List(picker), _) if is_awaited(picker) => {
            let ways = picker.lines().iter().filter(|line| line.is_open() && !line.pending);
            ways.map(|line| Offer::new(Meant::Take(Spot::Line(line.choice.clone())), line.title.clone())).collect()
        }
        _ => Vec::new(),
    }
}
