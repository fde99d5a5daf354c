//! The VPNs there are: what was read of them, as a list, and the one on the screen.

mod actions;
mod lines;
mod open;
mod proposals;
mod public_keys;
mod reading;
mod upgrades;

use std::time::Duration;

use super::message::Overview;
use super::remote::{Remote, RequestId};
use super::screen::Screen;
use super::shell::Shell;
use super::work::WorkList;
use crate::change::{Sas, is_of};
use crate::cloud::{Id, RegionId};
use crate::engine::interruption::Interruption;
use crate::inspect::{Check, Keys, Vpn};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Profiles, Psk};

pub use lines::{missing, ranges, unknown};
pub use open::{Around, Open, VpnButton};
pub use upgrades::behind;

/// Everything the wizard knows of the VPNs that exist.
#[derive(Debug, Default)]
pub struct YourVpns {
    pub seen: Remote<Overview>,
    /// When that was answered, by the clock of the model.
    as_of: Duration,
    pub open: Option<Open>,
    /// The action to propose as soon as enough is known.
    intent: Option<Intent>,
    /// The keys of all VPNs, if they are being compared.
    keys: Remote<Vec<(String, Keys)>>,
    /// The answer that is to prove several VPNs whose changes are over.
    proving: Option<RequestId>,
    /// Changes that were interrupted and are still to be offered.
    pub(super) offers: Vec<Interruption>,
    /// The legacy services that a new VPN is to use.
    pub(super) upgraded_first: Vec<(RegionId, Id)>,
}

/// A change that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    Fix(Check),
    NewKey(Sas, KeyOrigin),
    Subnets,
    Admit,
    Upgrade,
    UpgradeAll,
    /// Of those whose services a new VPN is to use.
    UpgradeFirst,
    Delete,
    DeleteUnused,
    /// A new key for every VPN that has the one everybody knows.
    PublicKeys(Sas),
}

impl Intent {
    pub const fn is_of_a_vpn(self) -> bool {
        !matches!(self, Self::DeleteUnused | Self::PublicKeys(_) | Self::UpgradeAll | Self::UpgradeFirst)
    }
}

/// What the VPNs need of the rest of the wizard to handle a message, and where that leads.
pub(super) struct Surroundings<'m> {
    pub(super) shell: &'m mut Shell,
    pub(super) work: &'m mut WorkList,
    pub(super) profiles: &'m Profiles,
    /// The one the user is on, or is led to.
    pub(super) screen: Screen,
    pub(super) lead: Lead,
}

/// Where the user is led.
#[derive(Clone, Copy)]
pub(super) enum Lead {
    Stay,
    /// The same screen, with what has become known.
    Refresh,
    To(Screen),
    Back,
}

impl Surroundings<'_> {
    const fn lead(&mut self, screen: Screen) {
        (self.screen, self.lead) = (screen, Lead::To(screen));
    }

    /// A screen that is entered shows what is known anyway.
    const fn refresh_lists(&mut self) {
        if matches!((self.screen, self.lead), (Screen::Mode | Screen::Vpns | Screen::NewSubnets(_), Lead::Stay)) {
            self.lead = Lead::Refresh;
        }
    }
}

impl YourVpns {
    /// What was read, while it is read again too.
    pub fn seen(&self) -> Option<&Overview> {
        self.seen.ready()
    }

    pub fn vpn(&self) -> Option<&Vpn> {
        self.seen()?.inspection.select(&self.open.as_ref()?.handle).ok()
    }

    /// The change of the VPN on the screen that was interrupted and comes first.
    pub fn interrupted(&self) -> Option<&Interruption> {
        let vpn = self.vpn()?;
        self.seen()?.changes().find(|interrupted| is_of(interrupted.vpn(), vpn))
    }

    /// After another action it is not asked about again.
    pub(super) const fn drop_intent(&mut self) {
        self.intent = None;
    }

    /// The key typed for the VPN on the screen, which is kept no longer.
    pub(super) fn take_key(&mut self) -> Option<Psk> {
        self.open.as_mut().and_then(|open| std::mem::take(&mut open.key).psk())
    }

    /// Whether something of it is on its way, so that time should pass.
    pub fn is_animating(&self) -> bool {
        let open = self.open.as_ref();
        self.seen.is_loading()
            || self.keys.is_loading()
            || open.is_some_and(|open| open.around.is_loading() || open.waiting.is_some())
    }

    fn vpn_mut(&mut self) -> Option<&mut Vpn> {
        let handle = &self.open.as_ref()?.handle;
        self.seen.ready_mut()?.inspection.vpns.iter_mut().find(|vpn| vpn.handle() == *handle)
    }
}
