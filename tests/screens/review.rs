//! Everything before anything is made.

use super::*;

#[test]
fn the_review_shows_both_sides_and_what_will_be_made() {
    let mut journey = at(Screen::Review);
    screen_at_every_size("review", &mut journey);
    screen_at_every_size("review-scrolled", journey.press("PgDn PgDn"));
}

#[test]
fn the_review_leads_back_to_every_answer() {
    screen_at_every_size("review-focus", at(Screen::Review).press("Up Up Up Up Up"));
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
