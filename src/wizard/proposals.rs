//! Whole VPNs for the first page: for every two regions the one that answering each question with what it offers would lead
//! to. What is offered is ranked by the lists of the questions, and what comes of it is a checked plan.

mod page;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use itertools::Itertools;

use super::choices::{best_by_itself, is_plain, namesake};
use super::new_vpn::name_for;
use super::objects::{RouterList, SubnetList};
use super::picker::{Line, worst};
use super::remote::Remote;
use super::shell::Shell;
use super::{NewVpn, RegionState};
use crate::cloud::{Id, Inventory, RegionId, Survey};
use crate::inspect::{Inspection, Vpn};
use crate::plan::{Far, Finding, Half, HalfDraft, Labels, Plan, PlanDraft, PolicyScope, VpnName};

/// How many routers of a region are considered for a pair, the likeliest first: one request reads where all of them stand.
const ROUTERS: usize = 8;
/// How many subnets of a router.
const SUBNETS: usize = 8;

/// Two regions, the first half's first, and what there is to say of connecting them.
#[derive(Clone, Debug)]
pub(super) struct RegionPair {
    pub(super) regions: (RegionId, RegionId),
    pub(super) outlook: Outlook,
    /// Other VPNs between them, by name.
    pub(super) beside: Vec<String>,
}

/// What can be done about a pair of regions.
#[derive(Clone, Debug)]
pub(super) enum Outlook {
    /// The plan, and why its policy is the one it is, where nobody chose it.
    Proposed(Box<Plan>, Option<String>),
    /// The routers that would be proposed have a VPN already.
    Connected(Box<Vpn>),
    /// Where its routers stand is being read.
    Reading,
    /// Why no two of their routers can be connected.
    Impossible(String),
}

impl Outlook {
    const fn rank(&self) -> u8 {
        match self {
            Self::Proposed(..) => 0,
            Self::Connected(_) => 1,
            Self::Reading => 2,
            Self::Impossible(_) => 3,
        }
    }
}

/// What the first page knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Proposals {
    /// The best first.
    pub(super) pairs: Vec<RegionPair>,
    /// The VPNs there are, as far as the inventories tell.
    pub(super) vpns: Vec<Vpn>,
    /// The routers of each region that decide what is proposed, and were not asked for.
    pub(super) unread: BTreeMap<RegionId, Vec<Id>>,
}

impl Proposals {
    /// The plan that is on the screen for two regions.
    pub(super) fn plan(&self, a: &RegionId, b: &RegionId) -> Option<&Plan> {
        let pair = self.pairs.iter().find(|pair| (&pair.regions.0, &pair.regions.1) == (a, b))?;
        if let Outlook::Proposed(plan, _) = &pair.outlook { Some(plan) } else { None }
    }
}

/// The candidates of a list, the likeliest first: what has one of those names and nothing against it, then by what speaks
/// against them.
fn ranked<'l>(lines: &'l [Line], names: &HashSet<&str>) -> Vec<&'l Line> {
    let is_meant = |line: &Line| is_plain(line) && names.contains(line.title.as_str());
    let open = lines.iter().filter(|line| line.is_open());
    open.sorted_by_key(|line| (!is_meant(line), line.rank())).collect()
}

fn ids<'l>(lines: impl IntoIterator<Item = &'l Line>) -> Vec<&'l Id> {
    lines.into_iter().filter_map(|line| line.choice.id()).collect()
}

/// Two regions whose lists are known.
struct CandidateRouters<'a> {
    a: &'a RegionState,
    b: &'a RegionState,
    routers_a: Vec<Line>,
    routers_b: Vec<Line>,
}

impl<'a> CandidateRouters<'a> {
    fn of(a: &'a RegionState, b: &'a RegionState) -> Option<Self> {
        let routers_a = RouterList::of(a, Half::A)?.lines();
        let routers_b = RouterList::of(b, Half::B)?.lines();
        Some(Self { a, b, routers_a, routers_b })
    }

    /// The first routers of both sides, each two together, the likeliest first.
    fn routers(&self) -> Vec<(&Id, &Id)> {
        let names: HashSet<&str> = self.routers_b.iter().map(|line| line.title.as_str()).collect();
        let firsts = ranked(&self.routers_a, &names).into_iter().take(ROUTERS).enumerate();
        let pairs = firsts.flat_map(|(place, a)| {
            let others = ranked(&self.routers_b, &HashSet::from([a.title.as_str()]));
            let others = ids(others.into_iter().take(ROUTERS));
            let a = a.choice.id();
            others.into_iter().enumerate().filter_map(move |(other, b)| Some((place + other, (a?, b))))
        });
        pairs.sorted_by_key(|(place, _)| *place).map(|(_, routers)| routers).collect()
    }

    /// The subnets that the lists of both would mark, or why there are none that go together.
    fn subnets(&self, routers: (&Id, &Id)) -> Result<(Id, Id), String> {
        let list = |region, router, half, across| {
            SubnetList::of(region, router, half, across).map(|list| list.own_lines()).unwrap_or_default()
        };
        let of_b = list(self.b, routers.1, Half::B, Vec::new());
        let names: HashSet<&str> = of_b.iter().map(|line| line.title.as_str()).collect();
        let of_a = list(self.a, routers.0, Half::A, Vec::new());
        let mut why = None;
        for a in ids(ranked(&of_a, &names)).into_iter().take(SUBNETS) {
            let Some(known) = self.a.known().and_then(|known| known.inventory.subnet(a)) else { continue };
            let across = vec![known.cidr];
            let of_b = list(self.b, routers.1, Half::B, across.clone());
            let best = namesake(&HashSet::from([known.name.as_str()]), &of_b).or_else(|| best_by_itself(&of_b));
            if let Some(b) = best.and_then(|best| best.choice.id()) {
                return Ok((a.clone(), b.clone()));
            }
            let refused = SubnetList::of(self.b, routers.1, Half::B, across);
            let reason = |line: &Line| {
                let findings = refused.as_ref()?.findings_of(line.choice.id()?)?;
                Some(format!("{} {}", line.title, worst(&findings)?.text))
            };
            why = why.or_else(|| of_b.first().and_then(reason));
        }
        Err(why.unwrap_or_else(|| "its routers have no subnets that can be tunnelled".to_owned()))
    }
}

impl NewVpn {
    /// Finds out what can be connected, as far as the regions are known.
    pub(super) fn propose(&mut self, shell: &Shell) {
        let vpns = self.vpns_of_inventories();
        let pairs = self.pairs(shell).into_iter().map(|(a, b)| {
            let between = |vpn: &&Vpn| {
                let regions: BTreeSet<&RegionId> = vpn.sides().map(|(_, side)| &side.region).collect();
                regions == BTreeSet::from([&a.id, &b.id])
            };
            let between: Vec<&Vpn> = vpns.iter().filter(between).collect();
            let outlook = self.outlook(a, b, &between, &shell.labels);
            let is_beside = |vpn: &&&Vpn| !matches!(&outlook, Outlook::Connected(connected) if **connected == ***vpn);
            let beside = between.iter().filter(is_beside).map(|vpn| format!("{} ({})", vpn.name, vpn.status()));
            RegionPair { regions: (a.id.clone(), b.id.clone()), beside: beside.collect(), outlook }
        });
        let pairs = pairs.sorted_by_key(|pair| pair.outlook.rank()).collect();
        let unread = self.unread_candidates(shell);
        self.proposals = Proposals { pairs, vpns, unread };
    }

    /// Every two regions that have what a VPN needs, the user's own first.
    fn pairs(&self, shell: &Shell) -> Vec<(&RegionState, &RegionState)> {
        let home = shell.session().and_then(|session| session.home.as_ref());
        let able = self.regions.iter().filter(|region| region.is_able());
        able.sorted_by_key(|region| Some(&region.id) != home).tuple_combinations().collect()
    }

    /// Finds out which VPNs there are, as far as the regions are known.
    pub(super) fn note_vpns(&mut self) {
        self.proposals.vpns = self.vpns_of_inventories();
    }

    /// The VPNs that the inventories tell of, paired as everywhere. Their ranges are not known.
    fn vpns_of_inventories(&self) -> Vec<Vpn> {
        let survey = |region: &RegionState| {
            let known = region.inventory.ready()?;
            let mut survey = Survey::default();
            survey.inventory.services.clone_from(&known.services);
            survey.inventory.connections.clone_from(&known.connections);
            survey.inventory.routers.clone_from(&known.routers);
            Some((region.id.clone(), survey))
        };
        let surveys: BTreeMap<RegionId, Survey> = self.regions.iter().filter_map(survey).collect();
        Inspection::of(surveys, Vec::new()).vpns
    }

    fn outlook(&self, a: &RegionState, b: &RegionState, between: &[&Vpn], labels: &Labels) -> Outlook {
        let Some(ends) = CandidateRouters::of(a, b) else { return Outlook::Reading };
        let mut why = None;
        for (place, routers) in ends.routers().into_iter().enumerate() {
            if place == 0
                && let Some(vpn) = between.iter().find(|vpn| is_between(vpn, routers))
            {
                return Outlook::Connected(Box::new((*vpn).clone()));
            }
            let read = [a.standing(routers.0), b.standing(routers.1)];
            if let Some(error) = read.iter().find_map(|read| read.error()) {
                why = why.or_else(|| Some(format!("the subnets of its routers could not be read: {error}")));
            } else if read.iter().any(|read| read.ready().is_none()) {
                return Outlook::Reading;
            } else {
                match self.planned(&ends, routers, labels) {
                    Ok((plan, source)) => return Outlook::Proposed(plan, source),
                    Err(reason) => why = why.or(Some(reason)),
                }
            }
        }
        Outlook::Impossible(why.unwrap_or_else(|| "no two of their routers can be connected".to_owned()))
    }

    fn planned(
        &self,
        ends: &CandidateRouters<'_>,
        routers: (&Id, &Id),
        labels: &Labels,
    ) -> Result<(Box<Plan>, Option<String>), String> {
        let subnets = ends.subnets(routers)?;
        let known: Vec<_> = [ends.a, ends.b].into_iter().filter_map(RegionState::known).collect();
        let half = |region: &RegionState, router: &Id, subnet: Id| HalfDraft {
            region: region.id.clone(),
            router: router.clone(),
            subnets: vec![subnet],
        };
        let subnet = known.first().and_then(|known| known.inventory.subnet(&subnets.0));
        let scope = PolicyScope {
            regions: known.iter().map(|known| (known.region, &known.inventory.extensions)).collect(),
            ranges: (1, 1),
            ipv6: subnet.is_some_and(|subnet| subnet.cidr.addr().is_ipv6()),
            has_external_peer: false,
        };
        let (profile, source) = self.profile_in(&scope);
        let name = self.answers.name.as_ref().map(|name| name.value().to_owned());
        let name = name.unwrap_or_else(|| name_for([ends.a.id.as_str(), ends.b.id.as_str()], &known));
        let draft = PlanDraft {
            name: VpnName::parse(&name).map_err(|problem| problem.to_string())?,
            a: half(ends.a, routers.0, subnets.0),
            far: Far::Half(half(ends.b, routers.1, subnets.1)),
            profile,
            policy: self.profiles.get(profile).unwrap_or(&self.answers.custom).clone(),
            psk: self.answers.key.psk().unwrap_or_else(|| self.offered.clone()),
        };
        let refusal = |findings: Vec<Finding>| findings.first().map(ToString::to_string).unwrap_or_default();
        let plan = Plan::check(draft, &known, labels, self.id.clone()).map_err(refusal)?;
        Ok((Box::new(plan), source))
    }

    fn unread_candidates(&self, shell: &Shell) -> BTreeMap<RegionId, Vec<Id>> {
        let mut wanted: BTreeMap<RegionId, Vec<Id>> = BTreeMap::new();
        for (a, b) in self.pairs(shell) {
            let Some(ends) = CandidateRouters::of(a, b) else { continue };
            let routers = ends.routers();
            let of_both = [
                (a, routers.iter().map(|pair| pair.0).collect_vec()),
                (b, routers.iter().map(|pair| pair.1).collect()),
            ];
            for (region, routers) in of_both {
                let unread = routers.into_iter().filter(|id| matches!(region.standing(id), Remote::NotAsked));
                let wanted = wanted.entry(region.id.clone()).or_default();
                wanted.extend(unread.unique().filter(|id| !wanted.contains(id)).cloned().collect_vec());
            }
        }
        wanted
    }
}

/// The routers that a VPN is on.
pub(super) fn routers_of(vpn: &Vpn) -> impl Iterator<Item = &Id> {
    vpn.sides().filter_map(|(_, side)| side.service.as_ref()).map(|service| &service.router)
}

fn is_between(vpn: &Vpn, routers: (&Id, &Id)) -> bool {
    routers_of(vpn).collect::<BTreeSet<_>>() == BTreeSet::from([routers.0, routers.1])
}

impl RegionState {
    /// Whether nothing of it is known yet, or not all that a pair needs.
    fn is_first_read(&self) -> bool {
        let is_part = |known: &Inventory| self.inventory.is_loading() && known.subnets.is_empty();
        self.inventory.error().is_none() && self.inventory.ready().is_none_or(is_part)
    }

    /// Whether it is read and can hold half of a VPN.
    pub(super) fn is_able(&self) -> bool {
        let has_vpnaas = |known: &Inventory| known.extensions.has_vpnaas();
        !self.is_first_read() && self.inventory.ready().is_some_and(has_vpnaas) && self.has_usable_router()
    }
}
