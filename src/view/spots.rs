//! Where on the screen something takes a click: what the view tells of a frame besides its text.

use std::cell::RefCell;

use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::area::Area;
use crate::wizard::gesture::Spot;

/// The places of one frame.
#[derive(Debug, Default)]
pub struct Spots(RefCell<Vec<(Rect, Spot)>>);

impl Spots {
    pub(super) fn put(&self, area: Rect, spot: Spot) {
        self.0.borrow_mut().push((area, spot));
    }

    /// Lines one below the other, each with the rows it takes, as far as there is room.
    pub(super) fn put_rows(&self, area: Rect, lines: impl IntoIterator<Item = (usize, Spot)>) {
        let mut rest = area;
        for (rows, spot) in lines {
            let (place, below) = rest.split_top(u16::try_from(rows).unwrap_or(u16::MAX));
            self.put(place, spot);
            rest = below;
        }
    }

    /// The buttons of these rows, which are the last ones of an area, as `document::lettered_buttons` makes them.
    pub(super) fn put_buttons(&self, rows: &[Line<'_>], area: Rect, spots: impl IntoIterator<Item = Spot>) {
        let mut spots = spots.into_iter();
        let (_, area) = area.split_bottom(u16::try_from(rows.len()).unwrap_or(u16::MAX));
        for (at, row) in (0..).zip(rows) {
            let mut rest = area.row(at);
            for button in row.spans.chunks(4) {
                let width = |spans: &[Span<'_>]| {
                    u16::try_from(spans.iter().map(Span::width).sum::<usize>()).unwrap_or(u16::MAX)
                };
                let Some((parts, gap)) = button.split_at_checked(3) else { break };
                let (place, after) = rest.split_left(width(parts));
                let Some(spot) = spots.next() else { return };
                self.put(place, spot);
                rest = after.split_left(width(gap)).1;
            }
        }
    }

    /// Something stands over all there is so far.
    pub(super) fn cover(&self) {
        self.0.borrow_mut().clear();
    }

    /// What a click there is on; columns and rows are counted from 0.
    pub fn at(&self, column: u16, row: u16) -> Option<Spot> {
        let position = Position::new(column, row);
        self.0.borrow().iter().rev().find(|(area, _)| area.contains(position)).map(|(_, spot)| spot.clone())
    }
}
