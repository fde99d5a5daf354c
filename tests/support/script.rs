//! What a person does, as a script that both front ends play: with keys on the screen, with typed lines where there is none.

use std::fmt::Debug;
use std::ops::{Deref, DerefMut};

use crossterm::event::KeyCode;
use osvpn::plan::fields::PolicyField;
use osvpn::view::Theme;
use osvpn::view::lines::Transcript;
use osvpn::wizard::fields::Field;
use osvpn::wizard::work::Button;
use osvpn::wizard::{Content, Effect, Message, Model, Which};
use secrecy::SecretString;

use super::journey::Journey;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Keys,
    Lines,
}

/// Somebody who goes through the wizard one of both ways. What the cloud answers is the journey's.
pub struct Person {
    journey: Journey,
    way: Way,
    transcript: Transcript,
    /// Every line that was said.
    heard: Vec<String>,
}

impl Deref for Person {
    type Target = Journey;

    fn deref(&self) -> &Journey {
        &self.journey
    }
}

impl DerefMut for Person {
    fn deref_mut(&mut self) -> &mut Journey {
        &mut self.journey
    }
}

/// Plays a script in both front ends, and holds what came of it against each other.
#[track_caller]
pub fn in_both<T: PartialEq + Debug>(begin: impl Fn() -> Journey, script: impl Fn(&mut Person) -> T) -> T {
    let [keys, lines] = [Way::Keys, Way::Lines].map(|way| {
        let mut person = Person { journey: begin(), way, transcript: Transcript::default(), heard: Vec::new() };
        person.listen();
        (script(&mut person), asked_of_the_engine(&person))
    });
    assert_eq!(keys, lines, "with keys, and in lines");
    lines.0
}

/// What the engine is asked to do, in words.
fn asked_of_the_engine(journey: &Journey) -> Vec<String> {
    let asked = journey.effects.iter().filter_map(|effect| match effect {
        Effect::Work(Which::Plan(plan, key), order) => {
            Some(format!("{}{key:?} {order:?}", osvpn::plan::file::write(plan)))
        }
        Effect::Work(Which::New(change, _), order) => {
            let steps: Vec<String> = change.steps().iter().map(ToString::to_string).collect();
            Some(format!("{change}: {steps:?} {order:?}"))
        }
        Effect::Work(..) | Effect::Stop | Effect::Resume(..) | Effect::Save(..) => Some(format!("{effect:?}")),
        _ => None,
    });
    asked.collect()
}

fn labels(model: &Model) -> Vec<String> {
    if let Some(dialog) = &model.shell.dialog {
        return dialog.buttons.iter().map(|button| button.label.clone()).collect();
    }
    if let Some(work) = &model.work.current
        && matches!(model.content(), Content::None)
        && !work.buttons().is_empty()
    {
        return work.buttons().into_iter().map(Button::label).map(str::to_owned).collect();
    }
    let buttons = model.vpns.open.as_ref().map(osvpn::wizard::vpns::Open::buttons).unwrap_or_default();
    buttons.iter().map(|button| button.label().to_owned()).collect()
}

impl Person {
    /// Takes what is offered.
    pub fn accepts(&mut self) -> &mut Self {
        self.answers("")
    }

    /// Takes the line of that name, or presses the button.
    #[track_caller]
    pub fn chooses(&mut self, title: &str) -> &mut Self {
        if self.way == Way::Lines {
            let number = self.number_of(title);
            return self.answers(&number);
        }
        match self.place_of(title) {
            Some((from, to)) => self.moves(from, to),
            None => self.turns_to(title),
        }
        self.journey.enter();
        self
    }

    /// Takes exactly those lines of a list of several.
    #[track_caller]
    pub fn marks(&mut self, titles: &[&str]) -> &mut Self {
        if self.way == Way::Lines {
            let numbers: Vec<String> = titles.iter().map(|title| self.number_of(title)).collect();
            return self.answers(&numbers.join(","));
        }
        let Content::List(picker) = self.journey.model.content() else { panic!("no list") };
        let lines: Vec<(String, bool)> =
            picker.lines().iter().map(|line| (line.title.clone(), picker.is_marked(&line.choice))).collect();
        for (title, is_marked) in lines {
            if is_marked != titles.contains(&title.as_str()) {
                let (from, to) = self.place_of(&title).unwrap();
                self.moves(from, to);
                self.journey.key(KeyCode::Char(' '));
            }
        }
        self.journey.enter();
        self
    }

    /// Types a text in place of what is there, and sends it.
    pub fn answers(&mut self, text: &str) -> &mut Self {
        match self.way {
            Way::Keys => {
                if !text.is_empty() {
                    self.journey.control('u').types(text);
                }
                self.journey.enter();
            }
            Way::Lines => {
                self.journey.passes(1000);
                self.listen();
                let messages = self.transcript.hear(&self.journey.model, &SecretString::from(text));
                for message in messages {
                    self.journey.send(message);
                }
                self.listen();
            }
        }
        self
    }

    /// Leaves fields as they are up to that one, where one is asked after the other.
    pub fn skips_to(&mut self, field: Field) -> &mut Self {
        let is_there = |model: &Model| matches!(model.content(), Content::Form(form) if form.field() == Some(field));
        while !is_there(&self.journey.model) {
            self.accepts();
        }
        self
    }

    /// Sets a field of the custom policy that is a number.
    pub fn sets(&mut self, field: PolicyField, value: &str) -> &mut Self {
        let place = PolicyField::ALL.iter().position(|one| *one == field).unwrap();
        if self.way == Way::Lines {
            return self.answers(&format!("{} {value}", place + 1));
        }
        let Content::Form(form) = self.journey.model.content() else { panic!("no form") };
        self.moves(form.focus, place);
        self.journey.control('u').types(value);
        self
    }

    pub fn goes_back(&mut self) -> &mut Self {
        match self.way {
            Way::Keys => {
                self.journey.passes(1000).esc();
            }
            Way::Lines => {
                self.answers(":b");
            }
        }
        self
    }

    /// Types the name that a question wants, and agrees.
    pub fn names(&mut self, name: &str) -> &mut Self {
        match self.way {
            Way::Keys => {
                self.journey.types(name).enter();
                self
            }
            Way::Lines => self.answers(name),
        }
    }

    /// Presses a letter that is a command.
    pub fn commands(&mut self, letter: char) -> &mut Self {
        match self.way {
            Way::Keys => {
                self.journey.key(KeyCode::Char(letter));
            }
            Way::Lines => {
                self.answers(&letter.to_string());
            }
        }
        self
    }

    pub fn interrupts(&mut self) -> &mut Self {
        match self.way {
            Way::Keys => {
                self.journey.control('c');
            }
            Way::Lines => {
                let quit = osvpn::wizard::gesture::Gesture::Act(osvpn::wizard::keymap::Action::Quit);
                self.journey.send(Message::Gesture(quit));
            }
        }
        self
    }

    /// Whether it was said on the way, where what is on the screen is said.
    #[track_caller]
    pub fn is_told(&mut self, text: &str) -> &mut Self {
        if self.way == Way::Lines {
            self.listen();
            let heard = self.heard.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(heard.contains(text), "{text:?} was not said:\n{}", self.heard.join("\n"));
        }
        self
    }

    #[track_caller]
    pub fn is_told_nothing_of(&mut self, secret: &str) -> &mut Self {
        self.listen();
        assert!(!self.heard.concat().contains(secret), "{}", self.heard.join("\n"));
        self
    }

    #[track_caller]
    fn listen(&mut self) {
        let new = self.transcript.say(&self.journey.model, &Theme::of_lines(true), 80);
        for line in &new.lines {
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        self.heard.extend(new.lines);
    }

    /// The number that was said last for a choice; its name while it has none because something is still being read.
    #[track_caller]
    fn number_of(&mut self, title: &str) -> String {
        self.listen();
        let number = self.heard.iter().rev().find_map(|line| {
            let (number, rest) = line.trim_start().trim_start_matches('[').split_once([']', ' '])?;
            let rest = rest.trim_start().trim_start_matches("[x] ").trim_start_matches("[ ] ");
            let rest = rest.strip_prefix("change ").unwrap_or(rest);
            (number.parse::<usize>().is_ok() && rest.to_lowercase().starts_with(&title.to_lowercase()))
                .then(|| number.to_owned())
        });
        let is_reading = self.heard.iter().rev().take(3).any(|line| line.starts_with("Being read:"));
        let number = number.or_else(|| is_reading.then(|| title.to_owned()));
        number.unwrap_or_else(|| panic!("{title:?} was not offered:\n{}", self.heard.join("\n")))
    }

    /// Where the cursor is and where that line, or that answer of the review, is.
    fn place_of(&self, title: &str) -> Option<(usize, usize)> {
        if self.journey.model.shell.dialog.is_some() {
            return None;
        }
        match self.journey.model.content() {
            Content::List(picker) => {
                let lines: Vec<_> = picker.window(0, picker.shown()).collect();
                let (to, _) = lines.into_iter().find(|(_, line)| line.title == title)?;
                Some((picker.cursor(), to))
            }
            Content::Review(review) => {
                let answers = self.journey.model.answer_lines();
                let mode = self.journey.model.new_vpn.answers.mode;
                let to = answers.iter().position(|line| line.screen.name(mode) == title).unwrap_or(answers.len());
                Some((answers.len() - review.focus, to))
            }
            _ => None,
        }
    }

    fn moves(&mut self, from: usize, to: usize) {
        let key = if to < from { KeyCode::Up } else { KeyCode::Down };
        for _ in 0..from.abs_diff(to) {
            self.journey.key(key);
        }
    }

    #[track_caller]
    fn turns_to(&mut self, label: &str) {
        let labels = labels(&self.journey.model);
        let place = labels.iter().position(|one| one == label);
        let place = place.unwrap_or_else(|| panic!("{label:?} is not among {labels:?}"));
        let focus = match (&self.journey.model.shell.dialog, &self.journey.model.work.current) {
            (Some(dialog), _) => dialog.focus,
            (None, Some(work)) => work.focus,
            _ => 0,
        };
        let turns = (place + labels.len() - focus) % labels.len();
        for _ in 0..turns {
            self.journey.key(KeyCode::Right);
        }
    }
}
