//! Lists to choose from.

use super::*;

#[test]
fn the_mode_is_asked_first() {
    screen_at_every_size("mode", &mut Journey::discovered_on(SMALL));
}

#[test]
fn the_demo_cloud_is_named_as_one_on_every_screen() {
    let mut journey = Journey::begun(SMALL);
    journey.model.shell.login = Login::Demo;
    let mut session = session();
    session.is_demo = true;
    journey.answer_sign_in(Ok(session));
    assert!(drawn(&journey.model, &COLOR).text.contains("DEMO: simulated cloud"));
}

#[test]
fn regions_come_in_one_by_one_and_those_that_cannot_be_taken_say_why() {
    let mut journey = Journey::on_screen(SMALL);
    journey.stepwise().after(2.5);
    screen_at_every_size("region-loading", &mut journey);
    journey.discovered(&wellington(), Ok(journey::without_vpn()));
    journey.discovered(&hamilton(), Err(unreachable()));
    journey.discovered(&porirua(), Ok(porirua_inventory()));
    journey.press("1");
    screen_at_every_size("region-failed", &mut journey);
}

#[test]
fn the_second_region_cannot_be_the_first() {
    screen_at_every_size("region-b", &mut at(Screen::Region(Half::B)));
}

#[test]
fn routers_that_cannot_be_taken_are_dim_and_the_reason_stands_below() {
    let mut journey = at(Screen::Router(Half::A));
    screen_at_every_size("router", &mut journey);
    journey.press("End Enter");
    screen_at_every_size("router-refused", &mut journey);
    journey.press("Home Down");
    screen_at_every_size("router-reused", &mut journey);
}

#[test]
fn routers_of_one_name_are_told_apart_by_address_and_id() {
    let mut journey = at(Screen::Router(Half::B));
    screen_at_every_size("router-twins", journey.press("End"));
}

#[test]
fn a_region_without_routers_says_how_to_make_one() {
    let mut journey = at(Screen::Router(Half::A));
    journey.press("r").discovered(&hamilton(), Ok(Inventory { extensions: old_release(), ..Inventory::default() }));
    screen_at_every_size("router-empty", &mut journey);
}

#[test]
fn a_region_that_fails_while_its_routers_are_asked_for_says_why() {
    let mut journey = at(Screen::Router(Half::A));
    journey.after(10.0).press("r").after(14.0);
    screen_at_every_size("router-read-again", &mut journey);
    let mut error = server_error();
    error.region = Some(hamilton());
    error.request = Some("GET /v2.0/routers".to_owned());
    journey.discovered(&hamilton(), Err(error));
    screen_at_every_size("router-failed", &mut journey);
    screen_at_every_size("router-loading", journey.press("r").after(20.0));
}

#[test]
fn subnets_are_marked_and_counted() {
    let mut journey = at(Screen::Subnets(Half::A));
    journey.press("2");
    screen_at_every_size("subnets", &mut journey);
}

#[test]
fn a_range_that_is_on_both_sides_is_refused_in_the_second_list() {
    let mut journey = at(Screen::Subnets(Half::B));
    journey.press("End Enter");
    screen_at_every_size("subnets-overlap", &mut journey);
}

fn many() -> Journey {
    let mut journey = at(Screen::Router(Half::A));
    let mut inventory = hamilton_inventory();
    let more = (0..10_000).map(|n| {
        subnet(&format!("m-{n:05}"), &format!("tenant-{n:05}"), &format!("10.{}.{}.0/24", 100 + n / 256, n % 256))
    });
    inventory.subnets.extend(more);
    journey.press("r").discovered(&hamilton(), Ok(inventory)).details();
    journey.to(Screen::Subnets(Half::A)).press("End Enter");
    journey
}

#[test]
fn of_ten_thousand_subnets_a_window_is_shown_with_what_is_above_and_below() {
    let mut journey = many();
    journey.press("PgDn PgDn PgDn PgDn");
    screen_at_every_size("subnets-many", &mut journey);
    journey.press("/").types("0077");
    screen_at_every_size("subnets-filtered", &mut journey);
    journey.types("x");
    screen_at_every_size("subnets-no-match", &mut journey);
}

#[test]
fn long_and_wide_names_are_cut_and_columns_stay_aligned() {
    let mut journey = at(Screen::Router(Half::A));
    let mut inventory = hamilton_inventory();
    for router in &mut inventory.routers {
        if router.name == "used-router" {
            router.name = "ルーター・ハミルトン・本番環境・外部接続用・予備・その二".to_owned();
        }
        if router.name == "legacy-router" {
            router.name = "a-router-with-a-name-that-somebody-made-far-too-long-for-any-screen".to_owned();
        }
    }
    inventory.services.clear();
    journey.press("r").discovered(&hamilton(), Ok(inventory));
    screen_at_every_size("router-wide", &mut journey);
}

#[test]
fn a_policy_the_regions_no_longer_take_is_refused_and_another_recommended() {
    let mut journey = Journey::on_screen(SMALL);
    let mut inventory = porirua_inventory();
    inventory.extensions = new_release();
    journey.discovered(&hamilton(), Ok(hamilton_inventory()));
    journey.discovered(&porirua(), Ok(inventory));
    journey.to(Screen::Policy);
    screen_at_every_size("policy", journey.press("Up"));
}
