//! The keys of questions, of work, of a sheet and of a VPN that exists.

use crossterm::event::KeyCode;

use super::super::Model;
use super::super::dialog::{Act, Dialog};
use super::super::sheet::SheetButton;
use super::super::sign_in_question::Asked;
use super::super::vpns::{Open, VpnButton};
use super::{
    Action, BACKTAB, Binding, DOWN, ENTER, ESC, F1, Key, LEFT, RIGHT, TAB, UP, bind, help_key, numbers, quiet,
    quit_key, requests, scrolling,
};

pub(super) fn question_keys(asked: &Asked) -> Vec<Binding> {
    let is_last = asked.focus + 1 >= asked.fields.len();
    vec![
        bind(&[ENTER], Action::Accept, if is_last { "sign in" } else { "next field" }),
        bind(&[ESC], Action::Back, "not now"),
        quiet(&[TAB, DOWN], Action::Down, "next field"),
        quiet(&[BACKTAB, UP], Action::Up, "previous field"),
    ]
}

pub(super) fn dialog_keys(dialog: &Dialog) -> Vec<Binding> {
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

pub(super) fn problem_keys(model: &Model) -> Vec<Binding> {
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

pub(super) fn work_keys(model: &Model) -> Vec<Binding> {
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

pub(super) fn sheet_keys(model: &Model) -> Vec<Binding> {
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

pub(super) fn vpn_keys(model: &Model) -> Vec<Binding> {
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
        bindings.extend(numbers("the finding of that number"));
    }
    bindings.push(bind(&[Key::character('r')], Action::Retry, "check again"));
    bindings.extend(scrolling());
    bindings.extend([bind(&[Key::character('y')], Action::Copy, "copy ids"), help_key(), quit_key(), requests()]);
    bindings
}
