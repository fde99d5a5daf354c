//! What the rest of the program needs of a cloud: one sign-in, many regions, typed objects and typed errors.
//!
//! There is one client and no mock seam: tests and `--demo` talk to a simulated cloud over HTTP, exactly as a user's run
//! talks to a real Keystone and Neutron.
//!
//! * [`credentials`] finds out who the user is (clouds.yaml, secure.yaml, `OS_*`);
//! * [`keystone`] turns that into a token and the regions of its catalogue ([`Cloud`]); [`person`] is who it asks for what
//!   is missing;
//! * [`neutron`] reads what a region holds ([`inventory`]);
//! * [`exposure`] reads what lets traffic into instances;
//! * [`vpnaas`] makes, watches and deletes the VPN objects ([`request`] has their bodies), [`changes`] changes them;
//! * [`http`] sends one request and makes a typed [`Error`] of everything that can go wrong; [`retry`] repeats what may be
//!   repeated.

pub mod changes;
pub mod credentials;
pub mod error;
pub mod exposure;
mod hidden;
pub mod http;
pub mod inventory;
pub mod keystone;
pub mod neutron;
pub mod person;
mod printable;
pub mod request;
pub mod retry;
mod versions;
pub mod vpnaas;

pub use credentials::Credentials;
pub use error::{Error, ErrorKind};
pub(crate) use hidden::Hidden;
pub use http::{Exchange, Limits};
pub use inventory::{
    DeadPeerDetection, Detail, EndpointGroup, Extensions, Id, Interface, Interfaces, Inventory, Quota, RegionId,
    Router, SiteConnection, Status, StoredPolicy, Subnet, Survey, Unfit, VpnService,
};
pub use keystone::{Cloud, Region};
pub use neutron::{By, OtherSubnets, VpnLists};
pub use person::Person;
pub(crate) use printable::{Text, harmless, one_line, printable};
pub use request::Kind;
