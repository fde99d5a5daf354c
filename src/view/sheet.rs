//! The sheet for the owner of a far side, as wide as the screen: its lines are for another system.
//!
//! ```text
//! │ The far side of office: strongSwan                │
//! │                                                   │
//! │ # strongSwan: the far side of the VPN office      │
//! │ connections {                                     │
//! │ ...                                               │
//! │ [ System ]  Copy  Write file  Show key             │
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use secrecy::ExposeSecret;

use super::account::Account;
use super::area::Area;
use super::{Scene, document};
use crate::sheet::Sheet;
use crate::wizard::gesture::Spot;

pub(super) fn draw(scene: Scene<'_>, area: Rect, frame: &mut Frame<'_>) -> u16 {
    let (_, area) = area.split_top(1);
    let page = &scene.model.sheet;
    let columns = usize::from(area.width);
    let buttons = page.buttons();
    let labels: Vec<_> = buttons.iter().map(|button| (page.label(*button), Some(button.letter()))).collect();
    let rows = document::lettered_buttons(scene, &labels, Some(page.focus), columns);
    scene.spots.put_buttons(&rows, area, buttons.into_iter().map(Spot::Sheet));
    let rest = document::button_rows(rows, area, frame);
    document::draw(scene, &lines(scene, columns), scene.model.shell.scroll, ("Up", "Down"), rest, frame)
}

/// The sheet, or why there is none.
pub(super) fn lines(scene: Scene<'_>, columns: usize) -> Vec<Line<'static>> {
    let mut text = Account::new(scene, columns);
    if let Some(error) = scene.model.sheet.key_error() {
        text.warning("The key could not be read:");
        text.error(error);
        text.gap();
    }
    if scene.model.sheet.is_reading_key() {
        text.say("Reading the key.");
        text.gap();
    }
    match scene.model.sheet.sheet() {
        Ok(sheet) => text.sheet(sheet),
        Err(reasons) => {
            for reason in &reasons {
                text.warning(reason);
            }
        }
    }
    text.lines
}

impl Account<'_> {
    pub(super) fn sheet(&mut self, sheet: &Sheet) {
        // The two columns of values stand where they do on paper only if a line is not broken at its blanks.
        for line in sheet.text().expose_secret().lines() {
            let fits = super::text::width(line) <= self.columns;
            if fits { self.lines.push(Line::styled(line.to_owned(), self.scene.theme.text())) } else { self.say(line) }
        }
    }
}
