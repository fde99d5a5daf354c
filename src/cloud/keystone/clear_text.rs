//! Where keys and tokens would go in clear text.

use reqwest::Url;

use super::Cloud;
use crate::cloud::error::{Error, ErrorKind};
use crate::cloud::http::is_loopback;
use crate::cloud::inventory::RegionId;

impl Cloud {
    /// The regions whose network service is not https although Keystone is: anyone on the network path can read what is sent
    /// there, and the token.
    pub(crate) fn clear_text_regions(&self) -> Vec<&RegionId> {
        let endpoints = self.0.session.endpoints.iter();
        endpoints.filter(|endpoint| self.is_clear_text(&endpoint.url)).map(|endpoint| &endpoint.region).collect()
    }

    fn is_clear_text(&self, url: &Url) -> bool {
        url.scheme() == "http" && self.0.credentials.auth_url.starts_with("https:") && !is_loopback(url.as_str())
    }

    pub(crate) async fn allow_clear_text(&self) {
        *self.0.clear_text.lock().await = true;
    }

    /// Asked before a key is sent there: only the user knows whether the network can be trusted.
    pub(super) async fn agree_on_clear_text(&self, url: &Url) -> Result<(), Error> {
        if !self.is_clear_text(url) {
            return Ok(());
        }
        let mut is_allowed = self.0.clear_text.lock().await;
        let host = url.host_str().unwrap_or_default();
        let why = format!(
            "The network service at http://{host} is not https, although Keystone is: anyone on the network path can read \
             the pre-shared key and the token."
        );
        if let (false, Some(person)) = (*is_allowed, &self.0.person) {
            *is_allowed = person.agrees(&self.0.credentials.auth_url, &why).await;
        }
        if *is_allowed {
            return Ok(());
        }
        Err(Error::new(ErrorKind::ClearText, format!("{why} The key was not sent.")))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use secrecy::SecretString;

    use super::super::conversation::Remembered;
    use super::super::session::{Endpoint, Token, TokenScope};
    use super::*;
    use crate::cloud::credentials::{Credentials, Method};
    use crate::cloud::http::{Http, Limits};
    use crate::cloud::person::{Person, Prompt, Reply, Said};

    /// A cloud whose Keystone is https, and one of whose network services is not.
    fn torn(person: Option<Person>) -> Cloud {
        let credentials = Credentials::with(Method::Token { token: "t".into(), user: None });
        let endpoint =
            |region: &str, url: &str| Arc::new(Endpoint { region: region.into(), url: url.parse().unwrap() });
        let session = TokenScope {
            project_id: String::new(),
            project_name: String::new(),
            user_name: String::new(),
            roles: Vec::new(),
            endpoints: vec![
                endpoint("clear", "http://10.0.0.5:9696/v2.0"),
                endpoint("here", "http://127.0.0.1:9696/v2.0"),
                endpoint("safe", "https://network.example/v2.0"),
            ],
        };
        let http = Http::new(&credentials.auth_url, &credentials.tls, Limits::default()).unwrap();
        let token = Token { secret: Arc::new("t".into()), expires_at: None, serial: 0 };
        Cloud::signed_in(http, &credentials, (token, session), (Remembered::default(), true), person)
    }

    #[tokio::test]
    async fn a_key_goes_in_clear_text_only_where_the_user_wants_it() {
        let cloud = torn(None);
        assert_eq!(cloud.clear_text_regions(), [&RegionId::from("clear")]);
        for region in cloud.regions() {
            let refused = region.may_take_keys().await.err().map(|error| error.kind);
            assert_eq!(refused, (region.id().as_str() == "clear").then_some(ErrorKind::ClearText), "{}", region.id());
        }
        // A key that is sent without asking first is refused.
        let key = SecretString::from("Zq7PSKinMemory0123456789ab");
        let clear = cloud.region(&"clear".into()).unwrap();
        let sent = clear.set_connection_psk(&"id".into(), &key).await.unwrap_err();
        assert_eq!((sent.kind, sent.region), (ErrorKind::ClearText, Some("clear".into())));
        cloud.allow_clear_text().await;
        assert_eq!(clear.may_take_keys().await, Ok(()));
    }

    #[tokio::test]
    async fn whoever_can_be_asked_is_asked_until_yes_is_said() {
        let (person, mut said) = Person::new();
        let cloud = torn(Some(person));
        let clear = cloud.region(&"clear".into()).unwrap();
        let answers = tokio::spawn(async move {
            for typed in ["y", "no", "yes"] {
                let Some(Said::Asked(question, reply)) = said.recv().await else { panic!("a question") };
                assert!(question.refused.unwrap().contains("http://10.0.0.5 is not https"));
                let _ = reply.send(Some(Reply::default().with(Prompt::Consent, typed.into())));
                assert!(matches!(said.recv().await, Some(Said::Over)));
            }
            assert!(said.recv().await.is_none(), "once is enough");
        });
        for is_agreed in [false, false, true, true] {
            assert_eq!(clear.may_take_keys().await.is_ok(), is_agreed);
        }
        drop((clear, cloud));
        answers.await.unwrap();
    }
}
