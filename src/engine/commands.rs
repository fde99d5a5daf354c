//! Commands of python-openstackclient for what this program leaves to the user.

use super::{Made, Progress, Step};
use crate::cloud::RegionId;
use crate::plan::ShellCommand;
use crate::plan::shell::openstack;

fn command(region: &RegionId, step: Step, verb: &'static str) -> ShellCommand {
    openstack(region, step.kind().client_name()).words(verb)
}

/// Removes these objects, in this order.
#[must_use]
pub fn removal(objects: &[Made]) -> Vec<ShellCommand> {
    let delete = |made: &Made| command(&made.region, made.task.step, "delete").operand(&made.id);
    objects.iter().map(delete).collect()
}

/// Shows where the connections stand.
#[must_use]
pub fn look_again(progress: &Progress) -> Vec<ShellCommand> {
    let show = |made: &Made| command(&made.region, made.task.step, "show").operand(&made.id).words("-c Status");
    progress.connections().map(show).collect()
}

/// Lists objects of that kind.
#[must_use]
pub fn list(region: &RegionId, step: Step) -> ShellCommand {
    command(region, step, "list")
}

/// Shows the key of a connection.
#[must_use]
pub fn key(made: &Made) -> ShellCommand {
    command(&made.region, made.task.step, "show").operand(&made.id).words("-f value -c 'Pre-shared Key'")
}
