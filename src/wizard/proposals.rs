//! Whole VPNs for the first page: for every two regions the one that answering each question with what it offers would lead
//! to. What is offered is ranked by the lists of the questions, and what comes of it is a checked plan.

mod page;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use ipnet::IpNet;
use itertools::Itertools;

use super::attention::MOMENT;
use super::choices::{best_by_itself, is_plain, namesake};
use super::interfaces::{A_REQUEST, CANDIDATE_READS};
use super::new_vpn::name_for;
use super::objects::{RouterList, SubnetList};
use super::picker::{Choice, Line, worst};
use super::remote::Remote;
use super::shell::Shell;
use super::{NewVpn, RegionState};
use crate::cloud::{Id, Inventory, RegionId, Subnet, Survey};
use crate::inspect::{Inspection, Vpn};
use crate::plan::{Far, Finding, Half, HalfDraft, Labels, Plan, PlanDraft, PolicyScope, VpnName};

/// How many routers of a region are considered for a pair, the likeliest first: one request reads where all of them stand.
const ROUTERS: usize = 8;
/// How many subnets of a router.
const SUBNETS: usize = 8;
/// How many plans of two regions are checked: a check looks through all there is, and what the lists offer rarely fails it.
const PLANS: usize = 8;
/// The rank of a line with a warning.
const WORST_OPEN: u8 = 2;

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
    /// They have half a VPN.
    HalfMade(HalfMade),
    /// Where its routers stand is being read.
    Reading,
    /// Why no two of their routers can be connected.
    Impossible(String),
}

impl Outlook {
    const fn rank(&self) -> u8 {
        match self {
            Self::Proposed(..) => 0,
            Self::Connected(_) | Self::HalfMade(_) => 1,
            Self::Reading => 2,
            Self::Impossible(_) => 3,
        }
    }
}

/// A VPN whose creation was interrupted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HalfMade {
    pub(super) name: String,
    /// The id in its markers.
    pub(super) vpn: String,
    routers: BTreeSet<Id>,
}

impl HalfMade {
    fn all(shell: &Shell) -> Vec<Self> {
        let all = shell.session().into_iter().flat_map(|session| &session.interruptions);
        let half_made = all.filter(|one| one.is_unmade()).map(|one| Self {
            name: one.name().to_owned(),
            vpn: one.vpn().to_string(),
            routers: one.routers().cloned().collect(),
        });
        half_made.collect()
    }

    pub(super) fn is_on(&self, router: &Id) -> bool {
        self.routers.contains(router)
    }
}

/// What the first page knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Proposals {
    /// The best first.
    pub(super) pairs: Vec<RegionPair>,
    /// The VPNs there are, as far as the inventories tell.
    pub(super) vpns: Vec<Vpn>,
    pub(super) half_made: Vec<HalfMade>,
    /// The routers of each region that decide what is proposed, and were not asked for.
    pub(super) unread: BTreeMap<RegionId, Vec<Id>>,
    /// When a line of the page last got another number.
    pub(super) moved: Option<Duration>,
}

impl Proposals {
    /// Whether a digit may be meant for a line that had it before.
    pub(super) fn have_just_moved(&self, now: Duration) -> bool {
        self.moved.is_some_and(|moved| now.saturating_sub(moved) < MOMENT)
    }

    /// The line of a pair.
    fn choice(pair: &RegionPair) -> Choice {
        match &pair.outlook {
            Outlook::Connected(vpn) => Choice::Vpn(vpn.handle()),
            Outlook::HalfMade(half_made) => Choice::Creation(half_made.vpn.clone()),
            _ => Choice::Proposal(pair.regions.0.clone(), pair.regions.1.clone()),
        }
    }

    /// The regions that a line of the first page is about.
    pub(super) fn regions_of(&self, choice: &Choice) -> Vec<RegionId> {
        let pair = self.pairs.iter().find(|pair| Self::choice(pair) == *choice);
        match (pair, choice) {
            (Some(pair), _) => vec![pair.regions.0.clone(), pair.regions.1.clone()],
            (None, Choice::Region(region)) => vec![region.clone()],
            _ => Vec::new(),
        }
    }

    /// The line of the first pair with all those regions.
    pub(super) fn line_of(&self, regions: &[RegionId]) -> Option<Choice> {
        let has_all = |RegionPair { regions: (a, b), .. }: &&RegionPair| regions.iter().all(|one| one == a || one == b);
        self.pairs.iter().find(has_all).filter(|_| !regions.is_empty()).map(Self::choice)
    }

    /// The plan that is on the screen for two regions.
    pub(super) fn plan(&self, a: &RegionId, b: &RegionId) -> Option<&Plan> {
        let pair = self.pairs.iter().find(|pair| (&pair.regions.0, &pair.regions.1) == (a, b))?;
        if let Outlook::Proposed(plan, _) = &pair.outlook { Some(plan) } else { None }
    }
}

/// The first candidates of a list, the likeliest first: what has one of those names and nothing against it, then by what
/// speaks against them.
fn ranked<'l>(lines: &'l [Line], names: &HashSet<&str>, count: usize) -> Vec<&'l Line> {
    let is_meant = |line: &Line| is_plain(line) && names.contains(line.title.as_str());
    let open = || lines.iter().filter(|line| line.is_open());
    let by_rank = (0..=WORST_OPEN).flat_map(|rank| open().filter(move |line| line.rank() == rank));
    open().filter(|line| is_meant(line)).chain(by_rank.filter(|line| !is_meant(line))).take(count).collect()
}

fn titles(lines: &[Line]) -> HashSet<&str> {
    lines.iter().map(|line| line.title.as_str()).collect()
}

/// A region whose routers are candidates.
struct RoutersOfRegion<'a> {
    region: &'a RegionState,
    lines: Vec<Line>,
    subnets: HashMap<&'a Id, &'a Subnet>,
}

impl<'a> RoutersOfRegion<'a> {
    fn of(region: &'a RegionState) -> Option<Self> {
        let lines = RouterList::of(region, Half::A)?.lines();
        Some(Self { region, lines, subnets: region.known()?.inventory.subnets_by_id() })
    }

    /// The subnets of a router as the list of that half has them, across from those ranges.
    fn subnets(&self, router: &Id, half: Half, across: Vec<IpNet>) -> (Option<SubnetList<'a>>, Vec<Line>) {
        let list = SubnetList::of(self.region, router, half, across);
        let lines = list.as_ref().map(|list| list.own_lines(&self.subnets)).unwrap_or_default();
        (list, lines)
    }
}

/// Two regions that can be connected.
#[derive(Clone, Copy)]
struct PairEnds<'r, 'a> {
    a: &'r RoutersOfRegion<'a>,
    b: &'r RoutersOfRegion<'a>,
}

impl<'r> PairEnds<'r, '_> {
    /// The first routers of both sides, each two together, the likeliest first.
    fn routers(self) -> Vec<(&'r Id, &'r Id)> {
        let firsts = ranked(&self.a.lines, &titles(&self.b.lines), ROUTERS).into_iter().enumerate();
        let pairs = firsts.flat_map(|(place, a)| {
            let others = ranked(&self.b.lines, &HashSet::from([a.title.as_str()]), ROUTERS).into_iter().enumerate();
            others.filter_map(move |(other, b)| Some((place + other, (a.choice.id()?, b.choice.id()?))))
        });
        pairs.sorted_by_key(|(place, _)| *place).map(|(_, routers)| routers).collect()
    }

    /// The subnets that the lists of both would mark, or why there are none that go together.
    fn subnets(self, routers: (&Id, &Id)) -> Result<(Id, Id), String> {
        let (_, of_b) = self.b.subnets(routers.1, Half::B, Vec::new());
        let (_, of_a) = self.a.subnets(routers.0, Half::A, Vec::new());
        let mut why = None;
        for a in ranked(&of_a, &titles(&of_b), SUBNETS).into_iter().filter_map(|line| line.choice.id()) {
            let Some(subnet) = self.a.subnets.get(a) else { continue };
            let (list, of_b) = self.b.subnets(routers.1, Half::B, vec![subnet.cidr]);
            let best = namesake(&HashSet::from([subnet.name.as_str()]), &of_b).or_else(|| best_by_itself(&of_b));
            if let Some(b) = best.and_then(|best| best.choice.id()) {
                return Ok((a.clone(), b.clone()));
            }
            let reason = |line: &Line| {
                let findings = list.as_ref()?.findings_of(line.choice.id()?)?;
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
        self.proposals.half_made = HalfMade::all(shell);
        self.note_vpns();
        let vpns = std::mem::take(&mut self.proposals.vpns);
        let home = shell.session().and_then(|session| session.home.as_ref());
        let able = self.regions.iter().filter(|region| region.is_able());
        // The user's own region first.
        let able: Vec<_> =
            able.sorted_by_key(|region| Some(&region.id) != home).filter_map(RoutersOfRegion::of).collect();
        let mut unread = BTreeMap::new();
        let mut pairs: Vec<RegionPair> = Vec::new();
        for (a, b) in able.iter().tuple_combinations() {
            let (ends, both) = (PairEnds { a, b }, BTreeSet::from([&a.region.id, &b.region.id]));
            let routers = ends.routers();
            note_unread(&mut unread, a.region, routers.iter().map(|routers| routers.0));
            note_unread(&mut unread, b.region, routers.iter().map(|routers| routers.1));
            let is_between = |vpn: &&Vpn| vpn.sides().map(|(_, side)| &side.region).collect::<BTreeSet<_>>() == both;
            let between: Vec<&Vpn> = vpns.iter().filter(is_between).collect();
            let outlook = self.outlook(ends, &routers, &between, &shell.labels);
            let is_beside = |vpn: &&&Vpn| !matches!(&outlook, Outlook::Connected(connected) if **connected == ***vpn);
            let beside = between.iter().filter(is_beside).map(|vpn| format!("{} ({})", vpn.name, vpn.status()));
            let beside = beside.collect();
            pairs.push(RegionPair { regions: (a.region.id.clone(), b.region.id.clone()), outlook, beside });
        }
        pairs.sort_by_key(|pair| pair.outlook.rank());
        (self.proposals.pairs, self.proposals.vpns, self.proposals.unread) = (pairs, vpns, unread);
    }

    /// Whether every region has answered.
    pub(super) fn is_all_read(&self) -> bool {
        !self.regions.is_empty() && self.regions.iter().all(|region| !region.is_first_read())
    }

    /// Finds out which VPNs there are, as far as the regions are known.
    pub(super) fn note_vpns(&mut self) {
        self.proposals.vpns = self.vpns_of_inventories();
        for region in &mut self.regions {
            region.note_upgrades(&self.proposals.vpns);
        }
    }

    /// The VPNs that the inventories tell of, paired as everywhere. Their ranges are not known.
    fn vpns_of_inventories(&self) -> Vec<Vpn> {
        let is_empty = |region: &RegionState| region.inventory.ready().is_none_or(|known| known.connections.is_empty());
        if self.regions.iter().all(is_empty) {
            return Vec::new();
        }
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

    fn outlook(&self, ends: PairEnds<'_, '_>, routers: &[(&Id, &Id)], between: &[&Vpn], labels: &Labels) -> Outlook {
        let (mut why, mut checked) = (None, 0);
        for &routers in routers {
            let on = |one: &&HalfMade| [routers.0, routers.1].map(|router| one.is_on(router));
            let half_made = &self.proposals.half_made;
            if let Some(both) = half_made.iter().find(|one| on(one) == [true, true]) {
                return Outlook::HalfMade(both.clone());
            }
            if let Some(one) = half_made.iter().find(|one| on(one) != [false, false]) {
                // Its service is half-made.
                why = why.or_else(|| Some(format!("creating {} was interrupted, and Your VPNs lists it", one.name)));
                continue;
            }
            if let Some(vpn) = between.iter().find(|vpn| is_between(vpn, routers)) {
                return Outlook::Connected(Box::new((*vpn).clone()));
            }
            let read = [ends.a.region.standing(routers.0), ends.b.region.standing(routers.1)];
            if let Some(error) = read.iter().find_map(|read| read.error()) {
                why = why.or_else(|| Some(format!("the subnets of its routers could not be read: {error}")));
                continue;
            }
            if read.iter().any(|read| read.ready().is_none()) {
                if [ends.a.region, ends.b.region].iter().all(|region| region.may_read_candidates()) {
                    return Outlook::Reading;
                }
                why = why.or_else(|| Some("the first of its routers have no subnets; choose step by step".to_owned()));
                continue;
            }
            let planned = match ends.subnets(routers) {
                Ok(_) if checked == PLANS => break,
                Ok(subnets) => self.planned(ends, routers, subnets, labels),
                Err(reason) => {
                    why = why.or(Some(reason));
                    continue;
                }
            };
            match planned {
                Ok((plan, source)) => return Outlook::Proposed(plan, source),
                Err(reason) => (why, checked) = (why.or(Some(reason)), checked + 1),
            }
        }
        Outlook::Impossible(why.unwrap_or_else(|| "no two of their routers can be connected".to_owned()))
    }

    fn planned(
        &self,
        ends: PairEnds<'_, '_>,
        routers: (&Id, &Id),
        subnets: (Id, Id),
        labels: &Labels,
    ) -> Result<(Box<Plan>, Option<String>), String> {
        let (a, b) = (ends.a.region, ends.b.region);
        let known: Vec<_> = [a, b].into_iter().filter_map(RegionState::known).collect();
        let half = |region: &RegionState, router: &Id, subnet: Id| HalfDraft {
            region: region.id.clone(),
            router: router.clone(),
            subnets: vec![subnet],
        };
        let subnet = ends.a.subnets.get(&subnets.0);
        let scope = PolicyScope {
            regions: known.iter().map(|known| (known.region, &known.inventory.extensions)).collect(),
            ranges: (1, 1),
            ipv6: subnet.is_some_and(|subnet| subnet.cidr.addr().is_ipv6()),
            has_external_peer: false,
        };
        let (profile, source) = self.profile_in(&scope);
        let name = self.answers.name.as_ref().map(|name| name.value().to_owned());
        let name = name.unwrap_or_else(|| name_for([a.id.as_str(), b.id.as_str()], &known));
        let draft = PlanDraft {
            name: VpnName::parse(&name).map_err(|problem| problem.to_string())?,
            a: half(a, routers.0, subnets.0),
            far: Far::Half(half(b, routers.1, subnets.1)),
            profile,
            policy: self.profiles.get(profile).unwrap_or(&self.answers.custom).clone(),
            psk: self.answers.key.psk().unwrap_or_else(|| self.offered.clone()),
        };
        let refusal = |findings: Vec<Finding>| findings.first().map(ToString::to_string).unwrap_or_default();
        let plan = Plan::check(draft, &known, labels, self.id.clone()).map_err(refusal)?;
        Ok((Box::new(plan), source))
    }
}

/// Notes which of those routers were not asked for. If they have no subnets, one more request asks for further routers. After
/// that the user has to choose step by step.
fn note_unread<'r>(
    unread: &mut BTreeMap<RegionId, Vec<Id>>,
    region: &'r RegionState,
    routers: impl Iterator<Item = &'r Id>,
) {
    let mut first = routers.filter(|id| matches!(region.standing(id), Remote::NotAsked)).peekable();
    if region.candidate_reads >= CANDIDATE_READS || first.peek().is_none() {
        return;
    }
    let more = if region.candidate_reads == 0 { Vec::new() } else { region.unread_routers() };
    let unread = unread.entry(region.id.clone()).or_default();
    for router in first.cloned().chain(more) {
        if !unread.contains(&router) && unread.len() < A_REQUEST {
            unread.push(router);
        }
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
    /// Finds out which legacy services can be upgraded: those of VPNs that have all their halves.
    fn note_upgrades(&mut self, vpns: &[Vpn]) {
        self.upgrades.clear();
        let sides = vpns.iter().filter(|vpn| !vpn.is_missing_a_half()).flat_map(|vpn| {
            let sides = vpn.sides().filter(|(_, side)| side.region == self.id);
            sides.filter_map(|(_, side)| side.service.as_ref()).map(move |service| (service, &vpn.name))
        });
        for (service, name) in sides.filter(|(service, _)| service.legacy_subnet.is_some()) {
            let names = self.upgrades.entry(service.id.clone()).or_default();
            if !names.is_empty() {
                names.push_str(" and ");
            }
            names.push_str(name);
        }
    }

    /// Whether nothing of it is known yet, or not all that a pair needs.
    pub(super) fn is_first_read(&self) -> bool {
        let is_part = |known: &Inventory| self.inventory.is_loading() && known.subnets.is_empty();
        self.inventory.error().is_none() && self.inventory.ready().is_none_or(is_part)
    }

    /// Whether it is read and can hold half of a VPN.
    pub(super) fn is_able(&self) -> bool {
        let has_vpnaas = |known: &Inventory| known.extensions.has_vpnaas();
        !self.is_first_read() && self.inventory.ready().is_some_and(has_vpnaas) && self.has_usable_router()
    }
}
