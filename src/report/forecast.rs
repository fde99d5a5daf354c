//! The answer of `osvpn forecast`: what the upgrades to OpenStack 2026.2 do to the VPNs.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use itertools::Itertools;
use serde::Serialize;

use super::{Conclude, ExitStatus, FailureReport, hanging};
use crate::cloud::{Kind, RegionId};
use crate::inspect::forecast::{Forecast, Prediction, Rewriting, VpnForecast};
use crate::inspect::{Advice, Inspection};
use crate::plan::Half;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct ForecastReport {
    /// The regions that are still to be upgraded, and the VPNs that go down if it is the next.
    regions: Vec<RegionForecast>,
    upgraded: BTreeSet<RegionId>,
    vpns: Vec<ForecastVpn>,
    /// The best first.
    orders: Vec<Vec<OrderEffect>>,
    unread: Vec<FailureReport>,
}

#[derive(Clone, Debug, Serialize)]
struct RegionForecast {
    region: RegionId,
    goes_down: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
struct ForecastVpn {
    name: String,
    id: String,
    prediction: &'static str,
    /// The same in a sentence, without the VPN's name.
    means: String,
    rewritten: Vec<RewrittenWord>,
    /// What to do about it, in this order.
    run: Vec<Advice>,
    #[serde(skip)]
    kind: Prediction,
}

#[derive(Clone, Debug, Serialize)]
struct RewrittenWord {
    half: Half,
    region: RegionId,
    policy: &'static str,
    attribute: &'static str,
    before: &'static str,
    after: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct OrderEffect {
    region: RegionId,
    goes_down: Vec<String>,
    comes_back: Vec<String>,
}

impl ForecastReport {
    pub(crate) fn new(seen: &Inspection, forecast: &Forecast) -> Self {
        let name = |place: &usize| forecast.vpns.get(*place).map(|one| one.vpn.name.clone()).unwrap_or_default();
        let names = |places: &[usize]| places.iter().map(name).collect();
        let region = |region: &RegionId| RegionForecast {
            goes_down: forecast.down_with(region).map(|one| one.vpn.name.clone()).collect(),
            region: region.clone(),
        };
        let orders = forecast.orders.iter().map(|order| {
            let effect = order.0.iter().map(|effect| OrderEffect {
                region: effect.region.clone(),
                goes_down: names(&effect.goes_down),
                comes_back: names(&effect.comes_back),
            });
            effect.collect()
        });
        let unread = seen.unread.iter().map(|(region, error)| FailureReport::new(format!("reading {region}"), error));
        Self {
            regions: forecast.ahead.iter().map(region).collect(),
            upgraded: forecast.upgraded.clone(),
            vpns: forecast.vpns.iter().map(|one| ForecastVpn::new(one, &forecast.upgraded)).collect(),
            orders: orders.collect(),
            unread: unread.collect(),
        }
    }
}

/// Mismatched where traffic fails, or will.
impl Conclude for ForecastReport {
    fn exit_status(&self) -> ExitStatus {
        if self.vpns.iter().any(|vpn| vpn.fails() || vpn.kind.goes_down()) {
            return ExitStatus::Mismatched;
        }
        let is_certain =
            self.unread.is_empty() && !self.vpns.iter().any(|vpn| matches!(vpn.kind, Prediction::Unknown(_)));
        if is_certain { ExitStatus::Done } else { ExitStatus::Failed }
    }
}

impl ForecastVpn {
    fn new(one: &VpnForecast, upgraded: &BTreeSet<RegionId>) -> Self {
        let (prediction, means) = told(one, upgraded);
        let vpn = &one.vpn;
        let run = match &one.prediction {
            Prediction::Parted | Prediction::Joined(_) => vec![vpn.command("upgrade").into()],
            Prediction::PeerLeft => vec![
                "agree with its owner upon a time; at that time the owner changes the peer, and you:".into(),
                vpn.command("upgrade").words("--profile modern").into(),
            ],
            Prediction::PeerMayBeLeft => vec![vpn.command("doctor").into()],
            Prediction::Apart => vec![vpn.command("doctor").words("--fix").into()],
            Prediction::HalfMissing => vec![vpn.command("repair").into()],
            Prediction::Untouched | Prediction::Together | Prediction::Unknown(_) => Vec::new(),
        };
        Self {
            name: vpn.name.clone(),
            id: vpn.handle(),
            prediction,
            means,
            rewritten: one.rewritten.iter().map(RewrittenWord::new).collect(),
            run,
            kind: one.prediction.clone(),
        }
    }

    /// Whether traffic fails already.
    fn fails(&self) -> bool {
        self.kind.is_apart() || self.kind == Prediction::HalfMissing
    }
}

impl RewrittenWord {
    fn new(word: &Rewriting) -> Self {
        Self {
            half: word.half,
            region: word.region.clone(),
            policy: if word.kind == Kind::IkePolicy { "ike" } else { "ipsec" },
            attribute: word.attribute,
            before: word.before,
            after: word.after,
        }
    }
}

/// A prediction as a word and as a sentence.
fn told(one: &VpnForecast, upgraded: &BTreeSet<RegionId>) -> (&'static str, String) {
    let vpn = &one.vpn;
    let (here, words) = (&vpn.a.region, words(&one.rewritten));
    match &one.prediction {
        Prediction::Untouched => ("untouched", "stays as it is: nothing in its policies is rewritten".to_owned()),
        Prediction::Together => ("together", format!("stays up: both halves are in {here}, where {words}")),
        Prediction::Parted => {
            let regions = one.rewritten.iter().map(|word| &word.region).unique().join(" and of ");
            ("parted", format!("is down between the upgrades of {regions}: {words}"))
        }
        Prediction::PeerLeft => {
            let peer = &vpn.a.connection.peer_address;
            (
                "peer-left",
                format!("is down from the upgrade of {here} until the owner of the peer {peer} follows: {words}"),
            )
        }
        Prediction::PeerMayBeLeft => {
            let peer = &vpn.a.connection.peer_address;
            let text = format!(
                "is not ACTIVE: where {here} was upgraded, sha1 became sha256 and 3des aes-256; compare with the owner of the \
                 peer {peer}"
            );
            ("peer-may-be-left", text)
        }
        Prediction::Joined(by) => {
            let since = vpn.sides().map(|(_, side)| &side.region).filter(|region| upgraded.contains(*region));
            let since = since.map(|region| format!(" since {region} was upgraded")).unique().join("");
            let by = by.iter().join(" and ");
            ("joined", format!("has halves that differ{since}, until {by} is upgraded: {words}"))
        }
        Prediction::Apart => ("apart", "has halves that differ, and no upgrade changes that".to_owned()),
        Prediction::HalfMissing => ("half-missing", "has one half only, before and after".to_owned()),
        Prediction::Unknown(why) => ("unknown", format!("cannot be told: {why}")),
    }
}

/// "sha1 becomes sha256 (IKE, IPsec)"
fn words(rewritten: &[Rewriting]) -> String {
    let of = |kind| if kind == Kind::IkePolicy { "IKE" } else { "IPsec" };
    let pairs = rewritten.iter().map(|word| (word.before, word.after)).unique().map(|(before, after)| {
        let kinds = rewritten.iter().filter(|word| word.before == before).map(|word| of(word.kind)).unique().join(", ");
        format!("{before} becomes {after} ({kinds})")
    });
    pairs.collect::<Vec<_>>().join(", ")
}

const HOLDS: &str = "\"Down\" is where LibreSwan or a strict peer runs, which cannot be checked from here. strongSwan keeps such a \
                     tunnel ACTIVE with algorithms that nobody chose. A running tunnel goes on until its VPN agent restarts, as \
                     in an upgrade, or its keys are renewed.";
const CREATING: &str = "After the upgrade of a region no policy with sha1 or 3des can be created there, such as that of the \
                        profile catalyst: the API answers 500.";

impl Display for ForecastReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.verdict(f)?;
        let shown = |vpn: &&ForecastVpn| vpn.kind != Prediction::Untouched;
        for vpn in self.vpns.iter().filter(shown).sorted_by_key(|vpn| (!vpn.kind.goes_down(), !vpn.fails())) {
            let head = format!("{}  ", vpn.name);
            f.write_str(&if head.len() < 24 {
                hanging(&head, &vpn.means)
            } else {
                format!("{}{}", hanging("", &vpn.name), hanging("    ", &vpn.means))
            })?;
            for advice in &vpn.run {
                match advice {
                    Advice::Run(command) => writeln!(f, "    {command}")?,
                    Advice::Do(what) => f.write_str(&hanging("    ", what))?,
                }
            }
        }
        if self.vpns.iter().filter(|vpn| vpn.kind.is_cured_by_upgrade()).count() > 1 {
            writeln!(f, "All of them, one after the other: osvpn upgrade --all")?;
        }
        let untouched = self.vpns.iter().filter(|vpn| !shown(vpn)).map(|vpn| &vpn.name).join(", ");
        if !untouched.is_empty() {
            f.write_str(&hanging("Not affected: ", &untouched))?;
        }
        self.told_orders(f)?;
        let notes = [
            (self.vpns.iter().any(|vpn| vpn.kind.goes_down() || matches!(vpn.kind, Prediction::Joined(_))), HOLDS),
            (self.vpns.iter().any(|vpn| !vpn.rewritten.is_empty()), CREATING),
        ];
        for (_, note) in notes.into_iter().filter(|(is_needed, _)| *is_needed) {
            write!(f, "\n{}", hanging("", note))?;
        }
        self.unread.iter().try_for_each(|failure| write!(f, "\n{failure}"))
    }
}

impl ForecastReport {
    fn verdict(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let count = self.vpns.len();
        for RegionForecast { region, goes_down } in &self.regions {
            let verdict = match goes_down.len() {
                0 => format!("No VPN goes down when {region} is upgraded to OpenStack 2026.2."),
                1 if count == 1 => format!("It goes down when {region} is upgraded to OpenStack 2026.2."),
                1 => format!("1 of {count} VPNs goes down when {region} is upgraded to OpenStack 2026.2."),
                down => format!("{down} of {count} VPNs go down when {region} is upgraded to OpenStack 2026.2."),
            };
            f.write_str(&hanging("", &verdict))?;
        }
        if !self.upgraded.is_empty() {
            let upgraded = self.upgraded.iter().join(", ");
            let rest = if self.regions.is_empty() { " Nothing more is rewritten." } else { "" };
            f.write_str(&hanging("", &format!("On OpenStack 2026.2 or later already: {upgraded}.{rest}")))?;
        }
        f.write_str("\n")
    }

    fn told_orders(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(best) = self.orders.first() else { return Ok(()) };
        let regions = |order: &[OrderEffect]| order.iter().map(|effect| effect.region.to_string()).join(", then ");
        if best.iter().all(|effect| effect.goes_down.is_empty()) {
            return write!(f, "\n{}", hanging("Safe order: ", &regions(best)));
        }
        if self.vpns.iter().any(|vpn| vpn.kind == Prediction::Parted) {
            f.write_str("\nNo order of upgrades is safe without the commands above.\n")?;
        }
        let shown = if self.orders.len() > 2 { 1 } else { self.orders.len() };
        for order in self.orders.iter().take(shown) {
            f.write_str(&hanging("In the order ", &format!("{}:", regions(order))))?;
            for OrderEffect { region, goes_down, comes_back } in order {
                let told = |what: &str, names: &[String]| {
                    (!names.is_empty()).then(|| format!("{what} {}", names.iter().join(", ")))
                };
                let told = [told("down:", goes_down), told("up again:", comes_back)].into_iter().flatten().join("; ");
                let told = if told.is_empty() { "nothing changes".to_owned() } else { told };
                f.write_str(&hanging(&format!("  {region}  "), &told))?;
            }
        }
        if shown < self.orders.len() {
            writeln!(f, "The other {} orders are no better (--json has them).", self.orders.len() - shown)?;
        }
        Ok(())
    }
}
