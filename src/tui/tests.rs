use std::convert::Infallible;

use futures::stream;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tokio::sync::mpsc::unbounded_channel;

use super::*;
use crate::plan::{Labels, Profiles, Psk, VpnId};
use crate::sign_in::Login;
use crate::view::Theme;
use crate::wizard::Ending;

struct Deaf;

impl Tty for Deaf {
    fn size(&self) -> (u16, u16) {
        (80, 24)
    }

    fn copy(&mut self, _: &str) -> io::Result<bool> {
        Ok(true)
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn take_again(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn beginning() -> Beginning {
    Beginning {
        login: Login::Demo,
        size: (80, 24),
        in_lines: false,
        profiles: Profiles::built_in().unwrap(),
        labels: Labels::built_in().unwrap(),
        vpn: VpnId::random(),
        psk: Psk::generate(),
        profile: None,
        plan: None,
        received: None,
        wait: Duration::from_secs(1),
    }
}

async fn ended_by(
    input: impl Stream<Item = io::Result<Input>> + Unpin,
    task: Option<impl Future<Output = Message> + Send + 'static>,
) -> Ended {
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap_or_else(|never: Infallible| match never {});
    let (_signals, receiver) = unbounded_channel();
    let mut effects = Effects::default();
    if let Some(task) = task {
        effects.begin_task(task);
    }
    let theme = Theme::new(true, true);
    let front = FullScreen::new(&mut terminal, Deaf, &theme);
    run_with(effects, front, input, receiver, beginning()).await
}

#[tokio::test]
async fn a_panic_in_a_task_ends_the_wizard_with_its_words() {
    let ended = Box::pin(ended_by(stream::pending(), Some(async { panic!("boom {}", 7) }))).await;
    assert_eq!(ended.why, Why::Panic("boom 7".into()));
    assert_eq!(ended.model.shell.ending, Some(Ending::Left));
}

#[tokio::test]
async fn a_terminal_that_closes_its_input_ends_the_wizard() {
    let ended = Box::pin(ended_by(stream::empty(), None::<std::future::Ready<Message>>)).await;
    assert_eq!(ended.why, Why::Terminal("it was closed".into()));
}
