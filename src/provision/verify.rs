//! The guide's troubleshooting list, with what can be checked from here already checked.

use futures::future::join_all;
use secrecy::ExposeSecret;
use serde::Serialize;

use super::{Ledger, Step};
use crate::cloud::{Cloud, Error};
use crate::plan::{Far, Half, Plan};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "verdict", content = "why")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Not as it should be, and what is different.
    Bad(String),
    /// Cannot be seen from here; what to do about it.
    Yours(String),
}

/// One line of the troubleshooting list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What is checked.
    pub subject: &'static str,
    /// What came out.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl Check {
    const fn new(subject: &'static str, verdict: Verdict) -> Self {
        Self { subject, verdict }
    }
}

const IKE: &[&str] = &["ike_version", "phase1_negotiation_mode", "auth_algorithm", "encryption_algorithm", "pfs"];
const IPSEC: &[&str] = &["transform_protocol", "encapsulation_mode", "auth_algorithm", "encryption_algorithm", "pfs"];

/// Reads back what the halves really have and holds it against each other (site-to-site) or the plan (single): the lines
/// of the guide's list, in its order, then what only this program can see.
pub async fn verify(plan: &Plan, ledger: &Ledger, cloud: &Cloud) -> Vec<Check> {
    let same = |what: &'static str, step: Step, fields: &'static [&'static str]| async move {
        let both = join_all(plan.halves().map(|half| read(ledger, cloud, half.half, step, fields))).await;
        Check::new(what, compare(plan, &both, step, fields))
    };
    let (ike, ipsec, keys, up) = tokio::join!(
        same("IKE policies match", Step::IkePolicy, IKE),
        same("IPsec policies match", Step::IpsecPolicy, IPSEC),
        keys(plan, ledger, cloud),
        switched_on(plan, ledger, cloud)
    );
    let ports = match plan.far() {
        Far::Half(_) => "nothing for you to do inside the cloud: routers need no rule for UDP 500, 4500 and ESP",
        Far::Peer(_) => {
            "see that the peer's firewall admits UDP 500 and 4500 (and ESP, protocol 50) from this side's address"
        }
    };
    vec![ike, ipsec, keys, Check::new("UDP 500 and 4500 are open", Verdict::Yours(ports.to_owned())), up]
}

type Fields = Result<serde_json::Value, Error>;

async fn read(ledger: &Ledger, cloud: &Cloud, half: Half, step: Step, fields: &[&str]) -> Option<Fields> {
    let made = ledger.get(half, step)?;
    let region = cloud.region(&made.region)?;
    Some(region.show(step.kind(), &made.id, fields).await)
}

fn compare(plan: &Plan, both: &[Option<Fields>], step: Step, fields: &[&str]) -> Verdict {
    let mut read = Vec::new();
    for fields in both {
        match fields {
            Some(Ok(value)) => read.push(value),
            Some(Err(error)) => return Verdict::Bad(format!("could not be read: {error}")),
            None => return Verdict::Bad("is not there".to_owned()),
        }
    }
    if let [a, b] = read.as_slice() {
        fields.iter().find(|field| a.get(**field) != b.get(**field)).map_or(Verdict::Good, |field| {
            Verdict::Bad(format!("{field} is {} on half A and {} on half B", text(a.get(*field)), text(b.get(*field))))
        })
    } else {
        let policy = plan.policy();
        let ours = if step == Step::IkePolicy { policy.ike_text() } else { policy.ipsec_text() };
        Verdict::Yours(format!("compare with the peer: {ours}"))
    }
}

fn text(value: Option<&serde_json::Value>) -> String {
    match value {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "missing".to_owned(),
    }
}

async fn keys(plan: &Plan, ledger: &Ledger, cloud: &Cloud) -> Check {
    const SUBJECT: &str = "pre-shared keys match";
    for half in plan.halves() {
        let (Some(made), Some(region)) = (ledger.get(half.half, Step::Connection), cloud.region(&half.region)) else {
            return Check::new(SUBJECT, Verdict::Bad(format!("half {} has no connection", half.half)));
        };
        match region.connection_psk(&made.id).await {
            Ok(psk) if psk.expose_secret() == plan.psk().secret().expose_secret() => {}
            Ok(_) => {
                let text = format!("half {} has another key than the one given to it; somebody changed it", half.half);
                return Check::new(SUBJECT, Verdict::Bad(text));
            }
            Err(error) => return Check::new(SUBJECT, Verdict::Bad(format!("could not be read: {error}"))),
        }
    }
    let verdict = match plan.far() {
        Far::Half(_) => Verdict::Good,
        Far::Peer(_) => Verdict::Yours("this side has the key it was given; see that the peer has the same".to_owned()),
    };
    Check::new(SUBJECT, verdict)
}

async fn switched_on(plan: &Plan, ledger: &Ledger, cloud: &Cloud) -> Check {
    const SUBJECT: &str = "services and connections are switched on";
    for half in plan.halves() {
        for step in [Step::Service, Step::Connection] {
            match read(ledger, cloud, half.half, step, &["admin_state_up"]).await {
                Some(Ok(value)) if value.get("admin_state_up") == Some(&serde_json::Value::Bool(true)) => {}
                Some(Ok(_)) => {
                    let text =
                        format!("the {} of half {} is switched off (admin_state_up is false)", step.label(), half.half);
                    return Check::new(SUBJECT, Verdict::Bad(text));
                }
                Some(Err(error)) => return Check::new(SUBJECT, Verdict::Bad(format!("could not be read: {error}"))),
                None => return Check::new(SUBJECT, Verdict::Bad(format!("half {} has none", half.half))),
            }
        }
    }
    Check::new(SUBJECT, Verdict::Good)
}
