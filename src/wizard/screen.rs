//! The screens of the wizard. Each is described once, in `about`: its name, heading, help, what it asks for and what its
//! answer says; and one table has their order.

mod about;

use itertools::Itertools;

use super::fields::Field;
use super::{Model, Start};
use crate::plan::{Half, Place};
use about::{CHANGE, RUN_OF_ONE, SIGN_IN_HELP};

/// One screen of the wizard that asks, shows or works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    Cloud,
    Mode,
    Region(Half),
    Router(Half),
    Subnets(Half),
    Peer,
    Key,
    Policy,
    Custom,
    /// The values of one field of it.
    Values,
    Name,
    Review,
    Work,
    Vpns,
    Vpn,
    NewSubnets(Half),
    NewRanges,
    NewKey,
    MissingKey,
    /// What the far side of a VPN has to be set to.
    Sheet,
    SheetFormat,
    /// What stands on the far side of a new VPN.
    System,
    /// A text that the other side has sent.
    Paste,
    /// What was read of it, and which of its ends is the peer.
    Received,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    SiteToSite,
    Single,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    List,
    /// Fields to fill in, and what Enter does once nothing is wrong with them.
    Form(&'static [Field], fn(&mut Model)),
    PolicyForm,
    Review,
    Vpn,
    Work,
    Sheet,
}

/// The description of a screen. Where it is of no half, the functions are given [`Half::A`].
pub(crate) struct ScreenText {
    /// In the rail, and where the review names the answer.
    name: &'static str,
    heading: fn(&Model, Half) -> String,
    help: &'static [&'static str],
    pub(crate) kind: Kind,
    /// Above a list that needs no other words.
    pub(crate) note: &'static str,
    answer: fn(&Model, Half) -> String,
    is_answered: fn(&Model, Half) -> bool,
    /// Why the answer is what it is, where the user did not choose it.
    source: fn(&Model, Screen) -> Option<String>,
}

impl Screen {
    const fn half(self) -> Option<Half> {
        match self {
            Self::Region(half) | Self::Router(half) | Self::Subnets(half) | Self::NewSubnets(half) => Some(half),
            _ => None,
        }
    }

    /// The screen that has the answer a finding is about.
    #[must_use]
    pub const fn of(place: Place, route: Route) -> Self {
        match place {
            Place::Region(half) => Self::Region(half),
            Place::Router(half) => Self::Router(half),
            Place::Subnets(half) => Self::Subnets(half),
            Place::PeerAddress | Place::PeerId | Place::PeerCidrs => Self::Peer,
            Place::Key => Self::Key,
            Place::Policy(Some(_)) if route.custom => Self::Custom,
            Place::Policy(_) => Self::Policy,
            Place::Name => Self::Name,
        }
    }

    pub fn name(self, mode: Mode) -> String {
        let name = self.about().name;
        match (self, self.half()) {
            (Self::Region(_) | Self::Router(_) | Self::Subnets(_), Some(half)) if mode == Mode::SiteToSite => {
                format!("{name} {half}")
            }
            _ => name.to_owned(),
        }
    }

    /// Whether it asks for a part of a new VPN.
    pub const fn is_question(self) -> bool {
        !matches!(self, Self::Cloud | Self::Review | Self::Work) && !self.is_of_existing()
    }

    pub const fn is_of_existing(self) -> bool {
        self.is_of_one_vpn() || matches!(self, Self::Vpns | Self::MissingKey | Self::Sheet | Self::SheetFormat)
    }

    pub const fn is_of_one_vpn(self) -> bool {
        matches!(self, Self::Vpn | Self::NewSubnets(_) | Self::NewRanges | Self::NewKey)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub mode: Mode,
    pub custom: bool,
    pub clouds: bool,
}

impl Route {
    /// The steps of a new VPN, in order.
    pub fn screens(self) -> Vec<Screen> {
        use Screen::{Cloud, Mode as Modes, Peer, Region, Review, Router, Subnets, Work};
        let sides: &[Screen] = match self.mode {
            Mode::SiteToSite => &[
                Region(Half::A),
                Region(Half::B),
                Router(Half::A),
                Subnets(Half::A),
                Router(Half::B),
                Subnets(Half::B),
            ],
            Mode::Single => &[Region(Half::A), Router(Half::A), Subnets(Half::A), Peer],
        };
        let first = self.clouds.then_some(Cloud).into_iter().chain([Modes]).chain(sides.iter().copied());
        first.chain([Review, Work]).collect()
    }

    /// What has an answer from the beginning, and is changed from the review.
    fn settings(self) -> impl Iterator<Item = Screen> {
        use Screen::{Custom, Key, Name, Policy, System};
        let system = (self.mode == Mode::Single).then_some(System);
        system.into_iter().chain([Key, Policy]).chain(self.custom.then_some(Custom)).chain([Name])
    }

    /// Every answer that a new VPN is made of, in the order of the review.
    pub fn answers(self) -> impl Iterator<Item = Screen> {
        self.screens().into_iter().filter(|screen| screen.is_question()).chain(self.settings())
    }

    pub fn next(self, screen: Screen) -> Option<Screen> {
        self.screens().into_iter().tuple_windows().find(|(before, _)| *before == screen).map(|(_, next)| next)
    }

    pub fn previous(self, screen: Screen) -> Option<Screen> {
        use Screen::{MissingKey, NewKey, NewRanges, NewSubnets, Vpn, Vpns, Work};
        let of_existing: &[&[Screen]] = &[
            &[Screen::Mode, Vpns, Vpn, NewSubnets(Half::A), NewSubnets(Half::B)],
            &[NewSubnets(Half::A), NewRanges],
            &[Vpn, NewKey],
            &[Work, MissingKey],
        ];
        let new = self.screens();
        let ways = [new.as_slice()].into_iter().chain(of_existing.iter().copied());
        ways.flat_map(|way| way.windows(2)).find(|pair| pair[1] == screen).map(|pair| pair[0])
    }
}

impl Model {
    pub fn is_at_new_vpn(&self) -> bool {
        !self.screen.is_of_existing() && (self.screen != Screen::Work || self.work.change().is_none())
    }

    /// What the rail lists: the steps, and once they are done the settings that the review leads to.
    pub fn rail(&self) -> Vec<Screen> {
        let route = self.route();
        let mut steps = route.screens();
        if let Some(at) = steps.iter().position(|step| *step == Screen::Review)
            && (self.new_vpn.returning.is_some() || matches!(self.screen, Screen::Review | Screen::Work))
        {
            steps.splice(at..at, route.settings());
        }
        steps
    }

    pub fn heading(&self) -> String {
        (self.screen.about().heading)(self, self.screen.half().unwrap_or(Half::A))
    }

    pub fn help(&self) -> &'static [&'static str] {
        match self.screen {
            screen if self.shell.session().is_none() && screen != Screen::Mode => SIGN_IN_HELP,
            // There is no question yet.
            _ if matches!(self.shell.start, Start::Problem(_)) => SIGN_IN_HELP,
            Screen::Work if self.work.change().is_some() => CHANGE,
            Screen::Work if self.new_vpn.answers.mode == Mode::Single => RUN_OF_ONE,
            screen => screen.about().help,
        }
    }

    /// The answer of a screen in few words; empty before there is one.
    pub fn answer_text(&self, screen: Screen) -> String {
        (screen.about().answer)(self, screen.half().unwrap_or(Half::A))
    }

    pub fn answer_source(&self, screen: Screen) -> Option<String> {
        (screen.about().source)(self, screen)
    }

    pub fn is_answered(&self, screen: Screen) -> bool {
        match screen.about().kind {
            Kind::Form(..) | Kind::PolicyForm => screen.is_question() && self.is_filled_in(screen),
            _ => (screen.about().is_answered)(self, screen.half().unwrap_or(Half::A)),
        }
    }
}
