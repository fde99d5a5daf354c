//! The two sides of a plan as a picture: what is where, and which way what goes.
//!
//! ```text
//! ┌ A Hamilton ──────────┐       ┌ B Porirua ───────────┐
//! │ nz-hlz-1             │       │ nz-por-1             │
//! │ border-router        │       │ border-router        │
//! │ 103.197.61.75        │ <===> │ 150.242.40.137       │
//! │ 10.0.0.0/24          │       │ 10.20.30.0/24        │
//! └──────────────────────┘       └──────────────────────┘
//! Hamilton → 10.20.30.0/24 via 150.242.40.137
//! Porirua  → 10.0.0.0/24 via 103.197.61.75
//! ```

use itertools::Itertools;
use ratatui::text::{Line, Span};

use super::Scene;
use super::text::{fit, hanging, pad, paragraph, width, wrap};
use super::theme::Theme;
use crate::plan::{Far, HalfPlan, Peer, Plan};

const LINK: usize = 7;
/// The narrowest box an IPv4 range and its borders fit in.
const NARROWEST: usize = 20;
/// Wider boxes only move the sides apart.
const WIDEST: usize = 38;

/// One side: its title, the rows above its address, the address, and its ranges.
struct SideColumn {
    title: String,
    above: Vec<String>,
    address: String,
    ranges: Vec<String>,
}

impl SideColumn {
    fn of_half(half: &HalfPlan) -> Self {
        let mut above = Vec::new();
        if half.label != half.region.as_str() {
            above.push(half.region.to_string());
        }
        above.push(half.router.name.clone());
        Self {
            title: format!("{} {}", half.half, half.label),
            above,
            address: half.address_text(),
            ranges: half.local.iter().map(|subnet| subnet.cidr.to_string()).collect(),
        }
    }

    fn text(&self) -> String {
        let below = [&self.address].into_iter().chain(&self.ranges);
        format!("{}: {}", self.title, self.above.iter().chain(below).join(", "))
    }

    fn of_peer(peer: &Peer) -> Self {
        let address = peer.address.to_string();
        let above = if peer.id == address { Vec::new() } else { vec![format!("id {}", peer.id)] };
        Self {
            title: "External peer".to_owned(),
            above,
            address,
            ranges: peer.cidrs.iter().map(ToString::to_string).collect(),
        }
    }
}

fn of(plan: &Plan) -> (SideColumn, SideColumn) {
    let far = match plan.far() {
        Far::Half(half) => SideColumn::of_half(half),
        Far::Peer(peer) => SideColumn::of_peer(peer),
    };
    (SideColumn::of_half(plan.a()), far)
}

/// The two sides in a line each, where there is no room for the picture.
pub(super) fn in_words(scene: Scene<'_>, plan: &Plan, columns: usize) -> Vec<Line<'static>> {
    let (near, far) = of(plan);
    [near, far].iter().flat_map(|side| paragraph(&side.text(), columns, scene.theme.text())).collect()
}

/// The picture, in that many columns. Where both sides do not fit beside each other, they stand one below the other.
pub(super) fn picture(scene: Scene<'_>, plan: &Plan, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let (near, far) = of(plan);
    if theme.is_still {
        let sides = [&near, &far].map(|side| Line::raw(side.text()));
        return sides.into_iter().chain(directions(scene, plan, columns)).collect();
    }
    let across = (columns.saturating_sub(LINK) / 2).min(WIDEST);
    let tunnel = theme.glyphs.tunnel;
    let mut lines = if across >= NARROWEST {
        beside(theme, &near, &far, across)
    } else {
        let mut lines = stacked(theme, &near, columns);
        lines.push(Line::styled(format!("   <{}>", tunnel.repeat(3)), theme.accent()));
        lines.extend(stacked(theme, &far, columns));
        lines
    };
    lines.extend(directions(scene, plan, columns));
    lines
}

fn beside(theme: &Theme, near: &SideColumn, far: &SideColumn, across: usize) -> Vec<Line<'static>> {
    let above = near.above.len().max(far.above.len());
    let rows = |side: &SideColumn| rows(side, above, across.saturating_sub(4));
    let (left, right) = (rows(near), rows(far));
    let height = left.len().max(right.len());
    let link = format!(" <{}> ", theme.glyphs.tunnel.repeat(LINK - 4));
    let mut lines =
        vec![join(top(theme, &near.title, across), " ".repeat(LINK).into(), top(theme, &far.title, across))];
    for row in 0..height {
        let cell = |rows: &[String]| side_row(theme, rows.get(row).map_or("", String::as_str), across, row == above);
        let between =
            if row == above { Span::styled(link.clone(), theme.accent()) } else { Span::raw(" ".repeat(LINK)) };
        lines.push(join(cell(&left), between, cell(&right)));
    }
    lines.push(join(bottom(theme, across), " ".repeat(LINK).into(), bottom(theme, across)));
    lines
}

fn stacked(theme: &Theme, side: &SideColumn, columns: usize) -> Vec<Line<'static>> {
    let above = side.above.len();
    let mut lines = vec![Line::from(top(theme, &side.title, columns))];
    let rows = rows(side, above, columns.saturating_sub(4));
    lines.extend(rows.iter().enumerate().map(|(row, text)| Line::from(side_row(theme, text, columns, row == above))));
    lines.push(Line::from(bottom(theme, columns)));
    lines
}

/// The rows of a box, with the address at the same height on both sides.
fn rows(side: &SideColumn, above: usize, room: usize) -> Vec<String> {
    let mut rows = side.above.clone();
    rows.resize(above, String::new());
    rows.rotate_right(above - side.above.len());
    // An IPv6 address is longer than a narrow box; unlike a name it is of no use cut.
    rows.extend(wrap(&side.address, room));
    rows.extend(side.ranges.iter().flat_map(|range| wrap(range, room)));
    rows
}

fn join(left: Vec<Span<'static>>, between: Span<'static>, right: Vec<Span<'static>>) -> Line<'static> {
    Line::from([left, vec![between], right].concat())
}

fn top(theme: &Theme, title: &str, across: usize) -> Vec<Span<'static>> {
    let set = theme.glyphs.border;
    let title = format!(" {} ", fit(theme, title, across.saturating_sub(5)));
    let rest = set.horizontal_top.repeat(across.saturating_sub(2 + width(&title)));
    vec![
        Span::styled(set.top_left, theme.dim()),
        Span::styled(title, theme.title()),
        Span::styled(format!("{rest}{}", set.top_right), theme.dim()),
    ]
}

fn side_row(theme: &Theme, text: &str, across: usize, is_address: bool) -> Vec<Span<'static>> {
    let set = theme.glyphs.border;
    let text = pad(theme, text, across.saturating_sub(4));
    vec![
        Span::styled(format!("{} ", set.vertical_left), theme.dim()),
        Span::styled(text, if is_address { theme.title() } else { theme.text() }),
        Span::styled(format!(" {}", set.vertical_right), theme.dim()),
    ]
}

fn bottom(theme: &Theme, across: usize) -> Vec<Span<'static>> {
    let set = theme.glyphs.border;
    let rule = set.horizontal_bottom.repeat(across.saturating_sub(2));
    vec![Span::styled(format!("{}{rule}{}", set.bottom_left, set.bottom_right), theme.dim())]
}

/// Each side reaches the other's ranges through the other's address.
fn directions(scene: Scene<'_>, plan: &Plan, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let a = plan.a();
    let way = |from: &str, ranges: &[ipnet::IpNet], to: &str| {
        let ranges = ranges.iter().join(", ");
        (from.to_owned(), format!("{ranges} via {to}"))
    };
    let (address, _) = plan.peer_of(a);
    let ways = [
        way(&a.label, &a.remote, &address),
        match plan.far() {
            Far::Half(b) => way(&b.label, &b.remote, &a.address_text()),
            Far::Peer(_) => way("Peer", &a.local_ranges(), &a.address_text()),
        },
    ];
    let widest = ways.iter().map(|(from, _)| width(from)).max().unwrap_or(0).min(columns / 3);
    let line = |(from, way): &(String, String)| {
        let lead = format!("{} {} ", pad(theme, from, widest), theme.glyphs.arrow);
        hanging(Span::styled(lead, theme.title()), way, columns, theme.text())
    };
    ways.iter().flat_map(line).collect()
}
