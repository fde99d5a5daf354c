//! Runs the built program without a terminal, in a clean environment.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use osvpn::engine::journal::{Record, listed};
use osvpn::simulator::Simulator;

/// A key no generator makes, so that a test can look for it.
pub const KEY: &str = "Kept0nly1nMemory2NeverWritten345";

/// osvpn with nothing in its environment but a home of its own.
pub fn osvpn(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_osvpn"));
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").current_dir(home);
    // Not in the foreground of the terminal the tests may be run from, which would be asked for passwords.
    command.process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The same, signed in to a simulated cloud.
pub fn osvpn_in(home: &Path, cloud: &Simulator) -> Command {
    let mut command = osvpn(home);
    command.envs(cloud.environment());
    command
}

/// What the journals of creations in a directory say.
pub fn creations(state: &Path) -> Vec<Record> {
    let records = listed(state).unwrap().into_iter().filter_map(|(_, record)| record.ok());
    records.filter(|record| record.change.is_creation()).collect()
}

/// How many requests the journals of a directory say are in progress.
pub fn under_way(state: &Path) -> usize {
    creations(state).iter().map(|record| record.progress.under_way()).sum()
}

/// Whether all requests of a creation's stage have been sent that make what is in that collection, and all but one of them are
/// answered and noted.
pub fn is_last_of_its_stage(cloud: &Simulator, state: &Path, collection: &str, halves: usize) -> bool {
    let together: &[&str] = match collection {
        "vpnservices" => &["vpnservices"],
        "ipsec-site-connections" => &["ipsec-site-connections"],
        _ => &["ikepolicies", "ipsecpolicies", "endpoint-groups", "endpoint-groups"],
    };
    let posts = cloud.requests().into_iter().filter(|request| request.method == "POST");
    let sent = posts.filter(|request| together.iter().any(|one| request.path.contains(one))).count();
    sent >= halves * together.len() && under_way(state) <= 1
}

/// Runs it to its end; the simulated cloud goes on answering meanwhile.
pub async fn run(mut command: Command) -> Ran {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Ran::from(output)
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Whether standard error has a sentence, wherever its lines are broken.
    pub fn says(&self, sentence: &str) -> bool {
        self.err.split_whitespace().collect::<Vec<_>>().join(" ").contains(sentence)
    }

    /// The id in the marks of the VPN the report is about.
    pub fn id(&self) -> String {
        let (_, after) = self.out.split_once("(osvpn:").unwrap();
        after.split_once(')').unwrap().0.to_owned()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Whether a program is there to test with. Where `OSVPN_REQUIRE_TOOLS` is set, it has to be.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|directory| directory.join(program).exists());
    assert!(is_there || std::env::var_os("OSVPN_REQUIRE_TOOLS").is_none(), "{program} is not installed");
    if !is_there {
        println!("skipped: {program} is not installed");
    }
    is_there
}

/// A plan file between the border routers of Hamilton and Porirua.
pub fn site_to_site(home: &Path) -> &'static str {
    let text =
        half("nz-hlz-1", "border-router", "private-subnet") + &half("nz-por-1", "border-router", "private-subnet");
    write(home, "site-to-site", &text)
}

/// A plan file from Hamilton to an external peer.
pub fn single(home: &Path) -> &'static str {
    let text = half("nz-hlz-1", "border-router", "private-subnet")
        + "[peer]\naddress = \"198.18.0.7\"\ncidrs = [\"192.168.7.0/24\"]\n";
    write(home, "single", &text)
}

pub fn half(region: &str, router: &str, subnet: &str) -> String {
    format!("[[half]]\nregion = \"{region}\"\nrouter = \"{router}\"\nsubnets = [\"{subnet}\"]\n")
}

pub fn write(home: &Path, mode: &str, rest: &str) -> &'static str {
    let text = format!("version = 1\nname = \"test-vpn\"\nmode = \"{mode}\"\n{rest}");
    std::fs::write(home.join("plan.toml"), text).unwrap();
    "plan.toml"
}
