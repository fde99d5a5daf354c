//! A case: a name and what is done on a stage.

use std::pin::Pin;

use super::recorder::Stage;

type Run = Pin<Box<dyn Future<Output = ()> + Send>>;

pub struct Case {
    pub name: String,
    /// Whether it takes agents that really negotiate.
    pub negotiates: bool,
    pub run: Box<dyn Fn(Stage) -> Run + Send + Sync>,
}

pub fn case<F, R>(name: impl Into<String>, run: F) -> Case
where
    F: Fn(Stage) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    Case { name: name.into(), negotiates: false, run: Box::new(move |stage| Box::pin(run(stage))) }
}

impl Case {
    pub fn negotiating(self) -> Self {
        Self { negotiates: true, ..self }
    }
}

pub fn all() -> Vec<Case> {
    let groups = [
        super::sign_in::cases(),
        super::second_factor::cases(),
        super::discovery::cases(),
        super::paging::cases(),
        super::services::cases(),
        super::policies::cases(),
        super::endpoint_groups::cases(),
        super::connections::cases(),
        super::client::cases(),
        super::quotas::cases(),
        super::roles::cases(),
        super::security_groups::cases(),
        super::lifecycle::cases(),
        super::tunnel::cases(),
        super::changes_of_live_tunnels::cases(),
    ];
    groups.into_iter().flatten().collect()
}
