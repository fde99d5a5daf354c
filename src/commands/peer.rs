//! `osvpn peer`

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use secrecy::ExposeSecret;

use super::look::{ProjectVpns, look};
use super::options::AnswerArgs;
use super::{Answering, CommandError, Conclusion, SignInContext, until_signal};
use crate::inspect::{Focus, Inquiry, Vpn};
use crate::plan::{Half, PeerSystem};
use crate::report::{ExitStatus, SheetReport};
use crate::sheet::{FarSide, PeerFormat, Sheet, SheetRefused};
use crate::sign_in::aside::say;
use crate::system::private_file::write_new;
use crate::system::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  osvpn peer office                                   the values, for any system
  osvpn peer office --for swanctl -o office.conf      a file for strongSwan, mode 0600
  osvpn peer office --for fortios --with-key          with the key in it
  osvpn peer hlz-por --half B --for vyos              what the far side of half B needs

It refuses what cannot work with the system, and says what would. Each sheet says how far it was tried.";

/// Print what the far side of a VPN has to be set to, for the system that stands there.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct PeerArgs {
    /// Its name, the id in its marker, or the name or id of one of its connections [default: the only one].
    #[arg(value_name = "VPN")]
    vpn: Option<String>,
    /// The system on the far side [default: the one the VPN was created for, else any].
    #[arg(long = "for", value_name = "FORMAT", value_parser = formats())]
    format: Option<String>,
    /// The half in this cloud whose far side is meant, where the VPN has two.
    #[arg(long, value_name = "A|B", default_value = "A", value_parser = half(), ignore_case = true)]
    half: Half,
    /// Put the pre-shared key into the sheet.
    #[arg(long, conflicts_with = "json")]
    with_key: bool,
    /// The file to write, which must not exist, readable by you alone; - is standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    answer: AnswerArgs,
}

fn formats() -> PossibleValuesParser {
    let all = PeerFormat::all().unwrap_or_default();
    PossibleValuesParser::new(all.iter().map(|format| PossibleValue::new(format.word).help(format.title())))
}

fn half() -> impl TypedValueParser<Value = Half> {
    PossibleValuesParser::new(["A", "B"]).map(|word| if word.eq_ignore_ascii_case("B") { Half::B } else { Half::A })
}

impl Answering for PeerArgs {
    fn options(&self) -> &AnswerArgs {
        &self.answer
    }

    fn untouched(&self) -> &'static str {
        ""
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        until_signal(signals, self.sheet(sign_in)).await
    }
}

impl PeerArgs {
    async fn sheet(&self, sign_in: &mut SignInContext) -> Result<Conclusion, CommandError> {
        let words = Vec::from_iter(self.vpn.as_deref());
        let inquiry = Inquiry { focus: Focus::on(&words), ..Inquiry::default() };
        let (seen, _) = look(&self.answer.cloud, sign_in, inquiry).await?;
        let vpn = seen.only(self.vpn.as_deref())?;
        let half = self.half;
        let format = self.format_for(vpn)?;
        let side = FarSide::of(vpn, half).map_err(CommandError::refused)?;
        let key = if self.with_key { Some(self.key(&seen, vpn, half).await?) } else { None };
        let sheet = Sheet::new(format, &side, key.as_ref()).map_err(|refused| refusal(vpn, &refused))?;
        let (has_two, is_of) = (vpn.b().is_some(), side.region.clone());
        let report = SheetReport::new(vpn, (half, side.region), format, sheet.clone());
        let report = match self.output.as_ref().filter(|path| path.as_os_str() != "-") {
            Some(path) => {
                write_new(path, sheet.text().expose_secret().as_bytes()).map_err(|error| unwritten(path, &error))?;
                report.written_to(path.clone())
            }
            None => report,
        };
        if has_two {
            say(&format!("This is for the far side of half {half}, {is_of}. The other: --half {}", half.other()));
        }
        Ok(report.into())
    }

    fn format_for(&self, vpn: &Vpn) -> Result<&'static PeerFormat, CommandError> {
        let known = || PeerFormat::of(PeerSystem::of_description(&vpn.side(self.half)?.connection.description));
        let Some(word) = &self.format else {
            return known()
                .or_else(|| PeerFormat::of(None))
                .ok_or_else(|| CommandError::unusable("no format".to_owned()));
        };
        let mut formats = PeerFormat::all().map_err(CommandError::internal)?.iter();
        let format = formats.find(|format| format.word == *word);
        format.ok_or_else(|| CommandError::unusable(format!("{word}: no such format")))
    }

    async fn key(&self, seen: &ProjectVpns, vpn: &Vpn, half: Half) -> Result<secrecy::SecretString, CommandError> {
        let side = vpn.side(half).ok_or_else(|| CommandError::unusable(format!("there is no half {half}")))?;
        let reading = || format!("reading the key of {} in {}", side.connection.name, side.region);
        let region = seen.cloud().region(&side.region).map_err(|error| CommandError::failed(reading(), &error))?;
        let key = region.connection_psk(&side.connection.id).await;
        key.map_err(|error| CommandError::failed(reading(), &error))
    }
}

fn unwritten(path: &Path, error: &io::Error) -> CommandError {
    CommandError::unusable(match error.kind() {
        ErrorKind::AlreadyExists => format!("{} exists, and no file is overwritten; name another", path.display()),
        _ => format!("{} cannot be written: {error}", path.display()),
    })
}

/// Each reason, with the command that changes the VPN so that it would work.
fn refusal(vpn: &Vpn, refused: &SheetRefused) -> CommandError {
    let problems = refused.reasons.iter().map(|reason| reason.told(|word| vpn.command(word)));
    CommandError::new(ExitStatus::Refused, problems)
}
