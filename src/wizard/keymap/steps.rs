//! The keys of lists, forms and the review.

use crossterm::event::KeyCode;

use super::super::Model;
use super::super::fields::Field;
use super::super::forms::Form;
use super::super::picker::{Choice, Line, Picker};
use super::super::screen::Screen;
use super::{
    Action, BACKTAB, Binding, DOWN, ENTER, ESC, F1, Key, LEFT, RIGHT, TAB, UP, bind, help_key, numbers, open_vpn,
    quiet, quit_key, requests, stop_reading,
};
use crate::plan::Profile;

/// A list of fewer lines is seen at a glance.
const WORTH_FILTERING: usize = 8;

pub(super) fn picker_keys(model: &Model, picker: &Picker) -> Vec<Binding> {
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
    bindings.extend(numbers("the line of that number"));
    bindings.extend([
        quiet(&[Key::plain(KeyCode::Home), Key::character('g')], Action::First, "first"),
        quiet(&[Key::plain(KeyCode::End), Key::character('G')], Action::Last, "last"),
    ]);
    bindings
}

/// Keys that scroll what is said of the line under the cursor; those scroll down too.
fn details(model: &Model, also: &[Key]) -> [Binding; 2] {
    let down: Vec<Key> = [Key::shifted(KeyCode::Down)].iter().chain(also).copied().collect();
    [
        Binding { in_footer: model.shell.overflow > 0, ..bind(&down, Action::DetailDown, "details") },
        quiet(&[Key::shifted(KeyCode::Up)], Action::DetailUp, "details, back"),
    ]
}

pub(super) fn form_keys(model: &Model, form: &Form) -> Vec<Binding> {
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
            bindings.push(bind(&[Key::control('d')], Action::ChooseSystem, "its system"));
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

pub(super) fn review_keys(model: &Model, at_create: bool, is_plan: bool) -> Vec<Binding> {
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
