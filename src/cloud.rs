//! stub
pub mod error;
pub mod inventory;
pub use error::{Error, ErrorKind};
pub use inventory::{
    Detail, EndpointGroup, Extensions, Id, Interface, Inventory, Network, Quota, RegionId, Router, SiteConnection,
    Status, Subnet, VpnService,
};
