//! Long lists: opening, refreshing, filtering and moving take time in proportion to their length, and no more.
//!
//! The times are printed, for a release build to tell something. What is asserted is work: the processor's time for a list
//! ten times as long, in which other programs have no part.

use crate::support::{drawn, inventories, journey};
use std::fs;
use std::time::Instant;

use crossterm::event::KeyCode;
use drawn::drawn;
use inventories::{hamilton, hamilton_inventory, porirua, router, subnet};
use journey::Journey;
use osvpn::cloud::{Detail, Id, Inventory, Subnet};
use osvpn::plan::Half;
use osvpn::view::Theme;
use osvpn::wizard::Content;
use osvpn::wizard::picker::Picker;
use osvpn::wizard::screen::Screen;

/// A list ten times as long may take so many times as long: a scan of the list for each of its lines takes a hundred times.
const MOST: f64 = 35.0;

/// What a region has.
#[derive(Clone, Copy)]
struct Size {
    subnets: usize,
    routers: usize,
}

fn large(Size { subnets, routers }: Size) -> (Inventory, Detail) {
    let one = |n: usize| {
        let cidr = format!("10.{}.{}.{}/28", n / 4096, n / 16 % 256, n % 16 * 16);
        // Every tenth has the name of another.
        subnet(&format!("{n:08x}-s"), &format!("subnet-{:06}", n - usize::from(n % 10 == 9)), &cidr)
    };
    let all: Vec<Subnet> = (0..subnets).map(one).collect();
    let each = subnets / routers;
    let routers = (0..routers).map(|n| {
        let own: Vec<_> = all.iter().skip(n * each).take(each).collect();
        router(&format!("{n:08x}-r"), &format!("router-{:06}", n - usize::from(n % 10 == 9)), &["103.197.61.75"], &own)
    });
    let networks = all.iter().map(|subnet| (subnet.network.clone(), format!("network of {}", subnet.name)));
    let networks = networks.chain([(Id::new("public-net"), "public-net".to_owned())]).collect();
    let inventory = Inventory {
        routers: routers.collect(),
        subnets: all,
        services: vec![],
        connections: vec![],
        ..hamilton_inventory()
    };
    (inventory, Detail { networks, ..Detail::default() })
}

/// The processor's time of this thread, in hundredths of a second; none where the system does not tell.
fn worked() -> Option<u64> {
    let stat = fs::read_to_string("/proc/thread-self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// How much was done for each part of the way.
struct Way {
    parts: Vec<(&'static str, u64)>,
    rounds: u64,
    size: Size,
}

impl Way {
    fn of(size: Size, rounds: u64) -> Self {
        let mut way = Self { parts: Vec::new(), rounds, size };
        let (inventory, detail) = large(size);
        for _ in 0..rounds {
            way.walk(&inventory, &detail);
        }
        way
    }

    /// Adds a part of the way. The first frame after it belongs to it.
    fn part(&mut self, name: &'static str, journey: &mut Journey, act: impl FnOnce(&mut Journey)) {
        let (begun, before) = (Instant::now(), worked());
        act(journey);
        drawn(&journey.model, &Theme::new(true, true));
        let took = begun.elapsed();
        let done = worked().unwrap_or_default().saturating_sub(before.unwrap_or_default());
        let Size { subnets, routers } = self.size;
        println!("{subnets:>7} on {routers:>6}: {name:<34} {:>9.2} ms", took.as_secs_f64() * 1000.0);
        match self.parts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += done,
            None => self.parts.push((name, done)),
        }
    }

    fn walk(&mut self, inventory: &Inventory, detail: &Detail) {
        let is_choice = self.size.routers > 1;
        // The routers of both have one address, so that no plan of any two of them is a good one.
        let mut proposing = Journey::on_first_page(&[hamilton(), porirua()]);
        proposing.discovered(&porirua(), Ok(inventory.clone()));
        let other = inventory.clone();
        self.part("the first page proposes", &mut proposing, |journey| {
            journey.discovered(&hamilton(), Ok(other));
        });
        self.part("a key on the first page", &mut proposing, |journey| {
            journey.key(KeyCode::Down);
        });
        let mut journey = Journey::signed_in(&[hamilton()]);
        journey.single().at(Screen::Region(Half::A));
        let seen = inventory.clone();
        self.part("the region has answered", &mut journey, |journey| {
            journey.discovered(&hamilton(), Ok(seen));
        });
        self.part("the routers open", &mut journey, |journey| {
            journey.enter().at(if is_choice { Screen::Router(Half::A) } else { Screen::Subnets(Half::A) });
        });
        let told = detail.clone();
        self.part("the details arrive", &mut journey, |journey| {
            journey.detailed(&hamilton(), Ok(told));
        });
        self.part("the subnets open", &mut journey, |journey| {
            journey.to(Screen::Subnets(Half::A));
        });
        let again = inventory.clone();
        self.part("they are read again", &mut journey, |journey| {
            journey.types("r").discovered(&hamilton(), Ok(again));
        });
        self.part("a key down", &mut journey, |journey| {
            journey.key(KeyCode::Down);
        });
        self.part("five letters of a filter", &mut journey, |journey| {
            journey.types("/t-009");
        });
        assert_eq!(picker(&journey).shown(), self.size.subnets.min(1000));
        self.part("the filter ends", &mut journey, |journey| {
            journey.esc();
        });
        self.part("back to the routers", &mut journey, |journey| {
            journey.esc().at(if is_choice { Screen::Router(Half::A) } else { Screen::Region(Half::A) });
        });
    }
}

fn picker(journey: &Journey) -> &Picker {
    let Content::List(picker) = journey.model.content() else { panic!("a list") };
    picker
}

#[track_caller]
fn grows_in_proportion(small: Size) {
    const ROUNDS: u64 = 10;
    let large = Size { subnets: small.subnets * 10, routers: (small.routers * 10).min(small.subnets * 10 / 4).max(1) };
    let large = if small.routers == 1 { Size { routers: 1, ..large } } else { large };
    let (small, large) = (Way::of(small, ROUNDS), Way::of(large, 1));
    for ((name, few), (_, many)) in small.parts.iter().zip(&large.parts) {
        // A hundredth of a second is as fine as it is told; what is faster than two of them is fast enough.
        #[expect(clippy::cast_precision_loss, reason = "they are small")]
        let (few, many) = ((*few).max(2) as f64 / small.rounds as f64, *many as f64 / large.rounds as f64);
        assert!(many / few <= MOST, "{name}: {many} for ten times as much as {few}");
    }
}

#[test]
fn a_list_on_one_router_takes_time_in_proportion_to_its_length() {
    grows_in_proportion(Size { subnets: 10_000, routers: 1 });
}

#[test]
fn lists_of_many_routers_and_their_subnets_take_time_in_proportion_to_their_length() {
    grows_in_proportion(Size { subnets: 10_000, routers: 2_500 });
}

/// What is not shown is not written: a frame asks for the words of the lines on the screen alone.
#[test]
fn what_is_said_of_a_line_is_made_when_it_is_shown() {
    let (inventory, _) = large(Size { subnets: 10_000, routers: 2_500 });
    let mut journey = Journey::signed_in(&[hamilton()]);
    journey.discovered(&hamilton(), Ok(inventory)).single().enter().at(Screen::Subnets(Half::A));
    assert_eq!((picker(&journey).lines().len(), picker(&journey).tally().open), (5, 4));
    journey.key(KeyCode::End).enter();
    let picker = picker(&journey);
    let last = picker.lines().last().unwrap();
    assert_eq!((picker.lines().len(), picker.tally().open), (10_000, 10_000));
    assert!(journey.reason(last).contains("is on router-00249"), "{}", journey.reason(last));
    assert!(size_of_val(last) <= 128, "{} bytes for each of 10,000 lines", size_of_val(last));
}
