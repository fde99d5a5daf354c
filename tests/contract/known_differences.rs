//! Where the simulator is known to differ from a real cloud, and why it may.

/// A difference with a reason.
pub struct Explained {
    pub releases: &'static [&'static str],
    /// How the case's name begins.
    pub case: &'static str,
    /// A part of the line the simulator gives.
    pub simulator: &'static str,
    /// A part of the line a real cloud gives in its place.
    pub cloud: &'static str,
    pub why: &'static str,
}

pub const EXPLAINED: &[Explained] = &[];
