//! VPNs that are behind, what is asked before an upgrade, answers of a plan file, and requests.

use std::time::Duration;

use osvpn::cloud::Exchange;
use osvpn::inspect::{Keys, Weakness};
use osvpn::plan::file::PlanFile;
use osvpn::wizard::VpnsMessage;
use osvpn::wizard::picker::Choice;

use super::surveys::{legacy, two_pairs};
use super::vpns::{listed, opened};
use super::*;

fn public_keys(journey: &mut Journey) {
    let (request, vpns) = journey.taken("the keys", |effect| match effect {
        Effect::CompareKeys(request, vpns) => Some((*request, vpns.clone())),
        _ => None,
    });
    let public = || Keys::Read { equal: Some(true), weakness: Some(Weakness::Public), rivals: Vec::new() };
    let keys = vpns.iter().map(|vpn| (vpn.handle(), public())).collect();
    journey.send(Message::Vpns(VpnsMessage::KeysCompared(request, keys)));
}

#[test]
fn what_is_behind_is_marked_and_upgraded_after_a_question() {
    let mut journey = listed(legacy());
    public_keys(&mut journey);
    screen("vpns-behind", &mut journey);
    let mut journey = opened(legacy(), Exposures::default());
    screen("vpn-behind", &mut journey);
    journey.types("u");
    screen("vpn-upgrade-question", &mut journey);
    journey.esc();
    journey.types("s").press("Home 2 1 Enter Enter");
    screen("vpn-upgrade-with-subnets-question", &mut journey);
}

#[test]
fn all_that_are_behind_are_a_short_list_in_one_question() {
    let mut journey = listed(two_pairs());
    public_keys(&mut journey);
    journey.chooses("upgrade all");
    screen("vpns-upgrade-all-question", &mut journey);
}

#[test]
fn a_router_of_the_old_kind_is_upgraded_first() {
    let mut journey = Journey::on_screen(SMALL);
    for (region, survey) in &legacy().inspection.surveys {
        journey.discovered(region, Ok(survey.inventory.clone()));
    }
    journey.discovered(&wellington(), Ok(journey::without_vpn())).to(Screen::Router(Half::A));
    screen("router-upgraded-first", &mut journey);
    journey.press("1").to(Screen::Router(Half::B));
    journey.goes_to(&Choice::Object(Id::new("p-twin-2"))).press("Enter").to(Screen::Review).details();
    screen("review-upgraded-first", &mut journey);
    journey.press("Enter").inspected(legacy());
    public_keys(&mut journey);
    screen("upgrade-first-question", &mut journey);
}

#[test]
fn what_a_plan_file_names_and_the_cloud_lacks_is_said_at_its_place() {
    let plan = "version = 1\nname = \"lab\"\nmode = \"site-to-site\"\n\
                [[half]]\nregion = \"nz-hlz-1\"\nrouter = \"bordr-router\"\nsubnets = [\"db-subnet\"]\n\
                [[half]]\nregion = \"nz-por-9\"\nrouter = \"border-router\"\nsubnets = [\"private-subnet\"]\n";
    let mut journey = Journey::begun_with_plan(PlanFile::parse(plan).unwrap());
    journey.answer_sign_in(Ok(session()));
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(porirua_inventory())).details();
    screen("plan-file-wrong", &mut journey);
}

#[test]
fn requests_can_be_looked_at_while_they_happen() {
    let mut journey = Journey::on_screen(SMALL);
    for (path, outcome) in
        [("extensions", Ok(200)), ("routers", Ok(200)), ("vpn/vpnservices", Err("no answer within 60 s".to_owned()))]
    {
        journey.send(Message::Exchanged(Exchange {
            request: format!("GET /v2.0/{path}"),
            host: "neutron.example:9696".to_owned(),
            outcome,
            took: Duration::from_millis(420),
            request_id: Some("req-1f2e".to_owned()),
        }));
    }
    screen("requests", journey.types("l"));
}
