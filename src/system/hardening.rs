//! Keeps the memory of this process, in which passwords, tokens and keys are, from being written to a disk or read by
//! another process of the same user.

use rustix::process::{Resource, Rlimit, setrlimit};

/// The variable that lets the process be dumped and traced all the same, to find a fault of the program.
pub(crate) const VARIABLE: &str = "OSVPN_ALLOW_CORE";

/// No core dump and, on Linux, no debugger from now on. What the system does not allow is left: it is a precaution.
pub fn harden() {
    if std::env::var_os(VARIABLE).is_some_and(|value| !value.is_empty() && value != "0") {
        return;
    }
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // Where a program collects the dumps, the limit does not count, and this does.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
