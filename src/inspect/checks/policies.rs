use itertools::Itertools;

use super::{Case, Check, Fix, Nature, Verdict, Weight};
use crate::cloud::StoredPolicy;
use crate::inspect::Side;
use crate::inspect::forecast::REWRITTEN;
use crate::plan::Half;

pub const IKE_POLICY: Check = Check {
    id: "ike-policy",
    label: "IKE policies are equal",
    natures: &[Nature::Negotiated, Nature::SharedWithPeer],
    prove: |case| policies(case, |side| side.ike.as_ref(), "IKE"),
};

pub const IPSEC_POLICY: Check = Check {
    id: "ipsec-policy",
    label: "IPsec policies are equal",
    natures: &[Nature::Negotiated, Nature::SharedWithPeer],
    prove: |case| policies(case, |side| side.ipsec.as_ref(), "IPsec"),
};

fn policies(case: &Case<'_>, of: fn(&Side) -> Option<&StoredPolicy>, kind: &str) -> Verdict {
    let Some(both) = case.both() else {
        return match of(&case.vpn.a) {
            Some(policy) => Verdict::Open(format!("compare with the peer: {}", words(policy))),
            None => Verdict::Open("it cannot be seen".to_owned()),
        };
    };
    let [(_, a, b), _] = both;
    let (Some(a), Some(b)) = (of(a), of(b)) else { return Verdict::Open("not both can be seen".to_owned()) };
    let differing = differing(a, b);
    if differing.is_empty() {
        return Verdict::good(words(a));
    }
    let listed = |(name, ours, theirs): &(&str, &str, &str)| {
        format!("{name} is {ours} in {} and {theirs} in {}", case.place(Half::A), case.place(Half::B))
    };
    let seen = format!("{kind}: {}", differing.iter().map(listed).join("; "));
    let fix = Fix::Equalise(Box::new(case.agreement()));
    if differing.iter().any(|(name, _, _)| *name == "ike_version") {
        let means = "one speaks IKEv1 and the other IKEv2, so they do not talk at all";
        return Verdict::bad(Weight::Stops, seen, means, fix);
    }
    let parts_them = |name: &str| matches!(name, "transform_protocol" | "encapsulation_mode");
    if differing.iter().any(|(name, _, _)| parts_them(name)) {
        let means = "neither can put the other's packets into its tunnel, so none comes up";
        return Verdict::bad(Weight::Stops, seen, means, fix);
    }
    if let Some(upgraded) = drifted(case, &differing) {
        let means = format!(
            "{} was upgraded to an OpenStack that rewrites sha1 to sha256 and 3des to aes-256 in stored policies; \
             the other half still has the old words. Where LibreSwan runs, the tunnel is down",
            case.place(upgraded)
        );
        return Verdict::bad(Weight::Hides, seen, means, fix);
    }
    let (weight, means) = if differing.iter().all(|(name, _, _)| *name == "lifetime") {
        (Weight::Warns, "the shorter one counts; harmless between two clouds, and a strict peer refuses it")
    } else {
        let means = "strongSwan hides it by offering more than the policy says, so other algorithms are in use than were \
                     asked for; LibreSwan does not come up, and what comes up may fail when keys are renewed";
        (Weight::Hides, means)
    };
    Verdict::bad(weight, seen, means, fix)
}

/// What two policies say differently: attribute, and the word of each.
pub(in crate::inspect) fn differing<'a>(
    a: &'a StoredPolicy,
    b: &'a StoredPolicy,
) -> Vec<(&'static str, &'a str, &'a str)> {
    a.attributes
        .iter()
        .map(|(name, word)| (*name, word.as_str(), b.word(name)))
        // Only IKEv1 has modes to negotiate in.
        .filter(|(name, _, _)| *name != "phase1_negotiation_mode" || a.word("ike_version") != "v2")
        .filter(|(_, ours, theirs)| ours != theirs)
        .collect()
}

/// The half whose region rewrote its policies, if that is all the difference there is.
fn drifted(case: &Case<'_>, differing: &[(&str, &str, &str)]) -> Option<Half> {
    let upgraded = |half: Half| {
        let side = case.vpn.side(half)?;
        let stores = case.survey(side)?.inventory.extensions.stores_sha1();
        let rewritten = |(_, a, b): &(&str, &str, &str)| {
            let pair = if half == Half::A { (*b, *a) } else { (*a, *b) };
            REWRITTEN.contains(&pair)
        };
        (!stores && differing.iter().all(rewritten)).then_some(half)
    };
    upgraded(Half::A).or_else(|| upgraded(Half::B))
}

pub(super) fn words(policy: &StoredPolicy) -> String {
    let word = |(name, word): &(&str, String)| match *name {
        "ike_version" => format!("IKE{word}"),
        "lifetime" => format!("{word} s"),
        _ => word.clone(),
    };
    policy.attributes.iter().map(word).join(", ")
}
