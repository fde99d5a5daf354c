//! A region with 500 routers and 2000 subnets, in pages of 100.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::cloud::{A, B, RealCloud, in_each, say};
use super::guide_commands::Profile;
use super::pty::{Printed, STEPWISE};
use super::wizard::plan_between;

const REGION: &str = "nz-big-1";
/// What Keystone calls it.
const LABEL: &str = "Many routers";
const ROUTERS: usize = 500;
/// With the external one.
const SUBNETS: usize = 2001;

/// The region is there as long as this is held.
struct Seeded<'a>(&'a RealCloud);

impl<'a> Seeded<'a> {
    fn new(cloud: &'a RealCloud) -> Self {
        let seeded = Self(cloud);
        cloud.must("seed-scale", &[]);
        seeded
    }
}

impl Drop for Seeded<'_> {
    fn drop(&mut self) {
        self.0.run("seed-scale", &["--remove"]);
    }
}

/// A request in osvpn's log: what, when begun, when answered.
struct Request {
    what: String,
    begun: Timestamp,
    answered: Timestamp,
}

fn requests(cloud: &RealCloud) -> Vec<Request> {
    let log = std::fs::read_to_string(cloud.home.path().join(".local/state/osvpn/osvpn.log")).unwrap();
    let of_line = |line: &str| {
        let (moment, rest) = line.split_once(' ')?;
        let (_, rest) = rest.split_once("request=")?;
        let (what, rest) = rest.split_once(" host=")?;
        let (_, rest) = rest.split_once(" ms=")?;
        let answered: Timestamp = moment.parse().unwrap();
        let took = Duration::from_millis(rest.split(' ').next().unwrap().parse().unwrap());
        Some(Request { what: what.to_owned(), begun: answered - took, answered })
    };
    log.lines().filter_map(of_line).collect()
}

/// The most requests that were in progress at one moment.
fn at_once(requests: &[Request]) -> usize {
    let under_way = |moment| requests.iter().filter(|one| one.begun <= moment && moment < one.answered).count();
    requests.iter().map(|one| under_way(one.begun)).max().unwrap()
}

#[test]
fn a_large_region_is_read_completely_and_at_once() {
    in_each(|cloud| {
        let _seeded = Seeded::new(cloud);
        let mut pty = cloud.osvpn(&[], &[("OSVPN_LOG", "debug")]);
        pty.patience = Duration::from_secs(300);
        pty.wait_for("What should be connected?");
        pty.send(STEPWISE);
        pty.confirm("\r");
        pty.settled("Which is the first region?");
        let read = pty.started.elapsed();
        let first = requests(cloud);
        let ports = |requests: &[Request]| requests.iter().filter(|one| one.what.ends_with("/ports")).count();
        // Those of the few routers that decide what the first page proposes.
        assert!(ports(&first) <= 3, "{} requests for ports on the first page", ports(&first));

        pty.send(&format!("/{REGION}\r"));
        pty.settled(&format!("Which region is {LABEL} connected"));
        pty.confirm("\r");
        pty.settled(&format!("Which router of {LABEL}?"));
        pty.send("/router-");
        // Beside them there is a line for choosing by the subnet.
        pty.wait_for(&format!("{ROUTERS} of {}", ROUTERS + 1));
        pty.send("00499\r");
        pty.settled(&format!("Which subnets of {LABEL}?"));
        pty.send("/subnet-");
        pty.wait_for(&format!("{} of {}", SUBNETS - 1, SUBNETS - 1));
        // The last router's last.
        pty.send("01999");
        // At each list of routers those on the screen were asked about, 25 at once, and the chosen one.
        let asked = ports(&requests(cloud)) - ports(&first);
        assert!((1..=6).contains(&asked), "{asked} requests for ports of 500 routers");
        let last = pty.wait_for("1 of 2000");
        assert!(last.contains("subnet-01999") && !last.contains("is not at"), "{last}");
        pty.signal("TERM");
        pty.end();

        let (parallel, requests) = (at_once(&first), first);
        let count =
            |collection: &str| requests.iter().filter(|one| one.what == format!("GET /v2.0/{collection}")).count();
        // Four regions: one request each, and the other pages of the large one.
        assert!(count("routers") >= 4 + 4 && count("subnets") >= 4 + 20, "{} {}", count("routers"), count("subnets"));
        assert!(parallel >= 8, "{parallel} requests at once");
        say(&format!(
            "{}: osvpn read four regions with {} requests, up to {parallel} at once, in {:.1} s ({} for routers, {} for subnets)",
            cloud.release,
            requests.len(),
            read.as_secs_f64(),
            count("routers"),
            count("subnets"),
        ));
        commands(cloud);
        for (what, expected) in [("router", ROUTERS), ("subnet", SUBNETS)] {
            compare(cloud, what, expected);
        }
    });
}

/// With a VPN between two other regions the commands read what that names: no list of the large one but those of VPNs.
fn commands(cloud: &RealCloud) {
    let sides = [A, B].map(|region| (region, "border-router", &["private-subnet"][..]));
    let plan = cloud.plan("beside", &plan_between("beside", Profile::of(cloud.release), sides));
    let (code, Printed { everything, .. }) = cloud.osvpn(&["apply", &plan], &[]).end();
    assert_eq!(code, 0, "{everything}");
    for (args, ports) in [(&["list"][..], 2), (&["status", "beside"], 2)] {
        let before = requests(cloud).len();
        let began = Instant::now();
        let (code, Printed { everything, .. }) = cloud.osvpn(args, &[("OSVPN_LOG", "debug")]).end();
        let took = began.elapsed();
        assert_eq!(code, 0, "{args:?}: {everything}");
        let asked = requests(cloud).split_off(before);
        let count = |list: &str| asked.iter().filter(|one| one.what == format!("GET /v2.0/{list}")).count();
        let counts = ["ports", "routers", "subnets", "networks"].map(count);
        assert_eq!(counts, [ports, 2, 2, 0], "{args:?}: one of each half, and the ports of its instances");
        let (release, command, seconds) = (cloud.release, args[0], took.as_secs_f64());
        say(&format!("{release}: osvpn {command} beside {REGION}: {} requests, {seconds:.2} s", asked.len()));
    }
    cloud.reset();
}

/// What the openstack command takes for one list of that region alone.
fn compare(cloud: &RealCloud, what: &str, expected: usize) {
    let begun = Instant::now();
    let output = cloud.run("cli", &[REGION, "--debug", what, "list", "-f", "value", "-c", "ID"]);
    let took = begun.elapsed();
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{err}");
    assert_eq!(out.lines().count(), expected, "{what}s of {REGION}");
    let requests = err.lines().filter(|line| line.starts_with("REQ: ")).count();
    let release = cloud.release;
    say(&format!(
        "{release}: openstack {what} list read {REGION} with {requests} requests, in {:.1} s",
        took.as_secs_f64()
    ));
}
