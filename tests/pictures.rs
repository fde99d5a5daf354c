//! The pictures of the README: drawn from the program itself, so they cannot show what it does not. `UPDATE_ASSETS=1`
//! draws them anew; otherwise a picture that is out of date fails.

use crate::support::{drawn, journey, pair, runs, surveys, svg};
use drawn::drawn;
use journey::Journey;
use osvpn::change::Change;
use osvpn::cloud::{Id, Status};
use osvpn::engine::{Changed, Course, End, Event, Watched};
use osvpn::inspect::Exposures;
use osvpn::plan::Half;
use osvpn::view::Theme;
use osvpn::wizard::screen::Screen;
use osvpn::wizard::{Effect, Message, Which};
use runs::Run;
use svg::{Frame, Palette};

const SIZE: (u16, u16) = (100, 26);

fn frame(journey: &Journey, seconds: f64) -> Frame {
    let here = drawn(&journey.model, &Theme::new(true, true));
    Frame { buffer: here.buffer, cursor: here.cursor, seconds }
}

fn check(name: &str, draw: impl Fn(&Palette) -> String) {
    for (kind, palette) in [("dark", svg::DARK), ("light", svg::LIGHT)] {
        let path = format!("{}/assets/{name}-{kind}.svg", env!("CARGO_MANIFEST_DIR"));
        let picture = draw(&palette);
        if std::env::var_os("UPDATE_ASSETS").is_some() {
            std::fs::write(&path, &picture).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == picture,
            "{path} is out of date; draw it anew with: UPDATE_ASSETS=1 cargo test --test library pictures"
        );
    }
}

fn check_still(name: &str, journey: &Journey) {
    let frame = frame(journey, 0.0);
    check(name, |palette| svg::draw(&frame.buffer, frame.cursor, palette));
}

/// The rules that the question on the screen is about.
fn rules(run: &mut Run) -> Change {
    run.journey.press("Enter").taken("the rules", |effect| match effect {
        Effect::Work(Which::New(change, None), _) => Some((**change).clone()),
        _ => None,
    })
}

/// The four keys, and what they lead through.
#[test]
fn the_pictures_show_the_way_from_the_first_page_to_a_vpn_that_carries_traffic() {
    let mut journey = Journey::discovered_on(SIZE);
    check_still("first-page", &journey);
    let mut frames = vec![frame(&journey, 3.0)];
    journey.to(Screen::Review);
    frames.push(frame(&journey, 3.0));
    let mut run = Run::begun_from(journey);
    for object in 0..6 {
        run.started(Half::A, object).started(Half::B, object);
        frames.push(frame(&run.journey, 0.3));
        run.made(Half::A, object, 0.4).made(Half::B, object, 0.6);
    }
    let made = run.rested(Ok(Changed::Done));
    run.journey.after(24.0).send(made);
    run.polled(Status::Down, Status::Down).journey.after(40.0);
    frames.push(frame(&run.journey, 2.0));
    run.polled(Status::Active, Status::Active);
    run.journey.after(95.0).send(Message::Watched(Watched::Active));
    let examined = pair::examined([Status::Active, Status::Active], |_, _| {});
    run.journey.send(Message::Verified(Ok(Box::new(examined))));
    check_still("active", &run.journey);
    frames.push(frame(&run.journey, 4.0));
    let change = rules(&mut run);
    run.journey.send(Message::Event(Event::Started(0))).after(96.0);
    frames.push(frame(&run.journey, 0.6));
    let mut course = Course::new(change);
    course.progress.finish(0, End::Made(Id::new("5e5ae9cb-rule")));
    run.journey.send(Message::Rested(Ok(Changed::Done), Box::new(course)));
    run.journey.inspected(surveys::healthy()).diagnosed(Exposures::default());
    frames.push(frame(&run.journey, 5.0));
    check("four-keys", |palette| svg::animate(&frames, palette));
}
