//! Everything before anything is made.

use super::*;

#[test]
fn the_review_shows_both_sides_and_what_will_be_made() {
    let mut journey = at(Screen::Review);
    screen_at_every_size("review", &mut journey);
    journey.send(Message::Resize(120, 40));
    let wide = drawn(&journey.model, &COLOR).text;
    let halves = wide.lines().any(|line| line.contains("In Hamilton") && line.contains("In Porirua"));
    assert!(halves && !wide.contains("PgDn"), "both halves beside each other, and all of them:\n{wide}");
    journey.send(Message::Resize(60, 18));
    screen_at_every_size("review-scrolled", journey.press("PgDn PgDn"));
}

#[test]
fn the_review_leads_back_to_every_answer() {
    screen_at_every_size("review-focus", at(Screen::Review).press("Up Up Up Up Up"));
}

#[test]
fn what_another_answer_would_change_as_well_is_told_before_it_is_taken() {
    let mut journey = at(Screen::Review);
    journey.press("Up Up Up Up Up Up Up Enter").at(Screen::Router(Half::A));
    let here = drawn(&journey.model, &COLOR).text;
    assert!(!here.contains("changes Subnets A"), "{here}");
    let first = journey.press("Up Up Up Up Up Up");
    let texts = [drawn(&first.model, &COLOR).text, drawn(&first.press("Down").model, &COLOR).text];
    assert!(texts.iter().any(|text| text.contains("changes Subnets A, too")), "{texts:?}");
    // The other side's region takes everything with it.
    let mut region = at(Screen::Review);
    region.press("Home Down Enter").at(Screen::Region(Half::A));
    let text = drawn(&region.press("Down").model, &COLOR).text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("changes both sides: regions, routers,") && text.contains("subnets and the name"), "{text}");
}

#[test]
fn a_name_that_is_taken_is_said_first_and_marked_among_the_answers() {
    let mut journey = at(Screen::Review);
    journey.model.new_vpn.answers.name = Some("office".into());
    let mut clash = hamilton_inventory();
    let mut connection = surveys::healthy().inspection.surveys[&hamilton()].inventory.connections[0].clone();
    "office_vpn_site_connection".clone_into(&mut connection.name);
    clash.connections.push(connection);
    journey.press("r").discovered(&hamilton(), Ok(clash)).discovered(&porirua(), Ok(porirua_inventory())).details();
    let text = drawn(&journey.model, &COLOR).text;
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part:?} is missing from\n{text}"));
    assert!(place("nz-hlz-1 already has a connection") < place("A Hamilton ───"), "{text}");
    assert!(text.contains("! Name"), "{text}");
}

#[test]
fn what_has_grown_old_is_read_once_more_under_the_eyes_of_the_user() {
    let mut journey = at(Screen::Review);
    journey.after(400.0).press("Enter").after(401.5);
    screen_at_every_size("review-once-more", &mut journey);
    let mut down = hamilton_inventory();
    down.routers.iter_mut().for_each(|router| router.status = Status::Down);
    journey.details().discovered(&porirua(), Ok(porirua_inventory())).discovered(&hamilton(), Ok(down));
    screen_at_every_size("review-changed", &mut journey);
}

#[test]
fn the_review_of_single_mode_has_the_peer_outside() {
    let mut journey = Journey::discovered_on(SMALL);
    journey.single().to(Screen::Peer);
    journey
        .types("198.51.100.7")
        .press("Tab")
        .types("office.example")
        .press("Tab")
        .types("192.168.7.0/24")
        .press("Enter");
    journey.to(Screen::Review);
    screen_at_every_size("review-single", &mut journey);
}

#[test]
fn a_review_with_something_missing_says_what_and_dims_create() {
    let mut journey = at(Screen::Review);
    let quotas = [("vpnservice".to_owned(), Quota { limit: Some(1), used: 1 })].into();
    journey.press("Up Up Up Up Up Up Up Up Up Enter r");
    journey.discovered(&hamilton(), Ok(hamilton_inventory()));
    journey.detailed(&hamilton(), Ok(Detail { quotas, ..hamilton_detail() }));
    journey.press("Enter");
    screen_at_every_size("review-refused", &mut journey);
    let mut journey = Journey::discovered_on(SMALL);
    while journey.model.screen() != Screen::Review {
        // Details never come.
        journey.press("Enter");
    }
    screen_at_every_size("review-reading", journey.after(2.0));
}
