//! What two ends may agree upon and should not: algorithms that can be broken, lifetimes that leave gaps.

use itertools::Itertools;

use super::{Case, Fix, Verdict, Weight};
use crate::cloud::StoredPolicy;
use crate::plan::policy::strength::{Graded, SOUND_LIFETIME};
use crate::plan::policy::{DhGroup, EncryptionAlgorithm};
use crate::plan::shell::openstack;

impl Case<'_> {
    pub(super) fn strength(&self) -> Verdict {
        let mut weak = Vec::new();
        let mut is_sha1 = false;
        for (half, side) in self.sides() {
            for (kind, policy) in [("IKE", &side.ike), ("IPsec", &side.ipsec)] {
                let Some(policy) = policy else { continue };
                is_sha1 |= policy.word("auth_algorithm") == "sha1";
                let words: Vec<&str> = weak_words(policy).collect();
                if !words.is_empty() {
                    weak.push(format!("{} in the {kind} policy of {}", words.join(" and "), self.place(half)));
                }
            }
        }
        if weak.is_empty() {
            return Verdict::good(if is_sha1 { "sha1 still holds; OpenStack 2026.2 no longer stores it" } else { "" });
        }
        Verdict::bad(
            Weight::Warns,
            format!("weak: {}", weak.join(", ")),
            "who records the traffic may be able to read it, and some peers and newer releases refuse these",
            self.modernise(),
        )
    }

    pub(super) fn lifetimes(&self) -> Verdict {
        let mut short = Vec::new();
        for (half, side) in self.sides() {
            for (kind, policy) in [("IKE", &side.ike), ("IPsec", &side.ipsec)] {
                let seconds = policy.as_ref().and_then(|policy| policy.word("lifetime").parse::<u32>().ok());
                if let Some(seconds) = seconds.filter(|seconds| seconds < SOUND_LIFETIME.start()) {
                    short.push(format!("{seconds} s in the {kind} policy of {}", self.place(half)));
                }
            }
        }
        if short.is_empty() {
            return Verdict::good("");
        }
        Verdict::bad(
            Weight::Warns,
            format!("short lifetimes: {}", short.join(", ")),
            format!(
                "strongSwan begins to renew some minutes before the end; under {} s the tunnel is gone for some seconds at each \
                 renewal",
                SOUND_LIFETIME.start()
            ),
            self.modernise(),
        )
    }

    pub(super) fn mtu(&self) -> Verdict {
        let Some([(a, one), (b, other)]) = self.both() else { return Verdict::good("") };
        let (ours, theirs) = (one.connection.mtu, other.connection.mtu);
        // 0 is what a cloud leaves out.
        if ours == theirs || ours == 0 || theirs == 0 {
            return Verdict::good(if ours == 0 { String::new() } else { format!("{ours} bytes") });
        }
        let (larger, smaller) = if ours > theirs { (one, theirs) } else { (other, ours) };
        Verdict::bad(
            Weight::Warns,
            format!("the MTU is {ours} in {} and {theirs} in {}", self.place(a), self.place(b)),
            "where LibreSwan runs, packets that one side sends may be too large for the other; strongSwan ignores it",
            Fix::ByHand(vec![
                openstack(&larger.region, "vpn ipsec site connection set --mtu")
                    .value(smaller)
                    .operand(&larger.connection.id)
                    .into(),
            ]),
        )
    }
}

/// The weak words of a policy, each once.
fn weak_words(policy: &StoredPolicy) -> impl Iterator<Item = &str> {
    let is_weak = |(name, word): &(&str, &str)| match *name {
        "encryption_algorithm" => word.parse::<EncryptionAlgorithm>().is_ok_and(|cipher| !cipher.is_sound()),
        "pfs" => word.parse::<DhGroup>().is_ok_and(|group| !group.is_sound()),
        // No release stores it any more; other implementations may.
        _ => *word == "md5",
    };
    let words = policy.attributes.iter().map(|(name, word)| (*name, word.as_str()));
    words.filter(is_weak).map(|(_, word)| word).unique()
}
