//! Everything before anything is made: the two sides, what to know, and every object by name. The rail is the list of
//! answers: the focus goes up into it from Create.
//!
//! ```text
//! │ ✓ Region A  Hamilton │ Review of hlz-por            11 of 11 │
//! │ ✓ Region B  Porirua  │ Nothing exists yet.                   │
//! │ ...                  │ picture of the sides                  │
//! │ ✓ Policy    catalyst │ warnings                              │
//! │ ✓ Name      hlz-por  │ objects                               │
//! │ ● Review             │ ↓ 12 more  PgDn                       │
//! │ ○ Create             │                                       │
//! │                      │ [ Create ]  creates 12 objects        │
//! ```

use itertools::{EitherOrBoth, Itertools};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::area::Area;
use super::text::{fit, hanging, width};
use super::{Scene, document, remote, sides};
use crate::plan::{Finding, HalfPlan, Place, Plan, PlannedObject, Severity};
use crate::sign_in::READER;
use crate::wizard::gesture::Spot;
use crate::wizard::review::{AnswerLine, Review};
use crate::wizard::{Content, Model};

/// An area of fewer rows has none for a picture.
const LOW: u16 = 14;
/// The columns the objects of one half need beside those of the other, and those between them.
const NARROWEST_HALF: usize = 39;
const GAP: usize = 2;

/// The answer Enter would go back to, if the focus is not on Create.
pub(super) fn focused(model: &Model) -> Option<AnswerLine> {
    let Content::Review(review) = model.content() else { return None };
    if review.focus == 0 {
        return None;
    }
    let mut answers = model.answer_lines();
    let at = answers.len().checked_sub(review.focus)?;
    (at < answers.len()).then(|| answers.swap_remove(at))
}

pub(super) fn draw(scene: Scene<'_>, review: &Review, area: Rect, frame: &mut Frame<'_>) -> u16 {
    let theme = scene.theme;
    let is_low = area.height < LOW;
    let (top, area) = area.split_top(1);
    frame.render_widget(Paragraph::new(Line::styled("Nothing exists yet.", theme.good())), top);
    let (_, area) = area.split_top(u16::from(!is_low));
    let columns = usize::from(area.width);
    let (lines, makes) = text(scene, review, columns, is_low);
    // Create stands below the text, however large the screen.
    let needed = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let (area, _) = area.split_top(needed);
    let row = create(scene, makes, columns);
    scene.spots.put_buttons(std::slice::from_ref(&row), area, [Spot::Create]);
    let rest = document::button_row(row, area, frame);
    document::draw(scene, &lines, scene.model.shell.scroll, ("PgUp", "PgDn"), rest, frame)
}

/// What will be, and how many objects that creates; else what is missing. On a low screen the sides are told in words.
pub(super) fn text(
    scene: Scene<'_>,
    review: &Review,
    columns: usize,
    is_low: bool,
) -> (Vec<Line<'static>>, Option<usize>) {
    let (lines, makes) = match &review.plan {
        Ok(plan) => (document_of(scene, plan, columns, is_low), Some(plan.new_objects())),
        Err(findings) => (missing(scene, findings, columns), None),
    };
    let is_reader = scene.model.shell.session().is_some_and(|session| session.is_reader);
    let role = if is_reader { document::finding(scene, Severity::Warning, READER, columns) } else { Vec::new() };
    (role.into_iter().chain(lines).collect(), makes)
}

fn create(scene: Scene<'_>, makes: Option<usize>, columns: usize) -> Line<'static> {
    let Scene { model, theme, .. } = scene;
    let focused = focused(model);
    let mut line = document::buttons(scene, &["Create"], focused.is_none().then_some(0));
    if makes.is_none() {
        line.spans.iter_mut().for_each(|span| span.style = span.style.patch(theme.dim()));
    }
    let text = match (focused, makes) {
        (Some(answer), _) => {
            let why = answer.source.map_or_else(String::new, |source| format!(" ({source})"));
            format!("Enter changes {}: {}{why}", answer.screen.name(model.new_vpn.answers.mode), answer.value)
        }
        (None, Some(_)) if is_confirming(model) => {
            let what = if model.new_vpn.halves().len() == 1 { "the region" } else { "both regions" };
            format!("{} reading {what} once more", remote::spinner(scene))
        }
        (None, Some(makes)) => {
            let regions = model.new_vpn.halves().len();
            let creates = format!("creates {makes} objects in {regions} region{}", if regions == 1 { "" } else { "s" });
            match upgrades(model) {
                Some(first) => format!("{first}, {creates}"),
                None => creates,
            }
        }
        (None, None) if model.new_vpn.is_reading() => "in a moment".to_owned(),
        (None, None) => "Enter goes to the first problem".to_owned(),
    };
    let room = columns.saturating_sub(line.width() + 2);
    line.spans.push(Span::styled(format!("  {}", fit(theme, &text, room)), theme.dim()));
    line
}

/// What is upgraded before anything is created.
pub(super) fn upgrades(model: &Model) -> Option<String> {
    let Content::Review(Review { plan: Ok(plan), .. }) = model.content() else { return None };
    let names = model.new_vpn.upgraded_first(plan).join(" and ");
    (!names.is_empty()).then(|| format!("upgrades {names} first"))
}

fn is_confirming(model: &Model) -> bool {
    matches!(model.content(), Content::Review(review) if review.confirming)
}

fn missing(scene: Scene<'_>, findings: &[Finding], columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let mut lines = Vec::new();
    if scene.model.new_vpn.is_reading() {
        for half in scene.model.new_vpn.halves() {
            lines.extend(remote::reading(scene, *half));
        }
        return lines;
    }
    lines.push(Line::styled("Before anything can be created:", theme.title()));
    for finding in findings {
        lines.push(Line::default());
        lines.extend(document::finding(scene, finding.severity, &scene.model.new_vpn.finding_text(finding), columns));
    }
    lines
}

fn document_of(scene: Scene<'_>, plan: &Plan, columns: usize, is_low: bool) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let told = |finding: &Finding| {
        document::finding(scene, finding.severity, &scene.model.new_vpn.finding_text(finding), columns)
    };
    // A name that is another VPN's comes before everything else: it is the answer that is easily changed.
    let (of_name, others): (Vec<&Finding>, Vec<&Finding>) =
        plan.findings().iter().partition(|finding| finding.place == Place::Name);
    let mut lines: Vec<Line<'static>> = of_name.into_iter().flat_map(told).collect();
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    lines.extend(if is_low { sides::in_words(scene, plan, columns) } else { sides::picture(scene, plan, columns) });
    let gap = [Line::default()].into_iter();
    let policy = gap
        .chain(super::text::paragraph(&scene.model.new_vpn.policy_text(), columns, theme.text()))
        .collect::<Vec<_>>();
    // The objects stand before what can be switched where only one of them is in sight.
    let (before, behind) = if is_low { (Vec::new(), policy) } else { (policy, Vec::new()) };
    lines.extend(before);
    for finding in others {
        lines.push(Line::default());
        lines.extend(told(finding));
    }
    lines.extend(objects(scene, plan, columns));
    lines.extend(behind);
    lines.push(Line::default());
    lines.extend(super::text::paragraph(
        "Roll back is offered until you leave; it deletes only what was created.",
        columns,
        theme.dim(),
    ));
    lines
}

/// The objects of each half, beside each other where both have the room.
fn objects(scene: Scene<'_>, plan: &Plan, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let of_half = |half: &HalfPlan, columns| {
        let title = fit(theme, &format!("In {} ({})", half.label, half.region), columns);
        let objects = plan.objects(half).into_iter().flat_map(|planned| object(scene, &planned, columns));
        [Line::default(), Line::styled(title, theme.title())].into_iter().chain(objects).collect::<Vec<_>>()
    };
    let halves: Vec<_> = plan.halves().collect();
    let [a, b] = halves.as_slice() else { return halves.iter().flat_map(|half| of_half(half, columns)).collect() };
    let each = columns.saturating_sub(GAP) / 2;
    if each < NARROWEST_HALF || theme.is_still {
        return [a, b].into_iter().flat_map(|half| of_half(half, columns)).collect();
    }
    let beside = |lines: EitherOrBoth<Line<'static>, Line<'static>>| {
        let (mut left, right) = lines.or_default();
        left.push_span(" ".repeat((each + GAP).saturating_sub(left.width())));
        left.spans.extend(right.spans.into_iter().map(|span| span.patch_style(right.style)));
        left
    };
    of_half(a, each).into_iter().zip_longest(of_half(b, each)).map(beside).collect()
}

/// One object: whether it is new, its name, and on the same line, if there is room, what it will be.
fn object(scene: Scene<'_>, planned: &PlannedObject, columns: usize) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let PlannedObject { kind, name, about, is_reused } = planned;
    let verb = if *is_reused { Span::styled("use ", theme.accent()) } else { Span::styled("new ", theme.good()) };
    let name = if *is_reused { format!("{name} ({})", kind.label()) } else { name.clone() };
    let name = fit(theme, &name, columns.saturating_sub(4));
    let used = 4 + width(&name) + 2;
    if used + width(about) <= columns {
        let about = Span::styled(format!("  {about}"), theme.dim());
        return vec![Line::from(vec![verb, Span::raw(name), about])];
    }
    let mut lines = vec![Line::from(vec![verb, Span::raw(name)])];
    lines.extend(hanging(Span::raw("    "), about, columns, theme.dim()));
    lines
}
