//! What can be typed besides numbers and texts, and how that is told.

use crossterm::event::KeyCode;
use secrecy::{ExposeSecret, SecretString};

use super::page::{self, SpokenPage};
use crate::wizard::gesture::Gesture;
use crate::wizard::keymap::{self, Action};
use crate::wizard::sign_in_question::Asked;
use crate::wizard::{Content, Message, Model};

pub(super) const GREETING: &str = "osvpn in lines. Type a number and Enter; Enter alone takes the one in brackets. b goes back, ? explains, q leaves.";
pub(super) const UNSEEN: &str = "What you type is not shown. :b cancels.";
pub(super) const TAKEN_AS_TEXT: &str = "That was taken as text; here :b goes back and :q leaves.";
pub(super) const NOTHING_TYPED: &str = "Nothing was typed. :b cancels.";
pub(super) const UNSEEN_KEY: &str =
    "What you type is not shown. An empty line keeps the key there is, if there is one.";
pub(super) const WORKING: &str = "Ctrl-C asks whether to stop.";
pub(super) const POLICY: &str = "Type the number of a field and its value, as in: 3 sha256. The number alone lists its values. Enter alone continues.";
pub(super) const NOT_UNDERSTOOD: &str = "That is neither a number nor a name nor a command of this list; ? explains.";
pub(super) const AS_BEFORE: &str = "The rest is as it was said before; / says all of it.";
pub(super) const CHECKS: &str = "/ says each check.";
pub(super) const OF_QUESTIONS: &str =
    "Type the number or the name of an answer. Enter alone takes the one in brackets; b goes back without an answer.";
pub(super) const OTHER_NAME: &str = "That is another name; nothing was done.";
pub(super) const STILL_READING: &str = "There are no numbers before that is read; a name can be typed already.";
pub(super) const NO_DEFAULT: &str = "Enter alone deletes nothing; type a number or a name.";
pub(super) const SEVERAL: &str = "Several lines are called that; type a number.";
const OF_TEXTS: &str = "Where a text is asked for, commands begin with a colon: :b goes back, :n goes to the next field, :p \
                        to the one before, :g makes a new key, :o opens the VPN that is named, :t reads a text of the other side, :d says what stands there, :? explains, :q leaves.";
const OF_LISTS: &str = "In a list: its number, several with commas where several can be taken, or its name; 3? explains line 3; /text shows only \
                        the lines with that text, / all of them, m more of them.";

/// What is answered to a sign-in. An empty line may stand for the first of two fields.
pub(super) fn answer(asked: &Asked, line: &SecretString) -> Vec<Message> {
    let is_last = asked.focus + 1 >= asked.fields.len();
    let gesture = match line.expose_secret().trim_end_matches(['\r', '\n']) {
        ":b" | ":q" => Gesture::Act(Action::Back),
        "b" | "q" if asked.is_sent => Gesture::Act(Action::Back),
        _ if asked.is_sent => return Vec::new(),
        "" if !is_last => Gesture::Act(Action::Down),
        "" => Gesture::Act(Action::Accept),
        _ => Gesture::Fill(line.clone()),
    };
    vec![Message::Gesture(gesture)]
}

/// Why a line is no answer to a sign-in.
pub(super) fn unanswered(asked: &Asked, text: &str) -> Option<&'static str> {
    let is_last = asked.focus + 1 >= asked.fields.len();
    let is_empty = text.is_empty() && is_last && asked.fields.iter().all(|field| field.chars() == 0);
    match text {
        _ if asked.is_sent => None,
        ":?" => Some(UNSEEN),
        _ => is_empty.then_some(NOTHING_TYPED),
    }
}

/// What can be done while something is still being read.
pub(super) fn while_reading(model: &Model, page: &SpokenPage) -> String {
    let mut said = String::new();
    if !page.entries.is_empty() {
        said += " Until then the numbers stay as they are; / shows anew what there is.";
    }
    let names: Vec<String> = page::coming(model).into_iter().map(|offer| offer.title).collect();
    if page.entries.is_empty() && !names.is_empty() {
        said.extend([" Until then a name can be typed: ", &names.join(", "), "."]);
    }
    if keymap::bindings(model).iter().any(|way| way.action == Action::StopReading) {
        said += " x stops reading.";
    }
    said
}

/// The commands where letters are text.
pub(super) fn of_form(model: &Model, name: &str) -> Option<Action> {
    match name {
        "n" => Some(Action::Down),
        "p" => Some(Action::Up),
        "o" => keymap::bindings(model).iter().any(|way| way.action == Action::OpenVpn).then_some(Action::OpenVpn),
        "g" => keymap::bindings(model).iter().any(|way| way.action == Action::Generate).then_some(Action::Generate),
        "d" => {
            keymap::bindings(model).iter().any(|way| way.action == Action::ChooseSystem).then_some(Action::ChooseSystem)
        }
        "t" => keymap::bindings(model).iter().any(|way| way.action == Action::PasteText).then_some(Action::PasteText),
        "b" => Some(Action::Back),
        "q" => Some(Action::Quit),
        "?" => Some(Action::Help),
        _ => None,
    }
}

/// The commands that are the letters of keys.
pub(super) fn of_letter(model: &Model, text: &str) -> Option<Action> {
    let mut characters = text.chars();
    let (Some(letter), None) = (characters.next(), characters.next()) else { return None };
    let is_over = model.shell.dialog.is_some();
    match letter {
        'b' => return Some(Action::Back),
        'q' => return Some(Action::Quit),
        '?' if !is_over => return Some(Action::Help),
        '0'..='9' | '/' | '?' | 'm' => return None,
        _ => {}
    }
    let ways = keymap::bindings(model);
    if letter == 'o' && ways.iter().any(|way| way.action == Action::OpenVpn) {
        return Some(Action::OpenVpn);
    }
    let way = ways.iter().find(|way| {
        is_told(way.action) && way.keys.iter().any(|key| key.code == KeyCode::Char(letter) && !key.control)
    });
    way.map(|way| way.action)
}

/// Whether it is more than moving on a screen, and possible without one.
const fn is_told(action: Action) -> bool {
    use Action::{
        Accept, Back, Copy, DetailDown, DetailUp, Down, Filter, First, Last, Left, PageDown, PageUp, Pick, Repaint,
        Reveal, Right, Suspend, Toggle, Up,
    };
    !matches!(
        action,
        Accept
            | Back
            | Copy
            | DetailDown
            | DetailUp
            | Down
            | Filter
            | First
            | Last
            | Left
            | PageDown
            | PageUp
            | Pick(_)
            | Repaint
            | Reveal
            | Right
            | Suspend
            | Toggle
            | Up
    )
}

/// The commands of the screen, for the help.
pub(super) fn help(model: &Model) -> Vec<String> {
    let mut lines = vec![OF_LISTS.to_owned(), OF_TEXTS.to_owned(), "  b  back".to_owned()];
    if !matches!(model.content(), Content::List(_)) {
        lines.push("  /  says all of the page once more".to_owned());
    }
    for way in keymap::screen_bindings(model) {
        let letter = way.keys.iter().find_map(|key| match key.code {
            KeyCode::Char(letter) if !key.control => Some(letter),
            _ => None,
        });
        if let Some(letter) = letter.filter(|_| is_told(way.action) && !way.label.is_empty()) {
            lines.push(format!("  {letter}  {}", way.label));
        }
    }
    lines
}
