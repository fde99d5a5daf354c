//! Parts of an area that never leave it.

use ratatui::layout::Rect;

/// Takes parts from an area. What there is no room for comes out empty.
pub(super) trait Area: Sized {
    /// The first rows, and the rest.
    fn split_top(self, rows: u16) -> (Self, Self);
    /// All but the last rows, and those.
    fn split_bottom(self, rows: u16) -> (Self, Self);
    /// The first columns, and the rest.
    fn split_left(self, columns: u16) -> (Self, Self);
    /// One row, counted from 0.
    fn row(self, row: u16) -> Self;
    /// The area without a margin at the left and right, and at the top and bottom.
    fn inside(self, columns: u16, rows: u16) -> Self;
    fn middle(self, columns: u16, rows: u16) -> Self;
}

impl Area for Rect {
    fn split_top(self, rows: u16) -> (Self, Self) {
        let rows = rows.min(self.height);
        let top = Self { height: rows, ..self };
        (top, Self { y: self.y.saturating_add(rows), height: self.height - rows, ..self })
    }

    fn split_bottom(self, rows: u16) -> (Self, Self) {
        self.split_top(self.height.saturating_sub(rows))
    }

    fn split_left(self, columns: u16) -> (Self, Self) {
        let columns = columns.min(self.width);
        let left = Self { width: columns, ..self };
        (left, Self { x: self.x.saturating_add(columns), width: self.width - columns, ..self })
    }

    fn row(self, row: u16) -> Self {
        self.split_top(row).1.split_top(1).0
    }

    fn inside(self, columns: u16, rows: u16) -> Self {
        let (columns, rows) = (columns.min(self.width / 2), rows.min(self.height / 2));
        Self {
            x: self.x.saturating_add(columns),
            y: self.y.saturating_add(rows),
            width: self.width - 2 * columns,
            height: self.height - 2 * rows,
        }
    }

    fn middle(self, columns: u16, rows: u16) -> Self {
        let (width, height) = (columns.min(self.width), rows.min(self.height));
        let (x, y) = ((self.width - width) / 2, (self.height - height) / 2);
        Self { x: self.x.saturating_add(x), y: self.y.saturating_add(y), width, height }
    }
}
