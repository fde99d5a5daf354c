//! A click goes where it points; what makes or deletes something takes two, and neither by accident.

use osvpn::view::{Spots, Theme, view_with_spots};
use osvpn::wizard::gesture::{Gesture, Spot};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;

in_both! {
    it_rings_once_when_more_than_a_minute_was_waited_for,
}

on_a_screen! {
    a_click_on_a_line_goes_there_and_one_on_where_the_cursor_is_takes_it: "the mouse needs a screen",
    a_button_takes_two_clicks_and_what_creates_is_no_double_click: "the mouse needs a screen",
    what_a_dialog_covers_takes_no_click: "the mouse needs a screen",
}

impl Journey {
    /// What takes a click at the place of the screen that has that text.
    #[track_caller]
    fn spot(&self, text: &str) -> Option<Spot> {
        let (columns, rows) = self.model.shell.size;
        let spots = Spots::default();
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let theme = Theme::new(true, true);
        let draw = |frame: &mut ratatui::Frame<'_>| {
            view_with_spots(&self.model, &theme, &spots, frame);
        };
        terminal.draw(draw).unwrap();
        let shown = journey::drawn_text(self);
        let found = shown.lines().enumerate().find_map(|(row, line)| {
            let (before, _) = line.split_once(text)?;
            Some((u16::try_from(before.chars().count()).unwrap(), u16::try_from(row).unwrap()))
        });
        let (column, row) = found.unwrap_or_else(|| panic!("{text:?} is not on\n{shown}"));
        spots.at(column, row)
    }

    /// Clicks there.
    #[track_caller]
    fn click(&mut self, text: &str) -> &mut Self {
        let spot = self.spot(text).unwrap_or_else(|| panic!("{text:?} takes no click"));
        self.passes(1000).send(Message::Gesture(Gesture::Click(spot)))
    }

    fn wheel(&mut self, is_up: bool) -> &mut Self {
        self.send(Message::Gesture(Gesture::Scroll { is_up }))
    }
}

fn current(journey: &Journey) -> String {
    let Content::List(picker) = journey.model.content() else { panic!("no list") };
    picker.current().unwrap().title.clone()
}

fn a_click_on_a_line_goes_there_and_one_on_where_the_cursor_is_takes_it() {
    let mut journey = Journey::ready();
    journey.click("one region and").at(Screen::Mode);
    assert_eq!(current(&journey), "one region and an outside peer");
    journey.click("one region and").at(Screen::Region(Half::A));
    journey.wheel(false);
    assert_eq!(current(&journey), "Porirua");
    journey.wheel(true);
    assert_eq!(current(&journey), "Hamilton");
}

fn a_button_takes_two_clicks_and_what_creates_is_no_double_click() {
    let mut journey = Journey::at_review();
    journey.click("[ Create ]").at(Screen::Review);
    journey.at_once(KeyCode::PageDown).click("[ Create ]").at(Screen::Review);
    journey.send(Message::Gesture(Gesture::Click(Spot::Create))).at(Screen::Review);
    let notice = journey.model.shell.notice.clone().unwrap();
    assert!(notice.text.contains("ignored"), "{notice:?}");
    journey.click("[ Create ]").at(Screen::Review).click("[ Create ]").at(Screen::Work);
}

fn what_a_dialog_covers_takes_no_click() {
    let mut journey = Journey::at_review();
    assert_eq!(journey.spot("Region A"), Some(Spot::Step(Screen::Region(Half::A))));
    journey.press("q");
    assert_eq!(journey.spot("Region A"), None);
    journey.click("Stay");
    assert!(journey.model.shell.dialog.is_some(), "the first click only goes there");
    journey.click("Stay");
    assert!(journey.model.shell.dialog.is_none());
    journey.at(Screen::Review);
}

fn it_rings_once_when_more_than_a_minute_was_waited_for() {
    let rings = |seconds: u64| {
        let mut journey = running();
        let course = everything();
        journey.send(rested(Ok(Changed::Done), course)).passes(seconds * 1000);
        journey.send(Message::Watched(Watched::Active));
        journey.passes(200_000);
        journey.effects.iter().filter(|effect| matches!(effect, Effect::Ring(_))).count()
    };
    assert_eq!((rings(30), rings(90)), (0, 1));
}
