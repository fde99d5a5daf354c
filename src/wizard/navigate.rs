//! Going from screen to screen.

use super::fields::Field;
use super::forms::Form;
use super::review::Review;
use super::screen::{Kind, Screen};
use super::secret_text::SecretText;
use super::shared_keys::SharedKeys;
use super::{Content, Model, Start};

impl Model {
    /// Opens a screen with its best choice made. What was still to be done on another one is forgotten.
    pub(super) fn enter(&mut self, screen: Screen) {
        self.shell.hide_keys();
        self.sheet.forget_key();
        self.shell.scroll = 0;
        self.vpns.drop_intent();
        self.kept_enter = None;
        self.shell.with_others = false;
        self.new_vpn.is_next &= matches!(screen, Screen::Review | Screen::Work);
        self.screen = screen;
        self.content = match screen.about().kind {
            Kind::Form(..) | Kind::PolicyForm => {
                if screen == Screen::Name {
                    self.new_vpn.note_vpns();
                } else if screen == Screen::Paste {
                    self.new_vpn.pasted = SecretText::long();
                }
                let mut form = Form::of(screen.fields());
                let listed = self.new_vpn.field.take().map(Field::Policy);
                form.focus = form.fields.iter().position(|field| Some(*field) == listed).unwrap_or_default();
                Content::Form(form)
            }
            Kind::Review => {
                self.new_vpn.shared_keys = SharedKeys::default();
                self.new_vpn.take_policy_of_received();
                let focus = self.new_vpn.returning.take().map_or(0, |screen| self.review_focus(screen));
                Content::Review(Review { plan: self.new_vpn.plan(&self.shell.labels), focus, confirming: false })
            }
            Kind::List => Content::List(self.new_list(screen)),
            Kind::Vpn | Kind::Work | Kind::Sheet => Content::None,
        };
    }

    /// Brings the screen up to date with what has become known.
    pub(super) fn refresh(&mut self) {
        match &self.content {
            Content::List(_) => self.refresh_list(),
            Content::Review(_) => self.refresh_review(),
            Content::Form(_) | Content::None => {}
        }
    }

    /// Goes on: back to the review if an answer was changed from there, else to the next question that there is more
    /// than one answer to.
    pub(super) fn advance(&mut self) {
        self.advance_telling(Vec::new());
    }

    /// The same, and says besides what was answered without the user.
    pub(super) fn advance_telling(&mut self, mut told: Vec<String>) {
        self.forget_unchanged_name();
        self.new_vpn.put_received_right(self.screen);
        let mut at = self.screen;
        let next = loop {
            self.new_vpn.ask_details(&mut self.shell);
            let Some(next) = self.after(at) else { return };
            let Some(text) = self.answer_with_only_candidate(next) else { break next };
            told.push(text);
            at = next;
        };
        self.enter(next);
        if !told.is_empty() && self.shell.notice.as_ref().is_none_or(|notice| !notice.is_problem) {
            self.shell.say(told.join(" "));
        }
    }

    fn after(&self, screen: Screen) -> Option<Screen> {
        if self.new_vpn.returning.is_some() {
            // A changed answer can make others necessary: another region has other routers, another mode other screens.
            let missing = self.route().answers().find(|screen| !self.is_answered(*screen));
            return Some(missing.unwrap_or(Screen::Review));
        }
        self.route().next(screen)
    }

    fn forget_unchanged_name(&mut self) {
        if self.screen == Screen::Name {
            self.new_vpn.forget_unchanged_name();
        }
    }

    /// One screen back; from the first one out.
    pub(super) fn back(&mut self) {
        self.keep_marks();
        self.forget_unchanged_name();
        let Some(screen) = self.previous_screen() else { return self.quit() };
        if self.screen == Screen::NewKey
            && let Some(open) = &mut self.vpns.open
        {
            open.key.clear();
        }
        self.work.missing_key = SecretText::default();
        if screen == Screen::Cloud && self.shell.session().is_none() {
            // A user who does not want to wait chooses another.
            self.shell.start = Start::Choosing;
        }
        self.enter(screen);
        if screen == Screen::Vpns {
            self.vpns.open = None;
        }
    }
}
