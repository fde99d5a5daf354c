//! What was read as the lines of a list: VPNs, regions that could not be read, what no connection uses.

use itertools::Itertools;

use super::super::choices::about;
use super::super::objects::twins;
use super::super::picker::{About, Choice, Line};
use super::{YourVpns, behind};
use crate::cloud::RegionId;
use crate::engine::interruption::{Interruption, State};
use crate::inspect::{Exposures, Inspection, Keys, OtherHalf, Side, Vpn, Weight, checks};
use crate::plan::{Finding, Half, Labels, Place};

impl YourVpns {
    pub(in crate::wizard) fn lines(&self, labels: &Labels) -> Vec<Line> {
        let Some(seen) = self.seen() else { return Vec::new() };
        let inspection = &seen.inspection;
        let twins = twins(inspection.vpns.iter().map(|vpn| vpn.name.as_str()));
        let vpns = inspection.vpns.iter();
        let mut lines: Vec<Line> = vpns
            .map(|vpn| {
                let mark = self.mark(inspection, vpn);
                let mut line = vpn_line(labels, inspection, vpn, twins.contains(vpn.name.as_str()), mark);
                if let (Some(said), Some(behind)) = (&mut line.about, behind(vpn, self.keys_of(vpn))) {
                    let behind = behind.trim_start_matches("behind: ").to_owned();
                    said.detail.push(about("Behind", behind));
                }
                line
            })
            .collect();
        if lines.is_empty() && !inspection.surveys.is_empty() && inspection.awaited.is_empty() {
            let detail = vec![about("Creates", "a VPN between two regions of this project")];
            lines.push(Line::new(Choice::Make, "create one", "", About { detail, ..About::default() }));
        }
        lines.extend(seen.creations().map(creation_line));
        for (region, error) in &inspection.unread {
            let mut unread = About::default();
            let place = Place::Region(Half::A);
            unread.findings.push(Finding::refusal(place, format!("could not be read: {error}")));
            unread.detail.extend(error.hint().map(|hint| about("Do", hint)));
            unread.detail.extend(error.request.iter().map(|request| about("Request", request.clone())));
            unread.detail.extend(error.request_id.iter().map(|id| about("Number", id.clone())));
            lines.push(of_region(labels, region, unread));
        }
        for (region, survey) in &inspection.surveys {
            for unfit in &survey.inventory.unfit {
                let text = format!("an object is left out, because it cannot be read: {unfit}");
                let findings = vec![Finding::refusal(Place::Region(Half::A), text)];
                lines.push(of_region(labels, region, About { findings, ..About::default() }));
            }
        }
        let awaited = |region| Line { pending: true, ..of_region(labels, region, About::default()) };
        lines.extend(inspection.awaited.iter().map(awaited));
        lines.extend(self.public_keys_line());
        lines.extend(self.upgrades_line());
        let unused: Vec<_> = inspection.unused.iter().filter(|object| !seen.unfinished.needs(object)).collect();
        if !unused.is_empty() {
            let count = unused.len();
            let title = if count == 1 { "1 unused object".to_owned() } else { format!("{count} unused objects") };
            let detail = unused
                .iter()
                .map(|object| about(&labels.name(&object.region), format!("{} {}", object.kind.label(), object.name)))
                .collect();
            let about = About { detail, ..About::default() };
            lines.push(Line::new(Choice::Unused, title, "not used by any connection", about));
        }
        lines
    }
}

impl YourVpns {
    /// Only if there is a key that everybody knows, or one that could not be read and may be.
    fn public_keys_line(&self) -> Option<Line> {
        let count = |has: fn(&Keys) -> bool| {
            let keys = self.keys.ready().into_iter().flatten();
            match keys.filter(|(_, keys)| has(keys)).count() {
                0 => None,
                1 => Some("1 VPN".to_owned()),
                count => Some(format!("{count} VPNs")),
            }
        };
        let public = count(Keys::is_public).map(|vpns| format!("{vpns} with the key that everybody knows"));
        let unread = count(Keys::is_unreadable).map(|vpns| format!("the keys of {vpns} could not be read"));
        let aside = public.into_iter().chain(unread).join("; ");
        let detail = vec![
            about("Means", "guides and create-vpn.sh give the same key to everybody"),
            about("Then", "asks whether to set a new key for each"),
        ];
        let about = About { detail, ..About::default() };
        (!aside.is_empty()).then(|| Line::new(Choice::PublicKeys, "public keys", aside, about))
    }

    /// The worst of what is wrong with a VPN, what exposes it first. Half of one tells nothing yet.
    fn mark(&self, inspection: &Inspection, vpn: &Vpn) -> Option<Finding> {
        if !inspection.awaited.is_empty() || inspection.may_lack_a_half(vpn) {
            return None;
        }
        let diagnosis = inspection.diagnose(vpn, self.keys_of(vpn), &Exposures::new());
        // A half that is missing is said anyway.
        let mut faults = diagnosis.faults().filter(|(check, _)| *check != checks::HALVES);
        let place = Place::Region(Half::A);
        let behind = behind(vpn, self.keys_of(vpn)).map(|text| Finding::notice(place, text));
        let Some((_, worst)) = faults.next() else { return behind };
        if let (Weight::Warns, Some(behind)) = (worst.weight, behind) {
            return Some(behind);
        }
        let text = match faults.count() {
            0 => worst.seen.clone(),
            more => format!("{}; and {more} more", worst.seen),
        };
        Some(if worst.weight == Weight::Warns { Finding::notice(place, text) } else { Finding::warning(place, text) })
    }
}

fn of_region(labels: &Labels, region: &RegionId, about: About) -> Line {
    Line::new(Choice::Region(region.clone()), labels.name(region), "", about)
}

/// What there is to say of a half that is not there.
pub fn missing(labels: &Labels, inspection: &Inspection, vpn: &Vpn, because: &str) -> String {
    if inspection.may_lack_a_half(vpn) {
        return format!("its other half may be in {}", unknown(labels, inspection));
    }
    format!("its other half is missing: {because}")
}

pub fn unknown(labels: &Labels, inspection: &Inspection) -> String {
    let unknown = inspection.unknown().iter().map(|region| labels.name(region)).join(" or ");
    format!("{unknown}, of which nothing is known")
}

fn vpn_line(labels: &Labels, inspection: &Inspection, vpn: &Vpn, is_twin: bool, mark: Option<Finding>) -> Line {
    let is_half_known = inspection.may_lack_a_half(vpn);
    let side = |side: &Side| format!("{} {}", labels.name(&side.region), ranges(side.local.as_deref()));
    let across = match &vpn.other_half {
        OtherHalf::Found(other) => side(other),
        OtherHalf::Missing { .. } | OtherHalf::Ambiguous(_) => "?".to_owned(),
        OtherHalf::Outside if is_half_known => format!("? {}", vpn.a.connection.peer_address),
        OtherHalf::Outside => format!("outside {}", vpn.a.connection.peer_address),
    };
    let name = if is_twin {
        format!("{} {}", vpn.name, vpn.handle().chars().take(8).collect::<String>())
    } else {
        vpn.name.clone()
    };
    let aside = format!("{:<6}  {} <-> {across}", vpn.status().to_string(), side(&vpn.a));
    let mut line = About::default();
    if let OtherHalf::Missing { because, .. } = &vpn.other_half {
        let text = missing(labels, inspection, vpn, because);
        line.findings.push(Finding::warning(Place::Region(Half::B), text));
    }
    for problem in vpn.ambiguity().map(|ambiguity| ambiguity.to_string()).into_iter().chain(vpn.doubled()) {
        line.findings.push(Finding::warning(Place::Region(Half::B), problem));
    }
    line.findings.extend(mark);
    for (half, side) in vpn.sides() {
        let address = side.address().map_or_else(|| "no address".to_owned(), |address| address.to_string());
        let router = side.router.as_ref().map_or("router unknown", |router| router.name.as_str());
        let text = format!("{}, {router}, {address}", side.connection.status);
        line.detail.push(about(&format!("{half} {}", labels.name(&side.region)), text));
    }
    if matches!(vpn.other_half, OtherHalf::Outside) {
        let (peer, remote) = (&vpn.a.connection.peer_address, ranges(Some(&vpn.a.remote)));
        line.detail.push(about("Peer", format!("{peer}, {remote}")));
        if is_half_known {
            line.detail.push(about("Where", format!("outside, or in {}", unknown(labels, inspection))));
        }
    }
    line.detail.push(about("Created by", created_by(vpn)));
    Line::new(Choice::Vpn(vpn.handle()), name, aside, line)
}

/// A VPN whose creation was interrupted, or which another process is creating.
fn creation_line(creation: &Interruption) -> Line {
    let place = Place::Region(Half::A);
    let finding = if creation.state == State::Running {
        Finding::refusal(place, "creating it is in progress in another osvpn".to_owned())
    } else {
        let text = format!("creating it was interrupted ({}); Enter: resume or roll back", creation.objects());
        Finding::warning(place, text)
    };
    let detail = vec![about("Begun", creation.began()), about("Objects", creation.objects())];
    Line::new(
        Choice::Creation(creation.vpn().to_string()),
        creation.name().to_owned(),
        "",
        About { detail, findings: vec![finding] },
    )
}

/// By its marker, or by the kind of its connections.
fn created_by(vpn: &Vpn) -> &'static str {
    if vpn.id.is_some() {
        "osvpn"
    } else if vpn.sides().any(|(_, side)| side.is_legacy()) {
        "create-vpn.sh, or by hand (legacy: without endpoint groups)"
    } else {
        "something else, such as the openstack command"
    }
}

pub fn ranges(ranges: Option<&[ipnet::IpNet]>) -> String {
    ranges.map_or_else(|| "?".to_owned(), |ranges| ranges.iter().join(", "))
}
