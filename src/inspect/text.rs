//! What mends a fault, in words.

use super::{Fix, Vpn};

impl Fix {
    /// What is done, in a few words.
    #[must_use]
    pub fn text(&self, vpn: &Vpn) -> String {
        match self {
            Self::RotateKey => "a new key on both halves".to_owned(),
            Self::SetPeer { half, address, id } if address == id => {
                format!("{} gets the peer address {address}", vpn.place(*half))
            }
            Self::SetPeer { half, address, id } => {
                format!("{} gets the peer address {address} and the peer id {id}", vpn.place(*half))
            }
            Self::Equalise(agreement) => format!(
                "both halves get the stronger values, and a new connection for that: {}",
                agreement.words(vpn).join("; ")
            ),
            Self::Modernise => {
                "the profile modern (IKEv2, SHA-256) on both halves, which keep what is stronger; the connections are \
                 recreated for that"
                    .to_owned()
            }
            Self::MirrorRanges { half } => {
                format!("{} is told what {} tunnels", vpn.place(*half), vpn.place(half.other()))
            }
            Self::SwitchOn { half } => format!("switch it on in {}", vpn.place(*half)),
            Self::Nudge { half } => format!("have the agent in {} configure its router anew", vpn.place(*half)),
            Self::SetDpd { .. } => "dead peer detection restart/15/150".to_owned(),
            Self::SetInitiator { half } => format!("have {} begin (initiator bi-directional)", vpn.place(*half)),
            Self::Rebuild { half } => {
                format!(
                    "make VPN service and connection in {} anew, and tell the other half its address",
                    vpn.place(*half)
                )
            }
            Self::RemoveService { half, id } => {
                format!("delete the service {id} in {}, which no connection uses", vpn.place(*half))
            }
            Self::Admit => "add the missing rules".to_owned(),
            Self::Resume(_) => "finish the run that made it, or undo it".to_owned(),
            Self::Compare(_) => "compare with the owner of the peer; it must have:".to_owned(),
            Self::ByHand(_) => "by hand:".to_owned(),
        }
    }
}
