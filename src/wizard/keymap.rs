//! Which keys do what, now. One table feeds dispatch, the footer and the help, so they cannot disagree.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use itertools::Itertools;

use super::dialog::{Act, Dialog};
use super::fields::Field;
use super::forms::Form;
use super::picker::{Choice, Line, Picker};
use super::{Content, Model, Start};
use crate::plan::Profile;
use crate::wizard::screen::Screen;
use crate::wizard::sheet::SheetButton;
use crate::wizard::sign_in_question::Asked;
use crate::wizard::vpns::{Open, VpnButton};

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

fn question_keys(asked: &Asked) -> Vec<Binding> {
    let is_last = asked.focus + 1 >= asked.fields.len();
    vec![
        bind(&[ENTER], Action::Accept, if is_last { "sign in" } else { "next field" }),
        bind(&[ESC], Action::Back, "not now"),
        quiet(&[TAB, DOWN], Action::Down, "next field"),
        quiet(&[BACKTAB, UP], Action::Up, "previous field"),
    ]
}

fn help_key() -> Binding {
    bind(&[Key::character('?'), F1], Action::Help, "help")
}

fn quit_key() -> Binding {
    bind(&[Key::character('q')], Action::Quit, "quit")
}

fn dialog_keys(dialog: &Dialog) -> Vec<Binding> {
    let has_choice = dialog.buttons.len() > 1;
    let mut bindings = vec![bind(&[ENTER], Action::Accept, "choose"), bind(&[ESC], Action::Back, "close")];
    let press = |letter: char, at: usize, label: &'static str| {
        let keys = [letter, letter.to_ascii_uppercase()].map(Key::character);
        Binding { in_footer: !label.is_empty(), ..bind(&keys, Action::Press(at), label) }
    };
    if let Some(yes) = dialog.yes() {
        bindings.extend([press('y', yes, "yes"), press('n', 0, "no")]);
    }
    let lettered = dialog.buttons.iter().enumerate().filter_map(|(at, button)| Some((button.letter?, at, button.act)));
    let label = |act| if act == Act::Copy { "copy" } else { "" };
    bindings.extend(lettered.map(|(letter, at, act)| press(letter, at, label(act))));
    if has_choice {
        bindings.push(bind(&[RIGHT, TAB, DOWN], Action::Right, "next"));
        bindings.push(quiet(&[LEFT, BACKTAB, UP], Action::Left, "previous"));
        bindings.push(quiet(&[Key::plain(KeyCode::PageDown)], Action::PageDown, "scroll down"));
        bindings.push(quiet(&[Key::plain(KeyCode::PageUp)], Action::PageUp, "scroll up"));
    } else {
        bindings.extend(scrolling());
        bindings.push(quiet(&[Key::character('?'), F1], Action::Help, "close"));
    }
    bindings
}

fn problem_keys(model: &Model) -> Vec<Binding> {
    let mut bindings = vec![bind(&[Key::character('r'), ENTER], Action::Retry, "try again")];
    if model.shell.can_demo() {
        bindings.push(bind(&[Key::character('d')], Action::Demo, "demo cloud"));
    }
    bindings.extend(scrolling());
    bindings.push(help_key());
    with_other_cloud(model, bindings)
}

/// Esc leads back to the list of clouds, where there is one.
fn with_other_cloud(model: &Model, mut bindings: Vec<Binding>) -> Vec<Binding> {
    if model.shell.clouds.is_empty() {
        bindings.push(bind(&[Key::character('q'), ESC], Action::Quit, "quit"));
    } else {
        bindings.extend([bind(&[ESC], Action::Back, "other cloud"), quit_key()]);
    }
    bindings
}

/// Each digit is a key of its own, and all are one line of the help.
fn numbers() -> impl Iterator<Item = Binding> {
    (1..=9).zip('1'..='9').map(|(number, digit)| {
        let label = if number == 1 { "the line of that number" } else { "" };
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

/// A list of fewer lines is seen at a glance.
const WORTH_FILTERING: usize = 8;

fn picker_keys(model: &Model, picker: &Picker) -> Vec<Binding> {
    let moves = |bindings: &mut Vec<Binding>, letters: bool| {
        let with = |key: Key, letter: char| if letters { vec![key, Key::character(letter)] } else { vec![key] };
        bindings.extend([
            quiet(&with(UP, 'k'), Action::Up, "up"),
            quiet(&with(DOWN, 'j'), Action::Down, "down"),
            quiet(&[Key::plain(KeyCode::PageUp), Key::control('u')], Action::PageUp, "page up"),
            quiet(&[Key::plain(KeyCode::PageDown), Key::control('d')], Action::PageDown, "page down"),
        ]);
    };
    if picker.filter().is_some() {
        let mut bindings = vec![
            bind(&[ENTER], Action::Accept, "take"),
            bind(&[ESC], Action::Back, "end filter"),
            quiet(&[F1], Action::Help, "help"),
        ];
        bindings.extend(open_vpn(model));
        bindings.extend(details(model, &[]));
        moves(&mut bindings, false);
        if picker.marked().is_some() {
            bindings.push(bind(&[TAB], Action::Toggle, "mark"));
        }
        // In a filter these edit the text, as everywhere text is edited.
        bindings.retain(|binding| !matches!(binding.action, Action::PageUp | Action::PageDown));
        return bindings;
    }
    let accept = match picker.current().map(|line| &line.choice) {
        Some(Choice::Proposal(..)) => "review",
        Some(Choice::Vpn(_) | Choice::Creation(_) | Choice::Vpns) => "open",
        _ if model.screen == Screen::Vpns => "open",
        _ => "continue",
    };
    // What cannot be taken says why there.
    let is_open = picker.marked().is_some() || picker.current().is_none_or(Line::is_open);
    let mut bindings = vec![Binding { in_footer: is_open, ..bind(&[ENTER], Action::Accept, accept) }];
    if picker.marked().is_some() {
        bindings.push(bind(&[Key::character(' ')], Action::Toggle, "mark"));
    }
    let back = bind(&[ESC, BACKTAB, LEFT], Action::Back, "back");
    bindings.push(if model.previous_screen().is_some() {
        back
    } else {
        Binding { in_footer: false, label: "leave", ..back }
    });
    let filter = bind(&[Key::character('/')], Action::Filter, "filter");
    bindings.push(Binding { in_footer: picker.lines().len() >= WORTH_FILTERING, ..filter });
    if model.can_retry() {
        bindings.push(bind(&[Key::character('r')], Action::Retry, "read again"));
    }
    bindings.extend(stop_reading(model));
    bindings.extend(open_vpn(model));
    bindings.extend([help_key(), quit_key(), requests()]);
    bindings.extend(details(model, &[TAB]));
    moves(&mut bindings, true);
    bindings.extend(numbers());
    bindings.extend([
        quiet(&[Key::plain(KeyCode::Home), Key::character('g')], Action::First, "first"),
        quiet(&[Key::plain(KeyCode::End), Key::character('G')], Action::Last, "last"),
    ]);
    bindings
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

/// Keys that scroll what is said of the line under the cursor; those scroll down too.
fn details(model: &Model, also: &[Key]) -> [Binding; 2] {
    let down: Vec<Key> = [Key::shifted(KeyCode::Down)].iter().chain(also).copied().collect();
    [
        Binding { in_footer: model.shell.overflow > 0, ..bind(&down, Action::DetailDown, "details") },
        quiet(&[Key::shifted(KeyCode::Up)], Action::DetailUp, "details, back"),
    ]
}

fn form_keys(model: &Model, form: &Form) -> Vec<Binding> {
    let mut bindings = vec![bind(&[ENTER], Action::Accept, "continue"), bind(&[ESC], Action::Back, "back")];
    let next = bind(&[TAB, DOWN], Action::Down, "next field");
    let previous = quiet(&[BACKTAB, UP], Action::Up, "previous field");
    match form.fields.as_slice() {
        [Field::Policy(_), ..] => bindings.extend([
            bind(&[RIGHT, Key::character(' ')], Action::Right, "change"),
            quiet(&[LEFT], Action::Left, "change back"),
            Binding { keys: vec![DOWN, TAB], ..next },
            Binding { keys: vec![UP, BACKTAB], ..previous },
            bind(&[Key::character('/')], Action::Filter, "all values"),
            quiet(&[Key::character('?')], Action::Help, ""),
        ]),
        [Field::PeerAddress, ..] => {
            bindings.extend([next, previous, bind(&[Key::control('t')], Action::PasteText, "read a text")]);
        }
        [_, _, ..] => bindings.extend([next, previous]),
        [Field::Text] => {}
        [field] if field.is_secret() => {
            let label = if model.shell.is_revealed() { "hide" } else { "show" };
            bindings.push(bind(&[Key::control('r')], Action::Reveal, label));
            bindings.extend((*field == Field::Key).then(|| bind(&[Key::control('g')], Action::Generate, "new key")));
        }
        _ => bindings.extend(open_vpn(model)),
    }
    bindings.push(bind(&[F1], Action::Help, "help"));
    bindings
}

fn review_keys(model: &Model, at_create: bool, is_plan: bool) -> Vec<Binding> {
    let accept = match (at_create, is_plan) {
        (true, true) => "create",
        (true, false) => "choose",
        (false, _) => "change",
    };
    let other = model.new_vpn.other_policy().map(|(profile, _)| profile);
    let mut bindings = vec![
        bind(&[ENTER], Action::Accept, accept),
        bind(&[ESC], Action::Back, "back"),
        Binding { in_footer: at_create, ..bind(&[UP, Key::character('k'), BACKTAB], Action::Up, "to the answers") },
        quiet(&[DOWN, Key::character('j'), TAB], Action::Down, "down"),
        quiet(&[Key::plain(KeyCode::Home), Key::character('g')], Action::First, "first answer"),
        Binding {
            in_footer: !at_create,
            ..bind(&[Key::plain(KeyCode::End), Key::character('G')], Action::Last, "to Create")
        },
        quiet(&[Key::plain(KeyCode::PageUp)], Action::PageUp, "scroll up"),
        quiet(&[Key::plain(KeyCode::PageDown)], Action::PageDown, "scroll down"),
        bind(&[Key::character('s')], Action::Save, "save plan"),
        bind(&[Key::character('c')], Action::ShowCommands, "commands"),
        help_key(),
        quit_key(),
        quiet(&[Key::character('f')], Action::ShowPlan, "the plan as a file"),
        quiet(&[Key::character('r')], Action::Retry, "read the regions again"),
        requests(),
    ];
    if let Some(other) = other {
        let label = if other == Profile::Modern { "use modern" } else { "use catalyst" };
        bindings.insert(2, bind(&[Key::character('p')], Action::SwitchPolicy, label));
    }
    if let Some(stop) = stop_reading(model) {
        bindings.insert(2, stop);
    }
    bindings
}

fn work_keys(model: &Model) -> Vec<Binding> {
    let Some(work) = &model.work.current else { return Vec::new() };
    let mut bindings = Vec::new();
    if !work.is_working() {
        bindings.push(bind(&[ENTER], Action::Accept, "choose"));
    }
    if work.buttons().len() > 1 {
        bindings.push(bind(&[RIGHT, TAB], Action::Right, "next"));
        bindings.push(quiet(&[LEFT, BACKTAB], Action::Left, "previous"));
    }
    bindings.extend(scrolling());
    if work.is_creation() {
        bindings.push(bind(&[Key::character('y')], Action::Copy, "copy ids"));
    }
    if work.key_to_save().is_some() {
        bindings.push(bind(&[Key::character('s')], Action::SaveKey, "save key"));
    }
    bindings.push(Binding { in_footer: work.is_working() || !work.is_done(), ..requests() });
    if work.has_sheet() {
        bindings.push(bind(&[Key::character('p')], Action::PeerSheet, "peer sheet"));
    }
    let quit = if work.is_working() { "stop" } else { "leave" };
    bindings.extend([help_key(), bind(&[Key::character('q'), ESC], Action::Quit, quit)]);
    bindings
}

fn sheet_keys(model: &Model) -> Vec<Binding> {
    let mut bindings = vec![
        bind(&[ENTER], Action::Accept, "choose"),
        bind(&[ESC], Action::Back, "back"),
        quiet(&[RIGHT, TAB], Action::Right, "next"),
        quiet(&[LEFT, BACKTAB], Action::Left, "previous"),
    ];
    for button in model.sheet.buttons() {
        let label = match button {
            SheetButton::Format => "system",
            SheetButton::Copy => "copy",
            SheetButton::Write => "write",
            SheetButton::Key => "key",
            SheetButton::OtherHalf => "other half",
        };
        bindings.push(bind(&[Key::character(button.letter())], Action::Sheet(button), label));
    }
    bindings.extend(scrolling());
    bindings.extend([help_key(), quit_key()]);
    bindings
}

fn vpn_keys(model: &Model) -> Vec<Binding> {
    let open = model.vpns.open.as_ref();
    let buttons = open.map(Open::buttons).unwrap_or_default();
    let has_findings = open.is_some_and(|open| open.finding().is_some());
    let mut bindings = vec![
        bind(&[ENTER], Action::Accept, "choose"),
        bind(&[ESC], Action::Back, "back"),
        quiet(&[RIGHT, TAB], Action::Right, "next"),
        quiet(&[LEFT, BACKTAB], Action::Left, "previous"),
    ];
    for (button, label) in [
        (VpnButton::Fix, "fix"),
        (VpnButton::NewKey, "new key"),
        (VpnButton::Subnets, "subnets"),
        (VpnButton::Admit, "admit"),
        (VpnButton::Upgrade, "upgrade"),
        (VpnButton::Sheet, "peer sheet"),
        (VpnButton::Delete, "delete"),
    ] {
        // What can only be fixed by hand is explained.
        let is_explained = button == VpnButton::Fix && has_findings;
        if buttons.contains(&button) || is_explained {
            let also = (button == VpnButton::Fix).then(|| Key::character('m'));
            let keys: Vec<Key> = [Key::character(button.letter())].into_iter().chain(also).collect();
            bindings.push(Binding { in_footer: buttons.contains(&button), ..bind(&keys, Action::Do(button), label) });
        }
    }
    if has_findings {
        bindings.extend((1..=9).zip('1'..='9').map(|(number, digit)| {
            let label = if number == 1 { "the finding of that number" } else { "" };
            quiet(&[Key::character(digit)], Action::Pick(number), label)
        }));
    }
    bindings.push(bind(&[Key::character('r')], Action::Retry, "check again"));
    bindings.extend(scrolling());
    bindings.extend([bind(&[Key::character('y')], Action::Copy, "copy ids"), help_key(), quit_key(), requests()]);
    bindings
}
