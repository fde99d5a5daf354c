//! Whether an object that carries the marker of a VPN is what was sent for it: a description can be copied, and a name
//! be changed.

use std::collections::BTreeSet;

use super::{Marks, Step};
use crate::change::Form;
use crate::cloud::Id;
use crate::plan::file::PlanFile;
use crate::plan::{Half, HalfPlan, Plan};

/// What is sent of each kind of object of a half. What is not known, as from a journal alone, tells nothing apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    router: Option<Id>,
    local: Option<BTreeSet<String>>,
    remote: Option<BTreeSet<String>>,
    /// Of a peer outside; the other half's is that of its service.
    peer_address: Option<String>,
}

impl Sent {
    pub(super) fn of(plan: &Plan, half: &HalfPlan) -> Self {
        Self {
            router: Some(half.router.id.clone()),
            local: Some(half.local.iter().map(|subnet| subnet.id.to_string()).collect()),
            remote: Some(half.remote.iter().map(ToString::to_string).collect()),
            peer_address: plan.peer().map(|peer| peer.address.to_string()),
        }
    }

    /// What a journal says. It names routers and subnets by their ids.
    #[must_use]
    pub fn of_file(file: &PlanFile, half: Half) -> Option<Self> {
        let (router, subnets) = file.objects(half)?;
        let peer = file.peer();
        Some(Self {
            router: Some(Id::from(router)),
            local: Some(subnets.map(str::to_owned).collect()),
            remote: peer.map(|peer| peer.cidrs.iter().map(ToString::to_string).collect()),
            peer_address: peer.map(|peer| peer.address.to_string()),
        })
    }
}

impl Sent {
    /// What is known of an object of that kind.
    pub(super) fn form(&self, step: Step) -> Form {
        let none = Form::default();
        match step {
            Step::Service => Form { router: self.router.clone(), ..none },
            Step::LocalGroup => Form { members: self.local.clone(), ..none },
            Step::PeerGroup => Form { members: self.remote.clone(), ..none },
            Step::Connection => Form { peer_address: self.peer_address.clone(), ..none },
            Step::IkePolicy | Step::IpsecPolicy => none,
        }
    }
}

impl Marks {
    /// Whether an object of that step is given that name.
    pub(super) fn gave(&self, step: Step, name: &str) -> bool {
        self.name.of(step.object()) == name
    }
}
