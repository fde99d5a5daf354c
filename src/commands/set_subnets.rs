//! `osvpn set-subnets`

use clap::Args;
use ipnet::IpNet;
use itertools::Itertools;

use super::look::ProjectVpns;
use super::options::{AfterArgs, AnswerArgs, ChangeArgs};
use super::run_change::propose_and_run;
use super::{Answering, CommandError, Conclusion, SignInContext};
use crate::change::{NewSubnets, Proposal, set_subnets};
use crate::cloud::{Id, Subnet};
use crate::inspect::{Inspection, Side, Vpn};
use crate::plan::Half;
use crate::plan::cidr::{self, CidrProblem};
use crate::report::ExitStatus;
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
}

impl SetSubnetsArgs {
    fn propose(&self, seen: &ProjectVpns) -> Result<Proposal, CommandError> {
        let vpn = seen.whole(&self.vpn)?;
        let wanted = wanted(&seen.inspection, vpn, &self.subnets)?;
        Ok(set_subnets(&seen.inspection, vpn, &wanted)?)
    }
}

impl Answering for SetSubnetsArgs {
    fn options(&self) -> &AnswerArgs {
        &self.change.answer
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        propose_and_run(&self.change, self.wait.duration(), sign_in, signals, async |seen| self.propose(seen)).await
    }
}

/// How a list changes what is there.
#[derive(Clone, Copy)]
enum Operator {
    Set,
    Add,
    Remove,
}

impl Operator {
    /// `REGION=`, `REGION+=` or `REGION-=`: the place, and how the list after it is meant.
    fn split(place: &str) -> (&str, Self) {
        match (place.strip_suffix('+'), place.strip_suffix('-')) {
            (Some(place), _) => (place, Self::Add),
            (None, Some(place)) => (place, Self::Remove),
            (None, None) => (place, Self::Set),
        }
    }

    fn apply<T: Clone + PartialEq>(self, current: &[T], listed: Vec<T>) -> Vec<T> {
        match self {
            Self::Set => listed,
            Self::Add => [current, &listed].concat(),
            Self::Remove => current.iter().filter(|one| !listed.contains(one)).cloned().collect(),
        }
    }
}

/// Reads what was asked for.
///
/// # Errors
/// Everything that is wrong.
fn wanted(seen: &Inspection, vpn: &Vpn, words: &[String]) -> Result<NewSubnets, CommandError> {
    let mut wanted = NewSubnets::default();
    let mut problems = Vec::new();
    for word in words {
        let Some((place, list)) = word.split_once('=') else {
            problems.push(format!("{word}: write REGION=SUBNET,SUBNET (or += to add, -= to remove)"));
            continue;
        };
        let (place, operator) = Operator::split(place);
        let listed: Vec<&str> = list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        match half_of(vpn, place) {
            Ok(Some(half)) => {
                let Some(side) = vpn.side(half) else { continue };
                let found = listed.iter().map(|word| subnet(seen, vpn, half, side, word));
                let (ids, wrong): (Vec<Id>, Vec<String>) = found.partition_result();
                problems.extend(wrong);
                let ids = operator.apply(wanted.local.get(&half).unwrap_or(&side.subnets), ids);
                wanted.local.insert(half, ids.into_iter().unique().collect());
            }
            Ok(None) => match outside(vpn, operator, &listed) {
                Ok(ranges) => wanted.outside = Some(ranges),
                Err(problem) => problems.push(format!("peer: {problem}")),
            },
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(wanted) } else { Err(CommandError::new(ExitStatus::Usage, problems)) }
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

/// The subnet of that id, name or range; of several with one name, the one on the VPN's router.
fn subnet(seen: &Inspection, vpn: &Vpn, half: Half, side: &Side, word: &str) -> Result<Id, String> {
    let place = vpn.place(half);
    let Some(survey) = seen.surveys.get(&side.region) else { return Err(format!("{place} could not be read")) };
    let range = word.parse().ok();
    let fits = |subnet: &Subnet| subnet.id.as_str() == word || subnet.name == word || Some(subnet.cidr) == range;
    let is_on_router =
        |subnet: &Subnet| side.router.as_ref().is_some_and(|router| router.serves(&subnet.id) == Some(true));
    let subnets = &survey.inventory.subnets;
    let all: Vec<&Subnet> = subnets.iter().filter(|subnet| fits(subnet)).collect();
    let on_router: Vec<&Subnet> = all.iter().copied().filter(|subnet| is_on_router(subnet)).collect();
    match if on_router.is_empty() { all.as_slice() } else { on_router.as_slice() } {
        [one] => Ok(one.id.clone()),
        [] => {
            let names = subnets.iter().filter(|subnet| is_on_router(subnet)).map(|subnet| &subnet.name).join(", ");
            Err(format!("{word} is no subnet of {place}; on the VPN's router there are: {names}"))
        }
        several => {
            let ids = several.iter().map(|subnet| &subnet.id).join(", ");
            Err(format!("several subnets of {place} are called {word}; name one by its id: {ids}"))
        }
    }
}

fn outside(vpn: &Vpn, operator: Operator, listed: &[&str]) -> Result<Vec<IpNet>, CidrProblem> {
    let ranges = operator.apply(&vpn.a.remote, cidr::parse_list(&listed.join(","))?);
    cidr::check_list(&ranges)?;
    Ok(ranges)
}
