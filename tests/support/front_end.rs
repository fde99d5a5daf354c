//! Both front ends of the wizard: a journey is made with keys on a screen, and once more in lines.

use std::cell::{Cell, RefCell};

use osvpn::wizard::{Effect, Model, Which};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrontEnd {
    Screen,
    Lines,
}

thread_local! {
    static PRESENT: Cell<FrontEnd> = const { Cell::new(FrontEnd::Screen) };
    static ASKED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl FrontEnd {
    /// The one that journeys of this test begin in.
    pub fn present() -> Self {
        PRESENT.get()
    }
}

/// Makes the journey in both front ends, and compares what the engine was asked for.
#[track_caller]
pub fn in_both(journey: fn()) {
    let [screen, lines] = [FrontEnd::Screen, FrontEnd::Lines].map(|front_end| {
        println!("{front_end:?}:");
        PRESENT.set(front_end);
        ASKED.take();
        journey();
        ASKED.take()
    });
    assert_eq!(screen, lines, "with keys, and in lines");
}

/// Does what the other front end has no part in.
pub fn unnoted(does: impl FnOnce()) {
    let noted = ASKED.with_borrow(Vec::len);
    does();
    ASKED.with_borrow_mut(|all| all.truncate(noted));
}

/// Takes note of where a journey is, and of the plan that its answers make.
pub fn note_answers(model: &Model) {
    let plan = model.new_vpn.plan(&model.shell.labels).map(|plan| osvpn::plan::file::write(&plan));
    let here = (model.screen(), model.shell.ending.is_some(), plan.ok());
    ASKED.with_borrow_mut(|all| all.push(format!("{here:?}")));
}

/// Takes note of what the engine is asked to do.
pub fn note(effects: &[Effect]) {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::Work(Which::Plan(plan, key), order) => {
            Some(format!("{}{key:?} {order:?}", osvpn::plan::file::write(plan)))
        }
        Effect::Work(Which::New(change, _), order) => {
            let steps: Vec<String> = change.steps().iter().map(ToString::to_string).collect();
            Some(format!("{change}: {steps:?} {order:?}"))
        }
        Effect::Resume(_, journal, direction) => Some(format!("{} {direction:?}", journal.display())),
        Effect::Work(..) | Effect::Stop | Effect::Save(..) => Some(format!("{effect:?}")),
        _ => None,
    });
    ASKED.with_borrow_mut(|all| all.extend(asked));
}
