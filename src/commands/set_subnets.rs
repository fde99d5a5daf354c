//! `osvpn set-subnets`

use clap::Args;
use ipnet::IpNet;
use itertools::Itertools;

use super::look::ProjectVpns;
use super::options::{AnswerArgs, ChangeArgs, ClearTextArgs, WaitArgs};
use super::run_change::RunOptions;
use super::{Answering, CommandError, Conclusion, SignInContext};
use crate::change::{NewSubnets, Proposal, Target, can_set_subnets, set_subnets, upgrade};
use crate::cloud::{Cloud, Id, OtherSubnets, Router};
use crate::inspect::{Aspects, Background, Inquiry, Inspection, Keys, Side, Vpn};
use crate::plan::cidr::{self, CidrProblem};
use crate::plan::reference::{self, NotOne};
use crate::plan::{Half, Profiles};
use crate::report::ExitStatus;
use crate::system::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  osvpn set-subnets hlz-por nz-hlz-1=private-subnet,db-subnet     exactly these
  osvpn set-subnets hlz-por nz-por-1+=apps-subnet                 this one too
  osvpn set-subnets hlz-por A-=10.0.1.0/24                        without this one
  osvpn set-subnets office peer+=192.168.8.0/24                   behind the external peer
  osvpn set-subnets old A+=db-subnet --upgrade                    with osvpn upgrade, in one change

Subnets are names, ids or CIDRs. Both halves are changed: osvpn creates new
endpoint groups, switches the connections to them, and deletes the old groups.";

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
    /// Upgrade the VPN at the same time, as osvpn upgrade does: where IKEv1 or a half of the old kind is in the way.
    #[arg(long)]
    upgrade: bool,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    clear_text: ClearTextArgs,
}

impl SetSubnetsArgs {
    async fn propose(&self, seen: &ProjectVpns, mut background: Background) -> Result<Proposal, CommandError> {
        self.clear_text.apply(seen.cloud()).await;
        let vpn = seen.whole(&self.vpn)?;
        let mut inspection = seen.inspection.clone();
        let wanted = wanted(seen.cloud(), &mut inspection, vpn, &self.subnets).await?;
        if !self.upgrade {
            // An upgrade is not advised where it refuses these subnets, too.
            if vpn.b().is_some() && can_set_subnets(vpn).is_err() {
                let target = Target::modern(&Profiles::built_in()?, vpn, &Keys::Unread);
                upgrade(&inspection, vpn, &Target { subnets: Some(wanted.clone()), ..target })?;
            }
            return Ok(set_subnets(&inspection, vpn, &wanted)?);
        }
        background.complete(seen.cloud(), [vpn], Aspects::KEYS).await;
        let target = Target::modern(&Profiles::built_in()?, vpn, &background.keys_of(vpn));
        Ok(upgrade(&inspection, vpn, &Target { subnets: Some(wanted), ..target })?)
    }
}

impl Answering for SetSubnetsArgs {
    fn options(&self) -> &AnswerArgs {
        &self.change.answer
    }

    async fn run(&self, sign_in: &mut SignInContext, signals: &mut Signals) -> Result<Conclusion, CommandError> {
        let inquiry = Inquiry { subnets: OtherSubnets::OfRouters, ..Inquiry::default() };
        let propose = async |seen: &ProjectVpns, background| self.propose(seen, background).await;
        RunOptions::new(&self.change, self.wait.duration()).propose_and_run(sign_in, signals, inquiry, propose).await
    }
}

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

#[derive(Debug, thiserror::Error)]
enum SubnetsProblem {
    #[error("{0}: write REGION=SUBNET,SUBNET (or += to add, -= to remove)")]
    NoList(String),
    #[error("peer: this VPN has two halves; name a region")]
    NoPeer,
    #[error("{place}: {vpn} is between {}", .places.join(" and "))]
    NoSuchPlace { place: String, vpn: String, places: Vec<String> },
    #[error("{0}: both halves are in that region; write A or B instead")]
    BothHalves(String),
    #[error("{0} could not be read")]
    Unread(String),
    #[error("{0}: {1}")]
    Subnet(String, NotOne),
    #[error("peer: {0}")]
    Peer(#[from] CidrProblem),
}

/// One argument: the half it is about (none for the external peer), and how its list is meant.
struct Argument<'a> {
    half: Option<Half>,
    operator: Operator,
    listed: Vec<&'a str>,
}

impl<'a> Argument<'a> {
    fn parse(vpn: &Vpn, word: &'a str) -> Result<Self, SubnetsProblem> {
        let (place, list) = word.split_once('=').ok_or_else(|| SubnetsProblem::NoList(word.to_owned()))?;
        let (place, operator) = Operator::split(place);
        let listed = list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        Ok(Self { half: half_of(vpn, place)?, operator, listed })
    }
}

/// Reads what was asked for.
/// Errors: Everything that is wrong.
async fn wanted(cloud: &Cloud, seen: &mut Inspection, vpn: &Vpn, words: &[String]) -> Result<NewSubnets, CommandError> {
    let mut wanted = NewSubnets::default();
    let (arguments, mut problems): (Vec<Argument<'_>>, Vec<SubnetsProblem>) =
        words.iter().map(|word| Argument::parse(vpn, word)).partition_result();
    for Argument { half, operator, listed } in arguments {
        let Some(half) = half else {
            match outside(vpn, operator, &listed) {
                Ok(ranges) => wanted.outside = Some(ranges),
                Err(problem) => problems.push(problem.into()),
            }
            continue;
        };
        let Some(side) = vpn.side(half) else { continue };
        look_up(cloud, seen, side, &listed).await?;
        let found = listed.iter().map(|word| subnet(seen, vpn, half, side, word));
        let (ids, wrong): (Vec<Id>, Vec<SubnetsProblem>) = found.partition_result();
        problems.extend(wrong);
        let ids = operator.apply(wanted.local.get(&half).unwrap_or(&side.subnets), ids);
        wanted.local.insert(half, ids.into_iter().unique().collect());
    }
    if problems.is_empty() {
        Ok(wanted)
    } else {
        Err(CommandError::new(ExitStatus::Usage, problems.iter().map(ToString::to_string)))
    }
}

/// Adds the subnets that words name and that are not on the router of a half, so that the reason against them can be told.
async fn look_up(cloud: &Cloud, seen: &mut Inspection, side: &Side, words: &[&str]) -> Result<(), CommandError> {
    let (Some(survey), Ok(region)) = (seen.surveys.get_mut(&side.region), cloud.region(&side.region)) else {
        return Ok(());
    };
    let inventory = &mut survey.inventory;
    let is_known = |word: &&str| reference::is_on_router(inventory, side.router.as_ref(), word);
    let words: Vec<&str> = words.iter().copied().filter(|word| !is_known(word)).collect();
    let found = region.subnets_called(&words).await;
    let failed = |error| CommandError::failed(format!("reading {}", side.region), &error);
    let found = found.map_err(failed)?;
    let ranges: Vec<IpNet> = found.iter().map(|subnet| subnet.cidr).collect();
    for subnet in found {
        if inventory.subnet(&subnet.id).is_none() {
            inventory.subnets.push(subnet);
        }
    }
    if !ranges.is_empty() {
        let (_, routers, _) = region.routers_on(&ranges).await.map_err(failed)?;
        let is_new = |router: &Router| inventory.routers.iter().all(|known| known.id != router.id);
        let new: Vec<Router> = routers.into_iter().filter(is_new).collect();
        inventory.routers.extend(new);
    }
    Ok(())
}

/// The half that a word before the `=` means; none for the external peer.
fn half_of(vpn: &Vpn, place: &str) -> Result<Option<Half>, SubnetsProblem> {
    let named = |half: Half| half.to_string().eq_ignore_ascii_case(place);
    if let Some((half, _)) = vpn.sides().find(|(half, _)| named(*half)) {
        return Ok(Some(half));
    }
    if place == "peer" {
        return if vpn.b().is_none() { Ok(None) } else { Err(SubnetsProblem::NoPeer) };
    }
    let there: Vec<Half> =
        vpn.sides().filter(|(_, side)| side.region.as_str() == place).map(|(half, _)| half).collect();
    let place = place.to_owned();
    match there.as_slice() {
        [half] => Ok(Some(*half)),
        [] => {
            let mut places: Vec<String> = vpn.sides().map(|(_, side)| side.region.to_string()).collect();
            if vpn.b().is_none() {
                places.push("peer".to_owned());
            }
            Err(SubnetsProblem::NoSuchPlace { place, vpn: vpn.name.clone(), places })
        }
        _ => Err(SubnetsProblem::BothHalves(place)),
    }
}

fn subnet(seen: &Inspection, vpn: &Vpn, half: Half, side: &Side, word: &str) -> Result<Id, SubnetsProblem> {
    let place = vpn.place(half);
    match seen.surveys.get(&side.region) {
        None => Err(SubnetsProblem::Unread(place)),
        Some(survey) => reference::subnet(&survey.inventory, side.router.as_ref(), word)
            .map_err(|problem| SubnetsProblem::Subnet(place, problem)),
    }
}

fn outside(vpn: &Vpn, operator: Operator, listed: &[&str]) -> Result<Vec<IpNet>, CidrProblem> {
    let ranges = operator.apply(&vpn.a.remote, cidr::parse_list(&listed.join(","))?);
    cidr::check_list(&ranges)?;
    Ok(ranges)
}
