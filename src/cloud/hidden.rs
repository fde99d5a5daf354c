//! What Neutron does not show, without saying so.

/// Why no VPN object is seen. From 2025.2 on the lists that a user without the role member gets are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("VPN objects cannot be seen with the role reader alone: Neutron shows them to members only")]
pub struct Hidden;

impl Hidden {
    /// Whether a sign-in that sees any VPN object, or none, may be kept from seeing them.
    pub fn from(is_reader: bool, sees_any: bool) -> Option<Self> {
        (is_reader && !sees_any).then_some(Self)
    }
}
