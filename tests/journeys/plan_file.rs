//! The wizard begun with a plan file.

use super::*;

in_both! {
    all_of_it_is_answered_as_soon_as_the_regions_are_read,
    what_the_cloud_does_not_have_is_said_at_its_place_and_chosen_there,
    an_outside_peer_and_its_policy_come_from_it_too,
}

const PLAN: &str = r#"
version = 1
name = "lab"
mode = "site-to-site"
profile = "modern"
[[half]]
region = "nz-hlz-1"
router = "border-router"
subnets = ["db-subnet", "private-subnet"]
[[half]]
region = "nz-por-1"
router = "border-router"
subnets = ["private-subnet"]
"#;

fn begun_with(plan: &str) -> Journey {
    let mut journey = Journey::begun_with_plan(PlanFile::parse(plan).unwrap());
    journey.answer_sign_in(Ok(Session { regions: vec![hamilton(), porirua()], ..session() })).at(Screen::Review);
    assert!(shows(&journey, "Reading Hamilton", "Being read: what the plan needs"), "{}", drawn_text(&journey));
    journey.discovered(&porirua(), Ok(porirua_inventory())).discovered(&hamilton(), Ok(hamilton_inventory()));
    journey.details();
    journey
}

/// What stands in the way of a plan, each with its place.
fn wrong(journey: &Journey) -> Vec<String> {
    journey.plan().unwrap_err().iter().map(ToString::to_string).collect()
}

fn all_of_it_is_answered_as_soon_as_the_regions_are_read() {
    let person = &mut begun_with(PLAN);
    let plan = person.plan().unwrap();
    assert_eq!((plan.name().as_str(), plan.profile()), ("lab", Profile::Modern));
    let ranges: Vec<String> =
        plan.halves().flat_map(osvpn::plan::HalfPlan::local_ranges).map(|range| range.to_string()).collect();
    assert_eq!(ranges, ["10.0.1.0/24", "10.0.0.0/24", "10.20.30.0/24"]);
    person.chooses("Create").at(Screen::Work);
}

fn what_the_cloud_does_not_have_is_said_at_its_place_and_chosen_there() {
    let plan = PLAN.replace("\"db-subnet\"", "\"nowhere\"").replacen("border-router", "bordr-router", 1);
    let mut journey = begun_with(&plan);
    let [router] = wrong(&journey).try_into().unwrap();
    assert!(router.starts_with("router A: bordr-router does not exist; there are: border-router"), "{router}");
    assert!(drawn_text(&journey).contains("bordr-router does not exist"), "{}", drawn_text(&journey));
    journey.enter().at(Screen::Router(Half::A)).enter();
    // Now that the router is known, so is what the words for its subnets mean.
    let [subnet] = wrong(&journey).try_into().unwrap();
    assert!(subnet.starts_with("subnets A: nowhere does not exist; there are: db-subnet"), "{subnet}");
    journey.to(Screen::Subnets(Half::A));
    let Content::List(picker) = journey.model.content() else { panic!() };
    assert!(picker.is_marked(&Choice::Object(Id::new("h-private"))), "what is there of them stays");
    journey.enter().at(Screen::Review);
    assert!(journey.plan().is_ok(), "{:?}", wrong(&journey));
    // Another region has nothing of the file.
    let far = begun_with(&PLAN.replace("nz-por-1", "nz-xyz-9"));
    let [region] = wrong(&far).try_into().unwrap();
    assert!(region.starts_with("region B: nz-xyz-9 is not a region of this cloud"), "{region}");
}

fn an_outside_peer_and_its_policy_come_from_it_too() {
    let plan = r#"
version = 1
name = "office"
mode = "single"
[[half]]
region = "nz-hlz-1"
router = "border-router"
subnets = ["10.0.1.0/24"]
[peer]
address = "198.51.100.7"
cidrs = ["192.168.7.0/24"]
"#;
    let mut journey = Journey::begun_with_plan(PlanFile::parse(plan).unwrap());
    journey.answer_sign_in(Ok(Session { regions: vec![hamilton(), porirua()], ..session() })).at(Screen::Review);
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).details();
    let plan = journey.plan().unwrap();
    assert_eq!(plan.peer().unwrap().address.to_string(), "198.51.100.7");
    assert_eq!(journey.esc().model.screen(), Screen::Mode, "nothing was asked in between");
}
