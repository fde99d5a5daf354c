//! Whether an object that carries the marker of a VPN is what was sent for it: a description can be copied, and a name
//! be changed.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Ledger, Made, Marks, Step, Task};
use crate::cloud::vpnaas::Formed;
use crate::cloud::{Id, VpnService};
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

impl Marks {
    /// Whether an object with the marker is what was sent for that task: it has the name given to it, and the form.
    pub(super) fn sent(&self, ledger: &Ledger, task: Task, formed: &Formed) -> bool {
        let none = Sent::default();
        let sent = self.sent.get(&task.half).unwrap_or(&none);
        let has_form = match task.step {
            Step::Service => is_or_unknown(sent.router.as_ref(), formed.router.as_ref()),
            Step::IkePolicy | Step::IpsecPolicy => true,
            Step::LocalGroup => is_or_unknown(sent.local.as_ref(), Some(&formed.members)),
            Step::PeerGroup => is_or_unknown(sent.remote.as_ref(), Some(&formed.members)),
            Step::Connection => {
                let service = ledger.get(task.half, Step::Service).map(|made| &made.id);
                let peers = peers(sent, ledger, task.half);
                let peer = formed.peer_address.as_deref().unwrap_or_default();
                is_or_unknown(service, formed.service.as_ref())
                    && (peers.is_empty() || peers.iter().any(|known| is_same(known, peer)))
            }
        };
        has_form && self.gave(task.step, &formed.object.name)
    }

    /// The same of a VPN service.
    pub(super) fn sent_service(&self, half: Half, service: &VpnService) -> bool {
        let router = self.sent.get(&half).and_then(|sent| sent.router.as_ref());
        is_or_unknown(router, Some(&service.router)) && self.gave(Step::Service, &service.name)
    }

    /// Whether an object of that step is given that name.
    pub(super) fn gave(&self, step: Step, name: &str) -> bool {
        self.name.of(step.object()) == name
    }
}

fn is_or_unknown<T: PartialEq>(sent: Option<&T>, there: Option<&T>) -> bool {
    sent.is_none_or(|sent| there == Some(sent))
}

/// The addresses that a connection of that half may have been made to; none if they are not known.
fn peers(sent: &Sent, ledger: &Ledger, half: Half) -> Vec<String> {
    if let Some(address) = &sent.peer_address {
        return vec![address.clone()];
    }
    let across = ledger.get(half.other(), Step::Service);
    let of = |made: &Made| [made.external_v4.map(IpAddr::V4), made.external_v6.map(IpAddr::V6)];
    across.into_iter().flat_map(of).flatten().map(|address| address.to_string()).collect()
}

/// One IPv6 address can be written in several ways.
fn is_same(a: &str, b: &str) -> bool {
    a == b || matches!((a.parse::<IpAddr>(), b.parse::<IpAddr>()), (Ok(a), Ok(b)) if a == b)
}
