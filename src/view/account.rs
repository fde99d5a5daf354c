//! An account of how things stand: paragraphs, some behind a sign, one below the other.

use jiff::Timestamp;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text::{hanging, paragraph};
use super::{Scene, document};
use crate::cloud::Error;

/// The paragraphs so far.
pub(super) struct Account<'a> {
    pub(super) scene: Scene<'a>,
    pub(super) columns: usize,
    pub(super) lines: Vec<Line<'static>>,
}

impl<'a> Account<'a> {
    pub(super) const fn new(scene: Scene<'a>, columns: usize) -> Self {
        Self { scene, columns, lines: Vec::new() }
    }

    pub(super) fn say(&mut self, text: &str) {
        self.lines.extend(paragraph(text, self.columns, self.scene.theme.text()));
    }

    pub(super) fn title(&mut self, text: String) {
        self.lines.push(Line::styled(text, self.scene.theme.title()));
    }

    pub(super) fn gap(&mut self) {
        self.lines.push(Line::default());
    }

    pub(super) fn good(&mut self, text: &str) {
        let theme = self.scene.theme;
        self.signed((theme.glyphs.done, theme.good()), text, theme.title());
    }

    pub(super) fn warning(&mut self, text: &str) {
        let theme = self.scene.theme;
        self.signed((theme.glyphs.warning, theme.warning()), text, theme.title());
    }

    pub(super) fn signed(&mut self, (glyph, style): (&str, Style), text: &str, words: Style) {
        let glyph = Span::styled(format!("{glyph} "), style);
        self.lines.extend(hanging(glyph, text, self.columns, words));
    }

    pub(super) fn error(&mut self, error: &Error) {
        self.lines.extend(document::error(self.scene, error, self.columns));
    }
}

pub(super) fn hour(time: Timestamp) -> String {
    time.strftime("%H:%M UTC").to_string()
}
