//! The VPNs there are: what was read of them, as a list, and the one on the screen.

mod lines;
mod open;
mod public_keys;
mod reading;

use std::time::Duration;

use super::message::Overview;
use super::remote::{Remote, RequestId};
use crate::change::{Sas, is_of};
use crate::engine::interruption::Interruption;
use crate::inspect::{Check, Keys, Vpn};
use crate::plan::psk::KeyOrigin;

pub use lines::ranges;
pub use open::{Around, Open, VpnButton};

/// Everything the wizard knows of the VPNs that exist.
#[derive(Debug, Default)]
pub struct YourVpns {
    pub seen: Remote<Overview>,
    /// When that was answered, by the clock of the model.
    pub as_of: Duration,
    pub open: Option<Open>,
    /// The action to propose as soon as enough is known.
    pub intent: Option<Intent>,
    /// The keys of all VPNs, if they are being compared.
    pub keys: Remote<Vec<(String, Keys)>>,
    /// The answer that is to prove several VPNs whose changes are over.
    pub proving: Option<RequestId>,
    pub offers: Vec<Interruption>,
}

/// A change that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    Fix(Check),
    NewKey(Sas, KeyOrigin),
    Subnets,
    Admit,
    Delete,
    DeleteUnused,
    /// A new key for every VPN that has the one everybody knows.
    PublicKeys(Sas),
}

impl Intent {
    pub const fn is_of_a_vpn(self) -> bool {
        !matches!(self, Self::DeleteUnused | Self::PublicKeys(_))
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

    /// Whether something of it is on its way, so that time should pass.
    pub fn is_animating(&self) -> bool {
        let open = self.open.as_ref();
        self.seen.is_loading()
            || self.keys.is_loading()
            || open.is_some_and(|open| open.around.is_loading() || open.waiting.is_some())
    }

    fn vpn_mut(&mut self) -> Option<&mut Vpn> {
        let handle = &self.open.as_ref()?.handle;
        let seen = match &mut self.seen {
            Remote::Ready(seen) => seen,
            Remote::Loading { before: Some(seen), .. } => &mut **seen,
            _ => return None,
        };
        seen.inspection.vpns.iter_mut().find(|vpn| vpn.handle() == *handle)
    }
}
