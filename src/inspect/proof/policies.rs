//! Whether both halves offer the same, field by field, and whether it can be negotiated.

use itertools::Itertools;

use super::{Case, Fix, Verdict, Weight};
use crate::cloud::StoredPolicy;
use crate::inspect::{Agreement, Side};
use crate::plan::Half;
use crate::plan::shell::osvpn;

/// What the upgrade to OpenStack 2026.2 makes of stored words.
const REWRITTEN: [(&str, &str); 2] = [("sha1", "sha256"), ("3des", "aes-256")];

impl Case<'_> {
    pub(super) fn ike_policies(&self) -> Verdict {
        self.policies(|side| side.ike.as_ref(), "IKE")
    }

    pub(super) fn ipsec_policies(&self) -> Verdict {
        self.policies(|side| side.ipsec.as_ref(), "IPsec")
    }

    fn policies(&self, of: fn(&Side) -> Option<&StoredPolicy>, kind: &str) -> Verdict {
        let Some(both) = self.both() else {
            return match of(&self.vpn.a) {
                Some(policy) => Verdict::Open(format!("compare with the peer: {}", words(policy))),
                None => Verdict::Open("it cannot be seen".to_owned()),
            };
        };
        let [(_, a), (_, b)] = both;
        let (Some(a), Some(b)) = (of(a), of(b)) else { return Verdict::Open("not both can be seen".to_owned()) };
        let differing: Vec<(&str, &str, &str)> = a
            .attributes
            .iter()
            .map(|(name, word)| (*name, word.as_str(), b.word(name)))
            // Only IKEv1 has modes to negotiate in.
            .filter(|(name, _, _)| *name != "phase1_negotiation_mode" || a.word("ike_version") != "v2")
            .filter(|(_, ours, theirs)| ours != theirs)
            .collect();
        if differing.is_empty() {
            return Verdict::good(words(a));
        }
        let listed = |(name, ours, theirs): &(&str, &str, &str)| {
            format!("{name} is {ours} in {} and {theirs} in {}", self.place(Half::A), self.place(Half::B))
        };
        let seen = format!("{kind}: {}", differing.iter().map(listed).join("; "));
        let fix = Fix::Equalise(Box::new(Agreement::between(self.vpn, self.surveys)));
        if differing.iter().any(|(name, _, _)| *name == "ike_version") {
            let means = "one speaks IKEv1 and the other IKEv2, so they do not talk at all";
            return Verdict::bad(Weight::Stops, seen, means, fix);
        }
        let parts_them = |name: &str| matches!(name, "transform_protocol" | "encapsulation_mode");
        if differing.iter().any(|(name, _, _)| parts_them(name)) {
            let means = "neither can put the other's packets into its tunnel, so none comes up";
            return Verdict::bad(Weight::Stops, seen, means, fix);
        }
        if let Some(upgraded) = self.drifted(&differing) {
            let means = format!(
                "{} was upgraded to an OpenStack that rewrites sha1 to sha256 and 3des to aes-256 in stored policies; \
                 the other half still has the old words. Where LibreSwan runs, the tunnel is down",
                self.place(upgraded)
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

    /// The half whose region rewrote its policies, if that is all the difference there is.
    fn drifted(&self, differing: &[(&str, &str, &str)]) -> Option<Half> {
        let upgraded = |half: Half| {
            let side = self.vpn.side(half)?;
            let stores = self.survey(side)?.inventory.extensions.stores_sha1();
            let rewritten = |(_, a, b): &(&str, &str, &str)| {
                let pair = if half == Half::A { (*b, *a) } else { (*a, *b) };
                REWRITTEN.contains(&pair)
            };
            (!stores && differing.iter().all(rewritten)).then_some(half)
        };
        upgraded(Half::A).or_else(|| upgraded(Half::B))
    }

    /// Both halves made anew with the profile modern; where the peer is outside, its owner has to agree first.
    pub(super) fn modernise(&self) -> Fix {
        if self.vpn.b().is_some() {
            return Fix::Modernise;
        }
        Fix::ByHand(vec![
            "agree upon other policies with the owner of the peer, who has to change them at the same time; then"
                .into(),
            self.vpn.command("delete").into(),
            osvpn("").remark("makes it anew").into(),
        ])
    }

    pub(super) fn negotiable(&self) -> Verdict {
        for (half, side) in self.sides() {
            let (Some(ike), Some(ipsec)) = (&side.ike, &side.ipsec) else {
                return Verdict::Open(format!("the policies of {} cannot be seen", self.place(half)));
            };
            let place = self.place(half);
            let is_v1 = ike.word("ike_version") == "v1";
            if is_v1 && ike.word("phase1_negotiation_mode") == "aggressive" {
                let seen = format!("the IKE policy in {place} wants aggressive mode");
                return Verdict::bad(
                    Weight::Stops,
                    seen,
                    "strongSwan refuses it with a pre-shared key",
                    self.modernise(),
                );
            }
            let cipher = ike.word("encryption_algorithm");
            if is_v1 && ["gcm", "ccm", "ctr"].iter().any(|mode| cipher.contains(mode)) {
                let seen = format!("the IKE policy in {place} wants {cipher} with IKEv1");
                let means = "IKEv1 cannot negotiate that cipher for itself";
                // strongSwan offers more than the policy says.
                if self.vpn.is_active() {
                    let means = format!("{means}; what is up has agreed upon another, which nobody has chosen");
                    return Verdict::bad(Weight::Warns, seen, means, self.modernise());
                }
                return Verdict::bad(Weight::Stops, seen, means, self.modernise());
            }
            if ipsec.word("encapsulation_mode") == "transport" {
                let seen = format!("the IPsec policy in {place} is in transport mode");
                let means = "it carries only what the two routers say themselves, not the subnets behind them";
                return Verdict::bad(Weight::Hides, seen, means, self.modernise());
            }
            if ipsec.word("transform_protocol") != "esp" {
                let seen = format!("the IPsec policy in {place} is {}", ipsec.word("transform_protocol"));
                let means =
                    "AH does not encrypt, so who sits in between can read the traffic; and it does not pass NAT";
                return Verdict::bad(Weight::Exposes, seen, means, self.modernise());
            }
        }
        Verdict::good("")
    }
}

/// A policy in one line.
pub(in crate::inspect) fn words(policy: &StoredPolicy) -> String {
    let word = |(name, word): &(&str, String)| match *name {
        "ike_version" => format!("IKE{word}"),
        "lifetime" => format!("{word} s"),
        _ => word.clone(),
    };
    policy.attributes.iter().map(word).join(", ")
}
