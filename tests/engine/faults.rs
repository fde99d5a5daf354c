//! What the fault matrices share: the faults, and the requests that they strike.

use std::collections::BTreeMap;

use super::*;

pub const REGIONS: [&str; 2] = ["nz-hlz-1", "nz-por-1"];
/// The ones whose request takes effect when nobody waits any more.
pub const LATE: [&str; 2] = ["done after it was given up", "killed, done when all seems over"];
/// How long a request may still take effect: long where one does, short where none can.
pub const SETTLING: [Duration; 2] = [Duration::from_secs(8), Duration::from_millis(40)];

/// The faults, by what they do to a request; the last three are about the process that waits for its answer.
pub const FAULTS: [&str; 18] = [
    "500",
    "500 although done",
    "502",
    "503",
    "504 although done",
    "429",
    "401",
    "refused",
    "reset before",
    "reset after",
    "cut",
    "hang",
    "hang although done",
    LATE[0],
    "stop",
    "killed, never done",
    "killed, done then",
    LATE[1],
];

pub fn effect(fault: &str, gate: &Gate) -> FaultEffect {
    let although_done = |status| FaultEffect::ActThenAnswer(Scripted::status(status));
    match fault {
        "500" => FaultEffect::status(500),
        "500 although done" => although_done(500),
        "502" => FaultEffect::status(502),
        "503" => FaultEffect::status(503),
        "504 although done" => although_done(504),
        "429" => FaultEffect::too_many_requests(0),
        "401" => FaultEffect::status(401),
        "refused" => FaultEffect::GoDown,
        "reset before" => FaultEffect::CloseBefore,
        "reset after" => FaultEffect::CloseAfter,
        "cut" => FaultEffect::CutAnswer,
        "hang" | "killed, never done" => FaultEffect::Hang,
        "hang although done" => FaultEffect::ActThenHang,
        held if FAULTS.contains(&held) => FaultEffect::Held(gate.clone()),
        other => panic!("no such fault: {other}"),
    }
}

/// A small cloud that answers at once and whose agents report at once, for case after case.
pub async fn quick_site(id_seed: Option<u64>, settling: Duration) -> Site {
    let settings = SimulatorSettings {
        seed: Seed::Minimal,
        id_seed,
        report_interval: Duration::from_millis(4),
        negotiation: Duration::from_millis(2),
        ..SimulatorSettings::default()
    };
    Site::limited(settings, Limits { settling, back_off: Duration::from_millis(2), ..site::limits() }).await
}

/// The `nth` request of its kind in a phase.
#[derive(Clone, Debug)]
pub struct Target<P> {
    pub phase: P,
    pub method: String,
    pub path: String,
    pub region: String,
    pub nth: usize,
}

impl<P> Target<P> {
    pub fn fault(&self, fault: &str, gate: &Gate) -> InjectedFault {
        let Self { method, path, region, nth, .. } = self;
        InjectedFault::new(effect(fault, gate)).method(method).path(path).region(region).nth(*nth)
    }

    /// Whether nobody notices when the cloud acts: a read has no effect to be late with.
    pub fn is_read(&self) -> bool {
        self.method == "GET"
    }
}

/// The requests since the last time, but for those that are like one before.
pub fn targets<P: Copy>(site: &Site, phase: P, is_of_interest: impl Fn(&Target<P>) -> bool) -> Vec<Target<P>> {
    let mut seen = BTreeMap::new();
    let mut targets = Vec::new();
    for request in site.simulator.requests() {
        let path = request.path.split("/v2.0/").nth(1).unwrap_or(&request.path);
        let path: String = path.split(['?']).next().unwrap().split('/').take(2).collect::<Vec<_>>().join("/");
        let region = request.region.unwrap_or_default();
        let nth = seen.entry((request.method.clone(), path.clone(), region.clone())).or_insert(0);
        *nth += 1;
        targets.push(Target { phase, method: request.method, path, region, nth: *nth });
    }
    site.simulator.clear_requests();
    targets.retain(is_of_interest);
    targets
}
