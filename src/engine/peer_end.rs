//! Where a new connection goes.

use super::{Changing, Work};
use crate::change::{PeerEnd, Step};
use crate::cloud::{Error, ErrorKind};
use crate::plan::Outer;

impl Changing {
    /// Address and identity of what a connection goes to: the other service's own external address, never the router's, which
    /// on OVN is another one.
    pub(super) async fn peer_of(&self, peer: &PeerEnd, work: &Work<'_>) -> Result<(String, String), Error> {
        let (step, outer) = match peer {
            PeerEnd::Outside { address, id } => return Ok((address.clone(), id.clone())),
            PeerEnd::Service(step, outer) => (*step, *outer),
        };
        if self.progress().object(step).is_none() {
            return self.made_end(step, outer, work).await;
        }
        let known = || self.progress().object(step).and_then(|made| made.external(outer)).map(|one| one.to_string());
        if known().is_none() {
            self.read_addresses(step, work).await?;
        }
        let address = known().ok_or_else(|| {
            let half = self.progress().object(step).map_or_else(String::new, |made| made.task.half.to_string());
            let text =
                format!("the cloud gave the VPN service of half {half} no {} address to connect to", family(outer));
            Error::new(ErrorKind::Unexpected, text)
        })?;
        Ok((address.clone(), address))
    }

    /// The same of a service that a change has made in place of another.
    async fn made_end(&self, step: usize, outer: Outer, work: &Work<'_>) -> Result<(String, String), Error> {
        let (Some(id), Some(Step::Create(create))) =
            (self.progress().made(step).cloned(), self.change.steps().get(step))
        else {
            return Err(Error::new(ErrorKind::Unexpected, "the VPN service to connect to does not exist yet"));
        };
        let services = self.region(step, &create.region, work)?.services().await?;
        let service = services.iter().find(|service| service.id == id);
        let address = service.and_then(|service| match outer {
            Outer::V4 => service.external_v4.map(|address| address.to_string()),
            Outer::V6 => service.external_v6.map(|address| address.to_string()),
        });
        let address = address.ok_or_else(|| {
            let text = format!("the cloud gave the VPN service {} no {} address", create.name, family(outer));
            Error::new(ErrorKind::Unexpected, text)
        })?;
        Ok((address.clone(), address))
    }

    /// Reads a service's addresses again: one that was found before its gateway was built has none yet.
    async fn read_addresses(&self, step: usize, work: &Work<'_>) -> Result<(), Error> {
        let Some(mut made) = self.progress().object(step).cloned() else { return Ok(()) };
        let services = self.region(step, &made.region, work)?.services().await?;
        if let Some(service) = services.iter().find(|service| service.id == made.id) {
            (made.external_v4, made.external_v6) = (service.external_v4, service.external_v6);
            self.progress().record(made);
            self.note();
        }
        Ok(())
    }
}

const fn family(outer: Outer) -> &'static str {
    match outer {
        Outer::V4 => "IPv4",
        Outer::V6 => "IPv6",
    }
}
