//! Why a tunnel is down, or carries less than it says: every check, the faults ordered by how likely they are the cause, and
//! what cannot be checked from here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::case::Case;
use super::checks::{self, Check};
use super::exposure::{InstanceGate, MissingRule};
use super::fix::Fix;
use super::verdict::{CheckResult, Fault, FaultRole, Verdict, Weight};
use super::{Condition, Exposures, Inspection, Keys, Side, Vpn};
use crate::cloud::exposure::SecurityGroupRule;
use crate::cloud::{RegionId, Status};
use crate::plan::Half;
use crate::plan::shell::openstack;

/// How old a status may be.
macro_rules! agents_report {
    () => {
        "agents report once a minute"
    };
}
pub(crate) use agents_report;

/// What is known about a VPN after all checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    pub condition: Condition,
    /// In the order in which a tunnel comes up.
    pub checks: Vec<CheckResult>,
    /// The faults, the likeliest cause first; of a VPN that is not ACTIVE only those that may keep it down.
    pub findings: Vec<CheckResult>,
    /// The other faults of a VPN that is not ACTIVE: they matter once it is.
    pub once_up: Vec<CheckResult>,
    pub gates: BTreeMap<Half, InstanceGate>,
    /// The halves that are DOWN and seem to wait for traffic: with them nothing is wrong.
    pub idle: BTreeSet<Half>,
    pub unseen: Vec<String>,
    pub ping: String,
    /// What was known of the keys.
    pub keys: Keys,
}

impl Inspection {
    /// Runs every check on a VPN. What instances allow is checked only if it was read.
    pub fn diagnose(&self, vpn: &Vpn, keys: &Keys, exposures: &Exposures) -> Diagnosis {
        let case = Case::new(self, vpn, keys, exposures);
        let prove = |check: Check| Some(CheckResult { check, verdict: check.prove(&case)? });
        let checks: Vec<CheckResult> = checks::ALL.into_iter().filter_map(prove).collect();
        let mut faults: Vec<CheckResult> = checks.iter().filter(|result| result.fault().is_some()).cloned().collect();
        faults.sort_by_key(|result| result.likelihood(vpn.is_active()));
        let (findings, once_up): (Vec<_>, Vec<_>) =
            faults.into_iter().partition(|result| vpn.is_active() || result.may_keep_down());
        Diagnosis {
            condition: condition(vpn, &checks),
            idle: idle(&case, &findings),
            unseen: unseen(&case, &findings),
            ping: ping(&case),
            checks,
            findings,
            once_up,
            gates: case.gates,
            keys: keys.clone(),
        }
    }
}

/// The condition of a VPN after every check. What instances allow is no part of that.
fn condition(vpn: &Vpn, checks: &[CheckResult]) -> Condition {
    let is_outside = vpn.b().is_none();
    let is_open =
        |result: &CheckResult| matches!(result.verdict, Verdict::Open(_)) && result.check.must_be_known(is_outside);
    let are_known = || vpn.sides().all(|(_, side)| side.connection.status.is_known());
    if vpn.uncertainty().is_some() || (!vpn.is_active() && !are_known()) {
        Condition::Unclear
    } else if !vpn.is_active() {
        Condition::NotActive
    } else if checks.iter().filter_map(CheckResult::fault).any(|fault| fault.weight.fails_traffic()) {
        Condition::Mismatched
    } else if checks.iter().any(is_open) {
        Condition::Unclear
    } else {
        Condition::Proven
    }
}

/// strongSwan begins by itself when its process starts and, with the DPD action `restart`, when a peer is gone. A connection that
/// was added to a running service, or has another action, waits until something is sent through it.
fn idle(case: &Case<'_>, findings: &[CheckResult]) -> BTreeSet<Half> {
    let is_sound = findings.iter().all(|result| result.check == checks::PEER);
    let is_waiting = |side: &Side| {
        let runs = side.service.as_ref().is_some_and(|service| service.status == Status::Active);
        runs && side.connection.status == Status::Down
            && (side.connection.dpd.action != "restart" || shares_service(case, side))
    };
    let halves = case.vpn.sides().map(|(half, side)| is_waiting(side).then_some(half));
    if is_sound { halves.collect::<Option<_>>().unwrap_or_default() } else { BTreeSet::new() }
}

fn shares_service(case: &Case<'_>, side: &Side) -> bool {
    let connections = case.survey(side).map_or(&[][..], |survey| &survey.inventory.connections);
    connections.iter().filter(|other| other.service == side.connection.service).count() > 1
}

fn unseen(case: &Case<'_>, findings: &[CheckResult]) -> Vec<String> {
    let vpn = case.vpn;
    let statuses: Vec<&Status> = vpn.sides().map(|(_, side)| &side.connection.status).collect();
    if statuses.iter().all(|status| **status == Status::Active) {
        return vec![
            "What is stored may be newer than what the tunnel was established with: a running tunnel keeps its keys and \
             subnets until it is negotiated again."
                .to_owned(),
            "Whether large packets pass: a tunnel leaves less room in each. Where small ones pass and large ones hang, an MTU \
             of 1400 on the instances, or a TCP MSS of 1350, helps."
                .to_owned(),
        ];
    }
    let mut unseen = Vec::new();
    if statuses.contains(&&Status::Active) {
        unseen.push(
            concat!(
                "One half reports ACTIVE and the other not: ",
                agents_report!(),
                ", each on its own beat, and a half may hold a dead tunnel for ACTIVE until dead peer detection gives it \
                 up, after three minutes. Check again then."
            )
            .to_owned(),
        );
    } else {
        unseen.push(concat!("A status is up to 60 s old: ", agents_report!(), ".").to_owned());
    }
    if vpn.sides().any(|(_, side)| shares_service(case, side)) {
        unseen.push(
            "Another connection shares its VPN service: where strongSwan runs, a connection added to a running service stays \
             DOWN until something is sent through it. The ping below wakes it."
                .to_owned(),
        );
    }
    let ends: Vec<String> = vpn.sides().filter_map(|(_, side)| side.address()).map(|end| end.to_string()).collect();
    let ends = match (ends.as_slice(), vpn.b()) {
        ([a, b], _) => format!("{a} and {b}"),
        ([a], None) => format!("{a} and {}", vpn.a.connection.peer_address),
        _ => "both ends".to_owned(),
    };
    // What the owner of a peer compares has that too.
    let is_listed = findings.iter().any(|result| result.check == checks::PEER);
    unseen.extend((!is_listed).then(|| format!(
        "Whether UDP 500, UDP 4500 and ESP (IP protocol 50) pass between {ends}: routers need no rule for them, a firewall \
         outside of the cloud does."
    )));
    unseen.push(
        "Whether a router has just failed over to another host: its tunnels then take 5 to 20 minutes to come back."
            .to_owned(),
    );
    // VPNaaS' driver takes a daemon that lists no connection for one that does not run, and does not stop it.
    let routers = vpn.sides().filter_map(|(_, side)| {
        let router = side.router.as_ref()?;
        Some(openstack(&side.region, "router set --disable").operand(&router.id).to_string())
    });
    let routers: Vec<String> = routers.collect();
    if !routers.is_empty() {
        unseen.push(format!(
            "Whether a VPN agent has lost track of its strongSwan process, as it does after a connection that strongSwan cannot \
             load. The only remedy is to disable and re-enable the router, which interrupts everything behind it: {}, and \
             the same with --enable.",
            routers.join(" or ")
        ));
    }
    unseen
}

/// The command that tries the tunnel, and wakes it.
fn ping(case: &Case<'_>) -> String {
    let vpn = case.vpn;
    let from = vpn.a.local.as_deref().and_then(<[_]>::first).map_or_else(
        || format!("a tunnelled subnet of {}", case.place(Half::A)),
        |range| format!("{range} ({})", case.place(Half::A)),
    );
    let instance = case.gates.get(&Half::B).and_then(|gate| gate.instance);
    let to = instance.map_or_else(
        || {
            let range = vpn.a.remote.first().map_or_else(|| "the other side".to_owned(), ToString::to_string);
            format!("ADDRESS   (of a machine in {range})")
        },
        |address: IpAddr| address.to_string(),
    );
    format!("from an instance in {from}: ping -c 3 {to}")
}

/// The rules of the security groups in use, by region, as far as they could be read.
pub fn rules(vpn: &Vpn, exposures: &Exposures) -> BTreeMap<RegionId, Vec<SecurityGroupRule>> {
    let rules = |region: &RegionId| Some((region.clone(), exposures.get(region)?.as_ref().ok()?.rules.clone()));
    vpn.sides().filter_map(|(_, side)| rules(&side.region)).collect()
}

impl Diagnosis {
    /// The likeliest cause that this program can fix, by its place among the findings. What only the user can fix is
    /// passed over for what weighs as much, never for what weighs less: that would not help. A key that everybody knows
    /// keeps nothing from working.
    pub fn first_fixable(&self) -> Option<usize> {
        let mut faults = self.findings.iter().filter_map(CheckResult::fault);
        let weight = faults.find(|fault| fault.weight != Weight::Exposes || fault.fix.is_ours())?.weight;
        let is_ours =
            |result: &CheckResult| result.fault().is_some_and(|fault| fault.weight == weight && fault.fix.is_ours());
        self.findings.iter().position(is_ours)
    }

    /// What keeps the tunnel down until it is changed: waiting does not help.
    pub(crate) fn keeps_down(&self) -> Option<&Fault> {
        let mut faults = self.findings.iter().filter_map(CheckResult::fault);
        faults.find(|fault| fault.weight == Weight::Stops && fault.role == FaultRole::Cause)
    }

    /// Of a VPN that is not ACTIVE: what lets others in or read along as soon as it is. It matters more than why it is down.
    pub fn exposed(&self) -> impl Iterator<Item = &CheckResult> {
        self.once_up.iter().filter(|result| result.exposes())
    }

    /// Of a VPN that is not ACTIVE: what else matters once it is.
    pub fn later(&self) -> impl Iterator<Item = &CheckResult> {
        self.once_up.iter().filter(|result| !result.exposes())
    }

    /// Every fault, those that expose the VPN first.
    pub fn faults(&self) -> impl Iterator<Item = (Check, &Fault)> {
        let all = self.exposed().chain(&self.findings).chain(self.later());
        all.filter_map(|result| Some((result.check, result.fault()?)))
    }

    pub fn rules(&self) -> Vec<MissingRule> {
        self.gates.values().flat_map(|gate| gate.missing.clone()).collect()
    }

    /// The open checks, each with what a person can do about it, but for those whose values a finding lists already.
    pub fn open(&self) -> impl Iterator<Item = (Check, &str)> {
        let lists_values =
            |result: &CheckResult| result.fault().is_some_and(|fault| matches!(fault.fix, Fix::Compare(_)));
        let is_listed = self.findings.iter().any(lists_values);
        self.checks.iter().filter_map(move |result| match &result.verdict {
            Verdict::Open(what) if !(is_listed && result.check.is_shared_with_peer()) => {
                Some((result.check, what.as_str()))
            }
            Verdict::Open(_) | Verdict::Good(_) | Verdict::Bad(_) => None,
        })
    }

    pub fn conclusion(&self, vpn: &Vpn) -> String {
        let is_fine = self.findings.is_empty();
        match (self.condition, vpn.b()) {
            (Condition::Proven, Some(_)) if is_fine => "ACTIVE, and both halves match.".to_owned(),
            (Condition::Proven, Some(_)) => format!("ACTIVE, and both halves match. But {}.", self.first_seen()),
            (Condition::Proven, None) => {
                let what = if is_fine { "and nothing is wrong on this side" } else { "but this side needs attention" };
                format!("ACTIVE, {what}; the peer's side cannot be checked from here.")
            }
            (Condition::Mismatched, _) => "ACTIVE, but something is wrong: some traffic fails, or will.".to_owned(),
            (Condition::NotActive, _) if is_fine => {
                "Not ACTIVE, and nothing that can be checked from here keeps it down.".to_owned()
            }
            (Condition::NotActive, _) => "Not ACTIVE.".to_owned(),
            (Condition::Unclear, _) => {
                let why = vpn.uncertainty().unwrap_or_else(|| "not everything that matters could be read".to_owned());
                format!("Unclear: {why}.")
            }
        }
    }

    /// What the first finding is; the places of what instances block are many.
    fn first_seen(&self) -> &str {
        match self.findings.first() {
            Some(result) if result.check == checks::SECURITY_GROUPS => "instances block traffic from the other side",
            Some(result) => result.fault().map_or("", |fault| &fault.seen),
            None => "",
        }
    }

    pub fn passed(&self) -> String {
        let count = self.checks.iter().filter(|result| matches!(result.verdict, Verdict::Good(_))).count();
        let other = if self.findings.is_empty() && self.once_up.is_empty() { "" } else { " other" };
        format!("{count}{other} checks passed.")
    }
}
