//! Whether everything a tunnel needs is there and switched on, and the keys.

use itertools::Itertools;

use super::{Advice, Case, Fix, Verdict, Weight};
use crate::cloud::{Id, Inventory, Status, VpnService};
use crate::inspect::{Across, Inspection, Keys, Side, Vpn};
use crate::plan::shell::{openstack, osvpn};
use crate::plan::{Half, VpnId};

impl<'a> Case<'a> {
    pub(super) fn halves(&self) -> Verdict {
        if let Some(doubled) = self.vpn.doubled() {
            return Verdict::bad(
                Weight::Warns,
                doubled,
                "which of them is meant by that id cannot be told, so changes by it are refused",
                Fix::ByHand(vec![
                    "name a connection by its own id, or change the description of the one that is not of this VPN"
                        .into(),
                ]),
            );
        }
        match &self.vpn.across {
            Across::Half(_) => Verdict::good(""),
            Across::Ambiguous(_) => Verdict::bad(
                Weight::Warns,
                self.vpn.is_clear().err().unwrap_or_default(),
                "nothing that is seen of one of them is known to be true of this VPN",
                Fix::ByHand(vec![
                    "give the two connections of each VPN a name that no other has:".into(),
                    openstack(&self.vpn.a.region, "vpn ipsec site connection set --name NAME")
                        .operand(&self.vpn.a.connection.id)
                        .into(),
                ]),
            ),
            // What is wrong with it is said of its peer address.
            Across::Missing { because, .. } if self.vpn.a.points_at_itself() => {
                Verdict::Open(format!("{because}, so its other half cannot be told"))
            }
            Across::Outside if self.unread.is_empty() => Verdict::good("one; its peer is outside this project"),
            Across::Outside => {
                let regions = self.unread_regions();
                Verdict::Open(format!("its peer is outside, or its other half in {regions}, of which nothing is known"))
            }
            Across::Missing { region: None, .. } if !self.unread.is_empty() => {
                Verdict::Open(format!("its other half may be in {}, of which nothing is known", self.unread_regions()))
            }
            // Whoever looks for its peer at its own address has not half a VPN, but the wrong address.
            Across::Missing { .. } if self.vpn.a.points_at(&self.vpn.a) => {
                Verdict::Open("where the other half is cannot be told from its own address".to_owned())
            }
            Across::Missing { region, because } => {
                let place = region.as_ref().map_or_else(|| "another region".to_owned(), ToString::to_string);
                let fix = match &self.vpn.id {
                    Some(id) => Fix::Resume(id.clone()),
                    None => Fix::ByHand(vec![
                        format!("make the other half in {place}, or delete this one:").into(),
                        self.vpn.command("delete").into(),
                    ]),
                };
                Verdict::bad(
                    Weight::Stops,
                    if region.as_ref() == Some(&self.vpn.a.region) {
                        format!("there is no second connection in {place} for this one: {because}")
                    } else {
                        format!("there is no connection in {place} for the one in {}: {because}", self.vpn.a.region)
                    },
                    "nobody answers; a tunnel needs both halves",
                    fix,
                )
            }
        }
    }

    fn unread_regions(&self) -> String {
        self.unread.iter().join(", ")
    }

    /// A new key; where the peer is outside, only one that it has got.
    fn new_key(&self) -> Fix {
        if self.vpn.b().is_some() {
            return Fix::RotateKey;
        }
        Fix::ByHand(vec![
            "agree upon a new key with the owner of the peer, and once it has it:".into(),
            self.vpn.command("rotate-psk").words("--renew --psk-file PATH").into(),
        ])
    }

    pub(super) fn admin_state(&self) -> Verdict {
        for (half, side) in self.sides() {
            let service = side.service.as_ref().is_some_and(|service| !service.admin_state_up);
            let what = match (service, side.connection.admin_state_up) {
                (true, false) => "VPN service and connection are",
                (true, true) => "the VPN service is",
                (false, false) => "the connection is",
                (false, true) => continue,
            };
            return Verdict::bad(
                Weight::Stops,
                format!("{what} switched off in {} (admin_state_up is false)", self.place(half)),
                "the agent leaves it out, so nobody answers there",
                Fix::SwitchOn { half },
            );
        }
        Verdict::good("")
    }

    /// A service the cloud has given up on, with its half.
    pub(in crate::inspect) fn service_in_error(&self) -> Option<(Half, &'a Side, &'a VpnService)> {
        let mut services = self.sides().filter_map(|(half, side)| Some((half, side, side.service.as_ref()?)));
        services.find(|(_, _, service)| service.status == Status::Error)
    }

    pub(super) fn services(&self) -> Verdict {
        // It is what keeps the other half down, too.
        if let Some((half, side, service)) = self.service_in_error() {
            return Verdict::bad(
                Weight::Stops,
                format!("the VPN service {} in {} is in ERROR", service.name, self.place(half)),
                "the cloud could not set its gateway up, and does not try again by itself",
                self.rebuild(half, side),
            );
        }
        for (half, side) in self.sides() {
            let Some(service) = &side.service else {
                return Verdict::Open(format!(
                    "the VPN service {} in {} cannot be seen",
                    side.connection.service,
                    self.place(half)
                ));
            };
            let place = self.place(half);
            match &service.status {
                Status::Down if service.admin_state_up => {
                    return Verdict::bad(
                        Weight::Stops,
                        format!("the VPN service {} in {place} is DOWN", service.name),
                        "no VPN process answers on that router: the agent is away, or something else holds the router",
                        Fix::Nudge { half },
                    );
                }
                Status::PendingCreate if side.connection.status != Status::PendingCreate => {}
                Status::PendingCreate => {
                    return Verdict::bad(
                        Weight::Stops,
                        format!("neither service nor connection in {place} was reported on yet (PENDING_CREATE)"),
                        "the agent has not taken it up: normal within the first 60 to 90 s; later it did not notice",
                        // Neutron changes nothing about a service that no agent has reported on.
                        Fix::ByHand(vec![
                            "wait for two minutes; if nothing changes, make the agent read the router anew:".into(),
                            openstack(&side.region, "router set --description vpn").operand(&service.router).into(),
                        ]),
                    );
                }
                _ if side.connection.status == Status::PendingCreate => {
                    return Verdict::bad(
                        Weight::Stops,
                        format!("the connection in {place} is PENDING_CREATE while its service is {}", service.status),
                        "normal within the first 60 to 90 s; later the agent has not taken it up (before OpenStack 2026.1 \
                         it misses further connections of a router), or its daemon leaves it out",
                        Fix::Nudge { half },
                    );
                }
                Status::Active | Status::Down | Status::Error | Status::Other(_) => {}
            }
        }
        Verdict::good("")
    }

    /// A service keeps the address and the state it was made with: it takes a new one. Where more hangs on it than this
    /// connection, or its new address cannot be known before it is made, that is the user's to decide.
    pub(super) fn rebuild(&self, half: Half, side: &Side) -> Fix {
        let inventory = self.survey(side).map(|survey| &survey.inventory);
        let on_it = |inventory: &'a Inventory| {
            inventory.connections.iter().filter(|one| one.service == side.connection.service)
        };
        let others: Vec<&Id> =
            inventory.into_iter().flat_map(on_it).map(|one| &one.id).filter(|id| **id != side.connection.id).collect();
        let is_ours = inventory.is_some_and(|inventory| !inventory.extensions.is_ovn());
        if is_ours && others.is_empty() && !side.is_legacy() && self.vpn.b().is_some() {
            return Fix::Rebuild { half };
        }
        let others = others.iter().map(|id| osvpn("delete").operand(id).remark("uses the same service"));
        let steps = others.chain([
            self.vpn.command("delete").remark("deletes the service with the VPN"),
            osvpn("").remark("makes them anew; if that fails too, the operator has to look"),
        ]);
        Fix::ByHand(steps.map(Advice::from).collect())
    }

    pub(super) fn one_service(&self) -> Verdict {
        for (half, side) in self.sides() {
            let (Some(survey), Some(own)) = (self.survey(side), &side.service) else { continue };
            let others: Vec<&VpnService> =
                survey.inventory.services_on(&own.router).filter(|other| other.id != own.id).collect();
            let Some(other) = others.first() else { continue };
            let router = side.router.as_ref().map_or(own.router.as_str(), |router| router.name.as_str());
            let serves = |id: &Id| survey.inventory.connections.iter().any(|connection| connection.service == *id);
            let on_it = survey.inventory.connections.iter().filter(|connection| connection.service == other.id);
            let fix = if serves(&other.id) {
                let fix = self.vpn.command("doctor").words("--fix").remark("if the tunnel does not come up by itself");
                let deletes = on_it.map(|one| osvpn("delete").operand(&one.id));
                Fix::ByHand(deletes.chain([fix]).map(Advice::from).collect())
            } else if let Some(id) = mark_of_another(other, self.vpn) {
                // A run that is not done yet may be about to use it.
                let way = |verb| osvpn(verb).operand(&id).remark("whichever of the two made it").into();
                Fix::ByHand(vec![way("resume"), way("rollback")])
            } else {
                Fix::RemoveService { half, id: other.id.clone() }
            };
            return Verdict::bad(
                Weight::Stops,
                format!(
                    "{router} in {} holds {} VPN services: {} and {}",
                    self.place(half),
                    others.len() + 1,
                    own.id.short(),
                    others.iter().map(|other| other.id.short()).join(", ")
                ),
                "each takes the others' configuration away; whichever the agent read last works, until the next change",
                fix,
            );
        }
        Verdict::good("")
    }

    pub(super) fn key(&self) -> Verdict {
        match self.vpn_keys() {
            Keys::Unread => Verdict::Open("they were not read".to_owned()),
            Keys::Unreadable(error) => Verdict::Open(format!("they could not be read: {error}")),
            Keys::Read { equal: Some(false), .. } => Verdict::bad(
                Weight::Stops,
                "the two halves have different keys",
                "each refuses the other; a tunnel that is up goes down at the next re-authentication",
                Fix::RotateKey,
            ),
            Keys::Read { is_public: true, .. } => Verdict::bad(
                Weight::Warns,
                "the key is the word that create-vpn.sh gave to every VPN",
                "anybody who knows the script can pose as the other end",
                self.new_key(),
            ),
            Keys::Read { problem: Some(problem), .. } => Verdict::bad(
                Weight::Warns,
                format!("the key breaks the guide's rule: {problem}"),
                "some peers refuse or misread such keys, and short ones can be guessed",
                self.new_key(),
            ),
            Keys::Read { equal: Some(true), .. } => Verdict::good(""),
            Keys::Read { equal: None, .. } => Verdict::Open("see that the peer has the same key".to_owned()),
        }
    }

    const fn vpn_keys(&self) -> &Keys {
        self.keys
    }

    pub(super) fn initiator(&self) -> Verdict {
        let begins = |side: &Side| side.connection.initiator != "response-only";
        let begun: Vec<String> =
            self.sides().filter(|(_, side)| begins(side)).map(|(half, _)| self.place(half)).collect();
        match (begun.as_slice(), self.vpn.b()) {
            // strongSwan's driver does not look at it: what is ACTIVE like that will be so again.
            ([], Some(_)) => Verdict::bad(
                if self.vpn.is_active() { Weight::Warns } else { Weight::Stops },
                "both halves only respond (initiator is response-only)",
                "where LibreSwan runs, each waits for the other, and no tunnel comes up; strongSwan begins all the same",
                Fix::SetInitiator { half: Half::A },
            ),
            ([], None) => Verdict::Open("this half only responds: see that the peer begins".to_owned()),
            (begun, _) => Verdict::good(begun.join(" and ")),
        }
    }

    pub(super) fn dpd(&self) -> Verdict {
        for (half, side) in self.sides() {
            let dpd = &side.connection.dpd;
            let (place, fix) = (self.place(half), Fix::SetDpd { half });
            if !matches!(dpd.action.as_str(), "hold" | "clear" | "restart") {
                return Verdict::bad(
                    Weight::Stops,
                    format!("the DPD action in {place} is {}", dpd.action),
                    "strongSwan does not know it and leaves the whole connection out",
                    fix,
                );
            }
            if dpd.timeout <= dpd.interval {
                return Verdict::bad(
                    Weight::Hides,
                    format!(
                        "the DPD timeout in {place} ({} s) is not longer than its interval ({} s)",
                        dpd.timeout, dpd.interval
                    ),
                    "a peer counts as dead before it was asked, and the tunnel flaps",
                    fix,
                );
            }
            if dpd.action == "clear" && side.connection.initiator == "response-only" {
                return Verdict::bad(
                    Weight::Warns,
                    format!("{place} clears a dead peer and only responds"),
                    "after an outage it waits for the other side to come back",
                    fix,
                );
            }
        }
        let text = |half: Half| {
            self.vpn.side(half).map(|side| {
                let dpd = &side.connection.dpd;
                format!("{} {}/{} s", dpd.action, dpd.interval, dpd.timeout)
            })
        };
        Verdict::good([text(Half::A), text(Half::B)].into_iter().flatten().join("; "))
    }
}

/// The id in a service's mark if that is of another VPN: a run that is not done yet may be about to use it.
fn mark_of_another(service: &VpnService, own: &Vpn) -> Option<VpnId> {
    let (id, _) = VpnId::of_description(&service.description)?;
    (Some(&id) != own.id.as_ref()).then_some(id)
}

impl Inspection {
    /// The services beside a half's own that no connection uses, nor a run that is not done yet.
    pub fn unused_services<'a>(&'a self, vpn: &'a Vpn, side: &'a Side) -> impl Iterator<Item = &'a VpnService> {
        let inventory = self.surveys.get(&side.region).map(|survey| &survey.inventory);
        let own = side.service.as_ref();
        let beside = inventory.zip(own).into_iter().flat_map(|(inventory, own)| {
            inventory.services_on(&own.router).filter(|other| other.id != own.id).map(move |other| (inventory, other))
        });
        let is_unused = |(inventory, other): &(&'a Inventory, &'a VpnService)| {
            !inventory.connections.iter().any(|connection| connection.service == other.id)
        };
        beside.filter(is_unused).map(|(_, other)| other).filter(|other| mark_of_another(other, vpn).is_none())
    }
}
