//! The requests that store policies, for a new VPN and for one that is changed.

use crate::cloud::request::{IkePolicyBody, IpsecPolicyBody, Seconds};
use crate::plan::policy::{IkePolicy, IpsecPolicy};

/// An IKE policy of that name.
pub(super) fn ike<'a>(name: &'a str, description: &'a str, ike: &IkePolicy) -> IkePolicyBody<'a> {
    IkePolicyBody {
        name,
        description,
        auth_algorithm: ike.auth_algorithm.as_str(),
        encryption_algorithm: ike.encryption_algorithm.as_str(),
        phase1_negotiation_mode: ike.phase1_negotiation_mode.as_str(),
        ike_version: ike.ike_version.as_str(),
        pfs: ike.pfs.as_str(),
        lifetime: Seconds { value: ike.lifetime },
    }
}

/// An IPsec policy of that name.
pub(super) fn ipsec<'a>(name: &'a str, description: &'a str, ipsec: &IpsecPolicy) -> IpsecPolicyBody<'a> {
    IpsecPolicyBody {
        name,
        description,
        transform_protocol: ipsec.transform_protocol.as_str(),
        auth_algorithm: ipsec.auth_algorithm.as_str(),
        encryption_algorithm: ipsec.encryption_algorithm.as_str(),
        encapsulation_mode: ipsec.encapsulation_mode.as_str(),
        pfs: ipsec.pfs.as_str(),
        lifetime: Seconds { value: ipsec.lifetime },
    }
}
