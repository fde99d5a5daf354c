//! Whatever happens, in whatever order and at whatever size: the wizard does not panic, and its key does not show.

use crate::support::{drawn, inventories, journey, pair, runs, surveys};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use drawn::drawn;
use inventories::*;
use jiff::Timestamp;
use journey::{Journey, KEY, session, wellington, without_vpn};
use osvpn::change::delete;
use osvpn::cloud::exposure::Exposure;
use osvpn::cloud::person::{Question, Wanted};
use osvpn::cloud::retry::Pause;
use osvpn::cloud::{Detail, Error, ErrorKind, Id, Interfaces, Inventory, RegionId, Status};
use osvpn::engine::handover::KeyOrigin;
use osvpn::engine::interruption::{Interruption, State};
use osvpn::engine::{ChangeError, Changed, Course, End, Event, Made, Origin, Standing, Step as Object, Task, Watched};
use osvpn::inspect::Exposures;
use osvpn::inspect::{HalfStatus, Inspection, Keys, Weakness};
use osvpn::plan::{Half, Plan, Psk};
use osvpn::sign_in::Problem;
use osvpn::view::Theme;
use osvpn::view::lines::Transcript;
use osvpn::wizard::dialog::{Act, Dialog, TypedName};
use osvpn::wizard::gesture::{Gesture, Spot};
use osvpn::wizard::keymap::Action;
use osvpn::wizard::picker::Choice;
use osvpn::wizard::remote::RequestId;
use osvpn::wizard::screen::Screen;
use osvpn::wizard::vpns::VpnButton;
use osvpn::wizard::work::Button;
use osvpn::wizard::{Effect, Message, Order, Overview, ResumedCreation, Session, VpnsMessage, Which};
use proptest::prelude::*;
use proptest::sample::select;
use runs::{cut_off_change, cut_off_creation};
use secrecy::ExposeSecret;

fn keys() -> impl Strategy<Value = Message> {
    let codes = vec![
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Esc,
        KeyCode::F(1),
    ];
    let control = select(vec!['r', 'g', 'u', 'w', 'd', 'l', 'c', 'a', 'e']);
    let pasted = KeyEvent::new_with_kind(KeyCode::Enter, KeyModifiers::NONE, KeyEventKind::Repeat);
    let pressed = prop_oneof![
        6 => Just((KeyCode::Enter, KeyModifiers::NONE)),
        4 => select(codes).prop_map(|code| (code, KeyModifiers::NONE)),
        2 => select("123 /?qrsyhjkgGx0mnad漢é".chars().collect::<Vec<_>>()).prop_map(|c| (KeyCode::Char(c), KeyModifiers::NONE)),
        1 => control.prop_map(|c| (KeyCode::Char(c), KeyModifiers::CONTROL)),
        1 => any::<char>().prop_map(|c| (KeyCode::Char(c), KeyModifiers::NONE)),
    ]
    .prop_map(|(code, modifiers)| KeyEvent::new(code, modifiers));
    prop_oneof![14 => pressed, 1 => Just(pasted)].prop_map(Message::Key)
}

/// What is typed where the wizard asks in lines.
fn typed() -> impl Strategy<Value = String> {
    let words = vec![
        "",
        "",
        "",
        "1",
        "1",
        "2",
        "3",
        "12",
        "1,2",
        "3?",
        "999",
        "b",
        ":b",
        "q",
        "?",
        "m",
        "r",
        "s",
        "y",
        "n",
        "f",
        "d",
        "/x",
        "/",
        ":n",
        ":g",
        "hlz-por",
        "custom",
        "13 x",
        "3 sha256",
        "198.51.100.7",
        "192.168.7.0/24",
    ];
    prop_oneof![8 => select(words).prop_map(str::to_owned), 1 => any::<String>()]
}

fn spot() -> impl Strategy<Value = Spot> {
    let acts = vec![Act::Confirm, Act::Confirm, Act::Close, Act::Leave, Act::RollBack, Act::OwnKey, Act::Forget];
    let work = [
        Button::Finish,
        Button::Retry,
        Button::RollBack,
        Button::Leave,
        Button::KeepWaiting,
        Button::ChangeAnswers,
        Button::UseModern,
        Button::ShowVpn,
        Button::YourVpns,
        Button::LookAgain,
        Button::EnterKey,
        Button::Admit,
        Button::Another,
    ];
    let of_vpn = [VpnButton::Fix, VpnButton::NewKey, VpnButton::Subnets, VpnButton::Admit, VpnButton::Delete];
    let of_pages = work.map(Spot::Work).into_iter().chain(of_vpn.map(Spot::Vpn));
    let buttons: Vec<Spot> = of_pages.chain([Spot::Create]).collect();
    let choices = vec![
        Choice::Best,
        Choice::Others,
        Choice::Region(hamilton()),
        Choice::Region(porirua()),
        Choice::Vpn(surveys::HLZ_POR.to_owned()),
    ];
    prop_oneof![
        8 => select(buttons),
        3 => select(acts).prop_map(Spot::Answer),
        2 => select(choices).prop_map(Spot::Line),
        1 => (0_usize..4).prop_map(Spot::Field),
        1 => select(vec![Screen::Mode, Screen::Key, Screen::Name]).prop_map(Spot::Step),
    ]
}

/// What a person does with the mouse, or with a typed line.
fn gesture() -> impl Strategy<Value = Message> {
    let actions = vec![
        Action::Accept,
        Action::Accept,
        Action::Back,
        Action::Quit,
        Action::Right,
        Action::Down,
        Action::Help,
        Action::Press(0),
        Action::Press(1),
        Action::Press(2),
        Action::Pick(1),
    ];
    prop_oneof![
        4 => spot().prop_map(Gesture::Click),
        4 => spot().prop_map(Gesture::Take),
        1 => spot().prop_map(Gesture::Go),
        4 => select(actions).prop_map(Gesture::Act),
        1 => any::<bool>().prop_map(|is_up| Gesture::Scroll { is_up }),
        1 => Just(vec![Choice::Others]).prop_map(Gesture::Mark),
        3 => typed().prop_map(|text| Gesture::Fill(text.into())),
        1 => typed().prop_map(Gesture::Filter),
    ]
    .prop_map(Message::Gesture)
}

/// Whether a message says yes to the question on the screen.
fn agrees(message: &Message, dialog: &Dialog) -> bool {
    let is_named = dialog.typed.as_ref().is_none_or(TypedName::is_right);
    match message {
        Message::Key(KeyEvent { code: KeyCode::Char(_), .. }) => dialog.has(Act::Confirm) && dialog.typed.is_none(),
        Message::Gesture(Gesture::Act(Action::Press(at))) => {
            is_named && dialog.buttons.get(*at).is_some_and(|button| button.act == Act::Confirm)
        }
        Message::Gesture(Gesture::Click(Spot::Answer(act)) | Gesture::Take(Spot::Answer(act))) => {
            is_named && *act == Act::Confirm && dialog.has(Act::Confirm)
        }
        Message::Gesture(Gesture::Fill(text)) if dialog.typed.is_some() => {
            let right = dialog.typed.as_ref().map(|typed| typed.name.trim());
            right == Some(text.expose_secret().trim()) && dialog.has(Act::Confirm)
        }
        Message::Gesture(Gesture::Act(action)) if *action != Action::Accept => false,
        Message::Gesture(Gesture::Go(_) | Gesture::Scroll { .. } | Gesture::Filter(_) | Gesture::Mark(_)) => false,
        _ => is_named && dialog.act() == Act::Confirm,
    }
}

/// How many milliseconds pass before a message.
fn pause() -> impl Strategy<Value = u64> {
    select(vec![0, 100, 1000, 1000])
}

/// Whether it changes something in the cloud, or ends a change.
fn is_work(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Work(_, Order::CarryOut | Order::RollBack) | Effect::Resume(..) | Effect::Forget(_) | Effect::Stop
    )
}

/// Sends a message. A pasted Enter begins nothing, nor does any key where nothing is to be seen: there it can only stop.
fn sent(journey: &mut Journey, pause: u64, message: Message) {
    journey.send(Message::Tick(journey.model.shell.now + Duration::from_millis(pause)));
    let (is_pasted, is_unseen) = match &message {
        Message::Key(key) => (key.kind == KeyEventKind::Repeat, journey.model.shell.is_too_small()),
        _ => (false, false),
    };
    let known = journey.effects.len();
    let told = format!("{message:?}");
    journey.send(message);
    let began = |effect: &Effect| is_work(effect) && (is_pasted || !matches!(effect, Effect::Stop));
    let is_harmless = !(is_pasted || is_unseen) || !journey.effects[known..].iter().any(began);
    assert!(is_harmless, "{told}: {:?}", journey.effects);
}

fn region() -> impl Strategy<Value = RegionId> {
    select(vec![hamilton(), porirua(), wellington()])
}

fn error() -> impl Strategy<Value = Error> {
    ("\\PC{0,80}", any::<bool>()).prop_map(|(message, is_full)| {
        let mut error = Error::new(ErrorKind::Server, message);
        if is_full {
            error.region = Some(hamilton());
            error.request = Some("GET /v2.0/routers".to_owned());
            error.status = Some(500);
            error.request_id = Some("req-1".to_owned());
        }
        error
    })
}

fn inventory() -> impl Strategy<Value = Inventory> {
    let mut bare = hamilton_inventory();
    bare.routers.iter_mut().for_each(|router| router.interfaces = None);
    let part = Inventory { subnets: Vec::new(), ..bare.clone() };
    select(vec![hamilton_inventory(), bare, part, porirua_inventory(), without_vpn(), Inventory::default()])
}

fn task() -> impl Strategy<Value = Task> {
    (select(vec![Half::A, Half::B]), select(Object::ALL.to_vec())).prop_map(|(half, step)| Task { half, step })
}

fn made() -> impl Strategy<Value = Made> {
    (task(), region(), "\\PC{0,60}", select(vec![Origin::Created, Origin::Adopted, Origin::Reused])).prop_map(
        |(task, region, name, origin)| Made {
            task,
            region,
            id: Id::new("7b7e5f0e-0000-4444-8888-0123456789ab"),
            name,
            origin,
            external_v4: None,
            external_v6: None,
        },
    )
}

/// How far a creation may be.
fn course() -> impl Strategy<Value = Course> {
    let many = |most| proptest::collection::vec(made(), 0..most);
    let kept = proptest::collection::vec((made(), error()), 0..3);
    let lost = proptest::collection::vec((task(), any::<bool>()), 0..3);
    (many(8), many(3), lost, kept).prop_map(|(all, left, lost, kept)| {
        let mut course = nothing();
        for made in all {
            course.progress.record(made);
        }
        for made in left {
            course.progress.leave(Made { id: Id::new("0e1d2c3b-0000-4444-8888-0123456789ab"), ..made });
        }
        for (task, was_looked_for) in lost {
            course.progress.lose(course.change.step_of(task).unwrap(), Timestamp::MAX);
            if !was_looked_for {
                course.progress.doubt(task);
            }
        }
        course.not_deleted = kept;
        course
    })
}

fn nothing() -> Course {
    Course::new(plan().to_change())
}

fn standing() -> impl Strategy<Value = Standing> {
    let status = select(vec![
        Status::Active,
        Status::Down,
        Status::PendingCreate,
        Status::Error,
        Status::Other("ODD".to_owned()),
    ]);
    proptest::collection::btree_map(select(vec![Half::A, Half::B]), status, 0..3)
}

fn engine() -> impl Strategy<Value = Message> {
    let time = (0_u64..100_000).prop_map(Duration::from_millis);
    let event = prop_oneof![
        (made(), time).prop_map(|(made, time)| Event::Made(made, time)),
        standing().prop_map(Event::Polled),
        (select(vec![Half::A, Half::B]), error()).prop_map(|(half, error)| Event::PollFailed(half, error)),
        made().prop_map(Event::Deleting),
        made().prop_map(Event::Deleted),
        (made(), error()).prop_map(|(made, error)| Event::Kept(made, error)),
        made().prop_map(Event::Found),
        made().prop_map(Event::LeftAlone),
        step().prop_map(Event::Settled),
    ];
    let watched = prop_oneof![
        Just(Watched::Active),
        standing().prop_map(Watched::NotYet),
        error().prop_map(|error| Watched::Lost(Box::new(error))),
        Just(Watched::Stopped),
    ];
    let examined = prop_oneof![
        Just(Ok(Box::new(pair::examined([Status::Active, Status::Active], |_, _| {})))),
        Just(Ok(Box::new(pair::examined([Status::Down, Status::Down], pair::other_pfs)))),
        error().prop_map(Err),
    ];
    prop_oneof![
        6 => event.prop_map(Message::Event),
        3 => (ended(), course()).prop_map(|(result, course)| Message::Rested(result, Box::new(course))),
        1 => watched.prop_map(Message::Watched),
        1 => examined.prop_map(Message::Verified),
    ]
}

fn step() -> impl Strategy<Value = usize> {
    0_usize..14
}

fn ended() -> impl Strategy<Value = Result<Changed, ChangeError>> {
    prop_oneof![
        3 => Just(Ok(Changed::Done)),
        1 => proptest::option::of(error()).prop_map(|error| Ok(Changed::Unsettled(Timestamp::MAX, error.map(Box::new)))),
        1 => (step(), error()).prop_map(|(step, error)| Err(ChangeError::Failed(step, Box::new(error)))),
        1 => Just(Err(ChangeError::Stopped)),
        1 => step().prop_map(|step| Err(ChangeError::KeyNeeded(step))),
        1 => Just(Err(ChangeError::TooLate)),
    ]
}

fn seen() -> impl Strategy<Value = Overview> {
    let some = (select(vec![surveys::healthy(), surveys::broken(), surveys::empty()]), any::<bool>(), any::<bool>());
    (some, proptest::option::of((region(), error()))).prop_map(|((mut seen, is_half, is_cut_off), unread)| {
        let mut regions = seen.inspection.surveys.clone();
        if is_half {
            regions.remove(&porirua());
        }
        seen.inspection = Inspection::of(regions, unread.into_iter().collect());
        if is_cut_off {
            seen.interruptions.push(change_cut_off());
        }
        *seen
    })
}

fn changing() -> impl Strategy<Value = Message> {
    let time = (0_u64..100_000).prop_map(Duration::from_millis);
    let end = prop_oneof![
        Just(End::Made(Id::new("7b7e5f0e"))),
        Just(End::Existed),
        Just(End::Changed),
        Just(End::Gone),
        "\\PC{0,60}".prop_map(End::Kept),
    ];
    let event = prop_oneof![
        step().prop_map(Event::Started),
        (step(), end, time.clone()).prop_map(|(step, end, time)| Event::Finished(step, end, time)),
        (step(), error(), time.clone()).prop_map(|(step, error, time)| Event::Failed(step, error, time)),
        (step(), error()).prop_map(|(step, error)| {
            Event::Waiting(step, Box::new(Pause { error, wait: Duration::from_secs(7), attempt: 2, of: 5 }))
        }),
        step().prop_map(Event::RollingBack),
        (step(), time).prop_map(|(step, time)| Event::RolledBack(step, time)),
        step().prop_map(|step| Event::Removed(step, Id::new("0e1d2c3b"))),
        Just(Event::Settling(Timestamp::MAX)),
    ];
    let status = || select(vec![Status::Active, Status::Down, Status::Error, Status::Other("ODD".to_owned())]);
    let look = (status(), proptest::option::of(status()));
    let looks = proptest::collection::btree_map(
        select(vec![Half::A, Half::B]),
        look.prop_map(|(connection, service)| HalfStatus { connection, service }),
        0..3,
    );
    let number = || (0_u64..60).prop_map(RequestId);
    let exposures = select(vec![Exposures::new(), [(hamilton(), Ok(Exposure::default()))].into()]);
    let keys = || {
        select(vec![
            surveys::equal_keys(),
            Keys::Unread,
            Keys::Read { equal: Some(false), weakness: Some(Weakness::Public), rivals: Vec::new() },
        ])
    };
    let handle = select(vec![surveys::HLZ_POR.to_owned(), "5ec0ff1d".to_owned(), "nobody".to_owned()]);
    let compared = proptest::collection::vec((handle, keys()), 0..4);
    prop_oneof![
        6 => event.prop_map(Message::Event),
        2 => (ended(), any::<bool>()).prop_map(|(ended, is_reversible)| {
            let mut course = change_cut_off().course;
            if is_reversible {
                course = Course::new(course.change);
            }
            Message::Rested(ended, Box::new(course))
        }),
        1 => "\\PC{0,60}".prop_map(|why| Message::NotBegun(vec![why])),
        2 => (number(), seen()).prop_map(|(number, seen)| Message::Vpns(VpnsMessage::Inspected(number, Box::new(seen)))),
        2 => (number(), compared).prop_map(|(number, keys)| Message::Vpns(VpnsMessage::KeysCompared(number, keys))),
        2 => (number(), keys(), exposures)
            .prop_map(|(number, keys, around)| Message::Vpns(VpnsMessage::Diagnosed(number, Box::new(keys), Box::new(around)))),
        2 => (number(), prop_oneof![looks.prop_map(Ok), error().prop_map(Err)])
            .prop_map(|(number, result)| Message::Vpns(VpnsMessage::Looked(number, result))),
    ]
}

fn problem() -> impl Strategy<Value = Problem> {
    (proptest::option::of(error()), any::<bool>()).prop_map(|(error, has_clouds)| Problem {
        title: "No sign-in".to_owned(),
        text: vec!["Why.".to_owned()],
        looked_for: vec![("OS_CLOUD".to_owned(), false)],
        error,
        clouds: if has_clouds { journey::clouds(&["one", "two"]) } else { Vec::new() },
    })
}

fn question() -> impl Strategy<Value = Question> {
    let wanted = select(vec![Wanted::Password, Wanted::Passcode, Wanted::Appended, Wanted::Token, Wanted::Consent]);
    (wanted, any::<bool>(), proptest::option::of("\\PC{0,300}")).prop_map(|(wanted, is_renewal, refused)| Question {
        wanted,
        is_renewal,
        user: Some("demo".to_owned()),
        project: Some("vpn-demo".to_owned()),
        auth_url: "https://keystone.example:5000/v3".to_owned(),
        refused,
    })
}

/// A message; answers of the cloud carry a number that is mostly the one waited for.
fn message() -> impl Strategy<Value = Message> {
    let number = || (0_u64..40).prop_map(RequestId);
    prop_oneof![
        20 => keys(),
        10 => gesture(),
        2 => "\\PC{0,60}".prop_map(|text| Message::Paste(text.into())),
        3 => (0_u16..160, 0_u16..50).prop_map(|(columns, rows)| Message::Resize(columns, rows)),
        2 => (0_u64..1_000_000).prop_map(|time| Message::Tick(Duration::from_millis(time))),
        1 => (number(), any::<bool>()).prop_map(|(number, well)| {
            Message::Resumed(number, if well { Ok(taken()) } else { Err(vec!["no".to_owned()]) })
        }),
        1 => (number(), prop_oneof![Just(session()).prop_map(Ok), Just(interrupted()).prop_map(Ok), problem().prop_map(Err)])
            .prop_map(|(number, result)| Message::SignedIn(number, result)),
        2 => (region(), number(), prop_oneof![inventory().prop_map(Ok), error().prop_map(Err)])
            .prop_map(|(region, number, result)| Message::Discovered(region, number, result)),
        1 => (region(), number(), inventory())
            .prop_map(|(region, number, part)| Message::DiscoveredInPart(region, number, Box::new(part))),
        1 => (region(), number(), prop_oneof![inventory().prop_map(Ok), error().prop_map(Err)])
            .prop_map(|(region, number, result)| Message::InterfacesRead(region, number, result.map(|all| stand(&all)))),
        1 => (number(), region()).prop_map(|(number, region)| {
            Message::RegionsDescribed(number, [(region, "somewhere".to_owned())].into())
        }),
        1 => number().prop_map(|number| Message::Warned(number, "in clear text".to_owned())),
        2 => (region(), number(), prop_oneof![Just(hamilton_detail()).prop_map(Ok), error().prop_map(Err)])
            .prop_map(|(region, number, result)| Message::Detailed(region, number, result)),
        1 => Just(()).prop_map(|()| Message::Generated(Psk::parse("0123456789abcdefghijABCDEFGHIJ").unwrap())),
        8 => engine(),
        8 => changing(),
        1 => any::<bool>().prop_map(|well| Message::Saved(if well { Ok("vpn.toml".into()) } else { Err(std::io::Error::other("full")) })),
        1 => any::<bool>().prop_map(|well| Message::KeySaved(if well { Ok("vpn.psk".into()) } else { Err(std::io::Error::other("full")) })),
        1 => any::<bool>().prop_map(|well| Message::Exchanged(osvpn::cloud::Exchange {
            request: "GET /v2.0/routers".to_owned(),
            host: "neutron.example:9696".to_owned(),
            outcome: if well { Ok(200) } else { Err("no answer".to_owned()) },
            took: Duration::from_millis(400),
            request_id: None,
        })),
        1 => question().prop_map(Message::Asked),
        1 => Just(()).prop_map(|()| Message::QuestionOver),
        1 => (region(), error(), 2_u32..6)
            .prop_map(|(region, error, attempt)| Message::Paused(region, Pause { error, wait: Duration::from_secs(7), attempt, of: 5 })),
        1 => Just(()).prop_map(|()| Message::Terminated),
    ]
}

/// The plan Enter alone leads to.
fn plan() -> Plan {
    static PLAN: LazyLock<Plan> = LazyLock::new(|| {
        let mut journey = Journey::discovered_on((80, 24));
        journey.to(Screen::Review).press("Enter");
        let plan = |effect| if let Effect::Work(Which::Plan(plan, _), _) = effect { Some(*plan) } else { None };
        std::mem::take(&mut journey.effects).into_iter().find_map(plan).unwrap()
    });
    PLAN.clone()
}

fn taken() -> Box<ResumedCreation> {
    Box::new(ResumedCreation { plan: Some(plan()), course: nothing(), key: KeyOrigin::Given })
}

/// A change of the VPN between the border routers that was cut off.
fn change_cut_off() -> Interruption {
    let mut seen = surveys::healthy();
    let vpn = seen.inspection.vpns.remove(0);
    let proposal = delete(&Inspection::default(), &vpn, &std::collections::BTreeMap::new());
    let mut course = Course::new(proposal.change);
    course.progress.finish(0, End::Gone);
    cut_off_change("x.change", course)
}

/// A session that begins with a run and a change that were cut off.
fn interrupted() -> Session {
    let run = cut_off_creation("hlz-por", "0badcafe", (1, 1), State::Interrupted);
    Session { interruptions: vec![run, change_cut_off()], ..session() }
}

/// Where the routers of a region stand.
fn stand(inventory: &Inventory) -> BTreeMap<Id, Interfaces> {
    let routers = inventory.routers.iter();
    routers.filter_map(|router| Some((router.id.clone(), router.interfaces.clone()?))).collect()
}

/// Answers of the cloud to everything that was asked and not yet answered.
fn answer(journey: &mut Journey) {
    for effect in std::mem::take(&mut journey.effects) {
        let message = match effect {
            Effect::SignIn(request, _) => Message::SignedIn(request, Ok(session())),
            Effect::Discover(request, region) => {
                let inventory = match region.as_str() {
                    "nz-hlz-1" => hamilton_inventory(),
                    "nz-por-1" => porirua_inventory(),
                    _ => without_vpn(),
                };
                Message::Discovered(region, request, Ok(inventory))
            }
            Effect::ReadInterfaces(request, region, _) => {
                let inventory = if region == porirua() { porirua_inventory() } else { hamilton_inventory() };
                Message::InterfacesRead(region, request, Ok(stand(&inventory)))
            }
            Effect::Resume(request, ..) => Message::Resumed(request, Ok(taken())),
            Effect::Inspect(request) => Message::Vpns(VpnsMessage::Inspected(request, surveys::broken())),
            Effect::CompareKeys(request, vpns) => {
                let public = || Keys::Read { equal: Some(true), weakness: Some(Weakness::Public), rivals: Vec::new() };
                Message::Vpns(VpnsMessage::KeysCompared(
                    request,
                    vpns.iter().map(|vpn| (vpn.handle(), public())).collect(),
                ))
            }
            Effect::Diagnose(request, _) => {
                Message::Vpns(VpnsMessage::Diagnosed(request, Box::new(surveys::equal_keys()), Box::default()))
            }
            Effect::Detail(request, region) => Message::Detailed(region, request, Ok(Detail::default())),
            _ => continue,
        };
        journey.send(message);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 2000, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_messages_at_any_size_panics_or_shows_the_key(
        steps in 0_usize..20,
        size in (0_u16..160, 0_u16..50),
        messages in proptest::collection::vec((pause(), message(), any::<bool>()), 1..50),
    ) {
        let mut journey = Journey::begun(size);
        journey.keeps_interfaces = true;
        let mut transcript = Transcript::default();
        for _ in 0..steps {
            answer(&mut journey);
            journey.press("Enter");
        }
        for (pause, message, answers) in messages {
            for line in transcript.say(&journey.model, &Theme::of_lines(true), usize::from(size.0)).written() {
                prop_assert!(!line.contains(char::is_control) && !line.contains(KEY), "{line:?}");
            }
            sent(&mut journey, pause, message);
            if answers {
                answer(&mut journey);
            }
            let here = drawn(&journey.model, &Theme::new(true, true));
            prop_assert!(journey.model.shell.is_revealed() || !here.text.contains(KEY));
            if let Some((column, row)) = here.cursor {
                prop_assert!(column < journey.model.shell.size.0 && row < journey.model.shell.size.1);
            }
        }
    }

    #[test]
    fn no_typed_lines_in_any_order_panic_or_bring_the_key_or_a_control_character(
        size in 0_usize..160,
        typed in proptest::collection::vec((pause(), typed(), proptest::option::of(message()), any::<bool>()), 1..60),
    ) {
        let mut journey = Journey::begun((80, 24));
        journey.keeps_interfaces = true;
        let mut transcript = Transcript::default();
        for (pause, line, message, answers) in typed {
            if answers {
                answer(&mut journey);
            }
            let new = transcript.say(&journey.model, &Theme::of_lines(true), size);
            for line in new.written() {
                prop_assert!(!line.contains(char::is_control) && !line.contains(KEY), "{line:?}");
            }
            for message in transcript.hear(&journey.model, &line.into()) {
                sent(&mut journey, pause, message);
            }
            if let Some(message) = message.filter(|message| !matches!(message, Message::Resize(..))) {
                sent(&mut journey, pause, message);
            }
        }
    }

    #[test]
    fn nor_does_any_at_the_vpns_and_nothing_is_changed_that_was_not_agreed_to(
        size in (60_u16..160, 18_u16..50),
        messages in proptest::collection::vec((pause(), message(), any::<bool>()), 1..50),
    ) {
        let mut journey = Journey::discovered_on(size);
        journey.lists_vpns();
        answer(&mut journey);
        journey.press("1");
        answer(&mut journey);
        for (pause, message, answers) in messages {
            let asked = journey.model.shell.dialog.clone();
            let is_agreed = asked.as_ref().is_some_and(|dialog| agrees(&message, dialog));
            let told = format!("{message:?}");
            journey.effects.clear();
            sent(&mut journey, pause, message);
            let changed = |effect: &Effect| matches!(effect, Effect::Work(Which::New(..), _));
            prop_assert!(is_agreed || !journey.effects.iter().any(changed), "{told}: {asked:?}");
            if answers {
                answer(&mut journey);
            }
            drawn(&journey.model, &Theme::new(true, true));
        }
    }
}
