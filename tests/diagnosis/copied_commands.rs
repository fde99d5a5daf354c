//! Commands to be copied, where a cloud has ids and regions that a shell would read something into.

use osvpn::cloud::{Id, Interface, RegionId, Survey};
use osvpn::inspect::Exposures;
use osvpn::inspect::{Advice, Weakness};

use super::*;

const EVIL: [&str; 3] = ["; touch PWNED $(touch PWNED) `touch PWNED` 'q\" \\ | & #", "\n\ttouch PWNED", "' PWNED"];

fn spoil(id: &mut Id, evil: &str) {
    *id = Id::new(format!("{id}{evil}"));
}

/// The same region, all ids of which end like that. Nothing carries a marker, so VPNs are named by ids too.
fn spoilt(mut survey: Survey, evil: &str) -> Survey {
    let inventory = &mut survey.inventory;
    for router in &mut inventory.routers {
        spoil(&mut router.id, evil);
        let spoilt = |interface: &Interface| {
            let mut interface = interface.clone();
            spoil(&mut interface.subnet, evil);
            interface
        };
        router.interfaces = router.interfaces.as_ref().map(|all| all.iter().map(spoilt).collect());
    }
    inventory.subnets.iter_mut().for_each(|subnet| spoil(&mut subnet.id, evil));
    for service in &mut inventory.services {
        spoil(&mut service.id, evil);
        spoil(&mut service.router, evil);
        service.description.clear();
    }
    for connection in &mut inventory.connections {
        spoil(&mut connection.id, evil);
        spoil(&mut connection.service, evil);
        connection.description.clear();
    }
    for group in survey.groups.iter_mut().filter(|group| group.kind == "subnet") {
        group.endpoints.iter_mut().for_each(|endpoint| endpoint.push_str(evil));
    }
    survey
}

fn spoilt_exposures(exposures: Exposures, evil: &str) -> Exposures {
    let spoil_all = |(region, seen): (RegionId, Result<osvpn::cloud::exposure::Exposure, _>)| {
        let seen = seen.map(|mut seen| {
            seen.subnets = seen.subnets.iter().map(|subnet| Id::new(format!("{subnet}{evil}"))).collect();
            for port in &mut seen.ports {
                port.groups.iter_mut().for_each(|group| spoil(group, evil));
                port.addresses.iter_mut().for_each(|(subnet, _)| spoil(subnet, evil));
            }
            seen.groups.iter_mut().for_each(|group| spoil(&mut group.id, evil));
            seen.rules.iter_mut().for_each(|rule| spoil(&mut rule.group, evil));
            seen
        });
        (RegionId::new(format!("{region}{evil}")), seen)
    };
    exposures.into_iter().map(spoil_all).collect()
}

/// What a shell makes of each.
fn parsed(commands: &[String]) -> Vec<Vec<String>> {
    let lines: Vec<String> =
        commands.iter().map(|line| format!("set -- {line}\nprintf '%s\\0' \"$@\" END\n")).collect();
    let script = lines.concat();
    let ran = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    assert!(ran.status.success(), "{commands:#?}: {}", String::from_utf8_lossy(&ran.stderr));
    let text = String::from_utf8(ran.stdout).unwrap();
    let all = text.strip_suffix("END\0").unwrap_or_default().split("END\0");
    all.map(|words| words.trim_end_matches('\0').split('\0').map(str::to_owned).collect()).collect()
}

/// Every command that is said of the VPNs there are.
async fn said(ground: &Ground, evil: &str) -> Vec<String> {
    let (read, mut background) = inspect(&ground.cloud, Inquiry::default()).await;
    let mut commands = Vec::new();
    let region = |region: &RegionId| RegionId::new(format!("{region}{evil}"));
    let surveys = read.surveys.iter().map(|(name, survey)| (region(name), spoilt(survey.clone(), evil)));
    let inspection = Inspection::of(surveys.collect(), Vec::new());
    for vpn in &inspection.vpns {
        let was = read.vpns.iter().find(|was| vpn.a.connection.id.as_str().starts_with(was.a.connection.id.as_str()));
        let around = match was {
            Some(was) => {
                background.complete(&ground.cloud, [was], Aspects::EXPOSURES).await;
                spoilt_exposures(background.exposures().clone(), evil)
            }
            None => BTreeMap::new(),
        };
        let keys = Keys::Read { equal: vpn.b().map(|_| false), weakness: Some(Weakness::Public), rivals: Vec::new() };
        let diagnosis = inspection.diagnose(vpn, &keys, &around);
        let rules = diagnosis.gates.values().flat_map(|gate| gate.missing.iter().chain(&gate.outgoing));
        commands.extend(rules.map(|rule| rule.command().to_string()));
        for fault in diagnosis.findings.iter().chain(&diagnosis.once_up).filter_map(|check| check.fault()) {
            let Fix::ByHand(steps) = &fault.fix else { continue };
            commands.extend(steps.iter().filter(|step| matches!(step, Advice::Run(_))).map(ToString::to_string));
        }
        for what in &diagnosis.unseen {
            let rest =
                what.split("behind it: ").nth(1).and_then(|rest| rest.strip_suffix(", and the same with --enable."));
            commands.extend(rest.into_iter().flat_map(|all| all.split(" or ")).map(str::to_owned));
        }
    }
    commands
}

#[tokio::test]
async fn a_copied_command_is_what_it_looks_like_whatever_a_cloud_calls_its_objects() {
    let mut kinds = std::collections::BTreeSet::new();
    let odd = other_checks::all().into_iter().map(|odd| odd.happen);
    let whole: fn(&Ground) = |_| {};
    for (number, happen) in odd.chain([whole]).enumerate() {
        let evil = EVIL[number % EVIL.len()];
        let ground = Ground::new(Release::V2026_1).await;
        ground.site().await.connect().await;
        happen(&ground);
        let commands = said(&ground, evil).await;
        for (command, words) in commands.iter().zip(parsed(&commands)) {
            let verb: Vec<&str> = match words[0].as_str() {
                "openstack" => {
                    assert!([A, B].iter().any(|region| words[2] == format!("{region}{evil}")), "{command}");
                    words[3..].iter().map(String::as_str).collect()
                }
                _ => words.iter().map(String::as_str).collect(),
            };
            // Nothing of an id has become a word of its own, and no word has run.
            assert!(verb.iter().all(|word| !word.contains("PWNED") || word.ends_with(evil)), "{command}: {verb:?}");
            kinds.insert(
                verb.iter()
                    .take(2)
                    .filter(|word| !word.contains("PWNED"))
                    .map(|word| (*word).to_owned())
                    .collect::<Vec<_>>()
                    .join(" "),
            );
        }
        assert_eq!(parsed(&commands).len(), commands.len());
    }
    for kind in ["security group", "router set", "router add", "subnet set", "osvpn delete"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
    assert!(!std::path::Path::new("PWNED").exists());
}
