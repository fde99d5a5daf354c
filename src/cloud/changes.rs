//! Changes VPN objects that exist, makes a connection like another, and adds security-group rules.
//!
//! Policies that a connection uses cannot be changed (409), nor can endpoint groups, nor what a connection hangs on: those
//! are recreated. A PUT is not repeated here after a doubtful failure, and neither is a POST: the caller may want something
//! else by the time of the retry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use futures::future::join_all;
use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::{Error, ErrorKind};
use super::exposure::SecurityGroupRuleBody;
use super::inventory::Id;
use super::keystone::Region;
use super::neutron::wire::{Wire as _, wire};
use super::printable::Text;
use super::request::{DpdBody, Kind, exposed};
use super::vpnaas::{Deleted, WireId, closing_word};

/// New values for a VPN service. None leaves a value as it is.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ServiceChanges<'a> {
    /// At most 255 characters. Sending the present one makes the agents configure the router again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    /// Whether it is switched on. Switching it off ends the tunnels of all its connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_state_up: Option<bool>,
}

/// New values for an IPsec site connection, except its key. None leaves a value as it is.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ConnectionChanges<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<&'a str>,
    /// A group of type `subnet`.
    #[serde(rename = "local_ep_group_id", skip_serializing_if = "Option::is_none")]
    pub local_group: Option<&'a Id>,
    /// A group of type `cidr`.
    #[serde(rename = "peer_ep_group_id", skip_serializing_if = "Option::is_none")]
    pub peer_group: Option<&'a Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpd: Option<DpdBody<'a>>,
    /// `bi-directional` or `response-only`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_state_up: Option<bool>,
}

/// All that was said of a connection when it was made, its key included: what it takes to make another like it.
#[derive(Clone)]
pub(crate) struct ConnectionTemplate {
    /// By the API's names, without policies and key.
    attributes: Map<String, Value>,
    psk: SecretString,
}

impl ConnectionTemplate {
    /// What a POST takes, but for the policies and the key. A connection has either endpoint groups or peer CIDRs.
    const FIELDS: [&'static str; 13] = [
        "name",
        "description",
        "vpnservice_id",
        "peer_address",
        "peer_id",
        "local_id",
        "peer_cidrs",
        "local_ep_group_id",
        "peer_ep_group_id",
        "initiator",
        "mtu",
        "dpd",
        "admin_state_up",
    ];

    /// An attribute that is a text, by the API's name; none if it is empty or null.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub fn description(&self) -> &str {
        self.text("description").unwrap_or_default()
    }

    /// The key, for the new connection or to be compared in memory.
    pub const fn psk(&self) -> &SecretString {
        &self.psk
    }
}

/// In what a connection differs from the one it is made like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TemplateOverrides<'a> {
    pub name: Option<&'a str>,
    pub service: Option<&'a Id>,
    pub ike_policy: &'a Id,
    pub ipsec_policy: &'a Id,
    pub dpd: Option<DpdBody<'a>>,
    /// In bytes.
    pub mtu: Option<u32>,
    /// `bi-directional` or `response-only`.
    pub initiator: Option<&'a str>,
    /// The local and the peer endpoint group, in place of others or of peer CIDRs.
    pub groups: Option<&'a (Id, Id)>,
    /// The peer's address, and how it names itself.
    pub peer: Option<(&'a str, &'a str)>,
    /// Whether it names itself so even if the one before did not go by its address.
    pub is_peer_renamed: bool,
    pub psk: Option<&'a SecretString>,
}

impl fmt::Debug for ConnectionTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionTemplate").field("attributes", &self.attributes).finish_non_exhaustive()
    }
}

/// What became of a request to add a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RuleMade {
    Now(Id),
    /// There was one that says the same. Neutron does not take a second, and tells the id of the first in words only.
    Existed,
}

wire! { WireNote { id: Id, description: Option<Text> } }

fn shown(psk: Option<String>) -> Result<SecretString, Error> {
    let missing = || Error::new(ErrorKind::Forbidden, "The cloud does not show the key of this connection.");
    psk.map(SecretString::from).ok_or_else(missing)
}

wire! { ListedKey { id: Id, psk: Option<String> } }

const RULES: &str = "security-group-rules";

impl Region {
    /// Changes a VPN service. While it is `PENDING_CREATE` that is refused (400 `VPNStateInvalidToUpdate`,
    /// [`Error::is_pending`]): it then has no connection yet.
    pub(crate) async fn update_service(&self, id: &Id, changes: &ServiceChanges<'_>) -> Result<(), Error> {
        self.update(Kind::VpnService, id, changes, None).await
    }

    /// Changes an IPsec site connection. Refused while it is `PENDING_CREATE`, like a service.
    pub(crate) async fn update_connection(&self, id: &Id, changes: &ConnectionChanges<'_>) -> Result<(), Error> {
        self.update(Kind::SiteConnection, id, changes, None).await
    }

    /// Gives a connection another key. SAs that are up keep the old one until they are renegotiated.
    pub(crate) async fn set_connection_psk(&self, id: &Id, psk: &SecretString) -> Result<(), Error> {
        #[derive(Serialize)]
        struct KeyChange<'a> {
            #[serde(serialize_with = "exposed")]
            psk: &'a SecretString,
        }
        self.update(Kind::SiteConnection, id, &KeyChange { psk }, Some(psk)).await
    }

    /// Reads a connection with its key. `Forbidden` if the cloud does not show it.
    pub(crate) async fn connection_template(&self, id: &Id) -> Result<ConnectionTemplate, Error> {
        #[derive(Deserialize)]
        struct Whole {
            psk: Option<String>,
            #[serde(flatten)]
            attributes: Map<String, Value>,
        }
        let kind = Kind::SiteConnection;
        let fields: Vec<&str> = ConnectionTemplate::FIELDS.into_iter().chain(["psk"]).collect();
        let whole: Whole = self.get(&["vpn", kind.collection(), id.as_str()], &fields, kind.singular()).await?;
        let mut attributes = whole.attributes;
        attributes.retain(|name, _| ConnectionTemplate::FIELDS.contains(&name.as_str()));
        Ok(ConnectionTemplate { attributes, psk: shown(whole.psk)? })
    }

    pub async fn connection_psk(&self, id: &Id) -> Result<SecretString, Error> {
        #[derive(Deserialize)]
        struct ShownKey {
            psk: Option<String>,
        }
        let kind = Kind::SiteConnection;
        let key: ShownKey = self.get(&["vpn", kind.collection(), id.as_str()], &["psk"], kind.singular()).await?;
        shown(key.psk)
    }

    /// The keys of connections, or why one cannot be read: of more than two in one list, and what that leaves out one by
    /// one. An administrator's list would have the keys of other projects.
    pub(crate) async fn connection_psks(&self, ids: &BTreeSet<Id>) -> Vec<(Id, Result<SecretString, Error>)> {
        let mut keys = BTreeMap::new();
        if ids.len() > 2 && !self.cloud().is_administrator() {
            let listed = match self.fit_vpn::<ListedKey>(Kind::SiteConnection).await {
                Ok(listed) => listed,
                Err(error) => return ids.iter().map(|id| (id.clone(), Err(error.clone()))).collect(),
            };
            let wanted = listed.items.into_iter().filter(|listed| ids.contains(&listed.id));
            keys.extend(wanted.map(|listed| (listed.id, shown(listed.psk))));
        }
        let read = ids.iter().map(|id| {
            let key = keys.remove(id);
            async move {
                let key = match key {
                    Some(key) => key,
                    None => self.connection_psk(id).await,
                };
                (id.clone(), key)
            }
        });
        join_all(read).await
    }

    /// Makes a connection that differs from another in its description and in what is said.
    pub(crate) async fn create_connection_from(
        &self,
        like: &ConnectionTemplate,
        overrides: &TemplateOverrides<'_>,
        description: &str,
    ) -> Result<Id, Error> {
        #[derive(Serialize)]
        struct Like<'a> {
            #[serde(flatten)]
            attributes: Map<String, Value>,
            description: &'a str,
            ikepolicy_id: &'a Id,
            ipsecpolicy_id: &'a Id,
            #[serde(serialize_with = "exposed")]
            psk: &'a SecretString,
        }
        let mut attributes = like.attributes.clone();
        // One kind of connection does not take what the other has, not even to be told that there is none.
        attributes.retain(|name, value| {
            name != "description" && !value.is_null() && *value != json!([]) && *value != json!("")
        });
        if let Some(service) = overrides.service {
            attributes.insert("vpnservice_id".to_owned(), json!(service));
        }
        if let Some(dpd) = &overrides.dpd {
            attributes.insert("dpd".to_owned(), json!(dpd));
        }
        if let Some(mtu) = overrides.mtu {
            attributes.insert("mtu".to_owned(), json!(mtu));
        }
        if let Some(initiator) = overrides.initiator {
            attributes.insert("initiator".to_owned(), json!(initiator));
        }
        if let Some(name) = overrides.name {
            attributes.insert("name".to_owned(), json!(name));
        }
        if let Some((local, peer)) = overrides.groups {
            attributes.remove("peer_cidrs");
            attributes.insert("local_ep_group_id".to_owned(), json!(local));
            attributes.insert("peer_ep_group_id".to_owned(), json!(peer));
        }
        if let Some((address, id)) = overrides.peer {
            if overrides.is_peer_renamed || like.text("peer_id") == like.text("peer_address") {
                attributes.insert("peer_id".to_owned(), json!(id));
            }
            attributes.insert("peer_address".to_owned(), json!(address));
        }
        let TemplateOverrides { ike_policy, ipsec_policy, .. } = overrides;
        let psk = overrides.psk.unwrap_or(&like.psk);
        let body = Like { attributes, description, ikepolicy_id: ike_policy, ipsecpolicy_id: ipsec_policy, psk };
        let kind = Kind::SiteConnection;
        let url = self.url(&["vpn", kind.collection()]);
        let made: WireId = self.post(&url, kind.singular(), &body, Some(psk)).await?;
        Ok(made.id)
    }

    /// Makes a rule in a security group. That there is one already which says the same (409
    /// `SecurityGroupRuleExists`) is a success.
    pub(crate) async fn create_rule(&self, body: &SecurityGroupRuleBody<'_>) -> Result<RuleMade, Error> {
        let url = self.url(&[RULES]);
        match self.post::<WireId>(&url, "security_group_rule", body, None).await {
            Ok(made) => Ok(RuleMade::Now(made.id)),
            Err(error) if error.neutron_type.as_deref() == Some("SecurityGroupRuleExists") => Ok(RuleMade::Existed),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn delete_rule(&self, id: &Id) -> Result<Deleted, Error> {
        self.delete_at(&self.url(&[RULES, id.as_str()])).await
    }

    /// The rules whose description ends with the word of a change's step, in one security group.
    pub(crate) async fn rules_made_by(&self, group: &Id, word: &str) -> Result<Vec<Id>, Error> {
        let filter = [("security_group_id", group.as_str())];
        let all: Vec<WireNote> = self.list(&[RULES], "security_group_rules", WireNote::FIELDS, &filter).await?;
        let is_of_step = |rule: &WireNote| rule.description.as_ref().is_some_and(|text| closing_word(&text.0) == word);
        Ok(all.into_iter().filter(is_of_step).map(|rule| rule.id).collect())
    }

    async fn update<B: Serialize>(
        &self,
        kind: Kind,
        id: &Id,
        changes: &B,
        secret: Option<&SecretString>,
    ) -> Result<(), Error> {
        let url = self.url(&["vpn", kind.collection(), id.as_str()]);
        // The answer repeats the whole object, the key of a connection included.
        self.send_body(Method::PUT, &url, kind.singular(), changes, secret).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_to_be_different_is_sent() {
        let group = Id::from("g");
        let changes = ConnectionChanges {
            peer_address: Some("203.0.113.9"),
            local_group: Some(&group),
            ..ConnectionChanges::default()
        };
        let sent = serde_json::to_value(&changes).unwrap();
        assert_eq!(sent, json!({ "peer_address": "203.0.113.9", "local_ep_group_id": "g" }));
    }
}
