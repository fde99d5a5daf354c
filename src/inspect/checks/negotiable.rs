use super::{Case, Check, Nature, Verdict, Weight};
use crate::plan::policy::EncryptionAlgorithm;

pub const NEGOTIABLE: Check = Check {
    id: "negotiable",
    label: "the policies can be negotiated",
    natures: &[Nature::Negotiated, Nature::Security],
    prove,
};

fn prove(case: &Case<'_>) -> Verdict {
    for (half, side) in case.sides() {
        let (Some(ike), Some(ipsec)) = (&side.ike, &side.ipsec) else {
            return Verdict::Open(format!("the policies of {} cannot be seen", case.place(half)));
        };
        let place = case.place(half);
        let is_v1 = ike.word("ike_version") == "v1";
        if is_v1 && ike.word("phase1_negotiation_mode") == "aggressive" {
            let seen = format!("the IKE policy in {place} wants aggressive mode");
            return Verdict::bad(Weight::Stops, seen, "strongSwan refuses it with a pre-shared key", case.modernise());
        }
        let cipher = ike.word("encryption_algorithm");
        if is_v1 && cipher.parse().is_ok_and(EncryptionAlgorithm::needs_ikev2) {
            let seen = format!("the IKE policy in {place} wants {cipher} with IKEv1");
            let means = "IKEv1 cannot negotiate that cipher for itself";
            // strongSwan offers more than the policy says.
            if case.vpn.is_active() {
                let means = format!("{means}; the running tunnel uses another one that was not configured");
                return Verdict::bad(Weight::Warns, seen, means, case.modernise());
            }
            return Verdict::bad(Weight::Stops, seen, means, case.modernise());
        }
        if ipsec.word("encapsulation_mode") == "transport" {
            let seen = format!("the IPsec policy in {place} is in transport mode");
            let means = "it carries only what the two routers say themselves, not the subnets behind them";
            return Verdict::bad(Weight::Hides, seen, means, case.modernise());
        }
        if ipsec.word("transform_protocol") != "esp" {
            let seen = format!("the IPsec policy in {place} is {}", ipsec.word("transform_protocol"));
            let means = "AH does not encrypt, so who sits in between can read the traffic; and it does not pass NAT";
            return Verdict::bad(Weight::Exposes, seen, means, case.modernise());
        }
    }
    Verdict::good("")
}
