//! How far a change is, and what that means for the VPN.

use std::path::PathBuf;

use itertools::Itertools;

use super::{Direction, End, Made, Progress};
use crate::change::{Change, Object, Step, UnreadRules};
use crate::cloud::{Error, Id};
use crate::plan::ShellCommand;
use crate::plan::shell::{openstack, osvpn};

/// How far a change is, for a screen or a report. It holds neither its journal nor its lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    pub change: Change,
    pub progress: Progress,
    /// Its journal, by which another process can finish it or roll it back. None if there is nothing to finish, or it is
    /// kept nowhere.
    pub journal: Option<PathBuf>,
    /// What is not as it should be, or may not be.
    pub caveats: Vec<Caveat>,
    /// What of a creation could not be deleted, and why.
    pub not_deleted: Vec<(Made, Error)>,
}

/// Something about the VPN, after a change or in its middle, that the user has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// This VPN service may be switched off, or a lost request may still do that.
    MayBeOff(Object),
    /// This VPN service was switched off and on, and its agent was not seen to notice; its router.
    Unnoticed(Object, Option<Id>),
    /// What this step was to change is gone.
    Gone(Step),
    /// The halves may have different keys.
    KeysMayDiffer,
    /// This connection may have another key than others between the same two ends.
    MayHaveOldKey(Object),
    /// These security-group rules could not be read before the VPN was deleted.
    RulesStay(UnreadRules),
}

impl Course {
    /// Of a change that has not begun.
    #[must_use]
    pub fn new(change: Change) -> Self {
        let progress = Progress::new(&change);
        Self { change, progress, journal: None, caveats: Vec::new(), not_deleted: Vec::new() }
    }

    pub(super) fn of(change: &Change, progress: &Progress, journal: Option<PathBuf>) -> Self {
        let caveats =
            change.steps().iter().enumerate().filter_map(|(number, step)| caveat(change, number, step, progress));
        Self {
            caveats: caveats.chain(change.unread_rules.iter().cloned().map(Caveat::RulesStay)).collect(),
            change: change.clone(),
            progress: progress.clone(),
            journal,
            not_deleted: Vec::new(),
        }
    }

    /// What came of each step, as far as it is done.
    #[must_use]
    pub fn ends(&self) -> Vec<Option<End>> {
        self.progress.ends()
    }

    /// Whether anything of it is done, or may have been.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        !self.progress.is_unbegun()
    }

    #[must_use]
    pub fn is_reversible(&self) -> bool {
        self.progress.is_reversible(&self.change)
    }

    /// Why it cannot be rolled back any more, if it cannot.
    #[must_use]
    pub fn why_final(&self) -> Option<String> {
        self.progress.why_final(&self.change)
    }

    #[must_use]
    pub fn is_creation(&self) -> bool {
        self.change.is_creation()
    }

    /// The command that goes on with it from its journal, the way it went. What cannot be rolled back any more can only be
    /// finished.
    #[must_use]
    pub fn go_on(&self, direction: Direction) -> ShellCommand {
        let command = if direction == Direction::Back && self.is_reversible() { "rollback" } else { "resume" };
        osvpn(command).operand(&self.change.subject)
    }
}

fn caveat(change: &Change, number: usize, step: &Step, progress: &Progress) -> Option<Caveat> {
    let is_half_done = progress.is_half_done(number);
    match (step, progress.end(number)) {
        (Step::Restart(restarted), _) if is_half_done => Some(Caveat::MayBeOff(progress.service(restarted)?)),
        (Step::Restart(restarted), Some(End::Unnoticed(router))) => {
            Some(Caveat::Unnoticed(progress.service(restarted)?, router.clone()))
        }
        (Step::SetKey(set_key), _) if is_half_done && set_key.second.is_some() => Some(Caveat::KeysMayDiffer),
        (Step::CopyKey(copy), end) if is_half_done || end.is_none() && progress.has_new_key(change, number) => {
            Some(Caveat::MayHaveOldKey(copy.to.clone()))
        }
        (Step::Update(_) | Step::CopyKey(_) | Step::Restart(_), Some(End::Gone)) => Some(Caveat::Gone(step.clone())),
        _ => None,
    }
}

impl Caveat {
    /// In a sentence or two; a command that goes on with the change puts right what is half done.
    #[must_use]
    pub fn text(&self, go_on: Option<&ShellCommand>) -> String {
        let by = |what: &str| go_on.map_or_else(String::new, |command| format!(" {command} {what}."));
        match self {
            Self::MayBeOff(Object { region, name, .. }) => {
                format!("The VPN service {name} in {region} may be switched off.{}", by("switches it on"))
            }
            Self::Unnoticed(Object { region, name, .. }, _) => format!(
                "The VPN service {name} in {region} was switched off and on, but not noticed by the agent: the tunnel may \
                 still be what it was before, whatever its status says. Try traffic in a minute; if none passes, have the \
                 agent configure the router again:"
            ),
            Self::Gone(step) => format!("There was nothing to change, because somebody has deleted it: {step}."),
            Self::KeysMayDiffer => {
                format!("The halves may have different keys now; then no tunnel comes up.{}", by("fixes it"))
            }
            Self::MayHaveOldKey(connection) => format!(
                "{connection} in {} may still have the old key; it cannot come up beside connections between the same two ends \
                 with another one.{}",
                connection.region,
                by("gives it the new key")
            ),
            Self::RulesStay(UnreadRules { region, remote, word }) => format!(
                "The security-group rules in {region} could not be read. Rules added for this VPN stay, and still allow \
                 {}. When they can be read, delete those with {word} in their description:",
                remote.iter().join(", ")
            ),
        }
    }

    /// The command of python-openstackclient that helps, where one does.
    #[must_use]
    pub fn command(&self) -> Option<ShellCommand> {
        match self {
            Self::MayBeOff(service) => {
                Some(openstack(&service.region, "vpn service set --enable").operand(&service.id))
            }
            Self::Unnoticed(service, router) => {
                let command = openstack(&service.region, "router set --enable");
                Some(match router {
                    Some(router) => command.operand(router),
                    None => command.words("ROUTER"),
                })
            }
            Self::RulesStay(rules) => Some(openstack(&rules.region, "security group rule list --ingress")),
            Self::Gone(_) | Self::KeysMayDiffer | Self::MayHaveOldKey(_) => None,
        }
    }
}
