//! The page with the sheet for the owner of a far side: for which system, whose half, with the key or without it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::keymap::Action;
use super::picker::{About, Choice, Line};
use super::remote::{Remote, RequestId};
use super::screen::Screen;
use super::shell::beside;
use super::vpns::{Open, VpnButton};
use super::{Effect, Model};
use crate::change::Subject;
use crate::cloud::{Error, Id, RegionId};
use crate::engine::handover::external_address;
use crate::engine::{self, Task};
use crate::inspect::{OtherHalf, Vpn};
use crate::plan::shell::osvpn;
use crate::plan::{Half, ShellCommand};
use crate::sheet::{FarSide, PeerFormat, Sheet, SheetProblem, SheetRefused};

/// What can be done with a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SheetButton {
    Copy,
    Write,
    Format,
    /// Put the key into it, or take it out again.
    Key,
    /// To what the far side of the other half needs.
    OtherHalf,
}

impl SheetButton {
    /// The key that presses it; it is in the label.
    pub const fn letter(self) -> char {
        match self {
            Self::Copy => 'y',
            Self::Write => 'w',
            Self::Format => 's',
            Self::Key => 'h',
            Self::OtherHalf => 'o',
        }
    }
}

/// What the sheet is for.
#[derive(Debug)]
struct SheetOf {
    /// The word that names the VPN alone.
    handle: String,
    name: String,
    half: Half,
    has_other: bool,
    side: Result<FarSide, SheetProblem>,
    /// The connection that has the key, once there is one.
    connection: Option<(RegionId, Id)>,
}

/// The page, and the system that was chosen last.
#[derive(Debug, Default)]
pub struct SheetPage {
    format: Option<&'static PeerFormat>,
    subject: Option<SheetOf>,
    /// The screen it was opened from.
    from: Option<Screen>,
    key: Remote<SecretString>,
    sheet: Option<Result<Sheet, SheetRefused>>,
    of_work: Option<SheetOfWork>,
    written: SheetsWritten,
    pub focus: usize,
}

/// What was written last, by the hash of its text.
#[derive(Debug, Default)]
struct SheetsWritten {
    last: Option<(u64, PathBuf)>,
    /// What is being written, and whether it holds the key.
    next: Option<(u64, bool)>,
}

/// What the page of a creation shows for the peer, and what it was written from. It is drawn ten times a second.
#[derive(Debug)]
struct SheetOfWork {
    from: (Subject, &'static str, Option<IpAddr>),
    sheet: Result<Sheet, SheetRefused>,
}

impl SheetPage {
    /// The system it is written for: the one chosen last, else any.
    pub fn format(&self) -> Option<&'static PeerFormat> {
        self.format.or_else(|| PeerFormat::all().ok()?.first())
    }

    pub fn heading(&self) -> String {
        let (Some(subject), Some(format)) = (&self.subject, self.format()) else { return String::new() };
        let half = if subject.has_other { format!(", half {}", subject.half) } else { String::new() };
        format!("The far side of {}{half}: {}", subject.name, format.title())
    }

    pub const fn from(&self) -> Option<Screen> {
        self.from
    }

    /// The sheet, or why there is none and what would help.
    ///
    /// # Errors
    /// Each reason as a sentence, and the command that helps.
    pub fn sheet(&self) -> Result<&Sheet, Vec<String>> {
        let Some(subject) = &self.subject else { return Err(Vec::new()) };
        match (&subject.side, &self.sheet) {
            (Err(problem), _) => Err(vec![format!("There is no sheet: {problem}.")]),
            (Ok(_), Some(Ok(sheet))) => Ok(sheet),
            (Ok(_), Some(Err(refused))) => Err(reasons(refused, |word| osvpn(word).operand(&subject.handle))),
            (Ok(_), None) => Err(Vec::new()),
        }
    }

    /// The sheet for the peer of the VPN that is being created, without the key, once its connection exists.
    pub fn sheet_of_work(&self) -> Option<&Result<Sheet, SheetRefused>> {
        self.of_work.as_ref().map(|of_work| &of_work.sheet)
    }

    pub const fn key_error(&self) -> Option<&Error> {
        self.key.error()
    }

    pub const fn is_reading_key(&self) -> bool {
        self.key.is_loading()
    }

    fn has_key(&self) -> bool {
        self.key.ready().is_some()
    }

    pub fn buttons(&self) -> Vec<SheetButton> {
        let Some(subject) = &self.subject else { return Vec::new() };
        let is_written = self.sheet().is_ok();
        let has_key = subject.connection.is_some() && (is_written || self.has_key());
        [
            (SheetButton::Format, subject.side.is_ok()),
            (SheetButton::Copy, is_written),
            (SheetButton::Write, is_written),
            (SheetButton::Key, has_key),
            (SheetButton::OtherHalf, subject.has_other),
        ]
        .into_iter()
        .filter_map(|(button, is_there)| is_there.then_some(button))
        .collect()
    }

    pub fn label(&self, button: SheetButton) -> &'static str {
        match button {
            SheetButton::Copy => "Copy",
            SheetButton::Write => "Write file",
            SheetButton::Format => "System",
            SheetButton::Key if self.has_key() => "Hide key",
            SheetButton::Key => "Show key",
            SheetButton::OtherHalf => "Other half",
        }
    }

    pub fn focused(&self) -> Option<SheetButton> {
        self.buttons().get(self.focus).copied()
    }

    /// The command that prints the same.
    pub fn command(&self) -> Option<ShellCommand> {
        let subject = self.subject.as_ref()?;
        let command = osvpn("peer").operand(&subject.handle);
        let command = if subject.half == Half::B { command.words("--half B") } else { command };
        let format = self.format.filter(|format| Some(format.word) != first_word());
        Some(format.map_or_else(|| command.clone(), |format| command.clone().words("--for").operand(format.word)))
    }

    fn write(&mut self) {
        let side = self.subject.as_ref().and_then(|subject| subject.side.as_ref().ok());
        self.sheet = self.format().zip(side).map(|(format, side)| Sheet::new(format, side, self.key.ready()));
    }

    fn open(&mut self, subject: SheetOf, from: Screen) {
        (self.subject, self.from, self.key, self.focus) = (Some(subject), Some(from), Remote::NotAsked, 0);
        self.write();
    }

    /// Takes a key out of it that has been in clear for long enough.
    pub(super) fn hide_key(&mut self) {
        if self.has_key() {
            self.forget_key();
        }
    }

    /// Takes the key out of it, and waits for none.
    pub(super) fn forget_key(&mut self) {
        if !matches!(self.key, Remote::NotAsked) {
            self.key = Remote::NotAsked;
            self.write();
        }
    }

    /// The systems to choose from.
    pub(super) fn lines(&self) -> Vec<Line> {
        let side = self.subject.as_ref().and_then(|subject| subject.side.as_ref().ok());
        PeerFormat::all().unwrap_or_default().iter().map(|format| format_line(format, side)).collect()
    }

    pub(super) fn take(&mut self, word: &str) {
        self.format = PeerFormat::all().unwrap_or_default().iter().find(|format| format.word == word);
        self.write();
    }

    pub(super) fn chosen(&self) -> Option<Choice> {
        self.format().map(|format| Choice::Word(format.word))
    }
}

fn first_word() -> Option<&'static str> {
    Some(PeerFormat::all().ok()?.first()?.word)
}

/// Each reason why there is no sheet, with what would help.
pub fn reasons(refused: &SheetRefused, of: impl Fn(&'static str) -> ShellCommand) -> Vec<String> {
    refused.reasons.iter().map(|reason| reason.told(&of)).collect()
}

/// A system, and what it does not take of the VPN.
pub(super) fn format_line(format: &'static PeerFormat, side: Option<&FarSide>) -> Line {
    let refused = side.and_then(|side| Sheet::check(format, side, None).err());
    let mut said = About::default();
    said.detail.push(("For".to_owned(), format.versions().to_owned()));
    said.detail.push(("Proof".to_owned(), format.proof().to_string().trim_start_matches("Proof: ").to_owned()));
    said.detail.extend(refused.iter().map(|refused| ("Not so".to_owned(), refused.to_string())));
    let aside = if refused.is_some() { format!("{}, not with this VPN", format.word) } else { format.word.to_owned() };
    Line::new(Choice::Word(format.word), format.title(), aside, said)
}

impl Model {
    /// Opens the sheet of the VPN on the screen, for its first half.
    pub(super) fn open_sheet_of_vpn(&mut self) {
        let Some(vpn) = self.vpns.vpn() else { return self.shell.say("It is still being read; a moment.") };
        self.sheet.open(subject_of(vpn, Half::A), Screen::Vpn);
        self.vpns.open.iter_mut().for_each(|open| open.focus = VpnButton::Sheet);
        self.enter(Screen::Sheet);
    }

    /// Opens the sheet for the outside peer of the new VPN.
    pub(super) fn open_sheet_of_work(&mut self) {
        let Some(work) = self.work.current.as_ref().filter(|work| work.has_sheet()) else { return };
        let (Some(plan), progress) = (&work.plan, &work.course.progress) else { return };
        let address: Option<IpAddr> = external_address(plan, progress, plan.a());
        let side = match address {
            Some(_) => FarSide::planned(plan, address).ok_or(SheetProblem::NoHalf(Half::B)),
            None => Err(SheetProblem::NoAddress),
        };
        let task = Task { half: Half::A, step: engine::Step::Connection };
        let made = progress.get(task.half, task.step);
        let subject = SheetOf {
            handle: work.change().subject.to_string(),
            name: plan.name().to_string(),
            half: Half::A,
            has_other: false,
            side,
            connection: made.map(|made| (made.region.clone(), made.id.clone())),
        };
        self.sheet.open(subject, Screen::Work);
        self.enter(Screen::Sheet);
    }

    /// Writes the sheet for the peer of the new VPN when something of it is learned.
    pub(super) fn write_sheet_of_work(&mut self) {
        let Some(work) = self.work.current.as_ref().filter(|work| work.has_sheet()) else { return };
        let (Some(plan), Some(format)) = (&work.plan, self.sheet.format()) else { return };
        let address = external_address(plan, &work.course.progress, plan.a());
        let from = (work.change().subject.clone(), format.word, address);
        if self.sheet.of_work.as_ref().is_some_and(|known| known.from == from) {
            return;
        }
        let side = FarSide::planned(plan, address);
        self.sheet.of_work = side.map(|side| SheetOfWork { from, sheet: Sheet::new(format, &side, None) });
    }

    pub(super) fn sheet_action(&mut self, action: Action) {
        match action {
            Action::Left | Action::Right => {
                let count = self.sheet.buttons().len();
                self.sheet.focus = beside(self.sheet.focus, count, action == Action::Right);
            }
            Action::Accept => {
                if let Some(button) = self.sheet.focused() {
                    self.press_of_sheet(button);
                }
            }
            Action::Sheet(button) if self.sheet.buttons().contains(&button) => {
                self.sheet.focus = self.sheet.buttons().iter().position(|one| *one == button).unwrap_or_default();
                self.press_of_sheet(button);
            }
            Action::Back => self.back(),
            _ => self.shell.scroll_by(action),
        }
    }

    fn press_of_sheet(&mut self, button: SheetButton) {
        match button {
            SheetButton::Copy => {
                let text = self.sheet.sheet().ok().map(|sheet| sheet.text().clone());
                if let Some(text) = text {
                    self.shell.out.push(Effect::Copy(text));
                }
            }
            SheetButton::Write => {
                let (Ok(sheet), Some(subject)) = (self.sheet.sheet(), &self.sheet.subject) else { return };
                let mut hasher = DefaultHasher::new();
                sheet.text().expose_secret().hash(&mut hasher);
                let next = (hasher.finish(), sheet.has_key);
                if let Some((_, path)) = self.sheet.written.last.as_ref().filter(|(text, _)| *text == next.0) {
                    return self.shell.say(format!("{} has this text already.", path.display()));
                }
                let name = match subject.half {
                    Half::B => format!("{}-B-{}", subject.name, sheet.format),
                    Half::A => format!("{}-{}", subject.name, sheet.format),
                };
                let effect = Effect::WriteSheet(name, sheet.clone());
                self.sheet.written.next = Some(next);
                self.shell.out.push(effect);
            }
            SheetButton::Format => self.enter(Screen::SheetFormat),
            SheetButton::Key if self.sheet.has_key() => self.sheet.forget_key(),
            SheetButton::Key => self.read_key(),
            SheetButton::OtherHalf => {
                let half = self.sheet.subject.as_ref().map_or(Half::A, |subject| subject.half.other());
                if let Some(vpn) = self.vpns.vpn() {
                    self.shell.hide_keys();
                    self.shell.scroll = 0;
                    self.sheet.open(subject_of(vpn, half), Screen::Vpn);
                }
            }
        }
    }

    /// Reads the key from the cloud, for this page alone.
    fn read_key(&mut self) {
        let connection = self.sheet.subject.as_ref().and_then(|subject| subject.connection.clone());
        let Some((region, id)) = connection.filter(|_| !self.sheet.key.is_loading()) else { return };
        let request = self.shell.out.request();
        self.sheet.key.ask(request, self.shell.now);
        self.shell.out.push(Effect::ReadKey(request, region, id));
    }

    /// Whether that key opens the sheet of the VPN on the screen.
    pub(super) fn wants_sheet(&self, action: Action) -> bool {
        let focused = self.vpns.open.as_ref().and_then(Open::focused);
        match action {
            Action::Do(button) => button == VpnButton::Sheet,
            Action::Accept => focused == Some(VpnButton::Sheet),
            _ => false,
        }
    }

    pub(super) fn sheet_written(&mut self, written: io::Result<PathBuf>) {
        match written {
            Ok(path) => {
                let (text, has_key) = self.sheet.written.next.take().unzip();
                let key = if has_key == Some(true) { "holds the key, and " } else { "" };
                self.shell.say(format!("Written: {}, which {key}only you can read.", path.display()));
                self.sheet.written.last = text.zip(Some(path));
            }
            Err(why) => self.shell.warn(format!("The sheet could not be written: {why}")),
        }
    }

    pub(super) fn key_read(&mut self, request: RequestId, key: Result<SecretString, Error>) {
        if self.sheet.key.answer(request, key) {
            if !self.shell.is_revealed() {
                self.shell.reveal();
            }
            self.sheet.write();
        }
    }
}

/// Of a half of a VPN that exists.
fn subject_of(vpn: &Vpn, half: Half) -> SheetOf {
    let side = vpn.side(half);
    SheetOf {
        handle: vpn.handle(),
        name: vpn.name.clone(),
        half,
        has_other: matches!(vpn.other_half, OtherHalf::Found(_)),
        side: FarSide::of(vpn, half),
        connection: side.map(|side| (side.region.clone(), side.connection.id.clone())),
    }
}
