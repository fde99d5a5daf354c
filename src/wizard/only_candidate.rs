//! A step with one candidate is no step: it is answered, and the review says why.

use super::Model;
use super::picker::{Choice, Line};
use super::screen::{Mode, Screen};
use crate::plan::Half;

impl Model {
    /// Whether there was nothing to choose.
    pub fn is_only_candidate(&self, screen: Screen) -> bool {
        self.new_vpn.only_candidate.contains_key(&screen)
    }

    /// Answers a step for which there is one candidate, and says so. None if the user has to be asked.
    pub(super) fn answer_with_only_candidate(&mut self, screen: Screen) -> Option<String> {
        if !matches!(screen, Screen::Region(_) | Screen::Router(_) | Screen::Subnets(_)) || self.is_unread(screen) {
            return None;
        }
        let mut lines = self.lines(screen);
        lines.retain(|line| line.choice != Choice::Others);
        if lines.iter().any(|line| line.pending) {
            return None;
        }
        let mut open = lines.iter().filter(|line| line.is_open());
        let (Some(only), None) = (open.next(), open.next()) else { return None };
        let why = self.why_only(screen, &lines)?;
        let name = screen.name(self.new_vpn.answers.mode);
        let text = format!("{name}: {}, {why}.", only.title);
        self.new_vpn.answer(screen, std::slice::from_ref(&only.choice));
        self.new_vpn.only_candidate.insert(screen, why);
        Some(text)
    }

    /// Whether a candidate may still turn up, or turn out to be of no use.
    fn is_unread(&self, screen: Screen) -> bool {
        match screen {
            Screen::Router(half) => self.new_vpn.is_list_awaited(half, screen),
            _ => false,
        }
    }

    /// Why there is no other candidate. None where the screen has to say that this one is not enough.
    fn why_only(&self, screen: Screen, lines: &[Line]) -> Option<String> {
        let is_alone = lines.len() == 1;
        let only = |what: &str| {
            if is_alone { format!("the only {what}") } else { format!("the only {what} that can be used") }
        };
        match screen {
            Screen::Region(Half::A) if self.new_vpn.answers.mode == Mode::SiteToSite => None,
            Screen::Region(Half::A) => Some(only("region")),
            Screen::Region(Half::B) if lines.len() == 2 => Some("the only other region".to_owned()),
            Screen::Region(Half::B) => Some("the only other region that can be used".to_owned()),
            Screen::Router(half) => {
                let routers = &self.new_vpn.inventory_of(half)?.routers;
                let with_gateway = routers.iter().filter(|router| router.has_gateway()).count();
                Some(if with_gateway == 1 && !is_alone {
                    "the only router with a gateway".to_owned()
                } else {
                    only("router")
                })
            }
            _ => Some(only("subnet")),
        }
    }
}

impl super::NewVpn {
    /// Takes the answer of a list of regions, routers or subnets. What depended on another answer is no longer known to be
    /// without a choice.
    pub(super) fn answer(&mut self, screen: Screen, choices: &[Choice]) {
        let (Screen::Region(half) | Screen::Router(half) | Screen::Subnets(half)) = screen else { return };
        let depend: &[Screen] = match screen {
            Screen::Region(Half::A) => &[Screen::Region(Half::B), Screen::Router(half), Screen::Subnets(half)],
            Screen::Region(_) => &[Screen::Router(half), Screen::Subnets(half)],
            Screen::Router(_) => &[Screen::Subnets(half)],
            _ => &[],
        };
        self.put_right(screen);
        self.only_candidate.retain(|answered, _| *answered != screen && !depend.contains(answered));
        match (screen, choices) {
            (Screen::Region(_), [Choice::Region(region)]) => *self.answers.region.get_mut(half) = Some(region.clone()),
            (Screen::Router(_), [Choice::Object(router)]) => {
                if let Some(region) = self.answers.region.get(half).clone() {
                    self.answers.router.insert(region, router.clone());
                }
            }
            _ => {
                let ids = choices.iter().cloned().filter_map(Choice::object).collect();
                if let Some(router) = self.answers.router_of(half).cloned() {
                    self.answers.subnets.insert(router, ids);
                }
            }
        }
        self.take_objects_of_file();
        self.take_subnets_of_received();
    }
}
