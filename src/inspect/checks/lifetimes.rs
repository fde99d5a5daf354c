use super::{Case, Check, Verdict, Weight};
use crate::plan::policy::strength::SOUND_LIFETIME;

pub const LIFETIMES: Check = Check { id: "lifetimes", label: "lifetimes leave no gaps", natures: &[], prove };

fn prove(case: &Case<'_>) -> Verdict {
    let mut short = Vec::new();
    for (half, side) in case.sides() {
        for (kind, policy) in [("IKE", &side.ike), ("IPsec", &side.ipsec)] {
            let seconds = policy.as_ref().and_then(|policy| policy.word("lifetime").parse::<u32>().ok());
            if let Some(seconds) = seconds.filter(|seconds| seconds < SOUND_LIFETIME.start()) {
                short.push(format!("{seconds} s in the {kind} policy of {}", case.place(half)));
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
        case.modernise(),
    )
}
