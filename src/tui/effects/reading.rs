//! What the wizard has read of the cloud: regions for a new VPN, and the VPNs that exist.

use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::Effects;
use super::access::{Reading, interrupted};
use crate::cloud::{Cloud, Error, ErrorKind, OtherSubnets, Region, RegionId};
use crate::engine::interruption::{self, State};
use crate::engine::pace::TOGETHER;
use crate::engine::read_shared_keys;
use crate::inspect::{Aspects, Background, Inquiry, Inspection, examine, inspect_in_parts, poll};
use crate::wizard::remote::RequestId;
use crate::wizard::{Effect, Message, Overview, VpnsMessage};

impl Effects {
    /// Reads what a new VPN needs to know of regions.
    pub(super) fn read_regions(&mut self, effect: Effect) {
        match effect {
            Effect::DescribeRegions(request) => {
                let Some((cloud, _)) = self.cloud() else { return };
                self.answer(async move { Message::RegionsDescribed(request, cloud.region_descriptions().await) });
            }
            Effect::Discover(request, id) => self.discover(request, id),
            Effect::ReadInterfaces(request, id, routers) => {
                let (region, stop) = (self.region(&id), self.reads.entry(id.clone()).or_default().clone());
                self.answer(async move {
                    let read = async { region?.interfaces(&routers).await };
                    Message::InterfacesRead(id, request, Box::pin(until_stopped(&stop, read)).await)
                });
            }
            Effect::Detail(request, id) => {
                let (region, stop) = (self.region(&id), self.reads.entry(id.clone()).or_default().clone());
                self.answer(async move {
                    let read = async { region?.detail().await };
                    Message::Detailed(id, request, Box::pin(until_stopped(&stop, read)).await)
                });
            }
            Effect::ReadSharedKeys(request, sharers) => {
                let Some((cloud, _)) = self.cloud() else { return };
                self.answer(async move { Message::SharedKeysRead(request, read_shared_keys(&cloud, &sharers).await) });
            }
            _ => {}
        }
    }

    fn discover(&mut self, request: RequestId, id: RegionId) {
        let reading = self.early.remove(&id);
        let reading = reading.map_or_else(|| self.region(&id).map(Reading::begin), Ok);
        let (parts, stop) = (self.parts.0.clone(), self.reads.entry(id.clone()).or_default().clone());
        self.answer(async move {
            let read = async {
                let Reading { part, whole } = reading?;
                if let Ok(part) = part.await {
                    let _ = parts.send(Message::DiscoveredInPart(id.clone(), request, part));
                }
                whole.await.unwrap_or_else(|error| Err(lost(&error)))
            };
            let result = Box::pin(until_stopped(&stop, read)).await;
            Message::Discovered(id, request, result)
        });
    }

    /// Reads what there is to know of VPNs that exist.
    pub(super) fn read_vpns(&mut self, effect: Effect) {
        let Some((cloud, is_kept)) = self.cloud() else { return };
        match effect {
            Effect::Verify(vpn, regions) => {
                self.answer(async move { Message::Verified(examine(&cloud, &vpn, &regions).await.map(Box::new)) });
            }
            Effect::Inspect(request) => {
                let parts = self.parts.0.clone();
                self.answer_vpns(async move {
                    // One may be given other subnets.
                    let inquiry = Inquiry { subnets: OtherSubnets::OfRouters, ..Inquiry::default() };
                    let seen = |part| VpnsMessage::Inspected(request, Box::new(beside(part, &cloud, is_kept)));
                    let inspection = inspect_in_parts(&cloud, inquiry, TOGETHER, |part| {
                        let _ = parts.send(Message::Vpns(seen(part)));
                    });
                    seen(inspection.await.0)
                });
            }
            Effect::Diagnose(request, vpn) => {
                self.answer_vpns(async move {
                    let mut background = Background::default();
                    background.complete(&cloud, [&*vpn], Aspects::ALL).await;
                    let keys = background.keys_of(&vpn);
                    VpnsMessage::Diagnosed(request, Box::new(keys), Box::new(background.exposures().clone()))
                });
            }
            Effect::CompareKeys(request, vpns) => {
                self.answer_vpns(async move {
                    let mut background = Background::default();
                    background.complete(&cloud, &vpns, Aspects::KEYS).await;
                    let compared = vpns.iter().map(|vpn| (vpn.handle(), background.keys_of(vpn))).collect();
                    VpnsMessage::KeysCompared(request, compared)
                });
            }
            Effect::Look(request, vpn, pause) => {
                self.answer_vpns(async move {
                    tokio::time::sleep(pause).await;
                    VpnsMessage::Looked(request, poll(&cloud, &vpn).await)
                });
            }
            _ => {}
        }
    }

    fn answer_vpns(&mut self, answer: impl Future<Output = VpnsMessage> + Send + 'static) {
        self.answer(async { Message::Vpns(answer.await) });
    }

    pub(super) fn region(&self, id: &RegionId) -> Result<Region, Error> {
        let unsigned = || Error::new(ErrorKind::Unauthorized, "No user is signed in.");
        self.signed_in.as_ref().ok_or_else(unsigned)?.cloud.region(id)
    }
}

async fn until_stopped<T>(stop: &CancellationToken, read: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let stopped = || Err(Error::new(ErrorKind::Stopped, "you stopped reading it"));
    stop.run_until_cancelled(read).await.unwrap_or_else(stopped)
}

/// What was read, and what the journals here tell that is not done yet.
fn beside(inspection: Inspection, cloud: &Cloud, is_kept: bool) -> Overview {
    let mut interruptions = interrupted(cloud, is_kept);
    let inspection = interruption::set_aside(inspection, &interruptions);
    let unfinished = interruption::needed(&interruptions);
    interruptions.retain(|one| one.state == State::Interrupted || one.is_creation() && one.state == State::Running);
    Overview { inspection, unfinished, interruptions }
}

fn lost(error: &JoinError) -> Error {
    Error::new(ErrorKind::Unexpected, format!("reading the region ended early: {error}"))
}
