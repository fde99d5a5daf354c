//! Which keys do what, now. One table feeds dispatch, the footer and the help, so they cannot disagree.

mod pages;
mod steps;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use itertools::Itertools;

use super::{Content, Model, Start};
use crate::wizard::screen::Screen;
use crate::wizard::sheet::SheetButton;
use crate::wizard::vpns::VpnButton;
use pages::{dialog_keys, problem_keys, question_keys, sheet_keys, vpn_keys, work_keys};
use steps::{form_keys, picker_keys, review_keys};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Take what is there and go on; presses the focused button.
    Accept,
    /// Presses the button of that place in a dialog, from 0.
    Press(usize),
    /// To the step before; closes what is open.
    Back,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    /// Further in the details, and at their end back to their beginning.
    DetailDown,
    DetailUp,
    Left,
    Right,
    Toggle,
    /// The line of that number, from 1.
    Pick(u8),
    Filter,
    /// Ask the cloud again.
    Retry,
    /// Wait no longer for a region.
    StopReading,
    Reveal,
    /// The VPN that the answer would be beside.
    OpenVpn,
    Generate,
    /// Read what the other side has sent.
    PasteText,
    /// Say what stands on the far side of a new VPN.
    ChooseSystem,
    Save,
    /// The policy that could be used instead.
    SwitchPolicy,
    /// The commands that create the same by hand.
    ShowCommands,
    /// The plan as a file has it.
    ShowPlan,
    Copy,
    /// What was sent so far, and what came of it.
    ShowRequests,
    /// The key of the VPN that was created, into a file.
    SaveKey,
    Demo,
    Do(VpnButton),
    /// What the outside peer of the new VPN has to be set to.
    PeerSheet,
    Sheet(SheetButton),
    Help,
    Quit,
    /// To the shell, until `fg`.
    Suspend,
    Repaint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub code: KeyCode,
    pub control: bool,
    /// Whether shift is needed; of a character it is part.
    pub shift: bool,
}

impl Key {
    const fn plain(code: KeyCode) -> Self {
        Self { code, control: false, shift: false }
    }

    const fn character(character: char) -> Self {
        Self::plain(KeyCode::Char(character))
    }

    const fn control(character: char) -> Self {
        Self { code: KeyCode::Char(character), control: true, shift: false }
    }

    const fn shifted(code: KeyCode) -> Self {
        Self { code, control: false, shift: true }
    }

    pub fn matches(self, event: &KeyEvent) -> bool {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        let lacks_shift = self.shift && !event.modifiers.contains(KeyModifiers::SHIFT);
        self.code == event.code && self.control == control && !alt && !lacks_shift
    }

    pub fn label(self) -> String {
        let name = match self.code {
            KeyCode::Enter => "Enter".to_owned(),
            KeyCode::Esc => "Esc".to_owned(),
            KeyCode::Tab => "Tab".to_owned(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            KeyCode::Up => "Up".to_owned(),
            KeyCode::Down => "Down".to_owned(),
            KeyCode::Left => "Left".to_owned(),
            KeyCode::Right => "Right".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            KeyCode::Home => "Home".to_owned(),
            KeyCode::End => "End".to_owned(),
            KeyCode::F(number) => format!("F{number}"),
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(character) => character.to_string(),
            _ => String::new(),
        };
        match self {
            Self { control: true, .. } => format!("Ctrl-{}", name.to_uppercase()),
            Self { shift: true, .. } => format!("Shift-{name}"),
            _ => name,
        }
    }
}

/// Keys, what they do, and how that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The keys; the first is the one the footer names.
    pub keys: Vec<Key>,
    pub action: Action,
    pub label: &'static str,
    /// Whether the footer has it; the help has all.
    pub in_footer: bool,
}

impl Binding {
    pub fn keys_label(&self) -> String {
        if matches!(self.action, Action::Pick(_)) {
            return "1-9".to_owned();
        }
        self.keys.iter().map(|key| key.label()).join(" ")
    }
}

fn bind(keys: &[Key], action: Action, label: &'static str) -> Binding {
    Binding { keys: keys.to_vec(), action, label, in_footer: true }
}

fn quiet(keys: &[Key], action: Action, label: &'static str) -> Binding {
    Binding { in_footer: false, ..bind(keys, action, label) }
}

const ENTER: Key = Key::plain(KeyCode::Enter);
const ESC: Key = Key::plain(KeyCode::Esc);
const TAB: Key = Key::plain(KeyCode::Tab);
const BACKTAB: Key = Key::plain(KeyCode::BackTab);
const UP: Key = Key::plain(KeyCode::Up);
const DOWN: Key = Key::plain(KeyCode::Down);
const LEFT: Key = Key::plain(KeyCode::Left);
const RIGHT: Key = Key::plain(KeyCode::Right);
const F1: Key = Key::plain(KeyCode::F(1));

/// Every key that does something now, in the order the footer shows them.
pub fn bindings(model: &Model) -> Vec<Binding> {
    if let Some(asked) = &model.shell.question {
        return with_common(question_keys(asked));
    }
    match &model.shell.dialog {
        Some(dialog) => with_common(match dialog.buttons.len() {
            0 => vec![bind(&[ESC], Action::Back, "cancel")],
            _ => dialog_keys(dialog),
        }),
        None => screen_bindings(model),
    }
}

/// The keys of the screen itself, also while a dialog stands over it: what the help lists.
pub fn screen_bindings(model: &Model) -> Vec<Binding> {
    with_common(match (&model.shell.start, &model.content) {
        (Start::Problem(_), _) => problem_keys(model),
        (_, Content::List(picker)) => picker_keys(model, picker),
        (_, Content::Form(form)) => form_keys(model, form),
        (_, Content::Review(review)) => review_keys(model, review.focus == 0, review.plan.is_ok()),
        (_, Content::None) => match model.screen {
            Screen::Work => work_keys(model),
            Screen::Sheet => sheet_keys(model),
            _ => vpn_keys(model),
        },
    })
}

fn with_common(mut bindings: Vec<Binding>) -> Vec<Binding> {
    bindings.push(quiet(&[Key::control('c')], Action::Quit, "leave"));
    if cfg!(unix) {
        bindings.push(quiet(&[Key::control('z')], Action::Suspend, "to the shell (fg returns)"));
    }
    bindings.push(quiet(&[Key::control('l')], Action::Repaint, "redraw"));
    bindings
}

pub fn action(model: &Model, event: &KeyEvent) -> Option<Action> {
    let bindings = bindings(model);
    bindings.iter().find(|binding| binding.keys.iter().any(|key| key.matches(event))).map(|binding| binding.action)
}

fn help_key() -> Binding {
    bind(&[Key::character('?'), F1], Action::Help, "help")
}

fn quit_key() -> Binding {
    bind(&[Key::character('q')], Action::Quit, "quit")
}

/// Each digit is a key of its own, and all are one line of the help.
fn numbers(of_all: &'static str) -> impl Iterator<Item = Binding> {
    (1..=9).zip('1'..='9').map(move |(number, digit)| {
        let label = if number == 1 { of_all } else { "" };
        quiet(&[Key::character(digit)], Action::Pick(number), label)
    })
}

/// Keys that move a text that may be longer than the screen.
fn scrolling() -> [Binding; 6] {
    [
        quiet(&[UP, Key::character('k')], Action::Up, "scroll up"),
        quiet(&[DOWN, Key::character('j')], Action::Down, "scroll down"),
        quiet(&[Key::plain(KeyCode::PageUp)], Action::PageUp, "page up"),
        quiet(&[Key::plain(KeyCode::PageDown)], Action::PageDown, "page down"),
        quiet(&[Key::plain(KeyCode::Home), Key::character('g')], Action::First, "to the top"),
        quiet(&[Key::plain(KeyCode::End), Key::character('G')], Action::Last, "to the end"),
    ]
}

fn requests() -> Binding {
    quiet(&[Key::character('l')], Action::ShowRequests, "requests")
}

fn stop_reading(model: &Model) -> Option<Binding> {
    let is_reading = !model.regions_awaited().is_empty();
    is_reading.then(|| bind(&[Key::character('x')], Action::StopReading, "stop reading"))
}

fn open_vpn(model: &Model) -> Option<Binding> {
    model.existing_vpn().map(|_| bind(&[Key::control('o')], Action::OpenVpn, "open that VPN"))
}
