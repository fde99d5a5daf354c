//! What the far side of a VPN has to be set to, in the words of the system that stands there: a sheet.
//!
//! A format is a file of `assets/peers`: a header that says what the system is called, what it takes and how each word of
//! the API is written there, and behind it the sheet itself with the values left open. A further format is a further file.

mod format;
pub mod received;
mod refusal;
mod values;

use itertools::Itertools;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use secrecy::{ExposeSecret, SecretString};

pub use format::{PeerFormat, SheetProof, Tier};
pub use refusal::{Objection, Remedy, SheetRefused, fitting};
pub use values::{FarEnd, FarSide, SheetProblem};

use crate::plan::wrap::{LongWords, wrap};
use values::{Network, SaRanges};

/// How wide the lines above the values are at most.
const HEAD_COLUMNS: usize = 98;

/// What stands in a sheet in the place of the key.
pub const KEY_PLACE: &str = "REPLACE-WITH-THE-KEY";

/// A sheet for the owner of the far side.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The word of its format.
    pub format: &'static str,
    /// It may hold the key, so it is as secret as that.
    text: SecretString,
    pub has_key: bool,
}

impl Sheet {
    /// Writes the values into a format, with the key or with [`KEY_PLACE`] instead.
    ///
    /// # Errors
    /// Everything for which such a system could not be connected so.
    pub fn new(format: &'static PeerFormat, side: &FarSide, key: Option<&SecretString>) -> Result<Self, SheetRefused> {
        let phases = checked(format, side, key)?;
        let text = render(format, side, phases, key).map_err(|error| SheetRefused::broken(format.title(), &error))?;
        Ok(Self { format: format.word, text: SecretString::from(text), has_key: key.is_some() })
    }

    /// Whether such a system can be connected so.
    ///
    /// # Errors
    /// Everything for which it cannot.
    pub fn check(format: &'static PeerFormat, side: &FarSide, key: Option<&SecretString>) -> Result<(), SheetRefused> {
        checked(format, side, key).map(drop)
    }

    /// As secret as the key, if it has one.
    pub const fn text(&self) -> &SecretString {
        &self.text
    }
}

fn checked(format: &PeerFormat, side: &FarSide, key: Option<&SecretString>) -> Result<[Value; 2], SheetRefused> {
    refusal::check(format, side, key)?;
    format.phases(side)
}

fn render(
    format: &'static PeerFormat,
    side: &FarSide,
    [ike, ipsec]: [Value; 2],
    key: Option<&SecretString>,
) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?;
    environment.set_syntax(syntax);
    // A sheet is no web page: nothing in it is escaped. What goes into it holds no character that would have to be.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let networks = |cidrs: &[ipnet::IpNet]| cidrs.iter().copied().map(Network::new).collect::<Vec<_>>();
    let (local, remote) = (networks(&side.local.networks), networks(&side.remote.networks));
    let end = |end: &FarEnd, networks: &[Network]| {
        context! { address => end.address.as_str(), id => end.id.as_str(), id_type => end.id_type(), is_named => end.is_named, networks => Serde(networks) }
    };
    let columns = HEAD_COLUMNS - format.comment().len() - 1;
    let head = format.head(side, key.is_some());
    let head = head.iter().flat_map(|line| wrap(line, columns, LongWords::Whole));
    let head = head.map(|line| format!("{} {line}", format.comment()).trim().to_owned()).join("\n");
    environment.render_str(
        format.template,
        context! {
            head, ike, ipsec,
            name => side.name_within(format.longest_name()), vpn => side.vpn.as_str(),
            local => end(&side.local, &local), remote => end(&side.remote, &remote),
            pairs => Serde(SaRanges::each(&local, &remote)),
            children => Serde(if format.has_one_sa_for_all() { SaRanges::one(&local, &remote) } else { SaRanges::each(&local, &remote) }),
            protocol => side.word("ipsec.transform_protocol"), is_ikev2 => side.is_ikev2(), mode => side.mode.as_str(),
            ike_lifetime => format.ike_lifetime(side.ike_lifetime), ipsec_lifetime => format.ipsec_lifetime(side.ipsec_lifetime),
            dpd => context! {
                action => side.dpd.action.as_str(), interval => side.dpd.interval, timeout => side.dpd.timeout,
                tries => side.dpd.timeout.div_ceil(side.dpd.interval.max(1)),
            },
            mss => side.mss(), key => key.map_or(KEY_PLACE, ExposeSecret::expose_secret), has_key => key.is_some(),
            is_behind_nat => side.is_behind_nat(), is_v6 => side.remote.address.contains(':'),
        },
    )
}
