//! What was sent and what came of it, as a text to look at; the key of a VPN that was created, as a file.

use osvpn::cloud::Exchange;

use super::*;

in_both! {
    requests_are_shown_as_they_come_and_only_what_failed_keeps_them,
    the_key_of_a_vpn_that_was_created_is_saved_and_never_shown,
}

fn exchange(request: &str, outcome: Result<u16, String>) -> Message {
    let (request, host) = (request.to_owned(), "neutron.example:9696".to_owned());
    let took = Duration::from_millis(420);
    Message::Exchanged(Exchange { request, host, outcome, took, request_id: Some("req-1f2e".to_owned()) })
}

fn requests_are_shown_as_they_come_and_only_what_failed_keeps_them() {
    let mut journey = Journey::on_first_page(&[hamilton(), porirua()]);
    journey.send(exchange("GET /v2.0/routers", Ok(200))).types("l");
    assert!(drawn_text(&journey).contains("200 0.4 s GET /v2.0/routers"), "{}", drawn_text(&journey));
    journey.send(exchange("GET /v2.0/subnets", Err("no answer within 60 s".to_owned())));
    let text = &journey.model.shell.dialog.as_ref().unwrap().text;
    assert!(text.len() == 2 && text[1].ends_with(": no answer within 60 s"), "{text:?}");
    journey.esc();
    assert!(journey.model.shell.dialog.is_none());

    let mut failing = running();
    failing.send(exchange("POST /v2.0/vpn/vpnservices", Ok(201))).types("l");
    failing.send(rested(Err(ChangeError::Failed(0, Box::new(Error::new(ErrorKind::Server, "500")))), nothing()));
    assert!(failing.model.shell.dialog.is_some(), "after a failure it is looked at");

    let mut good = running();
    good.types("l").send(rested(Ok(Changed::Done), everything()));
    good.send(Message::Watched(Watched::Active));
    assert!(good.model.shell.dialog.is_none(), "what went well needs it no more");
}

fn the_key_of_a_vpn_that_was_created_is_saved_and_never_shown() {
    let mut journey = running();
    journey.types("s");
    assert!(!journey.effects.iter().any(|effect| matches!(effect, Effect::SaveKey(..))), "it is not made yet");
    journey.send(rested(Ok(Changed::Done), everything())).send(Message::Watched(Watched::Active));
    assert!(!drawn_text(&journey).contains(KEY));
    journey.types("s");
    let name = journey.taken("saving", |effect| match effect {
        Effect::SaveKey(name, key) => {
            assert!(!format!("{key:?}").contains(KEY), "no log shows it");
            Some(name.clone())
        }
        _ => None,
    });
    assert_eq!(name, "hlz-por");
    journey.send(Message::KeySaved(Ok("hlz-por.psk".into())));
    assert!(journey.model.shell.notice.as_ref().unwrap().text.starts_with("The key is in hlz-por.psk"));
}
