//! The answer of `osvpn apply` where the VPN exists already.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::change::ChangeOutcome;
use super::{Conclude, ExitStatus, Health};

#[derive(Clone, Debug, Serialize)]
pub(crate) struct ExistingReport {
    outcome: ChangeOutcome,
    name: String,
    /// The word that names it alone.
    id: String,
    health: Health,
}

impl ExistingReport {
    pub(crate) fn new(health: Health) -> Self {
        let (name, id) = health.named();
        let (name, id) = (name.to_owned(), id.to_owned());
        Self { outcome: ChangeOutcome::Unchanged, name, id, health: health.brief() }
    }
}

impl Conclude for ExistingReport {
    fn exit_status(&self) -> ExitStatus {
        self.health.exit_status()
    }
}

impl Display for ExistingReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "Unchanged: {} exists exactly as planned. Nothing was created.\n", self.name)?;
        self.health.fmt(f)
    }
}
