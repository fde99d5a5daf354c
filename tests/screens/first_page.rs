//! The first page: what is proposed, what is being read, and what cannot be connected.

use super::*;

/// At both sizes, and at the smallest.
fn page(name: &str, journey: &mut Journey) {
    screen(name, journey);
    journey.send(Message::Resize(60, 18));
    kept(&format!("{name}@60x18"), journey);
}

#[test]
fn pairs_can_be_taken_while_a_region_is_still_being_read() {
    let (auckland, inventory) = auckland(new_release());
    let mut journey = Journey::on_first_page(&[hamilton(), porirua(), auckland.clone(), wellington()]);
    page("first-page-reading", journey.after(3.2));
    let connected = surveys::regions(Status::Active, Status::Down, "group14");
    for (region, survey) in connected {
        journey.discovered(&region, Ok(survey.inventory));
    }
    page("first-page-slow", journey.after(9.0));
    journey.discovered(&auckland, Ok(inventory)).discovered(&wellington(), Err(unreachable()));
    page("first-page-three", &mut journey);
}

#[test]
fn where_nothing_can_be_connected_the_reason_stands_first() {
    let mut journey = Journey::on_first_page(&[hamilton(), porirua()]);
    let none = Inventory { routers: Vec::new(), ..porirua_inventory() };
    journey.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(none));
    page("first-page-nothing", &mut journey);
    let mut same = porirua_inventory();
    same.subnets.iter_mut().for_each(|subnet| subnet.cidr = "10.0.0.0/8".parse().unwrap());
    let mut overlapping = Journey::on_first_page(&[hamilton(), porirua()]);
    overlapping.discovered(&hamilton(), Ok(hamilton_inventory())).discovered(&porirua(), Ok(same));
    page("first-page-overlap", &mut overlapping);
}
