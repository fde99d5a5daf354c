//! A drawn screen as an SVG picture. Cells of one style that stand side by side become one rectangle and one text with a
//! fixed length, so that there are no seams and the columns stay aligned whatever the viewer's font is.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

/// Size of a cell in the picture's units.
const CELL: (f64, f64) = (8.4, 16.4);
const MARGIN: f64 = 12.0;

/// The colours a terminal would have.
pub struct Palette {
    background: &'static str,
    foreground: &'static str,
    dim: &'static str,
    red: &'static str,
    green: &'static str,
    magenta: &'static str,
    cyan: &'static str,
}

pub const DARK: Palette = Palette {
    background: "#14171c",
    foreground: "#d6dae0",
    dim: "#8a919c",
    red: "#f47067",
    green: "#7cc36e",
    magenta: "#d898e8",
    cyan: "#5ac8d8",
};

pub const LIGHT: Palette = Palette {
    background: "#fbfbfa",
    foreground: "#24292f",
    dim: "#6b737d",
    red: "#c4302b",
    green: "#2c7a2c",
    magenta: "#9a2fa8",
    cyan: "#0b7285",
};

impl Palette {
    fn color(&self, color: Color, modifier: Modifier) -> &'static str {
        match color {
            Color::Red => self.red,
            Color::Green => self.green,
            Color::Magenta => self.magenta,
            Color::Cyan => self.cyan,
            Color::Reset if modifier.contains(Modifier::DIM) => self.dim,
            Color::Reset => self.foreground,
            other => panic!("the theme has no {other:?}"),
        }
    }
}

/// One screen, and how many seconds an animation shows it.
pub struct Frame {
    pub buffer: Buffer,
    pub cursor: Option<(u16, u16)>,
    pub seconds: f64,
}

/// Draws a buffer, and the cursor if there is one.
pub fn draw(buffer: &Buffer, cursor: Option<(u16, u16)>, palette: &Palette) -> String {
    let mut svg = opened(buffer, palette);
    cells(&mut svg, buffer, cursor, palette);
    svg.push_str("</svg>\n");
    svg
}

/// Draws screens of one size one after the other, again and again. Who wants no motion is shown the last one.
pub fn animate(frames: &[Frame], palette: &Palette) -> String {
    let whole: f64 = frames.iter().map(|frame| frame.seconds).sum();
    let mut svg = opened(&frames[0].buffer, palette);
    svg.push_str("<style>\ng.frame { visibility: hidden }\n");
    let mut from = 0.0;
    for (number, frame) in frames.iter().enumerate() {
        let until = from + frame.seconds / whole * 100.0;
        let _ = writeln!(
            svg,
            "@keyframes f{number} {{ 0% {{ visibility: hidden }} {from:.2}% {{ visibility: visible }} {until:.2}%, 100% {{ visibility: hidden }} }}\n#f{number} {{ animation: f{number} {whole:.1}s step-end infinite }}"
        );
        from = until;
    }
    let last = frames.len() - 1;
    let _ = writeln!(
        svg,
        "@media (prefers-reduced-motion: reduce) {{ g.frame {{ animation: none }} #f{last} {{ visibility: visible; animation: none }} }}\n</style>"
    );
    for (number, frame) in frames.iter().enumerate() {
        let _ = writeln!(svg, r#"<g class="frame" id="f{number}">"#);
        cells(&mut svg, &frame.buffer, frame.cursor, palette);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn opened(buffer: &Buffer, palette: &Palette) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let width = f64::from(columns) * CELL.0 + 2.0 * MARGIN;
    let height = f64::from(rows) * CELL.1 + 2.0 * MARGIN;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" font-family="'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">
<rect width="100%" height="100%" rx="8" fill="{}"/>
"#,
        palette.background
    )
}

fn cells(svg: &mut String, buffer: &Buffer, cursor: Option<(u16, u16)>, palette: &Palette) {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    for row in 0..rows {
        let mut column = 0;
        while column < columns {
            let first = &buffer[(column, row)];
            let style = (first.fg, first.modifier);
            let start = column;
            let mut text = String::new();
            while column < columns && (buffer[(column, row)].fg, buffer[(column, row)].modifier) == style {
                let symbol = buffer[(column, row)].symbol();
                text.push_str(symbol);
                column += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol).max(1)).unwrap();
            }
            run(svg, (start, row), column - start, &text, style, palette);
        }
    }
    if let Some((column, row)) = cursor {
        let (x, y) = corner(column, row);
        let _ = writeln!(
            svg,
            r#"<rect x="{x:.1}" y="{y:.1}" width="2" height="{:.1}" fill="{}"/>"#,
            CELL.1, palette.foreground
        );
    }
}

fn corner(column: u16, row: u16) -> (f64, f64) {
    (MARGIN + f64::from(column) * CELL.0, MARGIN + f64::from(row) * CELL.1)
}

fn run(svg: &mut String, at: (u16, u16), columns: u16, text: &str, style: (Color, Modifier), palette: &Palette) {
    let (x, y) = corner(at.0, at.1);
    let (color, modifier) = style;
    let length = f64::from(columns) * CELL.0;
    let mut fill = palette.color(color, modifier);
    if modifier.contains(Modifier::REVERSED) {
        let _ =
            writeln!(svg, r#"<rect x="{x:.1}" y="{y:.1}" width="{length:.1}" height="{:.1}" fill="{fill}"/>"#, CELL.1);
        fill = palette.background;
    }
    if text.trim().is_empty() {
        return;
    }
    let weight = if modifier.contains(Modifier::BOLD) { r#" font-weight="bold""# } else { "" };
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        svg,
        r#"<text x="{x:.1}" y="{:.1}" fill="{fill}"{weight} textLength="{length:.1}" lengthAdjust="spacingAndGlyphs" xml:space="preserve">{text}</text>"#,
        y + 12.8
    );
}
