//! The sheet for the far side of a VPN, as `osvpn peer` prints it.

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use secrecy::ExposeSecret;
use serde::Serialize;

use super::{Conclude, ExitStatus};
use crate::cloud::RegionId;
use crate::inspect::Vpn;
use crate::plan::Half;
use crate::sheet::{PeerFormat, Sheet};

/// What is printed: the sheet, or where it was written.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SheetReport {
    name: String,
    /// The word that names it alone.
    id: String,
    /// The half in this cloud whose far side the sheet is for.
    half: Half,
    region: RegionId,
    format: &'static str,
    title: &'static str,
    proof: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    /// Without the key, whatever was asked for.
    #[serde(rename = "sheet", serialize_with = "without_key")]
    text: Sheet,
}

impl SheetReport {
    pub(crate) fn new(vpn: &Vpn, (half, region): (Half, RegionId), format: &'static PeerFormat, text: Sheet) -> Self {
        let (name, id) = (vpn.name.clone(), vpn.handle());
        let (word, title, proof) = (format.word, format.title(), format.proof().to_string());
        Self { name, id, half, region, format: word, title, proof, path: None, text }
    }

    pub(crate) fn written_to(self, path: PathBuf) -> Self {
        Self { path: Some(path), ..self }
    }
}

fn without_key<S: serde::Serializer>(sheet: &Sheet, to: S) -> Result<S::Ok, S::Error> {
    if sheet.has_key { to.serialize_none() } else { to.serialize_str(sheet.text().expose_secret()) }
}

impl Conclude for SheetReport {
    fn exit_status(&self) -> ExitStatus {
        ExitStatus::Done
    }
}

impl Display for SheetReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(path) = &self.path else { return f.write_str(self.text.text().expose_secret()) };
        let what =
            if self.text.has_key { "It holds the pre-shared key" } else { "It does not hold the pre-shared key" };
        writeln!(f, "{} holds the sheet for {}; only you can read it. {what}.", path.display(), self.title)
    }
}
