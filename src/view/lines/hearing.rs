//! What a line means that is typed in answer to what was said last.

use secrecy::{ExposeSecret, SecretString};

use super::page::{self, Asks, Meant, Offer};
use super::{AT_ONCE, Transcript, commands};
use crate::wizard::gesture::{Gesture, Spot};
use crate::wizard::keymap::Action;
use crate::wizard::picker::Choice;
use crate::wizard::{Content, Message, Model};

impl Transcript {
    /// What a line means that was typed in answer to what was said last.
    pub fn hear(&mut self, model: &Model, line: &SecretString) -> Vec<Message> {
        self.is_answered = true;
        let text = line.expose_secret().trim();
        if let Some(typed) = model.shell.dialog.as_ref().and_then(|dialog| dialog.typed.as_ref())
            && model.shell.question.is_none()
            && !text.is_empty()
            && typed.name.trim() == text
        {
            return vec![Message::Gesture(Gesture::Fill(line.clone()))];
        }
        if let Some(asked) = &model.shell.question {
            self.complaint = commands::unanswered(asked, text);
            return if text == ":?" { Vec::new() } else { commands::answer(asked, line) };
        }
        let gestures = match self.asks {
            Asks::Nothing | Asks::Choice | Asks::Choices | Asks::Policy => self.chosen(model, text),
            Asks::Text | Asks::Secret if text.is_empty() => Some(vec![Gesture::Act(Action::Accept)]),
            Asks::Pasted if text == ":b" => Some(vec![Gesture::Act(Action::Back)]),
            Asks::Pasted if text == ":q" => Some(vec![Gesture::Act(Action::Quit)]),
            Asks::Pasted if text == ":?" => Some(vec![Gesture::Act(Action::Help)]),
            Asks::Pasted => Some(vec![Gesture::Fill(line.clone())]),
            // No text is only that.
            Asks::Text if text == "?" => Some(vec![Gesture::Act(Action::Help)]),
            Asks::Text | Asks::Secret => {
                let is_letter = self.asks == Asks::Text && commands::of_letter(model, text).is_some();
                self.complaint = (is_letter || ["b", "q"].contains(&text)).then_some(commands::TAKEN_AS_TEXT);
                let command = text.strip_prefix(':').and_then(|name| commands::of_form(model, name));
                Some(vec![command.map_or_else(|| Gesture::Fill(line.clone()), Gesture::Act)])
            }
        };
        gestures.unwrap_or_default().into_iter().map(Message::Gesture).collect()
    }

    fn chosen(&mut self, model: &Model, text: &str) -> Option<Vec<Gesture>> {
        let text = text.strip_prefix(':').unwrap_or(text);
        match text {
            "" if !self.reading.is_empty() && !self.takes_what_is_marked(model) => {
                let default = self.default.and_then(|number| self.offered.get(&number));
                self.complaint = default.is_none().then_some(commands::STILL_READING);
                return default.map(|offer| offer.meant.gestures());
            }
            "" if self.asks == Asks::Nothing && self.reading.is_empty() => return None,
            "" if self.default.is_none()
                && matches!(model.content(), Content::None)
                && model.shell.dialog.is_none() =>
            {
                self.complaint = Some(commands::NO_DEFAULT);
                return None;
            }
            "" => return Some(vec![Gesture::Act(Action::Accept)]),
            "/" if !matches!(model.content(), Content::List(_)) || model.shell.dialog.is_some() => {
                (self.is_wanted, self.is_answered) = (true, false);
                return None;
            }
            "?" if model.shell.dialog.is_some() => {
                if model.shell.dialog.as_ref().is_some_and(|dialog| dialog.is_help) {
                    return Some(vec![Gesture::Act(Action::Back)]);
                }
                self.complaint = Some(commands::OF_QUESTIONS);
                return None;
            }
            "m" if self.asks != Asks::Nothing => {
                self.turn_over(model);
                return None;
            }
            _ => {}
        }
        if let Some(number) = text.strip_suffix('?').and_then(|number| number.trim().parse().ok())
            && matches!(model.content(), Content::List(_))
            && model.shell.dialog.is_none()
        {
            (self.explained, self.is_answered) = (Some(number), false);
            return None;
        }
        if let Some(action) = commands::of_letter(model, text) {
            return Some(vec![Gesture::Act(action)]);
        }
        if let (Some(filter), Content::List(_)) = (text.strip_prefix('/'), model.content()) {
            self.is_wanted = true;
            return Some(vec![Gesture::Filter(filter.trim().to_owned())]);
        }
        let found = match self.asks {
            Asks::Policy => self.policy_value(text),
            _ => self.by_numbers(text).or_else(|| self.by_name(model, text)),
        };
        if found.is_none() {
            let is_named = model.shell.dialog.as_ref().is_some_and(|dialog| dialog.typed.is_some());
            let is_early = !self.reading.is_empty() && self.offered.is_empty();
            self.complaint = Some(match () {
                () if is_early => commands::STILL_READING,
                () if is_named => commands::OTHER_NAME,
                () => commands::NOT_UNDERSTOOD,
            });
            return Some(vec![Gesture::Misunderstood]);
        }
        found
    }

    /// Whether Enter alone means something though nothing is numbered: what is marked, or what comes first.
    fn takes_what_is_marked(&self, model: &Model) -> bool {
        match model.content() {
            Content::Review(_) => true,
            Content::List(_) => self.asks == Asks::Choices || self.offered.is_empty(),
            _ => false,
        }
    }

    /// The next lines of a long list; after the last the first.
    fn turn_over(&mut self, model: &Model) {
        let shown = if let Content::List(picker) = model.content() { picker.shown() } else { 0 };
        self.skipped = if self.skipped + AT_ONCE < shown { self.skipped + AT_ONCE } else { 0 };
        self.is_wanted = true;
    }

    fn by_numbers(&self, text: &str) -> Option<Vec<Gesture>> {
        let numbers = text.split([',', ' ']).filter(|part| !part.is_empty()).map(|part| part.parse().ok());
        let numbers: Vec<usize> = numbers.collect::<Option<_>>()?;
        let entries: Vec<&Offer> = numbers.iter().map(|number| self.offered.get(number)).collect::<Option<_>>()?;
        if self.asks == Asks::Choices {
            let choices = entries.into_iter().map(|entry| entry.meant.choice().cloned()).collect::<Option<_>>()?;
            return Some(vec![Gesture::Mark(choices)]);
        }
        let [entry] = entries.as_slice() else { return None };
        Some(entry.meant.gestures())
    }

    /// By what a choice is called, where only one is called so.
    fn by_name(&mut self, model: &Model, text: &str) -> Option<Vec<Gesture>> {
        let is_so = |title: &str| title.to_lowercase() == text.to_lowercase();
        let mut named: Vec<Meant> =
            self.offered.values().filter(|entry| is_so(&entry.title)).map(|entry| entry.meant.clone()).collect();
        if let Content::List(picker) = model.content()
            && model.shell.dialog.is_none()
        {
            let lines = picker.lines().iter().filter(|line| is_so(&line.title));
            named = lines.map(|line| Meant::Take(Spot::Line(line.choice.clone()))).collect();
        }
        if self.offered.is_empty() && !self.reading.is_empty() && !matches!(model.content(), Content::List(_)) {
            named =
                page::coming(model).into_iter().filter(|offer| is_so(&offer.title)).map(|offer| offer.meant).collect();
        }
        match named.as_slice() {
            [Meant::Take(Spot::Line(choice))] if self.asks == Asks::Choices => {
                Some(vec![Gesture::Mark(vec![choice.clone()])])
            }
            [only] => Some(only.gestures()),
            [] => None,
            _ => {
                self.complaint = Some(commands::SEVERAL);
                Some(Vec::new())
            }
        }
    }

    /// The number of a field, and its value.
    fn policy_value(&self, text: &str) -> Option<Vec<Gesture>> {
        let (number, value) = text.split_once(' ').unwrap_or((text, ""));
        let entry = self.offered.get(&number.parse().ok()?)?;
        let value = value.trim();
        let fill = (!value.is_empty()).then(|| Gesture::Fill(SecretString::from(value)));
        Some(entry.meant.gestures().into_iter().chain(fill).collect())
    }
}

impl Meant {
    const fn choice(&self) -> Option<&Choice> {
        if let Self::Take(Spot::Line(choice)) = self { Some(choice) } else { None }
    }
}
