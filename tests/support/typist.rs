//! A person without a screen, who does with lines that are typed what a script does with keys. No key comes of it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use osvpn::view::Theme;
use osvpn::view::lines::Transcript;
use osvpn::wizard::dialog::Dialog;
use osvpn::wizard::fields::Field;
use osvpn::wizard::picker::Picker;
use osvpn::wizard::screen::Screen;
use osvpn::wizard::sheet::SheetPage;
use osvpn::wizard::vpns::{Open, VpnButton};
use osvpn::wizard::work::{Button, Work};
use osvpn::wizard::{Content, Message, Model, Start};
use secrecy::SecretString;

/// What is done at once, on a terminal without a screen.
pub enum Typed {
    Line(String),
    /// Ctrl-C.
    Interrupt,
}

/// What is in front of the user.
enum Front<'a> {
    Question,
    /// A dialog that asks for a name.
    Named(&'a Dialog),
    Dialog(&'a Dialog),
    Problem,
    List(&'a Picker),
    Text(Field),
    Policy,
    Review,
    Work(&'a Work),
    Vpn(&'a Open),
    Sheet(&'a SheetPage),
    Nothing,
}

impl<'a> Front<'a> {
    fn of(model: &'a Model) -> Self {
        if model.shell.question.is_some() {
            return Self::Question;
        }
        if let Some(dialog) = &model.shell.dialog {
            return if dialog.typed.is_some() { Self::Named(dialog) } else { Self::Dialog(dialog) };
        }
        if matches!(model.shell.start, Start::Problem(_)) {
            return Self::Problem;
        }
        match model.content() {
            Content::List(picker) => Self::List(picker),
            Content::Form(form) => match form.field() {
                Some(Field::Policy(_)) | None => Self::Policy,
                Some(field) => Self::Text(field),
            },
            Content::Review(_) => Self::Review,
            Content::None if model.screen() == Screen::Work => {
                model.work.current.as_ref().map_or(Self::Nothing, Self::Work)
            }
            Content::None if model.screen() == Screen::Sheet => Self::Sheet(&model.sheet),
            Content::None => model.vpns.open.as_ref().map_or(Self::Nothing, Self::Vpn),
        }
    }

    /// What can be gone to, in the order of the screen, and where the focus is.
    fn offers(&self, model: &Model) -> (Vec<String>, usize) {
        match self {
            Self::Dialog(dialog) | Self::Named(dialog) => {
                (dialog.buttons.iter().map(|button| button.label.clone()).collect(), dialog.focus)
            }
            Self::List(picker) => {
                let lines = picker.window(0, picker.shown());
                (lines.map(|(_, line)| line.title.clone()).collect(), picker.cursor())
            }
            Self::Review => {
                let Content::Review(review) = model.content() else { return (Vec::new(), 0) };
                let mode = model.new_vpn.answers.mode;
                let mut names: Vec<String> =
                    model.answer_lines().iter().map(|line| line.screen.name(mode).clone()).collect();
                names.push("Create".to_owned());
                let focus = names.len() - 1 - review.focus;
                (names, focus)
            }
            Self::Work(work) => {
                (work.buttons().into_iter().map(Button::label).map(str::to_owned).collect(), work.focus)
            }
            Self::Vpn(open) => {
                let buttons = open.buttons();
                let focus = buttons.iter().position(|button| open.focused() == Some(*button)).unwrap_or_default();
                (buttons.iter().map(|button| button.label().to_owned()).collect(), focus)
            }
            Self::Sheet(page) => {
                (page.buttons().into_iter().map(|button| page.label(button).to_owned()).collect(), page.focus)
            }
            _ => (Vec::new(), 0),
        }
    }
}

/// What is offered by a name now, in the order of the screen, and where the focus is.
pub fn offers(model: &Model) -> (Vec<String>, usize) {
    Front::of(model).offers(model)
}

#[derive(Default)]
pub struct Typist {
    transcript: Transcript,
    /// Every line that was said.
    pub heard: Vec<String>,
    /// The same in one line.
    all_heard: String,
    /// What the arrows would have led to, by its place then and its name.
    finger: Option<(usize, String)>,
    /// What is typed of a line that is not sent yet.
    line: Option<String>,
    filter: Option<String>,
    /// The places of the lines that are to be taken, of several.
    marks: Option<Vec<usize>>,
    /// The finding that a digit chose.
    finding: Option<usize>,
    /// What that was all about.
    page: String,
    /// What was heard before it.
    page_begins: usize,
}

impl Typist {
    #[track_caller]
    pub fn listen(&mut self, model: &Model) {
        let new = self.transcript.say(model, &Theme::of_lines(true), 80);
        for line in new.written() {
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        let dialog = model.shell.dialog.as_ref().map(|dialog| dialog.title.as_str());
        let page = format!("{:?} {dialog:?}", model.screen());
        if page != self.page {
            (self.finger, self.marks, self.finding, self.filter) = (None, None, None, None);
            (self.page, self.page_begins) = (page, self.heard.len());
        }
        new.lines.iter().for_each(|line| println!("{line}"));
        for line in &new.lines {
            // A command that is too long goes on after a backslash.
            self.all_heard += &(in_one_line(line.trim_end_matches('\\')) + " ");
        }
        self.heard.extend(new.lines);
    }

    /// Whoever begins to listen now is told of nothing that was not said on the way.
    #[track_caller]
    fn has_heard_all(&self, model: &Model) {
        let anew = Transcript::default().say(model, &Theme::of_lines(true), 4000);
        if anew.lines.iter().any(|line| line.starts_with("Being read:")) {
            return;
        }
        for line in anew.lines.iter().filter(|line| !line.starts_with("osvpn")) {
            let said = in_one_line(line);
            let said = said.trim_start_matches(['[', ']', ' ']).trim_start_matches(char::is_numeric);
            let said = said.trim_start_matches([']', ' ']);
            // How far work is stands behind its latest row.
            let is_count = |text: &str| ["made.", "done.", "left."].iter().any(|end| text.ends_with(end));
            let said = said.rsplit_once("; ").filter(|(_, count)| is_count(count)).map_or(said, |(row, _)| row);
            assert!(self.all_heard.contains(said), "{said:?} was not said:\n{}", self.heard.join("\n"));
        }
    }

    #[track_caller]
    pub fn hear(&mut self, model: &Model, line: &str) -> Vec<Message> {
        self.has_heard_all(model);
        println!("<-- {line}");
        self.transcript.hear(model, &SecretString::from(line))
    }

    /// What is typed by somebody who would press that key.
    #[track_caller]
    pub fn typed_for(&mut self, model: &Model, event: &KeyEvent) -> Vec<Typed> {
        let front = Front::of(model);
        let is_text = matches!(front, Front::Question | Front::Named(_) | Front::Text(_));
        let command = |letter: char| if is_text { format!(":{letter}") } else { letter.to_string() };
        let lines = match event.code {
            KeyCode::Char('c') if event.modifiers.contains(KeyModifiers::CONTROL) => return vec![Typed::Interrupt],
            KeyCode::Char(letter) if event.modifiers.contains(KeyModifiers::CONTROL) => match letter {
                'u' if is_text || matches!(front, Front::Policy) => {
                    self.line = Some(String::new());
                    Vec::new()
                }
                'd' | 'g' | 'o' | 't' => vec![command(letter)],
                _ => panic!("no line does what Ctrl-{letter} does"),
            },
            KeyCode::F(1) => vec![command('?')],
            KeyCode::Enter => self.entered(model, &front),
            KeyCode::Esc => {
                (self.line, self.finger, self.marks, self.finding) = (None, None, None, None);
                let is_filtered = matches!(front, Front::List(picker) if picker.filter().is_some());
                vec![match front {
                    _ if is_filtered || self.filter.take().is_some() => "/".to_owned(),
                    Front::Work(_) => "q".to_owned(),
                    _ => command('b'),
                }]
            }
            KeyCode::Backspace => {
                let text = self.line.as_mut().or(self.filter.as_mut());
                text.unwrap_or_else(|| panic!("nothing is typed")).pop();
                Vec::new()
            }
            KeyCode::Char(character) => self.character(model, &front, character),
            code => self.moves(model, &front, code),
        };
        lines.into_iter().map(Typed::Line).collect()
    }

    #[track_caller]
    fn entered(&mut self, model: &Model, front: &Front<'_>) -> Vec<String> {
        if let Some(places) = self.marks.take() {
            let numbers: Vec<String> = places.iter().map(|place| self.number_at(model, *place)).collect();
            return vec![numbers.join(",")];
        }
        if let (Some(finding), Front::Vpn(_)) = (self.finding.take(), front) {
            return vec![self.fix(finding)];
        }
        match front {
            Front::Policy => {
                let value = self.policy_value(model);
                value.into_iter().chain([String::new()]).collect()
            }
            Front::Named(_) if self.line.is_none() && self.finger.is_some() => {
                let place = self.pointed_at(&front.offers(model).0);
                self.finger = None;
                vec![place.map_or_else(String::new, |place| self.number_at(model, place))]
            }
            Front::Question | Front::Named(_) | Front::Text(_) => vec![self.line.take().unwrap_or_default()],
            _ => {
                let place = self.pointed_at(front.offers(model).0.as_slice());
                self.finger = None;
                vec![place.map_or_else(String::new, |place| self.number_at(model, place))]
            }
        }
    }

    /// Where what the arrows led to is by now.
    fn pointed_at(&self, offers: &[String]) -> Option<usize> {
        let (place, title) = self.finger.as_ref()?;
        if offers.get(*place) == Some(title) { Some(*place) } else { offers.iter().position(|one| one == title) }
    }

    /// Goes to that place, in the order of the screen.
    pub fn points_at(&mut self, model: &Model, place: usize) {
        self.finger = offers(model).0.get(place).map(|title| (place, title.clone()));
    }

    /// What Enter would take, by its name.
    pub fn pointed(&self, model: &Model) -> Option<String> {
        let (offers, focus) = offers(model);
        offers.get(self.pointed_at(&offers).unwrap_or(focus)).cloned()
    }

    /// The number and the new value of the field that the arrows led to.
    fn policy_value(&mut self, model: &Model) -> Option<String> {
        let Content::Form(form) = model.content() else { return None };
        let value = self.line.take()?;
        let at = self.finger.as_ref().map_or(form.focus, |(place, _)| *place);
        Some(format!("{} {value}", at + 1))
    }

    fn fix(&self, finding: usize) -> String {
        let one = self.number_of(&format!("Fix {finding}"));
        one.or_else(|| self.number_of("Fix")).unwrap_or_else(|| "m".to_owned())
    }

    /// Has that text typed by the terminal, without the end of the line.
    #[track_caller]
    pub fn pastes(&mut self, model: &Model, text: &str) {
        for character in text.trim_end_matches('\n').chars() {
            self.character(model, &Front::of(model), character);
        }
    }

    #[track_caller]
    fn character(&mut self, model: &Model, front: &Front<'_>, character: char) -> Vec<String> {
        match (front, character) {
            (Front::Text(field), _) if self.line.is_none() => {
                let present = model.input(*field).map(|input| input.value().to_owned()).unwrap_or_default();
                self.line = Some(format!("{present}{character}"));
                Vec::new()
            }
            (Front::Question | Front::Named(_) | Front::Text(_), _) | (Front::Policy, '0'..='9') => {
                self.line.get_or_insert_default().push(character);
                Vec::new()
            }
            (Front::List(picker), _) if picker.filter().is_some() || self.filter.is_some() => {
                let typed = picker.filter().map(|filter| filter.value().to_owned());
                let text = typed.unwrap_or_default() + &character.to_string();
                (self.filter, self.finger) = (None, None);
                vec![format!("/{text}")]
            }
            (Front::List(_), '/') => {
                self.filter = Some(String::new());
                Vec::new()
            }
            (Front::List(picker), ' ') if picker.marked().is_some() => {
                let place = self.pointed_at(&front.offers(model).0).unwrap_or_else(|| picker.cursor());
                let marked = || {
                    let lines = picker.window(0, picker.shown());
                    lines.filter(|(_, line)| picker.is_marked(&line.choice)).map(|(place, _)| place).collect()
                };
                let marks = self.marks.get_or_insert_with(marked);
                match marks.iter().position(|one| *one == place) {
                    Some(at) => drop(marks.remove(at)),
                    None => marks.push(place),
                }
                Vec::new()
            }
            (Front::List(_) | Front::Review, 'j') => self.moves(model, front, KeyCode::Down),
            (Front::List(_) | Front::Review, 'k') => self.moves(model, front, KeyCode::Up),
            (Front::List(_) | Front::Review, 'g') => self.moves(model, front, KeyCode::Home),
            (Front::List(_) | Front::Review, 'G') => self.moves(model, front, KeyCode::End),
            (Front::List(_), '1'..='9') => {
                let place =
                    character.to_digit(10).and_then(|digit| usize::try_from(digit).ok()).unwrap_or_default() - 1;
                let is_there = place < front.offers(model).0.len();
                vec![if is_there { self.number_at(model, place) } else { character.to_string() }]
            }
            (Front::Vpn(_), '1'..='9') => {
                self.finding = character.to_digit(10).and_then(|digit| digit.try_into().ok());
                Vec::new()
            }
            (Front::Vpn(_), 'm' | 'f') if self.finding.is_some() => {
                let finding = self.finding.take().unwrap_or_default();
                vec![self.fix(finding)]
            }
            (Front::Work(_) | Front::Vpn(_), 'j' | 'k' | 'y') => panic!("no line does what {character} does"),
            (Front::Vpn(_), 'm') => vec!["f".to_owned()],
            _ => vec![character.to_string()],
        }
    }

    #[track_caller]
    fn moves(&mut self, model: &Model, front: &Front<'_>, code: KeyCode) -> Vec<String> {
        let (offers, focus) = front.offers(model);
        let at = self.pointed_at(&offers).unwrap_or(focus);
        let last = offers.len().saturating_sub(1);
        let place = match (front, code) {
            (Front::List(_), KeyCode::Left | KeyCode::BackTab) => return vec!["b".to_owned()],
            (Front::List(picker), KeyCode::Tab) if picker.filter().is_some() && picker.marked().is_some() => {
                return self.character(model, &Front::List(picker), ' ');
            }
            (Front::List(_), KeyCode::Up) | (Front::Review, KeyCode::Up | KeyCode::BackTab) => at.saturating_sub(1),
            (Front::List(_), KeyCode::Down) | (Front::Review, KeyCode::Down | KeyCode::Tab) => last.min(at + 1),
            (Front::List(_) | Front::Review, KeyCode::Home) => 0,
            (Front::List(_) | Front::Review, KeyCode::End) => last,
            (
                Front::Dialog(_) | Front::Named(_) | Front::Work(_) | Front::Vpn(_) | Front::Sheet(_),
                KeyCode::Right | KeyCode::Tab,
            )
            | (Front::Dialog(_), KeyCode::Down) => (at + 1) % offers.len().max(1),
            (
                Front::Dialog(_) | Front::Named(_) | Front::Work(_) | Front::Vpn(_) | Front::Sheet(_),
                KeyCode::Left | KeyCode::BackTab,
            )
            | (Front::Dialog(_), KeyCode::Up) => (at + last) % offers.len().max(1),
            (Front::Text(_), KeyCode::Left | KeyCode::Right | KeyCode::Home | KeyCode::End) => {
                return Vec::new();
            }
            (Front::Text(_), KeyCode::Down | KeyCode::Tab) => {
                return vec![self.line.take().unwrap_or_else(|| ":n".to_owned())];
            }
            (Front::Text(_), KeyCode::Up | KeyCode::BackTab) => return vec![":p".to_owned()],
            (Front::Question, KeyCode::Down | KeyCode::Tab) => return vec![self.line.take().unwrap_or_default()],
            (Front::Policy, KeyCode::Up | KeyCode::Down) => {
                let value = self.policy_value(model);
                let Content::Form(form) = model.content() else { return Vec::new() };
                let at = self.finger.as_ref().map_or(form.focus, |(place, _)| *place);
                let last = form.fields.len() - 1;
                let to = if code == KeyCode::Up { at.saturating_sub(1) } else { last.min(at + 1) };
                self.finger = Some((to, String::new()));
                return value.into_iter().collect();
            }
            _ => panic!("no line does what {code:?} does on {:?}", model.screen()),
        };
        self.finger = offers.get(place).map(|title| (place, title.clone()));
        self.finding = None;
        Vec::new()
    }

    /// What to type to take what stands at that place of the screen.
    #[track_caller]
    fn number_at(&self, model: &Model, place: usize) -> String {
        let (offers, _) = offers(model);
        let title = &offers[place];
        if matches!(model.content(), Content::None)
            && let Some(open) = &model.vpns.open
            && model.shell.dialog.is_none()
            && title == VpnButton::Fix.label()
            && let Some(number) = open.finding().and_then(|at| self.number_of(&format!("Fix {}", at + 1)))
        {
            return number;
        }
        let is_list = matches!(Front::of(model), Front::List(_));
        let twins = is_list && offers.iter().filter(|one| *one == title).count() > 1;
        if twins {
            return (place + 1).to_string();
        }
        let missing = (title == "Create").then(|| self.number_of("Go to what is missing")).flatten();
        missing.unwrap_or_else(|| self.number_or_name(title))
    }

    /// The number that was said last for a choice; its name while it has none because something is still being read.
    #[track_caller]
    pub fn number_or_name(&self, title: &str) -> String {
        let is_reading =
            self.heard[self.page_begins..].iter().rev().take(8).any(|line| line.starts_with("Being read:"));
        let number = self.number_of(title).or_else(|| is_reading.then(|| title.to_owned()));
        number.unwrap_or_else(|| panic!("{title:?} was not offered:\n{}", self.heard.join("\n")))
    }

    fn number_of(&self, title: &str) -> Option<String> {
        self.heard[self.page_begins..].iter().rev().find_map(|line| {
            let (number, rest) = line.trim_start().trim_start_matches('[').split_once([']', ' '])?;
            let rest = rest.trim_start().trim_start_matches("[x] ").trim_start_matches("[ ] ");
            let rest = rest.strip_prefix("change ").unwrap_or(rest);
            (number.parse::<usize>().is_ok() && rest.to_lowercase().starts_with(&title.to_lowercase()))
                .then(|| number.to_owned())
        })
    }
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All that is said of what is in front of the user, to one who begins to listen now, as one line.
pub fn page(model: &Model) -> String {
    let said = Transcript::default().say(model, &Theme::of_lines(true), 4000);
    said.written().collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}
