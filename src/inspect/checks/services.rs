use itertools::Itertools;

use super::{Advice, Case, Check, FaultRole, Fix, Nature, Verdict, Weight};
use crate::cloud::{Status, VpnService};
use crate::inspect::Side;
use crate::plan::Half;
use crate::plan::shell::{openstack, osvpn};

pub const SERVICES: Check =
    Check { id: "services", label: "the VPN services run", natures: &[Nature::OneSided], prove };

fn prove(case: &Case<'_>) -> Verdict {
    // It is what keeps the other half down, too.
    if let Some((half, side, service)) = service_in_error(case) {
        return Verdict::bad(
            Weight::Stops,
            format!("the VPN service {} in {} is in ERROR", service.name, case.place(half)),
            "the cloud could not set its gateway up, and does not try again by itself",
            case.rebuild(half, side),
        );
    }
    let told: Vec<(Half, &Side, ReportedState)> =
        case.sides().map(|(half, side)| (half, side, ReportedState::of(side))).collect();
    let Some(worst) = told.iter().map(|(_, _, told)| *told).min() else { return Verdict::good("") };
    let alike: Vec<(Half, &Side)> =
        told.iter().filter(|(_, _, told)| *told == worst).map(|(half, side, _)| (*half, *side)).collect();
    told_of(case, worst, &alike).in_role(FaultRole::Consequence)
}

/// A service the cloud has given up on, with its half.
fn service_in_error<'a>(case: &Case<'a>) -> Option<(Half, &'a Side, &'a VpnService)> {
    let mut services = case.sides().filter_map(|(half, side)| Some((half, side, side.service.as_ref()?)));
    services.find(|(_, _, service)| service.status == Status::Error)
}

/// The verdict about the halves in that state.
fn told_of(case: &Case<'_>, told: ReportedState, alike: &[(Half, &Side)]) -> Verdict {
    let places = alike.iter().map(|(half, _)| case.place(*half)).join(" and ");
    let Some((half, side)) = alike.first().map(|(half, side)| (*half, *side)) else { return Verdict::good("") };
    let (service, connection) = (side.service.as_ref().map(|service| &service.status), &side.connection.status);
    match told {
        ReportedState::Fine => Verdict::good(""),
        ReportedState::Deleted(what) => Verdict::bad(
            if case.vpn.is_active() { Weight::Hides } else { Weight::Stops },
            format!("{} in {places} is being deleted (PENDING_DELETE)", what.text()),
            "somebody deletes it, or a deletion is stuck; either way it does not come back",
            Fix::ByHand(vec![
                "look again in some minutes; if it is still there, delete it:".into(),
                case.vpn.command("delete").into(),
                osvpn("")
                    .remark("recreates the VPN; if the deletion stays stuck, the cloud's operator has to end it")
                    .into(),
            ]),
        ),
        ReportedState::ConnectionFailed => Verdict::bad(
            Weight::Stops,
            format!("the connection in {places} is in ERROR"),
            "the cloud gave up on it, and does not try again by itself",
            Fix::ByHand(vec![
                case.vpn.command("delete").into(),
                osvpn("").remark("recreates it; if that fails too, the cloud's operator has to look").into(),
            ]),
        ),
        ReportedState::ServiceDown => Verdict::bad(
            Weight::Stops,
            format!("the VPN service in {places} is DOWN"),
            "no VPN process answers on that router: the agent is away, or something else holds the router",
            Fix::Nudge { half },
        ),
        ReportedState::NotReported => Verdict::bad(
            Weight::Stops,
            format!("neither service nor connection in {places} was reported on yet (PENDING_CREATE)"),
            "the agent has not taken it up: normal within the first 60 to 90 s; later it did not notice",
            notice(alike),
        ),
        ReportedState::ConnectionNotReported => Verdict::bad(
            Weight::Stops,
            format!(
                "the connection in {places} is PENDING_CREATE while its service is {}",
                service.unwrap_or(&Status::Active)
            ),
            "normal within the first 60 to 90 s; later the agent has not taken it up (before OpenStack 2026.1 it misses \
             further connections of a router), or its daemon leaves it out",
            Fix::Nudge { half },
        ),
        ReportedState::Changing(what) => Verdict::bad(
            if case.vpn.is_active() { Weight::Warns } else { Weight::Stops },
            format!(
                "{} in {places} is {}",
                what.text(),
                if what == Part::Connection { connection } else { service.unwrap_or(connection) }
            ),
            "the cloud is working on it; check again when that is done",
            Fix::ByHand(vec![
                "wait for two minutes and look again; if it stays so, give the cloud's operator this id:".into(),
                if what == Part::Connection { &side.connection.id } else { &side.connection.service }
                    .to_string()
                    .into(),
            ]),
        ),
        ReportedState::Nothing(what) => Verdict::Open(format!(
            "the cloud writes \"{}\" for the status of {} in {places}, which says nothing about the tunnel",
            if what == Part::Connection { connection } else { service.unwrap_or(connection) },
            what.text(),
        )),
        ReportedState::Unseen => {
            Verdict::Open(format!("the VPN service {} in {places} cannot be seen", side.connection.service))
        }
    }
}

/// Neutron changes nothing about a service or connection that no agent has reported on. A router can be given the name
/// it has: nothing changes, and its agent reads it again.
fn notice(alike: &[(Half, &Side)]) -> Fix {
    let routers = alike.iter().filter_map(|(_, side)| Some((side, side.router.as_ref()?)));
    let again = routers.map(|(side, router)| {
        openstack(&side.region, "router set --name").value(&router.name).operand(&router.id).into()
    });
    let wait = "wait for two minutes; if nothing changes, make the agent read the router again (its name stays):";
    let steps = std::iter::once(Advice::from(wait)).chain(again).collect();
    Fix::ByHand(steps)
}

/// What the cloud reports of a half, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ReportedState {
    Deleted(Part),
    ConnectionFailed,
    NotReported,
    ConnectionNotReported,
    Changing(Part),
    ServiceDown,
    /// A status that says nothing.
    Nothing(Part),
    Unseen,
    Fine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Both,
    Service,
    Connection,
}

impl Part {
    const fn text(self) -> &'static str {
        match self {
            Self::Both => "the VPN service with its connection",
            Self::Service => "the VPN service",
            Self::Connection => "the connection",
        }
    }
}

impl ReportedState {
    fn of(side: &Side) -> Self {
        let connection = &side.connection.status;
        let service = side.service.as_ref().map(|service| &service.status);
        let part = |is_so: fn(&Status) -> bool| match (service.is_some_and(is_so), is_so(connection)) {
            (true, true) => Some(Part::Both),
            (true, false) => Some(Part::Service),
            (false, true) => Some(Part::Connection),
            (false, false) => None,
        };
        if let Some(part) = part(|status| *status == Status::PendingDelete) {
            return Self::Deleted(part);
        }
        if *connection == Status::Error {
            return Self::ConnectionFailed;
        }
        if let Some(part) = part(|status| matches!(status, Status::PendingUpdate | Status::Build)) {
            return Self::Changing(part);
        }
        let is_up = side.service.as_ref().is_some_and(|service| service.admin_state_up);
        match (service, connection) {
            (Some(Status::Down), _) if is_up => Self::ServiceDown,
            (Some(Status::PendingCreate), Status::PendingCreate) => Self::NotReported,
            (_, Status::PendingCreate) => Self::ConnectionNotReported,
            _ => match (part(|status| !status.is_known()), service) {
                (Some(part), _) => Self::Nothing(part),
                (None, None) => Self::Unseen,
                (None, Some(_)) => Self::Fine,
            },
        }
    }
}
