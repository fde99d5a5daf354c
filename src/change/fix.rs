//! Builds the changes that fix what the diagnosis has found.

use std::net::IpAddr;

use super::admit::admit;
use super::proposal::{Proposal, Refused, begin, interruption, object, restart};
use super::repair::repair;
use super::rotate_psk::{Sas, rotate_key};
use super::subnets;
use super::upgrade::{Target, upgrade};
use crate::change::{
    ConnectionEdits, Create, DpdValues, Edit, Edits, KnownBy, New, Replacement, ServiceEdits, Update, Verb,
};
use crate::cloud::{Kind, Status, StoredPolicy};
use crate::inspect::{Agreement, Diagnosis, Fix, Inspection, Side, Vpn, outside};
use crate::plan::policy::Policy;
use crate::plan::psk::KeyOrigin;
use crate::plan::{Half, Profiles};

/// The change that fixes a fault.
/// Errors: if it is not a thing this program does, and what to do instead.
pub fn fix(
    seen: &Inspection,
    vpn: &Vpn,
    diagnosis: &Diagnosis,
    fix: &Fix,
    profiles: &Profiles,
) -> Result<Proposal, Refused> {
    let side = |half: Half| vpn.side(half).ok_or_else(|| Refused::because(format!("there is no half {half}")));
    match fix {
        Fix::RotateKey => rotate_key(seen, vpn, KeyOrigin::Generated, Sas::Renew),
        Fix::SetPeer { half, address, id } => {
            let connection = &side(*half)?.connection;
            let edits = ConnectionEdits {
                peer_address: edit(connection.peer_address.clone(), address.clone()),
                peer_id: edit(connection.peer_id.clone(), id.clone()),
                ..ConnectionEdits::default()
            };
            let mut proposal = of_connection(Verb::SetPeer, vpn, side(*half)?, edits);
            restart(&mut proposal.change, side(*half)?);
            proposal.notes.push(interruption());
            Ok(proposal)
        }
        Fix::SetDpd { half } => {
            let connection = &side(*half)?.connection;
            let (dpd, modern) = (&connection.dpd, &profiles.modern.dpd);
            let (before, after) = (DpdValues::from(dpd), DpdValues::from(modern));
            // Neutron changes nothing about a connection that no agent has reported on, which one that is left out never is.
            if connection.status == Status::PendingCreate {
                return Ok(with_dpd(vpn, side(*half)?, after));
            }
            let edits = ConnectionEdits { dpd: Some(Edit::new(before, after)), ..ConnectionEdits::default() };
            Ok(of_connection(Verb::SetDpd, vpn, side(*half)?, edits))
        }
        Fix::SetInitiator { half } => {
            let before = side(*half)?.connection.initiator.clone();
            let initiator = edit(before, "bi-directional".to_owned());
            let edits = ConnectionEdits { initiator, ..ConnectionEdits::default() };
            Ok(of_connection(Verb::SetInitiator, vpn, side(*half)?, edits))
        }
        Fix::Rebuild { half } => rebuild(vpn, *half, side(*half)?, side(half.other())?),
        Fix::SwitchOn { half } => Ok(switch_on(vpn, side(*half)?)),
        Fix::Nudge { half } => nudge(vpn, side(*half)?),
        Fix::MirrorRanges { half } => {
            let other = side(half.other())?;
            let Some(ranges) = &other.local else {
                return Err(Refused::because(format!("not all subnets of {} can be seen", vpn.place(half.other()))));
            };
            subnets::mirror(seen, vpn, *half, side(*half)?, ranges)
        }
        Fix::Equalise(agreement) => Ok(agree(seen, vpn, agreement, &profiles.modern)),
        Fix::Modernise if vpn.b().is_none() => {
            let text = format!(
                "its peer is external, and has to change its policies at the same time; agree upon that with its owner, then: {}",
                vpn.command("upgrade").words("--profile modern")
            );
            Err(Refused::because(text))
        }
        Fix::Modernise => upgrade(seen, vpn, &Target { key: None, ..Target::modern(profiles, vpn, &diagnosis.keys) }),
        Fix::Upgrade => upgrade(seen, vpn, &Target::modern(profiles, vpn, &diagnosis.keys)),
        Fix::RemoveService { .. } => Ok(remove_services(seen, vpn)),
        Fix::Admit => Ok(admit(vpn, diagnosis)),
        Fix::Repair => repair(seen, vpn, profiles, None),
        Fix::Compare(values) => {
            let what = "the peer is not in this project; its owner has to compare:".to_owned();
            Err(Refused(std::iter::once(what).chain(values.iter().map(ToString::to_string)).collect()))
        }
        Fix::ByHand(steps) => Err(Refused(steps.iter().map(ToString::to_string).collect())),
    }
}

/// Deletes the services on the routers of both halves that no connection uses. Agents are never told of such a service, so
/// the one that is in use runs on and is left alone.
fn remove_services(seen: &Inspection, vpn: &Vpn) -> Proposal {
    let mut change = begin(Verb::RemoveService, vpn);
    for (_, side) in vpn.sides() {
        for service in seen.unused_services(vpn, side) {
            let name = if service.name.is_empty() { service.id.short() } else { &service.name };
            change.delete(Kind::VpnService, object(side, &service.id, name));
        }
    }
    Proposal::new(change, vec!["No connection uses them, and running tunnels are not touched.".to_owned()])
}

fn edit(before: String, after: String) -> Option<Edit<String>> {
    (before != after).then(|| Edit::new(before, after))
}

fn of_connection(verb: Verb, vpn: &Vpn, side: &Side, edits: ConnectionEdits) -> Proposal {
    let mut change = begin(verb, vpn);
    change.update(Update {
        region: side.region.clone(),
        id: side.connection.id.clone(),
        name: side.connection.name.clone(),
        edits: Edits::Connection(Box::new(edits)),
    });
    Proposal::new(change, Vec::new())
}

/// A connection recreated with another dead peer detection.
fn with_dpd(vpn: &Vpn, side: &Side, dpd: DpdValues) -> Proposal {
    let mut change = begin(Verb::SetDpd, vpn);
    let connection = &side.connection;
    change.create(Create {
        region: side.region.clone(),
        name: connection.name.clone(),
        description: connection.description.clone(),
        object: New::Connection(Box::new(Replacement { dpd: Some(dpd), ..Replacement::of(connection) })),
        known_by: KnownBy::Word,
    });
    change.delete(Kind::SiteConnection, object(side, &connection.id, &connection.name));
    restart(&mut change, side);
    Proposal::new(change, vec!["The connection is recreated, with the same key and a new id.".to_owned()])
}

fn switch_on(vpn: &Vpn, side: &Side) -> Proposal {
    let up = || Some(Edit::new(false, true));
    let mut change = begin(Verb::SwitchOn, vpn);
    if let Some(service) = side.service.as_ref().filter(|service| !service.admin_state_up) {
        change.update(Update {
            region: side.region.clone(),
            id: service.id.clone(),
            name: service.name.clone(),
            edits: Edits::Service(ServiceEdits { admin_state_up: up(), ..ServiceEdits::default() }),
        });
    }
    if !side.connection.admin_state_up {
        change.update(Update {
            region: side.region.clone(),
            id: side.connection.id.clone(),
            name: side.connection.name.clone(),
            edits: Edits::Connection(Box::new(ConnectionEdits { admin_state_up: up(), ..ConnectionEdits::default() })),
        });
    }
    Proposal::new(change, Vec::new())
}

fn nudge(vpn: &Vpn, side: &Side) -> Result<Proposal, Refused> {
    let Some(service) = &side.service else {
        return Err(Refused::because("its VPN service cannot be seen"));
    };
    let mut change = begin(Verb::Nudge, vpn);
    change.update(Update {
        region: side.region.clone(),
        id: service.id.clone(),
        name: service.name.clone(),
        edits: Edits::Service(ServiceEdits {
            description: Some(Edit::new(service.description.clone(), service.description.clone())),
            ..ServiceEdits::default()
        }),
    });
    let note = "The agent writes the configuration of that router again. Where LibreSwan runs, its other tunnels drop for a \
                moment.";
    Ok(Proposal::new(change, vec![note.to_owned()]))
}

/// New policies and a new connection for each half that has others than these; then the old ones go. The policies of a
/// connection cannot be changed.
fn agree(seen: &Inspection, vpn: &Vpn, agreement: &Agreement, profile: &Policy) -> Proposal {
    let mut change = begin(Verb::EqualisePolicies, vpn);
    let mut replaced = Vec::new();
    let Policy { ike, ipsec, .. } = agreement.policy(profile);
    for (_, side) in vpn.sides().filter(|(half, _)| !agreement.is_had_by(*half)) {
        let old = |policy: &Option<StoredPolicy>, fallback: &str| {
            policy.as_ref().map_or_else(
                || (format!("{}_{fallback}", vpn.name), String::new()),
                |policy| (policy.name.clone(), policy.description.clone()),
            )
        };
        let region = || side.region.clone();
        let mut policy = |old: (String, String), object: New| {
            let (name, description) = old;
            change.create(Create { region: region(), name, description, object, known_by: KnownBy::Word })
        };
        let ike_policy = policy(old(&side.ike, "ike_policy"), New::IkePolicy(ike.clone()));
        let ipsec_policy = policy(old(&side.ipsec, "ipsec_policy"), New::IpsecPolicy(ipsec.clone()));
        change.create(Create {
            region: region(),
            name: side.connection.name.clone(),
            description: side.connection.description.clone(),
            object: New::Connection(Box::new(Replacement {
                ike_policy,
                ipsec_policy,
                ..Replacement::of(&side.connection)
            })),
            known_by: KnownBy::Word,
        });
        replaced.push(side);
    }
    for side in &replaced {
        change.delete(Kind::SiteConnection, object(side, &side.connection.id, &side.connection.name));
        for (kind, policy) in [(Kind::IkePolicy, &side.ike), (Kind::IpsecPolicy, &side.ipsec)] {
            if let Some(policy) =
                policy.as_ref().filter(|policy| seen.shared_with(vpn, &side.region, &policy.id).is_empty())
            {
                change.delete(kind, object(side, &policy.id, &policy.name));
            }
        }
    }
    // A connection added to a running service waits for traffic; a service that starts negotiates.
    for side in &replaced {
        restart(&mut change, side);
    }
    let mut notes = agreement.sentences(vpn, profile);
    if replaced.is_empty() {
        notes.push("Both halves have these policies already.".to_owned());
    } else {
        notes.push(
            "A connection with other policies is recreated, with the same key and subnets and another id. Every tunnel of its \
             router is down for some seconds."
                .to_owned(),
        );
    }
    Proposal::new(change, notes)
}

/// A new service, a new connection on it with everything the old one has, the other half pointed to the address the router
/// has now; then the old ones go. A service cannot be given another address.
fn rebuild(vpn: &Vpn, half: Half, side: &Side, other: &Side) -> Result<Proposal, Refused> {
    let (Some(service), Some(router)) = (&side.service, &side.router) else {
        return Err(Refused::because(format!("service or router in {} cannot be seen", vpn.place(half))));
    };
    let is_v6 = other.connection.peer_address.parse().is_ok_and(|peer: IpAddr| peer.is_ipv6());
    let Some(address) = outside(router).find(|address| address.is_ipv6() == is_v6).map(|address| address.to_string())
    else {
        return Err(Refused::because(format!("the router {} has no address for its peer to use", router.name)));
    };
    let mut change = begin(Verb::RebuildService, vpn);
    let made = change.create(Create {
        region: side.region.clone(),
        name: service.name.clone(),
        description: service.description.clone(),
        object: New::Service(router.id.clone()),
        known_by: KnownBy::Word,
    });
    change.create(Create {
        region: side.region.clone(),
        name: side.connection.name.clone(),
        description: side.connection.description.clone(),
        object: New::Connection(Box::new(Replacement { service: Some(made), ..Replacement::of(&side.connection) })),
        known_by: KnownBy::Word,
    });
    let edits = ConnectionEdits {
        peer_address: edit(other.connection.peer_address.clone(), address.clone()),
        peer_id: if side.connection.local_id.is_empty() {
            edit(other.connection.peer_id.clone(), address)
        } else {
            None
        },
        ..ConnectionEdits::default()
    };
    if edits != ConnectionEdits::default() {
        change.update(Update {
            region: other.region.clone(),
            id: other.connection.id.clone(),
            name: other.connection.name.clone(),
            edits: Edits::Connection(Box::new(edits)),
        });
    }
    change.delete(Kind::SiteConnection, object(side, &side.connection.id, &side.connection.name));
    change.delete(Kind::VpnService, object(side, &service.id, &service.name));
    restart(&mut change, other);
    let note = "Service and connection are recreated, with the same key, policies and subnets and new ids. Every tunnel of \
                both routers is down for some seconds.";
    Ok(Proposal::new(change, vec![note.to_owned()]))
}
