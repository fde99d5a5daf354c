//! What a person wants, as a script that both front ends play: with keys on the screen, with typed lines where there is none.

use crossterm::event::KeyCode;
use osvpn::plan::fields::PolicyField;
use osvpn::wizard::fields::Field;
use osvpn::wizard::{Content, Message, Model};

use super::front_end::FrontEnd;
use super::journey::Journey;
use super::typist::offers;

impl Journey {
    /// Takes the line of that name, or presses the button.
    #[track_caller]
    pub fn chooses(&mut self, title: &str) -> &mut Self {
        if self.front_end == FrontEnd::Lines {
            let number = self.typist.number_or_name(title);
            return self.answers(&number);
        }
        let (titles, focus) = offers(&self.model);
        let place = titles.iter().position(|one| one == title);
        let place = place.unwrap_or_else(|| panic!("{title:?} is not among {titles:?}"));
        let is_in_a_row = self.model.shell.dialog.is_some() || matches!(self.model.content(), Content::None);
        self.moves(
            focus,
            place,
            if is_in_a_row { [KeyCode::Left, KeyCode::Right] } else { [KeyCode::Up, KeyCode::Down] },
        );
        self.enter()
    }

    /// Takes exactly those lines of a list of several.
    #[track_caller]
    pub fn marks(&mut self, titles: &[&str]) -> &mut Self {
        if self.front_end == FrontEnd::Lines {
            let numbers: Vec<String> = titles.iter().map(|title| self.typist.number_or_name(title)).collect();
            return self.answers(&numbers.join(","));
        }
        let Content::List(picker) = self.model.content() else { panic!("no list") };
        let lines: Vec<(String, bool)> =
            picker.lines().iter().map(|line| (line.title.clone(), picker.is_marked(&line.choice))).collect();
        for (title, is_marked) in lines {
            if is_marked != titles.contains(&title.as_str()) {
                let (all, focus) = offers(&self.model);
                let place = all.iter().position(|one| *one == title).unwrap();
                self.moves(focus, place, [KeyCode::Up, KeyCode::Down]);
                self.key(KeyCode::Char(' '));
            }
        }
        self.enter()
    }

    /// Types a text in place of what is there, and sends it.
    pub fn answers(&mut self, text: &str) -> &mut Self {
        if self.front_end == FrontEnd::Lines {
            self.passes(1000);
            self.type_line(text);
            return self;
        }
        if !text.is_empty() {
            self.control('u').types(text);
        }
        self.enter()
    }

    /// Pastes a text of several lines, and has it read.
    pub fn pastes(&mut self, text: &str) -> &mut Self {
        if self.front_end == FrontEnd::Lines {
            text.lines().chain(["."]).for_each(|line| self.type_line(line));
            return self;
        }
        self.send(Message::Paste(text.into()))
    }

    /// Leaves fields as they are up to that one, where one is asked after the other.
    pub fn skips_to(&mut self, field: Field) -> &mut Self {
        let is_there = |model: &Model| matches!(model.content(), Content::Form(form) if form.field() == Some(field));
        while !is_there(&self.model) {
            self.enter();
        }
        self
    }

    /// Goes back to a field of the form.
    pub fn returns_to(&mut self, field: Field) -> &mut Self {
        let is_there = |model: &Model| matches!(model.content(), Content::Form(form) if form.field() == Some(field));
        while !is_there(&self.model) {
            self.key(KeyCode::BackTab);
        }
        self
    }

    /// Sets a field of the custom policy that is a number.
    pub fn sets(&mut self, field: PolicyField, value: &str) -> &mut Self {
        let place = PolicyField::ALL.iter().position(|one| *one == field).unwrap();
        if self.front_end == FrontEnd::Lines {
            return self.answers(&format!("{} {value}", place + 1));
        }
        let Content::Form(form) = self.model.content() else { panic!("no form") };
        self.moves(form.focus, place, [KeyCode::Up, KeyCode::Down]);
        self.control('u').types(value)
    }

    /// Types the name that a question wants, and agrees.
    pub fn names(&mut self, name: &str) -> &mut Self {
        self.types(name).enter()
    }

    /// Whether it was said on the way, where what is on the screen is said.
    #[track_caller]
    pub fn is_told(&mut self, text: &str) -> &mut Self {
        if self.front_end == FrontEnd::Lines {
            let heard = self.typist.heard.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(heard.contains(text), "{text:?} was not said:\n{}", self.typist.heard.join("\n"));
        }
        self
    }

    #[track_caller]
    pub fn is_told_nothing_of(&mut self, secret: &str) -> &mut Self {
        assert!(!self.typist.heard.concat().contains(secret), "{}", self.typist.heard.join("\n"));
        self
    }

    fn moves(&mut self, from: usize, to: usize, [back, on]: [KeyCode; 2]) {
        for _ in 0..from.abs_diff(to) {
            self.key(if to < from { back } else { on });
        }
    }

    /// Types a line where there is no screen.
    pub fn type_line(&mut self, line: &str) {
        for message in self.typist.hear(&self.model, line) {
            self.send(message);
        }
        self.typist.listen(&self.model);
    }

    pub fn interrupts(&mut self) -> &mut Self {
        self.control('c')
    }

    /// A question of Ctrl-C where there is no screen.
    pub(super) fn quits(&mut self) {
        let quit = osvpn::wizard::gesture::Gesture::Act(osvpn::wizard::keymap::Action::Quit);
        self.send(Message::Gesture(quit));
    }
}
