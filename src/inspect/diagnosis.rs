//! Why a tunnel is down, or carries less than it says: every question asked, what was found ordered by how likely it is
//! the cause, and what cannot be seen from here with what to do about it.

mod around;
mod peer;

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::exposure::{Gate, gate};
use super::proof::{Case, Check, Fault, Fix, Subject, Verdict, Weight, condition, proof};
use super::{Condition, Vpn};
use crate::cloud::exposure::{Exposure, SecurityGroupRule};
use crate::cloud::{Cloud, Error, RegionId, Status, VpnService};
use crate::plan::Half;
use crate::plan::shell::openstack;

/// What was read of each half's instances, or why not.
pub type Exposures = BTreeMap<Half, Result<Exposure, Error>>;

/// Everything there is to say about a VPN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// How it stands.
    pub condition: Condition,
    /// Every row, in the order in which a tunnel comes up.
    pub checks: Vec<Check>,
    /// What was found wrong, the likeliest cause first: of a VPN that is not ACTIVE only what may keep it so.
    pub findings: Vec<Check>,
    /// What else was found wrong of a VPN that is not ACTIVE, and counts only once it is.
    pub once_up: Vec<Check>,
    /// What each half lets in.
    pub gates: BTreeMap<Half, Gate>,
    /// What cannot be seen from here and may be the cause.
    pub unseen: Vec<String>,
    /// How to try it.
    pub ping: String,
}

/// Reads what the instances of a VPN's subnets admit.
pub async fn exposures(cloud: &Cloud, vpn: &Vpn) -> Exposures {
    let reads = vpn.sides().map(|(half, side)| async move {
        let region = cloud.region(&side.region)?;
        Some((half, region.exposure(&side.subnets).await))
    });
    futures::future::join_all(reads).await.into_iter().flatten().collect()
}

/// Asks every question.
#[must_use]
pub fn diagnose(case: &Case<'_>, exposures: &Exposures) -> Diagnosis {
    let mut checks = proof(case);
    let gates: BTreeMap<Half, Gate> = exposures
        .iter()
        .filter_map(|(half, seen)| Some((*half, gate(case.vpn.side(*half)?, seen.as_ref().ok()?))))
        .collect();
    checks.extend([
        Check::new(Subject::EndpointGroups, case.endpoint_groups()),
        Check::new(Subject::Routers, case.routers()),
        Check::new(Subject::Neighbours, case.neighbours()),
        Check::new(Subject::SecurityGroups, around::security_groups(case, &gates, exposures)),
    ]);
    if case.is_outside() {
        checks.push(Check::new(Subject::Peer, case.peer()));
    }
    let condition = condition(case.vpn, &checks);
    let mut faults: Vec<Check> = checks.iter().filter(|check| check.fault().is_some()).cloned().collect();
    faults.sort_by_key(|check| likelihood(case, check));
    let (findings, once_up) = faults.into_iter().partition(|check| case.vpn.is_active() || check.keeps_down());
    Diagnosis { condition, unseen: unseen(case), ping: ping(case, &gates), checks, findings, once_up, gates }
}

/// By weight. Within each, what concerns security comes before what is only convenient, then by how often it is the cause.
/// A peer that does not answer is the cause where nothing else is, and a service that is reported down is more often a
/// consequence than a cause.
fn likelihood(case: &Case<'_>, check: &Check) -> (Weight, u8, Subject) {
    let weight = check.fault().map_or(Weight::Warns, |fault| fault.weight);
    let place = match (check.subject, weight) {
        (Subject::Peer, _) => 2,
        (Subject::Services, _) if case.service_in_error().is_none() && weight == Weight::Stops => 3,
        (subject, Weight::Exposes | Weight::Warns) if subject.is_security() => 0,
        _ => 1,
    };
    (weight, place, check.subject)
}

fn unseen(case: &Case<'_>) -> Vec<String> {
    let vpn = case.vpn;
    let statuses: Vec<&Status> = vpn.sides().map(|(_, side)| &side.connection.status).collect();
    if statuses.iter().all(|status| **status == Status::Active) {
        return vec![
            "What is stored may be newer than what the tunnel was established with: a running tunnel keeps its keys and \
             subnets until it is negotiated anew."
                .to_owned(),
            "Whether large packets pass: a tunnel leaves less room in each. Where small ones pass and large ones hang, an MTU \
             of 1400 on the instances, or a TCP MSS of 1350, helps."
                .to_owned(),
        ];
    }
    let mut unseen = Vec::new();
    if statuses.contains(&&Status::Active) {
        unseen.push(
            "One half reports ACTIVE and the other not: agents report once a minute, each on its own beat, and a half may \
             hold a dead tunnel for ACTIVE until dead peer detection gives it up, after three minutes. Look again then."
                .to_owned(),
        );
    } else {
        unseen.push("A status is up to 60 s old: agents report once a minute.".to_owned());
    }
    let is_shared = vpn.sides().any(|(_, side)| {
        let survey = case.survey(side);
        survey.is_some_and(|survey| {
            survey.inventory.connections.iter().filter(|other| other.service == side.connection.service).count() > 1
        })
    });
    if is_shared {
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
    let is_listed = matches!(case.peer(), Verdict::Bad(_));
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
            "Whether an agent has lost hold of its strongSwan, as it does of one that has no connection it can use. Then \
             only switching that router off and on again helps, which interrupts everything behind it: {}, and the same \
             with --enable.",
            routers.join(" or ")
        ));
    }
    unseen
}

/// The ready line that tries the tunnel, and wakes it.
fn ping(case: &Case<'_>, gates: &BTreeMap<Half, Gate>) -> String {
    let vpn = case.vpn;
    let from = vpn.a.local.as_deref().and_then(<[_]>::first).map_or_else(
        || format!("a tunnelled subnet of {}", case.place(Half::A)),
        |range| format!("{range} ({})", case.place(Half::A)),
    );
    let instance = gates.get(&Half::B).and_then(|gate| gate.instance);
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
#[must_use]
pub fn rules(vpn: &Vpn, exposures: &Exposures) -> BTreeMap<RegionId, Vec<SecurityGroupRule>> {
    let mut rules: BTreeMap<RegionId, Vec<SecurityGroupRule>> = BTreeMap::new();
    for (half, side) in vpn.sides() {
        let Some(Ok(seen)) = exposures.get(&half) else { continue };
        let known = rules.entry(side.region.clone()).or_default();
        for rule in &seen.rules {
            if !known.iter().any(|other| other.id == rule.id) {
                known.push(rule.clone());
            }
        }
    }
    rules
}

impl Diagnosis {
    /// The likeliest cause that this program can mend, by its place among the findings. What only the user can mend is
    /// passed over for what weighs as much, never for what weighs less: that would not help.
    #[must_use]
    pub fn first_mendable(&self) -> Option<usize> {
        let weight = self.findings.first()?.fault()?.weight;
        let is_ours = |check: &Check| {
            check.fault().is_some_and(|fault| {
                fault.weight == weight && fault.fix.is_ours() && !matches!(fault.fix, Fix::Resume(_))
            })
        };
        self.findings.iter().position(is_ours)
    }

    /// What keeps the tunnel down whatever the agents do: waiting does not help against it. A service that is reported down
    /// is more often a consequence, and which half begins counts for nothing with strongSwan.
    #[must_use]
    pub fn keeps_down(&self, vpn: &Vpn) -> Option<&Fault> {
        let in_error = |service: &VpnService| service.status == Status::Error;
        let is_given_up = vpn.sides().any(|(_, side)| side.service.as_ref().is_some_and(in_error));
        self.findings.iter().find_map(|check| match check.subject {
            Subject::Services if !is_given_up => None,
            // A peer outside may answer at any time.
            Subject::Initiator | Subject::Peer => None,
            _ => check.fault().filter(|fault| fault.weight == Weight::Stops),
        })
    }

    /// The security-group rules that are missing.
    #[must_use]
    pub fn rules(&self) -> Vec<super::exposure::MissingRule> {
        self.gates.values().flat_map(|gate| gate.missing.clone()).collect()
    }

    /// The questions that only a person can answer, but for those whose answers a finding lists already.
    #[must_use]
    pub fn by_hand(&self) -> Vec<(Subject, &str)> {
        let is_compared = |check: &Check| check.fault().is_some_and(|fault| matches!(fault.fix, Fix::Compare(_)));
        let is_listed = self.findings.iter().any(is_compared);
        self.checks
            .iter()
            .filter(|check| !(is_listed && check.subject.is_of_the_peer()))
            .filter_map(|check| match &check.verdict {
                Verdict::Open(what) => Some((check.subject, what.as_str())),
                Verdict::Good(_) | Verdict::Bad(_) => None,
            })
            .collect()
    }
}
