//! The subnets that routers stand on. Neutron takes long to list ports, so only those of routers that matter are read: the
//! chosen ones, and those on the screen.

use std::collections::BTreeMap;

use super::remote::{Remote, RequestId};
use super::screen::Screen;
use super::shell::Shell;
use super::{Content, Effect, NewVpn, RegionState};
use crate::cloud::{Error, ErrorKind, Id, Interfaces, Inventory, RegionId};
use crate::plan::Half;

/// How many routers one request asks about.
pub(super) const A_REQUEST: usize = 25;

/// How many requests the first page makes for the routers of a region.
pub(super) const CANDIDATE_READS: u8 = 2;

impl RegionState {
    /// How far the reading of a router's subnets is.
    #[must_use]
    pub fn standing(&self, router: &Id) -> &Remote<()> {
        self.standing.get(router).unwrap_or(&Remote::NotAsked)
    }

    /// The first routers whose subnets were not asked for.
    pub(super) fn unread_routers(&self) -> Vec<Id> {
        let routers = self.inventory.ready().map_or(&[][..], |inventory| &inventory.routers);
        let unread = routers.iter().map(|router| &router.id).filter(|id| matches!(self.standing(id), Remote::NotAsked));
        unread.take(A_REQUEST).cloned().collect()
    }

    /// Whether routers that decide what the first page proposes are being read, or will be.
    pub(super) fn may_read_candidates(&self) -> bool {
        self.candidate_reads < CANDIDATE_READS || self.is_reading_interfaces()
    }

    /// Whether the subnets of some router are on their way.
    pub(super) fn is_reading_interfaces(&self) -> bool {
        self.standing.values().any(Remote::is_loading)
    }

    /// Whether anything of it is on its way.
    pub(super) fn is_awaited(&self) -> bool {
        self.is_loading() || self.is_reading_interfaces()
    }

    /// Waits no longer for what is on its way. Half of a first answer is none.
    pub(super) fn give_up(&mut self) {
        let why = || Error::new(ErrorKind::Stopped, "you stopped reading it");
        if self.is_first_read() && self.inventory.is_loading() {
            self.inventory = Remote::Failed(why());
        }
        self.inventory.give_up(why);
        self.detail.give_up(why);
        self.standing.values_mut().for_each(|state| state.give_up(why));
    }

    /// Whether some of its routers may still turn out to be on a subnet.
    pub(super) fn has_unread_routers(&self) -> bool {
        let routers = self.inventory.ready().map_or(&[][..], |inventory| &inventory.routers);
        routers.iter().any(|router| router.interfaces.is_none() && self.standing(&router.id).error().is_none())
    }

    fn ask_interfaces(&mut self, shell: &mut Shell, routers: Vec<Id>) {
        if routers.is_empty() {
            return;
        }
        let request = shell.out.request();
        for router in &routers {
            self.standing.entry(router.clone()).or_default().ask(request, shell.now);
        }
        shell.out.push(Effect::ReadInterfaces(request, self.id.clone(), routers));
    }

    /// Takes an answer of discovery, which knows no interfaces: those that were read since it was asked are kept, and so are
    /// those that are being read again. False if another answer is waited for.
    pub(super) fn take_inventory(&mut self, request: RequestId, result: Result<Inventory, Error>) -> bool {
        let routers = self.inventory.ready().map_or(&[][..], |inventory| &inventory.routers);
        let kept = routers.iter().filter(|router| self.standing.contains_key(&router.id));
        let mut kept: BTreeMap<_, _> =
            kept.filter_map(|router| Some((router.id.clone(), router.interfaces.clone()?))).collect();
        if !self.inventory.answer(request, result) {
            return false;
        }
        if let Some(inventory) = self.inventory.ready_mut() {
            for router in inventory.routers.iter().filter(|router| router.interfaces.is_some()) {
                kept.remove(&router.id);
                self.standing.insert(router.id.clone(), Remote::Ready(()));
            }
            inventory.add_interfaces(kept);
        }
        true
    }

    fn take_interfaces(&mut self, request: RequestId, result: Result<BTreeMap<Id, Interfaces>, Error>) -> bool {
        let answer = result.as_ref().map(|_| ()).map_err(Clone::clone);
        let mut is_awaited = false;
        for state in self.standing.values_mut() {
            is_awaited |= state.answer(request, answer.clone());
        }
        if let (true, Ok(read), Some(inventory)) = (is_awaited, result, self.inventory.ready_mut()) {
            inventory.add_interfaces(read);
        }
        is_awaited
    }
}

impl NewVpn {
    /// The region and the router of a half, once both are chosen and read.
    fn router_of(&self, half: Half) -> Option<(&RegionState, &Id)> {
        let (region, router) = (self.region_of(half)?, self.answers.router_of(half)?);
        region.inventory.ready()?.router(router).is_some().then_some((region, router))
    }

    /// How far the reading of the chosen router's subnets is; none without a router.
    #[must_use]
    pub fn standing_of(&self, half: Half) -> Option<&Remote<()>> {
        self.router_of(half).map(|(region, router)| region.standing(router))
    }

    /// Whether something that a half needs is still being read.
    pub(super) fn is_reading_half(&self, half: Half) -> bool {
        self.region_of(half).is_some_and(RegionState::is_loading)
            || self.standing_of(half).is_some_and(Remote::is_loading)
    }

    /// Whether a list of routers or of subnets is to change with an answer that is on its way.
    #[must_use]
    pub fn is_list_awaited(&self, half: Half, screen: Screen) -> bool {
        self.region_of(half).is_some_and(|region| region.inventory.is_loading())
            || screen == Screen::Subnets(half) && self.standing_of(half).is_some_and(Remote::is_loading)
    }

    /// So that interfaces that could not be read are asked for again.
    pub(super) fn forget_failed_interfaces(&mut self) {
        for region in &mut self.regions {
            region.standing.retain(|_, state| state.error().is_none());
        }
    }

    pub(super) fn interfaces_read(
        &mut self,
        id: &RegionId,
        request: RequestId,
        result: Result<BTreeMap<Id, Interfaces>, Error>,
    ) -> bool {
        self.region_mut(id).is_some_and(|region| region.take_interfaces(request, result))
    }

    /// Asks for the subnets of the routers that are chosen or on the screen, each once.
    pub(super) fn ask_interfaces(&mut self, shell: &mut Shell, screen: Screen, content: &Content) {
        for half in self.halves() {
            let Some((region, router)) = self.router_of(*half) else { continue };
            if matches!(region.standing(router), Remote::NotAsked) {
                let (id, router) = (region.id.clone(), router.clone());
                if let Some(region) = self.region_mut(&id) {
                    region.ask_interfaces(shell, vec![router]);
                }
            }
        }
        if screen == Screen::Mode {
            return self.ask_candidates(shell);
        }
        let half = match screen {
            Screen::Router(half) => half,
            Screen::Subnets(half) if shell.with_others => half,
            _ => return,
        };
        let Some(region) = self.region_of(half) else { return };
        // Scrolling through thousands does not make the cloud read them all: what is passed by is not asked for.
        if region.is_reading_interfaces() || region.inventory.ready().is_none() {
            return;
        }
        let routers = match screen {
            // Whoever asks for the subnets of other routers waits for them.
            Screen::Subnets(_) => region.unread_routers(),
            _ => unread_on_screen(region, content, shell.page()),
        };
        let id = region.id.clone();
        if let Some(region) = self.region_mut(&id) {
            region.ask_interfaces(shell, routers);
        }
    }
}

impl NewVpn {
    /// Asks for the subnets of the routers that decide what the first page proposes: once a region, as a rule.
    fn ask_candidates(&mut self, shell: &mut Shell) {
        for (id, routers) in std::mem::take(&mut self.proposals.unread) {
            if let Some(region) = self.region_mut(&id).filter(|region| !region.is_reading_interfaces()) {
                region.candidate_reads += 1;
                region.ask_interfaces(shell, routers);
            }
        }
    }
}

/// The routers around the cursor whose subnets were not asked for, and those that come after them; none while all on the
/// screen were.
fn unread_on_screen(region: &RegionState, content: &Content, page: isize) -> Vec<Id> {
    let Content::List(picker) = content else { return Vec::new() };
    let page = usize::try_from(page).unwrap_or(1);
    let unread = |from: usize, to: usize| {
        let lines = picker.window(from, to.saturating_sub(from)).filter_map(|(_, line)| line.choice.id());
        lines.filter(|id| matches!(region.standing(id), Remote::NotAsked)).take(A_REQUEST).cloned()
    };
    let (cursor, half) = (picker.cursor(), page / 2 + 1);
    if unread(cursor.saturating_sub(half), cursor + half + 1).next().is_none() {
        return Vec::new();
    }
    unread(cursor.saturating_sub(half), cursor + page.max(A_REQUEST)).collect()
}
