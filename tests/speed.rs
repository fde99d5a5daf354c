//! How long a key takes in a long list. It prints figures and asserts none: a stopwatch in a test fails on a busy day.

use crate::support::{inventories, journey};
use std::time::Instant;

use inventories::{hamilton, hamilton_inventory, router, subnet};
use journey::Journey;
use osvpn::plan::Half;
use osvpn::wizard::Content;
use osvpn::wizard::screen::Screen;

#[test]
fn every_key_reaches_a_list_of_ten_thousand_subnets() {
    let mut inventory = hamilton_inventory();
    inventory.subnets = (0..10_000)
        .map(|n| subnet(&format!("s-{n:05}"), &format!("subnet-{n:05}"), &format!("10.{}.{}.0/24", n / 256, n % 256)))
        .collect();
    let all: Vec<_> = inventory.subnets.iter().collect();
    inventory.routers = vec![router("r", "border-router", &["103.197.61.75"], &all)];
    inventory.services.clear();
    inventory.connections.clear();
    let mut journey = Journey::signed_in(&[hamilton()]);
    journey.discovered(&hamilton(), Ok(inventory));
    journey.types("2").enter().enter().at(Screen::Subnets(Half::A));
    let begun = Instant::now();
    journey.types("/subnet-0999");
    let took = begun.elapsed() / 12;
    println!("update with 10,000 subnets: {:.2} ms a key", took.as_secs_f64() * 1000.0);
    let Content::List(picker) = &journey.model.content else { panic!("a list") };
    assert_eq!(picker.shown(), 10);
}
