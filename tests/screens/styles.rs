//! Styles, for the few cells where they carry a meaning.

use super::*;

#[track_caller]
fn cell_of<'a>(here: &'a Drawn, text: &str) -> &'a ratatui::buffer::Cell {
    let row = here
        .text
        .lines()
        .position(|line| line.contains(text))
        .unwrap_or_else(|| panic!("no {text:?} in\n{}", here.text));
    let line = here.text.lines().nth(row).unwrap();
    let column = line[..line.find(text).unwrap()].chars().count();
    &here.buffer[(u16::try_from(column).unwrap(), u16::try_from(row).unwrap())]
}

#[test]
fn the_cursor_is_reversed_and_what_cannot_be_taken_is_dim_with_and_without_colour() {
    for theme in [COLOR, Theme::new(false, true)] {
        let journey = at(Screen::Router(Half::A));
        let here = drawn(&journey.model, &theme);
        assert!(cell_of(&here, "1 border-router").modifier.contains(Modifier::REVERSED));
        assert!(cell_of(&here, "4 isolated-router").modifier.contains(Modifier::DIM));
        assert!(!cell_of(&here, "2 used-router").modifier.intersects(Modifier::DIM | Modifier::REVERSED));
    }
}

#[test]
fn without_colour_no_cell_has_one() {
    let mut run = Run::begun(SMALL);
    run.made(Half::A, 0, 0.4);
    run.failed(Half::B, 0, server_error());
    for model in [&run.journey.model, &at(Screen::Review).model, &at(Screen::Router(Half::A)).model] {
        let here = drawn(model, &Theme::new(false, true));
        let plain = |cell: &ratatui::buffer::Cell| {
            cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset
        };
        assert!(here.buffer.content().iter().all(plain));
    }
}

#[test]
fn a_fault_stands_out_with_and_without_colour_and_no_colour_is_needed_for_it() {
    let journey = vpns::opened(surveys::broken(), osvpn::inspect::Exposures::new());
    let here = drawn(&journey.model, &COLOR);
    assert!(cell_of(&here, "1 ! IPsec").modifier.contains(Modifier::BOLD));
    assert!(cell_of(&here, "[ Fix ]").modifier.contains(Modifier::REVERSED));
    let plain = drawn(&journey.model, &Theme::new(false, true));
    assert!(cell_of(&plain, "[ Fix ]").modifier.contains(Modifier::REVERSED));
    let is_plain = |cell: &ratatui::buffer::Cell| cell.fg == ratatui::style::Color::Reset;
    assert!(plain.buffer.content().iter().all(is_plain));
}

#[test]
fn the_focused_button_is_reversed() {
    let journey = at(Screen::Review);
    assert!(cell_of(&drawn(&journey.model, &COLOR), "[ Create ]").modifier.contains(Modifier::REVERSED));
}

#[test]
fn the_terminals_cursor_stands_where_text_is_typed() {
    let mut journey = Journey::discovered_on(SMALL);
    journey.single().to(Screen::Peer);
    journey.types("198.51");
    let here = drawn(&journey.model, &COLOR);
    let (column, row) = here.cursor.expect("a field has a cursor");
    assert_eq!(here.buffer[(column - 1, row)].symbol(), "1");
    journey.press("Esc");
    assert_eq!(drawn(&journey.model, &COLOR).cursor, None, "a list has none");
}
