//! The lines of the first page: what can be connected, what is there, and the ways to something else.

use itertools::Itertools;

use super::super::choices::about;
use super::super::lacks::Lack;
use super::super::picker::{About, Choice, Line};
use super::super::screen::Mode;
use super::super::shell::Shell;
use super::super::vpns::{YourVpns, ranges};
use super::super::{NewVpn, RegionState};
use super::{HalfMade, Outlook, Proposals, RegionPair};
use crate::inspect::Vpn;
use crate::plan::{Finding, Half, HalfPlan, Labels, Place, Plan};

impl NewVpn {
    /// What can be taken stands first, then the ways that are always there, then what cannot be taken.
    pub(in crate::wizard) fn first_page(&self, vpns: &YourVpns, shell: &Shell) -> Vec<Line> {
        let labels = &shell.labels;
        let pairs = self.proposals.pairs.iter();
        let (open, closed): (Vec<_>, Vec<_>) = pairs.partition(|pair| !matches!(pair.outlook, Outlook::Impossible(_)));
        let mut lines: Vec<Line> = open.iter().map(|pair| self.pair_line(pair, labels)).collect();
        let pending: Vec<&RegionState> = self.regions.iter().filter(|region| region.is_first_read()).collect();
        if lines.is_empty() && (shell.session().is_none() || !pending.is_empty()) {
            let title = pending.iter().map(|region| labels.name(&region.id)).join(", ");
            let title = if title.is_empty() { "What can be connected".to_owned() } else { title };
            lines.push(Line { pending: true, ..Line::new(Choice::Best, title, "", About::default()) });
        } else {
            lines.extend(pending.into_iter().map(|region| self.region_line(region, Half::A, labels)));
        }
        lines.extend(self.ways(vpns, shell));
        if !self.nothing_to_connect(labels).is_empty() {
            // Why stands above the list.
            return lines;
        }
        lines.extend(closed.into_iter().map(|pair| self.pair_line(pair, labels)));
        let unable = self.regions.iter().filter(|region| !region.is_first_read() && !region.is_able());
        lines.extend(unable.map(|region| unable_line(region, labels)));
        lines
    }

    fn pair_line(&self, pair: &RegionPair, labels: &Labels) -> Line {
        let (a, b) = &pair.regions;
        let title = format!("{} <-> {}", labels.name(a), labels.name(b));
        let choice = Proposals::choice(pair);
        let beside =
            (!pair.beside.is_empty()).then(|| about("Also", format!("connected by {}", pair.beside.join(", "))));
        match &pair.outlook {
            Outlook::Proposed(plan, source) => {
                let mut said = self.about_plan(plan, source.as_deref());
                said.detail.extend(beside);
                let first = match self.upgraded_first(plan).join(" and ") {
                    names if names.is_empty() => names,
                    names => format!("; upgrades {names} first"),
                };
                Line::new(choice, title, ends(plan) + &first, said)
            }
            Outlook::Connected(vpn) => {
                let aside = format!("{} is {}", vpn.name, vpn.status());
                let mut detail = about_vpn(vpn, labels);
                detail.extend(beside);
                Line::new(choice, title, aside, About { detail, ..About::default() })
            }
            Outlook::HalfMade(HalfMade { name, vpn, .. }) => {
                let mut detail = vec![about("Enter", "asks whether to resume it or to roll it back")];
                detail.extend(beside);
                let aside = format!("{name}: creation was interrupted");
                Line::new(Choice::Creation(vpn.clone()), title, aside, About { detail, ..About::default() })
            }
            Outlook::Reading => Line { pending: true, ..Line::new(choice, title, "", About::default()) },
            Outlook::Impossible(why) => {
                let findings = vec![Finding::refusal(Place::Region(Half::B), format!("cannot be connected: {why}"))];
                Line::new(choice, title, "", About { findings, detail: beside.into_iter().collect() })
            }
        }
    }

    fn about_plan(&self, plan: &Plan, source: Option<&str>) -> About {
        let policy = match source {
            Some(why) => format!("{}: {why}", plan.profile().as_str()),
            None => plan.profile().as_str().to_owned(),
        };
        let objects = plan.new_objects();
        let detail = vec![
            about("Chosen", why_chosen(plan)),
            about("Name", plan.name().as_str()),
            about("Key", self.answers.key_text()),
            about("Policy", policy),
            about("Creates", format!("{objects} objects; Enter shows them first")),
        ];
        About { detail, findings: plan.findings().to_vec() }
    }

    fn ways(&self, vpns: &YourVpns, shell: &Shell) -> Vec<Line> {
        let line = |choice, title: &str, aside: String, detail: [(&str, &str); 2]| {
            let detail = detail.map(|(name, value)| about(name, value)).into();
            Line::new(choice, title, aside, About { detail, ..About::default() })
        };
        vec![
            line(
                Choice::Mode(Mode::SiteToSite),
                "choose step by step",
                "two regions".to_owned(),
                [
                    ("Asks for", "regions, routers, subnets"),
                    ("Creates", "both halves, with one key, each the other's peer"),
                ],
            ),
            line(
                Choice::Mode(Mode::Single),
                "one region and an outside peer",
                String::new(),
                [
                    ("Asks for", "also the peer's address and networks"),
                    ("Creates", "the half in this cloud, and the values for the other end"),
                ],
            ),
            line(
                Choice::Vpns,
                "your VPNs",
                self.vpns_in_words(vpns, shell),
                [
                    ("Shows", "the status of each, and why one is down"),
                    ("Can", "fix it, set a new key, change its subnets, delete it"),
                ],
            ),
        ]
    }

    /// How the VPNs that exist stand, as far as it is known without asking for more.
    fn vpns_in_words(&self, vpns: &YourVpns, shell: &Shell) -> String {
        let is_reader = shell.session().is_some_and(|session| session.is_reader);
        let known = &self.proposals.vpns;
        let up = known.iter().filter(|vpn| vpn.is_active()).count();
        let counts = [
            (up, "up"),
            (known.len() - up, "down"),
            (self.proposals.half_made.len(), "interrupted"),
            (vpns.public_keys(), "with the public key"),
        ];
        let words =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).join(", ");
        let count = |is: fn(&RegionState) -> bool| self.regions.iter().filter(|region| is(region)).count();
        let failed = count(|region| region.inventory.error().is_some());
        match (count(RegionState::is_first_read), count(|region| region.inventory.ready().is_some())) {
            (_, 0) => String::new(),
            _ if words.is_empty() && is_reader => "cannot be seen with the role reader".to_owned(),
            (1.., _) if words.is_empty() => "none so far".to_owned(),
            (1.., _) => format!("{words} so far"),
            _ if words.is_empty() && failed == 0 => "none yet".to_owned(),
            _ => {
                let failed =
                    (failed > 0).then(|| format!("{failed} region{} not read", if failed == 1 { "" } else { "s" }));
                Some(words).into_iter().filter(|words| !words.is_empty()).chain(failed).join(", ")
            }
        }
    }

    /// What the first page says above its lines.
    pub fn first_page_note(&self, current: Option<&Choice>, labels: &Labels) -> &'static str {
        match current {
            _ if !self.nothing_to_connect(labels).is_empty() => "No two regions can be connected yet.",
            Some(Choice::Proposal(..)) => "Enter shows all that it creates; nothing is created yet.",
            Some(Choice::Creation(_)) => "Enter resumes it or rolls it back, after a question.",
            Some(Choice::Vpn(_)) => "Connected already; Enter opens it in Your VPNs.",
            _ => "",
        }
    }

    /// Why nothing can be connected, and what helps; nothing while something can be or is still being read.
    pub fn nothing_to_connect(&self, labels: &Labels) -> Vec<Lack> {
        let is_open = |pair: &RegionPair| !matches!(pair.outlook, Outlook::Impossible(_));
        let is_read = |region: &RegionState| !region.is_first_read();
        let is_interrupted = !self.proposals.half_made.is_empty();
        if is_interrupted
            || self.proposals.pairs.iter().any(is_open)
            || self.regions.is_empty()
            || !self.regions.iter().all(is_read)
        {
            return Vec::new();
        }
        let (able, unable): (Vec<_>, Vec<_>) = self.regions.iter().partition(|region| region.is_able());
        let overlapping = self.proposals.pairs.iter().filter_map(|pair| match &pair.outlook {
            Outlook::Impossible(why) => Some(Lack::of_common_subnets(&pair.regions, why, labels)),
            _ => None,
        });
        let only = match able.as_slice() {
            [one] if unable.is_empty() => {
                let place = labels.full(&one.id);
                Some(Lack::new(format!("{place} is the only region here; a VPN between regions needs two.")))
            }
            _ => None,
        };
        only.into_iter().chain(overlapping).chain(unable.into_iter().map(|region| region.lack(labels))).collect()
    }
}

fn unable_line(region: &RegionState, labels: &Labels) -> Line {
    let error = region.inventory.error();
    let detail = [
        error.and_then(|error| error.request.clone()).map(|request| about("Request", request)),
        error.and_then(|error| error.request_id.clone()).map(|id| about("Number", id)),
    ];
    let commands = region.lack(labels).commands.into_iter().map(|command| about("Do", command.to_string()));
    let detail = detail.into_iter().flatten().chain(commands).collect();
    let findings = vec![Finding::refusal(Place::Region(Half::A), region.shortcoming())];
    Line::new(Choice::Region(region.id.clone()), labels.name(&region.id), "", About { detail, findings })
}

/// By what the routers and subnets of a proposal were chosen.
fn why_chosen(plan: &Plan) -> &'static str {
    let is_same = |name: fn(&HalfPlan) -> Option<&str>| plan.halves().map(name).all_equal();
    let routers = is_same(|half| Some(half.router.name.as_str()));
    let subnets = is_same(|half| half.local.first().map(|subnet| subnet.name.as_str()));
    match (routers, subnets) {
        (true, true) => "both sides have a router and a subnet of these names",
        (true, false) => "both sides have a router of this name; the first subnets that go together",
        (false, true) => "the first routers that go together, with a subnet of the same name",
        (false, false) => "the first routers and subnets that go together",
    }
}

/// Both sides of a plan in a line.
fn ends(plan: &Plan) -> String {
    let end = |half: &HalfPlan| format!("{} {}", half.router.name, ranges(Some(&half.local_ranges())));
    plan.halves().map(end).join(" <-> ")
}

fn about_vpn(vpn: &Vpn, labels: &Labels) -> Vec<(String, String)> {
    let of_side = |(_, side): (Half, &crate::inspect::Side)| {
        let router = side.router.as_ref().map_or("router unknown", |router| router.name.as_str());
        about(&labels.name(&side.region), format!("{}, {router}", side.connection.status))
    };
    vpn.sides().map(of_side).collect()
}
