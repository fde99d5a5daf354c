//! What is said of a plan whose VPN is there already.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::Health;
use super::change::ChangeOutcome;

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

    /// That of the VPN's condition: 0 if it is ACTIVE and its halves match.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.health.exit_code()
    }
}

impl Display for Existing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "Unchanged: {} is there exactly as the plan has it. Nothing was made.\n", self.name)?;
        self.health.fmt(f)
    }
}
