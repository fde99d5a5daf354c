//! `osvpn rotate-psk`

use clap::Args;

use super::look::{ProjectVpns, look_to_change};
use super::options::{AnswerArgs, ChangeArgs, ClearTextArgs, KeyArgs, WaitArgs};
use super::run_change::ChangeRun;
use super::{Answering, CommandError, Conclusion, SignInContext, lines, until_signal};
use crate::change::{Proposal, Sas, rotate_key, rotate_public_keys};
use crate::inspect::{Aspects, Background, Focus, Inquiry, Keys};
use crate::plan::psk::KeyOrigin;
use crate::system::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  osvpn rotate-psk hlz-por --renew                     a new key, in use at once
  osvpn rotate-psk office --psk-file key.txt           the key that an external peer has got
  osvpn rotate-psk --all-public-keys --yes             every VPN with the key of create-vpn.sh";

/// Give a VPN a new pre-shared key, on both halves as one step.
///
/// If the second half refuses the key, the first gets its old one back. The key is generated unless you give one, and is
/// shown nowhere. A tunnel that is up keeps the old key until it is renegotiated; --renew does that now.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RotateArgs {
    /// Its name, the id in its marker, or the name or id of one of its connections.
    #[arg(value_name = "VPN", required_unless_present = "all_public_keys")]
    vpn: Option<String>,
    /// Give a new key to every VPN of the project that has the well-known key from create-vpn.sh.
    #[arg(long, conflicts_with_all = ["vpn", "psk_file"])]
    all_public_keys: bool,
    /// Renegotiate running tunnels with the new key now. All tunnels of both routers are down for some seconds.
    #[arg(long)]
    renew: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    clear_text: ClearTextArgs,
}

/// One VPN, or all of a kind, however many these are.
enum KeyProposal {
    One(Box<Proposal>),
    All(Vec<Proposal>),
}

impl RotateArgs {
    async fn propose(
        &self,
        seen: &ProjectVpns,
        mut background: Background,
        origin: KeyOrigin,
    ) -> Result<KeyProposal, CommandError> {
        self.clear_text.apply(seen.cloud()).await;
        let sas = if self.renew { Sas::Renew } else { Sas::Keep };
        if let Some(wanted) = &self.vpn {
            let proposal = rotate_key(&seen.inspection, seen.whole(wanted)?, origin, sas)?;
            return Ok(KeyProposal::One(Box::new(self.with_option(proposal))));
        }
        if let Some((region, why)) = seen.inspection.unread.first() {
            return Err(CommandError::failed(format!("reading {region}"), why));
        }
        let vpns = &seen.inspection.vpns;
        background.complete(seen.cloud(), vpns, Aspects::KEYS).await;
        let keys: Vec<Keys> = vpns.iter().map(|vpn| background.keys_of(vpn)).collect();
        for (vpn, keys) in vpns.iter().zip(&keys) {
            if let Keys::Unreadable(error) = keys {
                return Err(CommandError::failed(format!("reading the key of {}", vpn.name), error));
            }
        }
        let rescue = rotate_public_keys(&seen.inspection, vpns.iter().zip(&keys), &seen.needed(), sas)?;
        rescue.warnings().for_each(|warning| lines::warn(&warning));
        Ok(KeyProposal::All(rescue.proposals.into_iter().map(|proposal| self.with_option(proposal)).collect()))
    }

    /// Names the option for what the user may want besides.
    fn with_option(&self, mut proposal: Proposal) -> Proposal {
        if !self.renew {
            proposal.notes.push("The option --renew renews the tunnels too.".to_owned());
        }
        proposal
    }
}

impl Answering for RotateArgs {
    fn options(&self) -> &AnswerArgs {
        &self.change.answer
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        // One key for many VPNs is no key.
        let key = if self.all_public_keys { None } else { until_signal(signals, self.key.given()).await? };
        let origin = if key.is_some() { KeyOrigin::Given } else { KeyOrigin::Generated };
        let focus = if self.all_public_keys { Focus::All } else { Focus::Nothing };
        let inquiry = Inquiry { focus, aspects: Aspects::KEYS, ..Inquiry::default() };
        let propose = async |seen: &ProjectVpns, background| self.propose(seen, background, origin).await;
        let proposed = look_to_change(&self.change.answer.cloud, sign_in, inquiry, propose);
        let (seen, wanted) = until_signal(signals, proposed).await?;
        let run = ChangeRun { seen: &seen, key, wait: self.wait.duration(), is_confirmed: self.change.yes };
        match wanted {
            KeyProposal::One(proposal) => run.run(*proposal, signals).await,
            KeyProposal::All(proposals) => run.run_all(proposals, signals).await,
        }
    }
}
