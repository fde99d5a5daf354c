use super::{Case, Check, Verdict, Weight};
use crate::plan::policy::ONE_PAIR_ONLY;

pub const PAIRS: Check = Check { id: "pairs", label: "the IKE version carries all subnets", natures: &[], prove };

fn prove(case: &Case<'_>) -> Verdict {
    for (half, side) in case.sides() {
        let (local, remote) = (side.subnets.len(), side.remote.len());
        if side.ike_version().is_some_and(|version| !version.carries(local, remote)) {
            return Verdict::bad(
                Weight::Hides,
                format!("{} has IKEv1 with {local} local and {remote} remote subnets", case.place(half)),
                format!("{ONE_PAIR_ONLY} where strongSwan runs, and still says ACTIVE"),
                case.modernise(),
            );
        }
    }
    Verdict::good("")
}
