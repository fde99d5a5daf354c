use itertools::Itertools;

use super::{Case, Check, Nature, Verdict, Weight};
use crate::cloud::StoredPolicy;
use crate::plan::policy::strength::Graded;
use crate::plan::policy::{DhGroup, EncryptionAlgorithm};

pub const STRENGTH: Check = Check { id: "strength", label: "no policy is weak", natures: &[Nature::Security], prove };

fn prove(case: &Case<'_>) -> Verdict {
    let mut weak = Vec::new();
    let mut is_sha1 = false;
    for (half, side) in case.sides() {
        for (kind, policy) in [("IKE", &side.ike), ("IPsec", &side.ipsec)] {
            let Some(policy) = policy else { continue };
            is_sha1 |= policy.word("auth_algorithm") == "sha1";
            let words: Vec<&str> = weak_words(policy).collect();
            if !words.is_empty() {
                weak.push(format!("{} in the {kind} policy of {}", words.join(" and "), case.place(half)));
            }
        }
    }
    if weak.is_empty() {
        return Verdict::good(if is_sha1 { "sha1 is old, not weak; OpenStack 2026.2 no longer stores it" } else { "" });
    }
    Verdict::bad(
        Weight::Warns,
        format!("weak: {}", weak.join(", ")),
        "who records the traffic may be able to read it, and some peers and newer releases refuse these",
        case.modernise(),
    )
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
