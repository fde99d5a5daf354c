//! The answer of `osvpn status --format prometheus`: the text format of Prometheus. It has no key, and unless they are asked for
//! no ids, addresses or ranges, each new one of which would be a new series for ever.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write as _};

use itertools::Itertools;
use serde::{Serialize, Serializer};

use super::{Conclude, ExitStatus, Health, Monitored};
use crate::cloud::Status;
use crate::inspect::{CheckResult, Condition, Side, Verdict, Weight, checks};

/// In the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Metric {
    Up,
    RegionUp,
    LastRead,
    VpnActive,
    VpnMatches,
    VpnFindings,
    KeyPublic,
    PolicyWeak,
    HalfStatus,
    HalfIdle,
    HalfInfo,
}

impl Metric {
    /// Its name, and what it says.
    const fn described(self) -> (&'static str, &'static str) {
        match self {
            Self::Up => ("osvpn_up", "Whether everything that was asked for could be read."),
            Self::RegionUp => ("osvpn_region_up", "Whether a region could be read."),
            Self::LastRead => ("osvpn_last_read_timestamp_seconds", "When the VPNs were read, in seconds since 1970."),
            Self::VpnActive => ("osvpn_vpn_active", "Whether each half of a VPN is ACTIVE."),
            Self::VpnMatches => (
                "osvpn_vpn_matches",
                "Whether nothing was found that stops or hides traffic, such as halves that differ.",
            ),
            Self::VpnFindings => ("osvpn_vpn_findings", "What is wrong with a VPN, and how much it matters."),
            Self::KeyPublic => {
                ("osvpn_key_public", "Whether the pre-shared key of a VPN is known to everybody or easily guessed.")
            }
            Self::PolicyWeak => ("osvpn_policy_weak", "Whether a policy of a VPN has a weak algorithm."),
            Self::HalfStatus => (
                "osvpn_half_status",
                "ACTIVE 0, DOWN 1, BUILD 2, ERROR 3, PENDING_CREATE 4, PENDING_UPDATE 5, PENDING_DELETE 6, any other -1.",
            ),
            Self::HalfIdle => ("osvpn_half_idle", "Whether a half is DOWN and seems to wait for traffic only."),
            Self::HalfInfo => ("osvpn_half_info", "The ids, addresses and ranges of a half."),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    samples: BTreeMap<Metric, Vec<String>>,
    is_whole: bool,
}

impl Metrics {
    pub(crate) fn new(seen: &Monitored, has_detail: bool) -> Self {
        let mut metrics = Self { is_whole: seen.unread().next().is_none(), ..Self::default() };
        metrics.add(Metric::Up, &[], u8::from(metrics.is_whole));
        for (region, why) in &seen.regions {
            metrics.add(Metric::RegionUp, &[("region", region.as_str())], u8::from(why.is_none()));
        }
        metrics.add(Metric::LastRead, &[], seen.read_at.as_second());
        let names = seen.vpns.iter().map(|health| health.named().0).counts();
        for health in seen.vpns.iter().filter(|health| seen.is_current(health.vpn())) {
            let (name, id) = health.named();
            // Two series of the same labels would be refused, and all others with them.
            let is_alone = names.get(name).is_none_or(|count| *count == 1);
            let name = if is_alone { name.to_owned() } else { format!("{name} ({})", id.get(..8).unwrap_or(id)) };
            metrics.add_vpn(&name, health);
            metrics.add_halves(&name, health, has_detail);
        }
        metrics
    }

    /// Nothing could be read.
    pub(crate) fn of_failure() -> Self {
        let mut metrics = Self::default();
        metrics.add(Metric::Up, &[], 0);
        metrics
    }

    fn add_vpn(&mut self, name: &str, health: &Health) {
        let vpn = [("vpn", name)];
        self.add(Metric::VpnActive, &vpn, u8::from(health.vpn().is_active()));
        if health.condition() != Condition::Unclear {
            let fails = health.weights().any(Weight::fails_traffic);
            self.add(Metric::VpnMatches, &vpn, u8::from(!fails));
        }
        for (check, fault) in health.faults() {
            let labels = [("vpn", name), ("finding", check.id), ("weight", fault.weight.word())];
            self.add(Metric::VpnFindings, &labels, 1);
        }
        self.add_check(Metric::KeyPublic, name, health.result(checks::KEY_SECRECY), |fault| fault == Weight::Exposes);
        self.add_check(Metric::PolicyWeak, name, health.result(checks::STRENGTH), |_| true);
    }

    /// Nothing, if the check could not tell.
    fn add_check(&mut self, metric: Metric, name: &str, result: Option<&CheckResult>, counts: fn(Weight) -> bool) {
        let found = match result.map(|result| &result.verdict) {
            Some(Verdict::Bad(fault)) => counts(fault.weight),
            Some(Verdict::Good(_)) => false,
            Some(Verdict::Open(_)) | None => return,
        };
        self.add(metric, &[("vpn", name)], u8::from(found));
    }

    fn add_halves(&mut self, name: &str, health: &Health, has_detail: bool) {
        for (half, side) in health.vpn().sides() {
            let (letter, region) = (half.to_string(), side.region.as_str());
            let labels = [("vpn", name), ("half", letter.as_str()), ("region", region)];
            self.add(Metric::HalfStatus, &labels, number(&side.connection.status));
            self.add(Metric::HalfIdle, &labels, u8::from(health.is_half_idle(half)));
            if has_detail {
                let detail = detail(side);
                let detail = detail.iter().map(|(label, value)| (*label, value.as_str()));
                self.add(Metric::HalfInfo, &labels.into_iter().chain(detail).collect::<Vec<_>>(), 1);
            }
        }
    }

    fn add(&mut self, metric: Metric, labels: &[(&str, &str)], value: impl Display) {
        let labels = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).join(",");
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        let (name, _) = metric.described();
        self.samples.entry(metric).or_default().push(format!("{name}{labels} {value}"));
    }
}

fn detail(side: &Side) -> [(&'static str, String); 5] {
    let text = |value: Option<String>| value.unwrap_or_default();
    [
        ("connection", side.connection.id.to_string()),
        ("router", text(side.router.as_ref().map(|router| router.id.to_string()))),
        ("address", text(side.address().map(|address| address.to_string()))),
        ("local_cidrs", text(side.local.as_ref().map(|ranges| ranges.iter().join(",")))),
        ("remote_cidrs", side.remote.iter().join(",")),
    ]
}

/// As openstack-exporter numbers them, so that dashboards can be shared.
const fn number(status: &Status) -> i8 {
    match status {
        Status::Active => 0,
        Status::Down => 1,
        Status::Build => 2,
        Status::Error => 3,
        Status::PendingCreate => 4,
        Status::PendingUpdate => 5,
        Status::PendingDelete => 6,
        Status::Other(_) => -1,
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

impl Conclude for Metrics {
    /// Whether a VPN is up is in the metrics.
    fn exit_status(&self) -> ExitStatus {
        if self.is_whole { ExitStatus::Done } else { ExitStatus::Failed }
    }
}

impl Display for Metrics {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (metric, samples) in &self.samples {
            let (name, help) = metric.described();
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{}", samples.join("\n"));
        }
        f.write_str(&text)
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
