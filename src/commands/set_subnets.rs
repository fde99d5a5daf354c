//! `osvpn set-subnets`

use clap::Args;

use super::look::{ProjectVpns, look_to_change};
use super::options::{AfterArgs, ChangeArgs, CloudArgs};
use super::run_change::Carrier;
use super::{Answering, CommandError, Conclusion, SignInContext, until_signal};
use crate::change::{NewSubnets, Proposal, set_subnets};
use crate::cloud::Id;
use crate::inspect::{Inspection, Side, Vpn};
use crate::plan::{Half, cidr};
use crate::system::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  osvpn set-subnets hlz-por nz-hlz-1=private-subnet,db-subnet     exactly these
  osvpn set-subnets hlz-por nz-por-1+=apps-subnet                 this one too
  osvpn set-subnets hlz-por A-=10.0.1.0/24                        without this one
  osvpn set-subnets office peer+=192.168.8.0/24                   behind the external peer

Subnets are names, ids or CIDRs. Both halves are changed: new endpoint groups are created, the connections switched to
them, the old groups deleted.";

/// Tunnel other subnets, without recreating the VPN.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SetSubnetsArgs {
    /// Its name, the id in its marker, or the name or id of one of its connections.
    #[arg(value_name = "VPN")]
    vpn: String,
    /// REGION=SUBNET,SUBNET (also A, B or peer for the region; += adds, -= removes).
    #[arg(value_name = "REGION=SUBNETS", required = true)]
    subnets: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    wait: AfterArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

impl SetSubnetsArgs {
    fn propose(&self, seen: &ProjectVpns) -> Result<Proposal, CommandError> {
        let vpn = seen.whole(&self.vpn)?;
        let wanted = wanted(&seen.inspection, vpn, &self.subnets)?;
        Ok(set_subnets(&seen.inspection, vpn, &wanted)?)
    }
}

impl Answering for SetSubnetsArgs {
    fn is_json(&self) -> bool {
        self.change.json
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let proposed = look_to_change(&self.cloud, sign_in, async |seen| self.propose(seen));
        let (seen, proposal) = until_signal(signals, proposed).await?;
        let carrier = Carrier { seen: &seen, key: None, wait: self.wait.duration(), is_agreed: self.change.yes };
        carrier.carry_out(proposal, signals).await
    }
}

/// How a list is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Set,
    Add,
    Remove,
}

/// Reads what was asked for. The place before the `=` is a region, A, B, or `peer`; `+=` adds to what is there, `-=` takes
/// away from it.
///
/// # Errors
/// Everything that is wrong.
fn wanted(seen: &Inspection, vpn: &Vpn, words: &[String]) -> Result<NewSubnets, CommandError> {
    let mut wanted = NewSubnets::default();
    let mut problems = Vec::new();
    for word in words {
        let Some((place, list)) = word.split_once('=') else {
            problems.push(format!("{word}: write REGION=SUBNET,SUBNET (or += to add, -= to take away)"));
            continue;
        };
        let (place, how) = match (place.strip_suffix('+'), place.strip_suffix('-')) {
            (Some(place), _) => (place, How::Add),
            (None, Some(place)) => (place, How::Remove),
            (None, None) => (place, How::Set),
        };
        let listed: Vec<&str> = list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        let taken = match half_of(vpn, place) {
            Ok(Some(half)) => vpn.side(half).map_or(Ok(()), |side| {
                let current = wanted.local.get(&half).unwrap_or(&side.subnets).clone();
                local(seen, vpn, half, side, how, current, &listed).map(|ids| {
                    wanted.local.insert(half, ids);
                })
            }),
            Ok(None) => outside(vpn, how, &listed).map(|ranges| wanted.outside = Some(ranges)),
            Err(problem) => Err(vec![problem]),
        };
        problems.extend(taken.err().unwrap_or_default());
    }
    if problems.is_empty() { Ok(wanted) } else { Err(CommandError::all_unusable(problems)) }
}

/// The half that a word before the `=` means; none for the peer outside.
fn half_of(vpn: &Vpn, place: &str) -> Result<Option<Half>, String> {
    let named = |half: Half| half.to_string().eq_ignore_ascii_case(place);
    if let Some((half, _)) = vpn.sides().find(|(half, _)| named(*half)) {
        return Ok(Some(half));
    }
    if place == "peer" {
        return if vpn.b().is_none() {
            Ok(None)
        } else {
            Err("peer: this VPN has two halves; name a region".to_owned())
        };
    }
    let there: Vec<Half> =
        vpn.sides().filter(|(_, side)| side.region.as_str() == place).map(|(half, _)| half).collect();
    match there.as_slice() {
        [half] => Ok(Some(*half)),
        [] => {
            let mut places: Vec<String> = vpn.sides().map(|(_, side)| side.region.to_string()).collect();
            if vpn.b().is_none() {
                places.push("peer".to_owned());
            }
            Err(format!("{place}: {} is between {}", vpn.name, places.join(" and ")))
        }
        _ => Err(format!("{place}: both halves are there; write A or B instead")),
    }
}

fn local(
    seen: &Inspection,
    vpn: &Vpn,
    half: Half,
    side: &Side,
    how: How,
    mut current: Vec<Id>,
    listed: &[&str],
) -> Result<Vec<Id>, Vec<String>> {
    let mut problems = Vec::new();
    let mut ids = Vec::new();
    for word in listed {
        match subnet(seen, vpn, half, side, word) {
            Ok(id) => ids.push(id),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    match how {
        How::Set => current = ids,
        How::Add => current.extend(ids),
        How::Remove => current.retain(|id| !ids.contains(id)),
    }
    let mut unique: Vec<Id> = Vec::new();
    for id in current {
        if !unique.contains(&id) {
            unique.push(id);
        }
    }
    Ok(unique)
}

/// The subnet of that id, name or range; of several with one name, the one on the VPN's router.
fn subnet(seen: &Inspection, vpn: &Vpn, half: Half, side: &Side, word: &str) -> Result<Id, String> {
    let place = vpn.place(half);
    let Some(survey) = seen.surveys.get(&side.region) else { return Err(format!("{place} could not be read")) };
    let range = word.parse().ok();
    let fits = |subnet: &&crate::cloud::Subnet| {
        subnet.id.as_str() == word || subnet.name == word || Some(subnet.cidr) == range
    };
    let all: Vec<_> = survey.inventory.subnets.iter().filter(fits).collect();
    let on_router: Vec<_> =
        all.iter().filter(|subnet| side.router.as_ref().is_some_and(|router| router.serves(&subnet.id))).collect();
    match (on_router.as_slice(), all.as_slice()) {
        ([one], _) => Ok(one.id.clone()),
        ([], [one]) => Ok(one.id.clone()),
        ([], []) => {
            let names: Vec<&str> = survey
                .inventory
                .subnets
                .iter()
                .filter(|subnet| side.router.as_ref().is_some_and(|router| router.serves(&subnet.id)))
                .map(|subnet| subnet.name.as_str())
                .collect();
            Err(format!("{word} is no subnet of {place}; on the VPN's router there are: {}", names.join(", ")))
        }
        (several, _) => {
            let ids: Vec<&str> = several.iter().map(|subnet| subnet.id.as_str()).collect();
            Err(format!("several subnets of {place} are called {word}; name one by its id: {}", ids.join(", ")))
        }
    }
}

fn outside(vpn: &Vpn, how: How, listed: &[&str]) -> Result<Vec<ipnet::IpNet>, Vec<String>> {
    let ranges = cidr::parse_list(&listed.join(",")).map_err(|problem| vec![format!("peer: {problem}")])?;
    let mut current = vpn.a.remote.clone();
    match how {
        How::Set => current = ranges,
        How::Add => current.extend(ranges),
        How::Remove => current.retain(|range| !ranges.contains(range)),
    }
    cidr::check_list(&current).map_err(|problem| vec![format!("peer: {problem}")])?;
    Ok(current)
}
