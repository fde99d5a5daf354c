//! Creates, watches and deletes VPN objects.
//!
//! A region with [`Patience`](super::retry::Patience) tries again what has certainly not been acted upon, and deletions. No other POST is ever
//! repeated here: after a doubtful failure ([`Error::is_doubtful`]) the caller looks for its object with
//! [`Region::marked`] and decides.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, Url};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{Error, ErrorKind};
use super::http::{Response, parse};
use super::inventory::{Id, Status, VpnService};
use super::keystone::{Body, Region};
use super::neutron::wire::vpn::{WireFormed, WireMarked, WireService};
use super::neutron::wire::wire;
use super::printable::Text;
use super::request::{
    EndpointGroupBody, IkePolicyBody, IpsecPolicyBody, Kind, SiteConnectionBody, VpnServiceBody, WithState,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    Now,
    /// It was not there any more.
    WasGone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    pub id: Id,
    pub name: String,
    pub description: String,
    /// Of an endpoint group: `subnet` or `cidr`.
    pub endpoints: Option<String>,
}

/// An object that carries a mark of ours, with what was sent of its kind alone: by that its like are told apart, however
/// they are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formed {
    pub object: Marked,
    pub router: Option<Id>,
    pub service: Option<Id>,
    pub peer_address: Option<String>,
    pub members: BTreeSet<String>,
}

/// The word a description begins with. Only there a marker says whose an object is: further on it is a mention.
pub(crate) fn leading_word(description: &str) -> &str {
    description.split(char::is_whitespace).next().unwrap_or_default()
}

/// The word a description ends with: where a change writes by which step of it an object was made.
pub(crate) fn closing_word(description: &str) -> &str {
    description.rsplit(char::is_whitespace).next().unwrap_or_default()
}

/// Whether a description is that marker, or begins with it.
pub fn is_marked(description: &str, marker: &str) -> bool {
    leading_word(description) == marker
}

wire! { WireId { id: Id } }

impl Region {
    /// Makes a VPN service and returns it with its external addresses: on OVN they are the service's own, and known
    /// only from here on.
    ///
    /// On OVN a refusal (`VPNGatewayInError`, `NoVPNAgentAvailable`) can leave a service in status `ERROR` behind, which
    /// [`Self::marked`] finds.
    pub async fn create_service(&self, body: &VpnServiceBody<'_>) -> Result<VpnService, Error> {
        self.create::<WireService, _>(Kind::VpnService, body, None).await.map(WireService::into_service)
    }

    pub async fn create_ike_policy(&self, body: &IkePolicyBody<'_>) -> Result<Id, Error> {
        self.create_plain(Kind::IkePolicy, body, None).await
    }

    pub async fn create_ipsec_policy(&self, body: &IpsecPolicyBody<'_>) -> Result<Id, Error> {
        self.create_plain(Kind::IpsecPolicy, body, None).await
    }

    pub async fn create_endpoint_group(&self, body: &EndpointGroupBody<'_>) -> Result<Id, Error> {
        self.create_plain(Kind::EndpointGroup, body, None).await
    }

    /// Makes an IPsec site connection. Of the answer, which repeats the key, only the id is kept.
    pub async fn create_connection(&self, body: &SiteConnectionBody<'_>) -> Result<Id, Error> {
        self.create_plain(Kind::SiteConnection, body, Some(body.psk)).await
    }

    /// Deletes an object. Neutron removes it before it answers.
    ///
    /// Only a 404 of Neutron's own about that object counts as gone: one from a wrong address or a proxy would make
    /// whatever exists look deleted. An object in use is a `Conflict`, but an endpoint group in use is `Invalid`
    /// (`EndpointGroupInUse` comes as 400).
    pub async fn delete(&self, kind: Kind, id: &Id) -> Result<Deleted, Error> {
        self.delete_at(&self.url(&["vpn", kind.collection(), id.as_str()])).await
    }

    pub(super) async fn delete_at(&self, url: &Url) -> Result<Deleted, Error> {
        let mut failures = 0;
        loop {
            match self.cloud().send(Method::DELETE, url, None, self.given_patience()).await {
                Ok(_) => return Ok(Deleted::Now),
                Err(error) if error.is_gone() => {
                    // A try before may have deleted it.
                    return Ok(if failures == 0 { Deleted::WasGone } else { Deleted::Now });
                }
                Err(error) => {
                    if !self.may_try_again(&error, &mut failures).await {
                        return Err(self.mark(error));
                    }
                }
            }
        }
    }

    /// Those attributes of an object, as the API writes them. `NotFound` if it is gone. The key of a connection is not
    /// among what may be asked for; [`Self::connection_psk`] reads it.
    pub async fn show(&self, kind: Kind, id: &Id, fields: &[&str]) -> Result<Value, Error> {
        let fields: Vec<&str> = fields.iter().copied().filter(|field| *field != "psk").collect();
        self.get(&["vpn", kind.collection(), id.as_str()], &fields, kind.singular()).await
    }

    /// The status of an IPsec site connection. `NotFound` if it is gone.
    pub async fn connection_status(&self, id: &Id) -> Result<Status, Error> {
        #[derive(Deserialize)]
        struct Reported {
            status: Text,
        }
        let kind = Kind::SiteConnection;
        let path = ["vpn", kind.collection(), id.as_str()];
        let reported: Reported = self.get(&path, &["id", "status"], kind.singular()).await?;
        Ok(Status::parse(&reported.status.0))
    }

    /// The project's objects of a kind whose description begins with that marker. The whole list is read, because the
    /// server cannot be relied upon to filter it.
    pub async fn marked(&self, kind: Kind, marker: &str) -> Result<Vec<Marked>, Error> {
        let mut all = self.described(kind).await?;
        all.retain(|one| is_marked(&one.description, marker));
        Ok(all)
    }

    /// The project's objects of a kind whose description ends with the word of a change's step.
    pub(crate) async fn made_by(&self, kind: Kind, word: &str) -> Result<Vec<Marked>, Error> {
        let mut all = self.described(kind).await?;
        all.retain(|one| closing_word(&one.description) == word);
        Ok(all)
    }

    pub async fn described(&self, kind: Kind) -> Result<Vec<Marked>, Error> {
        let ours = self.own(self.vpn_list(kind).await?);
        Ok(ours.into_iter().map(WireMarked::into_marked).collect())
    }

    /// The project's objects of a kind whose description begins with that marker, with the form they were given.
    pub async fn formed(&self, kind: Kind, marker: &str) -> Result<Vec<Formed>, Error> {
        let ours = self.own(self.vpn_list(kind).await?).into_iter().map(WireFormed::into_formed);
        Ok(ours.filter(|one| is_marked(&one.object.description, marker)).collect())
    }

    async fn create_plain<B: Serialize>(
        &self,
        kind: Kind,
        body: &B,
        secret: Option<&SecretString>,
    ) -> Result<Id, Error> {
        self.create::<WireId, _>(kind, body, secret).await.map(|made| made.id)
    }

    async fn create<T: DeserializeOwned, B: Serialize>(
        &self,
        kind: Kind,
        body: &B,
        secret: Option<&SecretString>,
    ) -> Result<T, Error> {
        let url = self.url(&["vpn", kind.collection()]);
        self.post(&url, kind.singular(), &WithState::of(kind, body), secret).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        url: &Url,
        key: &str,
        body: &impl Serialize,
        secret: Option<&SecretString>,
    ) -> Result<T, Error> {
        let answer = self.send_body(Method::POST, url, key, body, secret).await?;
        parse(&answer, key).map_err(|error| self.mark(error))
    }

    pub(super) async fn send_body(
        &self,
        method: Method,
        url: &Url,
        key: &str,
        body: &impl Serialize,
        secret: Option<&SecretString>,
    ) -> Result<Response, Error> {
        let json = serde_json::to_vec(&BTreeMap::from([(key, body)]))
            .map(Zeroizing::new)
            .map_err(|_| Error::new(ErrorKind::Invalid, format!("The {key} cannot be written as JSON.")))?;
        self.send_unless_doubtful(method, url, Body { json: &json, secret }).await.map_err(|error| self.mark(error))
    }

    /// Sends a request that changes something. With patience it is sent again as long as the cloud has certainly not acted.
    async fn send_unless_doubtful(&self, method: Method, url: &Url, body: Body<'_>) -> Result<Response, Error> {
        let mut failures = 0;
        loop {
            match self.cloud().send(method.clone(), url, Some(body), self.given_patience()).await {
                Err(error) if !error.is_doubtful() => {
                    if !self.may_try_again(&error, &mut failures).await {
                        return Err(error);
                    }
                }
                sent => return sent,
            }
        }
    }

    /// Counts a failure and pauses, if there is patience for another try.
    async fn may_try_again(&self, error: &Error, failures: &mut u32) -> bool {
        *failures += 1;
        match self.given_patience() {
            Some(patience) => patience.pause(error, *failures, self.cloud().limits()).await,
            None => false,
        }
    }
}
