//! The pictures of the README: drawn from the program itself, so they cannot show what it does not. `UPDATE_ASSETS=1`
//! draws them anew; otherwise a picture that is out of date fails.

use crate::support::{drawn, journey, pair, runs, svg};
use drawn::drawn;
use journey::Journey;
use osvpn::cloud::Status;
use osvpn::engine::Watched;
use osvpn::plan::Half;
use osvpn::view::Theme;
use osvpn::wizard::Message;
use osvpn::wizard::screen::Screen;
use runs::Run;

const SIZE: (u16, u16) = (100, 32);

/// At the review, with the guide's own example: both private subnets.
fn review() -> Journey {
    let mut journey = Journey::discovered_on(SIZE);
    journey.to(Screen::Subnets(Half::A)).press("1 2").to(Screen::Review);
    journey
}

fn check(name: &str, journey: &Journey) {
    let here = drawn(&journey.model, &Theme::new(true, true));
    for (kind, palette) in [("dark", svg::DARK), ("light", svg::LIGHT)] {
        let path = format!("{}/assets/{name}-{kind}.svg", env!("CARGO_MANIFEST_DIR"));
        let picture = svg::draw(&here.buffer, here.cursor, &palette);
        if std::env::var_os("UPDATE_ASSETS").is_some() {
            std::fs::write(&path, &picture).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == picture,
            "{path} is out of date; draw it anew with: UPDATE_ASSETS=1 cargo test --test pictures"
        );
    }
}

#[test]
fn the_picture_of_the_review_shows_the_review() {
    check("review", &review());
}

#[test]
fn the_picture_of_the_run_shows_a_run_that_became_active() {
    let mut run = Run::created_from(review());
    run.polled(Status::Active, Status::Active);
    run.journey.after(95.0).send(Message::Watched(Watched::Active));
    let examined = pair::examined([Status::Active, Status::Active], |_, _| {});
    run.journey.send(Message::Verified(Ok(Box::new(examined))));
    check("active", &run.journey);
}
