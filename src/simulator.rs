//! A simulated OpenStack on a loopback address: Keystone v3, and Neutron with `VPNaaS` in each of three regions.
//!
//! It speaks HTTP and knows nothing else of this crate, so that what talks to it could as well talk to a real cloud. Its
//! bodies, statuses, headers and error texts are those a real Keystone, Neutron and neutron-vpnaas gave on the wire; its
//! agents bring tunnels up, or fail to, the way strongSwan was seen to under Neutron's driver ([`tunnel`]).
//!
//! It is what `--demo` and `demo-cloud` show, and what tests run against. For tests it can be any [`Release`], with or
//! without OVN; it keeps a log of what was asked ([`LoggedRequest`]); with the feature `faults` it can be told to fail
//! ([`InjectedFault`]), and its objects can be read and changed without its API.

mod access;
mod agent;
mod answer;
mod attributes;
mod call;
mod faults;
mod identity;
mod keystone;
mod list;
mod log;
mod neutron;
mod object;
mod ovn;
mod release;
mod security_groups;
mod seed;
mod server;
mod settings;
mod sign_in;
#[cfg(feature = "faults")]
mod testing;
mod token;
mod topology;
pub mod tunnel;
mod validation;
mod values;
mod vpnaas;
mod world;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use faults::{FaultEffect, Gate, InjectedFault, Scripted};
pub use identity::{CREDENTIAL_NAME, CREDENTIAL_SECRET, PASSCODE, PASSWORD};
pub use log::{LoggedRequest, depth};
pub use release::Release;
use server::Shared;
pub use settings::{Seed, SimulatorSettings};
use world::World;

/// A running simulated cloud; it stops when this is dropped.
pub struct Simulator {
    #[cfg(feature = "faults")]
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl fmt::Debug for Simulator {
    /// Its address only: what it holds are keys, passwords and tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Simulator {
    /// Starts serving on the current Tokio runtime. Fails if the address cannot be listened on, or with
    /// [`io::ErrorKind::InvalidInput`] if a [`Seed::Json`] makes no sense.
    pub async fn start(settings: SimulatorSettings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let mut world = World::new(settings, format!("http://{address}"));
        seed::sow(&mut world).map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        world.leave_the_past();
        world.report_now();
        let shared = Arc::new(Shared::new(world));
        let task = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self {
            #[cfg(feature = "faults")]
            shared,
            address,
            task,
        })
    }

    /// Where Keystone is: `http://127.0.0.1:PORT/v3`.
    pub fn auth_url(&self) -> String {
        format!("http://{}/v3", self.address)
    }

    /// The `OS_*` variables that sign user `demo` in to project `demo`.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let plain = [
            ("OS_AUTH_TYPE", "password"),
            ("OS_IDENTITY_API_VERSION", "3"),
            ("OS_USERNAME", "demo"),
            ("OS_PASSWORD", PASSWORD),
            ("OS_USER_DOMAIN_NAME", "Default"),
            ("OS_PROJECT_NAME", "demo"),
            ("OS_PROJECT_DOMAIN_NAME", "Default"),
            ("OS_REGION_NAME", "nz-hlz-1"),
            ("OS_INTERFACE", "public"),
        ];
        let url = ("OS_AUTH_URL", self.auth_url());
        std::iter::once(url).chain(plain.map(|(name, value)| (name, value.to_owned()))).collect()
    }
}
