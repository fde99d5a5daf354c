//! The commands for VPNs that exist: list, status, doctor, and everything that changes one. They read with
//! [`inspect`](crate::inspect), decide with [`change`](crate::change), ask once, and carry out with
//! [`engine::change`](crate::engine::change).

mod ask;
mod carry;
mod seen;
mod subnets;

use futures::future::join_all;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::apply::{Answer, Conclusion, Lines, Refusal};
use crate::change::{
    Proposal, Refused, Sas, admit as admission, delete as deletion, delete_strays, fix, rotate_key, rotate_public_keys,
};
use crate::cli::{AdmitArgs, CloudArgs, DeleteArgs, DoctorArgs, ListArgs, RotateArgs, SetSubnetsArgs, StatusArgs};
use crate::inspect::diagnosis::{Diagnosis, Exposures, exposures, rules};
use crate::inspect::{Fix, Keys, Vpn};
use crate::plan::psk::KeyOrigin;
use crate::plan::{Profiles, Psk};
use crate::report::{Health, ListedInterruption, Listing};
use crate::sign_in::terminal::AtTerminal;
use crate::signals::Signal;

use carry::Carrier;
use seen::{Seen, look};

type Signals = UnboundedReceiver<Signal>;

/// Every VPN of the project, and what no VPN uses.
pub async fn list(args: &ListArgs, mut signals: Signals) -> Answer {
    let mut sign_in_warnings = Vec::new();
    let terminal = AtTerminal::find();
    let looked = until_signal(look(&args.cloud, terminal.as_ref(), &mut sign_in_warnings), &mut signals).await;
    let conclusion = match looked {
        Ok(seen) => {
            let needed = seen.needed();
            let needed = seen.inspection.strays.iter().filter(|stray| needed.needs(stray));
            let needed: Vec<_> = needed.map(|stray| stray.id.clone()).collect();
            let listing =
                Listing::new(&seen.inspection).with_interrupted(&seen.interruptions, |id| needed.contains(id));
            Conclusion::Listing(Box::new(listing))
        }
        Err(refusal) => unread(refusal),
    };
    Answer { conclusion, sign_in_warnings }
}

/// How one VPN stands: its two-sided proof, and an exit code for monitoring.
pub async fn status(args: &StatusArgs, mut signals: Signals) -> Answer {
    let mut sign_in_warnings = Vec::new();
    let terminal = AtTerminal::find();
    let asked = async {
        let seen = look(&args.cloud, terminal.as_ref(), &mut sign_in_warnings).await?;
        let vpn = match (seen.only(args.vpn.as_deref()), seen.unmade(args.vpn.as_deref()).as_slice()) {
            (Err(_), [interrupted]) if args.vpn.is_some() || seen.inspection.vpns.is_empty() => {
                return Ok(Conclusion::Interrupted(Box::new(ListedInterruption::new(interrupted))));
            }
            (vpn, _) => vpn?,
        };
        // What instances admit is not what a monitor asks about, and is not read for it.
        let diagnosis = seen.diagnosis(vpn, &Exposures::new()).await;
        let health = Health::new(vpn, &diagnosis);
        Ok(Conclusion::Health(Box::new(health.with_interruption(seen.interruption_of(vpn)))))
    };
    let asked = until_signal(asked, &mut signals).await;
    let conclusion = match asked {
        Ok(conclusion) => conclusion,
        Err(refusal) => unread(refusal),
    };
    Answer { conclusion, sign_in_warnings }
}

/// Why a VPN is down, or carries less than it says; and the one thing that mends it, done if it is agreed to.
pub async fn doctor(args: &DoctorArgs, mut signals: Signals) -> Answer {
    let mut sign_in_warnings = Vec::new();
    let terminal = AtTerminal::find();
    let asked = async {
        let seen = look(&args.cloud, terminal.as_ref(), &mut sign_in_warnings).await?;
        args.clear_text.apply(seen.cloud()).await;
        let unmade: Vec<_> = seen.unmade(args.vpn.as_deref()).into_iter().map(ListedInterruption::new).collect();
        let chosen: Vec<&Vpn> = match &args.vpn {
            Some(_) if !unmade.is_empty() => Vec::new(),
            Some(wanted) => vec![seen.select(wanted)?],
            // One is changed, never one of several by chance.
            None if args.fix || args.modernise => vec![seen.only(None)?],
            None => seen.inspection.vpns.iter().collect(),
        };
        if chosen.is_empty() && unmade.is_empty() {
            return Err(seen.nothing());
        }
        let diagnoses = join_all(chosen.iter().map(|vpn| async {
            let exposures = exposures(&seen.signed_in.cloud, vpn).await;
            seen.diagnosis(vpn, &exposures).await
        }));
        let diagnoses = diagnoses.await;
        let chosen: Vec<Vpn> = chosen.into_iter().cloned().collect();
        Ok((seen, chosen, diagnoses, unmade))
    };
    let conclusion = match until_signal(asked, &mut signals).await {
        Ok((_, vpns, _, unmade)) if vpns.is_empty() && (args.fix || args.modernise) => {
            refused(Refusal::refused(unmade.iter().map(ToString::to_string).collect()))
        }
        Ok((seen, vpns, diagnoses, unmade)) => {
            if let ([vpn], [diagnosis], []) = (vpns.as_slice(), diagnoses.as_slice(), unmade.as_slice()) {
                mend(args, &seen, vpn, diagnosis, signals).await
            } else {
                let health = |(vpn, diagnosis)| {
                    Health::new(vpn, diagnosis).as_diagnosis().with_interruption(seen.interruption_of(vpn))
                };
                Conclusion::Diagnoses(vpns.iter().zip(&diagnoses).map(health).collect(), unmade)
            }
        }
        Err(refusal) if args.fix || args.modernise => refused(refusal),
        Err(refusal) => unread(refusal),
    };
    Answer { conclusion, sign_in_warnings }
}

/// Tells what was found, and does the first fix there is, if that is wanted.
async fn mend(args: &DoctorArgs, seen: &Seen, vpn: &Vpn, diagnosis: &Diagnosis, mut signals: Signals) -> Conclusion {
    let health = Health::new(vpn, diagnosis).as_diagnosis().with_interruption(seen.interruption_of(vpn));
    if let Err(why) = seen.free(vpn) {
        return if args.fix || args.modernise { refused(why) } else { diagnosed(health) };
    }
    let wanted = if args.modernise { Some(Fix::Modernise) } else { first_fix(diagnosis) };
    if args.fix && wanted.is_none() {
        return diagnosed(health.unchanged());
    }
    let may_ask = !args.json && ask::can_be_asked();
    let (Some(wanted), true) = (wanted, args.fix || args.modernise || may_ask) else {
        return diagnosed(health);
    };
    let profiles = match Profiles::built_in() {
        Ok(profiles) => profiles,
        Err(error) => return refused(Refusal::internal(&error)),
    };
    let may_change = args.vpn.as_deref().map_or(Ok(()), |wanted| seen.whole(wanted).map(drop));
    let proposed = fix(&seen.inspection, vpn, diagnosis, &wanted, &profiles).map_err(Refusal::from);
    let proposal = match may_change.and(proposed) {
        Ok(proposal) => proposal,
        Err(why) if args.fix || args.modernise => return refused(why),
        Err(_) => return diagnosed(health),
    };
    if !args.json {
        ask::say(&health.to_string());
    }
    if !(args.yes || args.fix || args.modernise) {
        match ask::agreed("\nThis can be mended now:\n", std::slice::from_ref(&proposal), &mut signals).await {
            Ok(true) => {}
            Ok(false) => return diagnosed(health.printed()),
            Err(refusal) => return refused(refusal),
        }
    }
    let is_agreed = args.yes || !(args.fix || args.modernise);
    let carrier = Carrier { seen, key: None, wait: args.wait.duration(), is_agreed };
    carrier.carry_out(proposal, signals).await
}

/// The likeliest cause that this program can mend.
fn first_fix(diagnosis: &Diagnosis) -> Option<Fix> {
    let first = diagnosis.findings.get(diagnosis.first_mendable()?)?;
    first.fault().map(|fault| fault.fix.clone())
}

/// Deletes a VPN, or what no VPN uses.
pub async fn delete(args: &DeleteArgs, signals: Signals) -> Answer {
    change(&args.cloud, signals, args.change.yes, std::time::Duration::ZERO, None, async |seen: &Seen| {
        let Some(wanted) = &args.vpn else {
            return Ok(Wanted::One(delete_strays(&seen.inspection, &seen.needed(), &args.of)?));
        };
        let vpn = seen.to_change(wanted)?;
        seen.inspection.deletable(vpn).map_err(|why| Refusal::refused(vec![why]))?;
        let rules = rules(vpn, &exposures(&seen.signed_in.cloud, vpn).await);
        Ok(Wanted::One(deletion(&seen.inspection, vpn, &rules)))
    })
    .await
}

/// A new key for a VPN, or for every VPN that has the word everybody knows.
pub async fn rotate_psk(args: &RotateArgs, mut signals: Signals) -> Answer {
    // One key for many VPNs is no key.
    let given = async {
        if args.all_public_keys { Ok(None) } else { crate::apply::input::given_key(args.psk_file.as_deref()).await }
    };
    let given = match until_signal(given, &mut signals).await {
        Ok(given) => given,
        Err(refusal) => return Answer { conclusion: refused(refusal), sign_in_warnings: Vec::new() },
    };
    let origin = if given.is_some() { KeyOrigin::Given } else { KeyOrigin::Generated };
    let sas = if args.renew { Sas::Renew } else { Sas::Keep };
    change(&args.cloud, signals, args.change.yes, args.wait.duration(), given, async |seen: &Seen| {
        args.clear_text.apply(seen.cloud()).await;
        if let Some(wanted) = &args.vpn {
            return Ok(Wanted::One(with_option(rotate_key(&seen.inspection, seen.whole(wanted)?, origin, sas)?, sas)));
        }
        if let Some((region, why)) = seen.inspection.unread.first() {
            return Err(Refusal::failed(format!("reading {region}"), why));
        }
        let keys = join_all(seen.inspection.vpns.iter().map(|vpn| Keys::read(&seen.signed_in.cloud, vpn))).await;
        for (vpn, keys) in seen.inspection.vpns.iter().zip(&keys) {
            if let Keys::Unreadable(error) = keys {
                return Err(Refusal::failed(format!("reading the key of {}", vpn.name), error));
            }
        }
        let rescue = rotate_public_keys(&seen.inspection, seen.inspection.vpns.iter().zip(&keys), &seen.needed(), sas)?;
        rescue.warnings().for_each(|warning| Lines::warning(&warning));
        Ok(Wanted::All(rescue.proposals.into_iter().map(|proposal| with_option(proposal, sas)).collect()))
    })
    .await
}

/// Names the option for what the user may want besides.
fn with_option(mut proposal: Proposal, sas: Sas) -> Proposal {
    if sas == Sas::Keep {
        proposal.notes.push("The option --renew renews the tunnels too.".to_owned());
    }
    proposal
}

/// Tunnels other subnets.
pub async fn set_subnets(args: &SetSubnetsArgs, signals: Signals) -> Answer {
    change(&args.cloud, signals, args.change.yes, args.wait.duration(), None, async |seen: &Seen| {
        let vpn = seen.whole(&args.vpn)?;
        let wanted = subnets::wanted(&seen.inspection, vpn, &args.subnets)?;
        Ok(Wanted::One(crate::change::set_subnets(&seen.inspection, vpn, &wanted)?))
    })
    .await
}

/// Lets the instances of a VPN's subnets be reached from across.
pub async fn admit(args: &AdmitArgs, signals: Signals) -> Answer {
    change(&args.cloud, signals, args.change.yes, std::time::Duration::ZERO, None, async |seen: &Seen| {
        let vpn = match &args.vpn {
            Some(wanted) => seen.to_change(wanted)?,
            None => seen.only(None)?,
        };
        seen.free(vpn)?;
        let exposures = exposures(&seen.signed_in.cloud, vpn).await;
        let diagnosis = seen.diagnosis(vpn, &exposures).await;
        Ok(Wanted::One(admission(vpn, &diagnosis)))
    })
    .await
}

/// What is to be done: to one VPN, or to all of a kind, however many these are.
enum Wanted {
    One(Proposal),
    All(Vec<Proposal>),
}

/// Signs in, looks, proposes, asks, and carries out.
async fn change(
    cloud: &CloudArgs,
    mut signals: Signals,
    is_agreed: bool,
    wait: std::time::Duration,
    key: Option<Psk>,
    propose: impl AsyncFnOnce(&Seen) -> Result<Wanted, Refusal>,
) -> Answer {
    let mut sign_in_warnings = Vec::new();
    let terminal = AtTerminal::find();
    let proposed = async {
        let seen = look(cloud, terminal.as_ref(), &mut sign_in_warnings).await?;
        if let Some(hidden) = seen.inspection.hidden() {
            return Err(Refusal::refused(vec![hidden.to_string()]));
        }
        let wanted = propose(&seen).await?;
        Ok((seen, wanted))
    };
    let conclusion = match until_signal(proposed, &mut signals).await {
        Ok((seen, wanted)) => {
            let carrier = Carrier { seen: &seen, key, wait, is_agreed };
            match wanted {
                Wanted::One(proposal) => carrier.carry_out(proposal, signals).await,
                Wanted::All(proposals) => carrier.carry_out_all(proposals, signals).await,
            }
        }
        Err(refusal) => refused(refusal),
    };
    Answer { conclusion, sign_in_warnings }
}

fn diagnosed(health: Health) -> Conclusion {
    Conclusion::Diagnoses(vec![health], Vec::new())
}

fn refused(refusal: Refusal) -> Conclusion {
    Conclusion::Refused(Box::new(refusal.resuming()))
}

/// The same of a command that only reads.
fn unread(refusal: Refusal) -> Conclusion {
    Conclusion::Refused(Box::new(refusal.reading()))
}

impl From<Refused> for Refusal {
    fn from(Refused(why): Refused) -> Self {
        Self::refused(why)
    }
}

async fn until_signal<T>(work: impl Future<Output = Result<T, Refusal>>, signals: &mut Signals) -> Result<T, Refusal> {
    tokio::select! {
        done = work => done,
        Some(_) = signals.recv() => Err(Refusal::stopped()),
    }
}
