//! What is said of a plan whose VPN is there already.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::change::ChangeOutcome;
use super::{ExitStatus, Health, Reported};

/// A VPN that is exactly as its plan has it.
#[derive(Clone, Debug, Serialize)]
pub struct Existing {
    /// There was nothing to do.
    outcome: ChangeOutcome,
    /// What the VPN is called.
    name: String,
    /// The word that names it alone.
    id: String,
    /// How it stands.
    health: Health,
}

impl Existing {
    /// The VPN that stands like that.
    #[must_use]
    pub fn new(health: Health) -> Self {
        let (name, id) = health.named();
        let (name, id) = (name.to_owned(), id.to_owned());
        Self { outcome: ChangeOutcome::Unchanged, name, id, health: health.brief() }
    }
}

impl Reported for Existing {
    fn exit_status(&self) -> ExitStatus {
        self.health.exit_status()
    }
}

impl Display for Existing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "Unchanged: {} is there exactly as the plan has it. Nothing was made.\n", self.name)?;
        self.health.fmt(f)
    }
}
