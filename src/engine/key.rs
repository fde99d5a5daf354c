//! Another key for a VPN: for the first half, then for the second. No key is ever written down. After a crash the halves'
//! keys are read and compared in memory, and the journal tells what was sent last:
//!
//! ```text
//! the new key to the first half, and both had the same before   they differ: the second gets the first one's
//!                                                               they are equal: both get a fresh one
//! the new key to the first half, anything else                  both get a fresh one
//! the new key to the second half                                they differ: the second gets the first one's
//!                                                               they are equal: it is done
//! the old key back to the first half                            they differ: the second gets the first one's
//!                                                               they are equal: both get a fresh one
//! ```

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::contention::error;
use super::progress::StepStatus;
use super::{Changing, End, Failure, Request, Work};
use crate::change::{CopyKey, Object, SetKey, Step};
use crate::cloud::{Error, Id, Region};
use crate::engine::ROUNDS;
use crate::plan::Psk;
use crate::plan::psk::{self, KeyOrigin};

/// One half's connection, and the key it has.
struct Holder {
    region: Region,
    connection: Id,
    key: SecretString,
}

/// What is still to be done.
enum Missing {
    /// Both halves get a fresh key.
    Both,
    /// The second half gets the first one's.
    Second,
    Nothing,
}

impl Changing {
    pub(super) async fn set_key(&self, step: usize, set_key: &SetKey, work: &Work<'_>) -> Result<End, Failure> {
        let first = self.holder(step, &set_key.first, work).await?;
        let second = match &set_key.second {
            Some(connection) => Some(self.holder(step, connection, work).await?),
            None => None,
        };
        let mine = match self.missing(step, &first, second.as_ref()) {
            Missing::Nothing => first.key,
            Missing::Second => {
                if let Some(second) = &second {
                    self.give(step, Request::SecondKey, second, &first.key, work).await?;
                }
                first.key
            }
            Missing::Both => {
                let fresh = match (&self.key, set_key.key) {
                    (Some(given), _) => given.clone(),
                    (None, KeyOrigin::Generated) => Psk::generate(),
                    (None, KeyOrigin::Given) => return Err(Failure::KeyNeeded),
                };
                self.both(step, set_key, &first, second.as_ref(), fresh.secret(), work).await?;
                fresh.secret().clone()
            }
        };
        if set_key.second.is_some() {
            self.progress().answered(step, Request::SecondKey);
            self.note();
        }
        self.see_that_it_stays(step, set_key, &mine, work).await?;
        Ok(End::Changed)
    }

    /// Somebody else may set another key at the same time. What the first half has is right then: a run that finds
    /// that the second has another sets it, and a run that finds another on the first than it has set gives way.
    async fn see_that_it_stays(
        &self,
        step: usize,
        set_key: &SetKey,
        mine: &SecretString,
        work: &Work<'_>,
    ) -> Result<(), Failure> {
        let lost = |what: &str| {
            let text = format!("Somebody else has given {} another key at the same time{what}.", self.change.label);
            error(text, &set_key.first.region)
        };
        let (single, both) = (lost(""), lost("; that one is on both halves now"));
        let unsettled = lost(", and more than once; look at it with osvpn doctor");
        for _ in 0..ROUNDS {
            self.give_successors(step, set_key, mine, work).await?;
            let first = self.holder(step, &set_key.first, work).await?;
            let Some(second) = &set_key.second else {
                if is_same(&first.key, mine) {
                    return Ok(());
                }
                self.progress().reopen(step);
                return Err(single.into());
            };
            let second = self.holder(step, second, work).await?;
            if !is_same(&first.key, &second.key) {
                self.give(step, Request::SecondKey, &second, &first.key, work).await?;
                self.progress().answered(step, Request::SecondKey);
                continue;
            }
            if is_same(&first.key, mine) {
                return Ok(());
            }
            self.progress().reopen(step);
            return Err(both.into());
        }
        Err(unsettled.into())
    }

    /// What somebody else is about to put in place of a connection may have been made with the key that this had before.
    async fn give_successors(
        &self,
        step: usize,
        set_key: &SetKey,
        mine: &SecretString,
        work: &Work<'_>,
    ) -> Result<(), Error> {
        for connection in [Some(&set_key.first), set_key.second.as_ref()].into_iter().flatten() {
            let region = self.steadfast(step, &connection.region, work)?;
            let before = self.present(&connection.id);
            if let Some(id) = self.successor(&before, &region).await?
                && let Ok(key) = region.connection_psk(&id).await
            {
                self.notes().successors.insert(connection.id.clone(), id.clone());
                if !is_same(&key, mine) {
                    let to = Holder { region, connection: id, key };
                    self.give(step, Request::SecondKey, &to, mine, work).await?;
                    self.progress().answered(step, Request::SecondKey);
                }
            }
        }
        Ok(())
    }

    async fn both(
        &self,
        step: usize,
        set_key: &SetKey,
        first: &Holder,
        second: Option<&Holder>,
        fresh: &SecretString,
        work: &Work<'_>,
    ) -> Result<(), Error> {
        let were_equal = second.is_some_and(|second| is_same(&first.key, &second.key));
        self.give(step, Request::FirstKey { were_equal }, first, fresh, work).await?;
        let Some(second) = second else { return Ok(()) };
        self.progress().answered(step, Request::FirstKey { were_equal });
        self.note();
        let Err(mut error) = self.give(step, Request::SecondKey, second, fresh, work).await else { return Ok(()) };
        // Somebody else may have made it again.
        if error.is_gone()
            && let Some(connection) = &set_key.second
            && let Ok(second) = self.holder(step, connection, work).await
        {
            match self.give(step, Request::SecondKey, &second, fresh, work).await {
                Ok(()) => return Ok(()),
                Err(again) => error = again,
            }
        }
        // What is in doubt may have it, and the halves must not end up with different keys.
        if !self.progress().is_in_doubt(step)
            && let Err(back) = self.put_back(step, first, &first.key, work).await
        {
            error.message = format!("{} The first half still has the new key: {back}", error.message);
        }
        Err(error)
    }

    /// Gives the first half back the key that the second has, or does nothing if they have the same, or one is gone.
    pub(super) async fn put_key_back(&self, step: usize, set_key: &SetKey, work: &Work<'_>) -> Result<(), Error> {
        let Some((first, second)) = self.both_holders(step, set_key, work).await? else { return Ok(()) };
        if !is_same(&first.key, &second.key) {
            self.put_back(step, &first, &second.key, work).await?;
        }
        Ok(())
    }

    /// Sees to it once more that both halves have the same key: a request to the first that was lost may have changed
    /// that. What the second has was sent last.
    pub(super) async fn see_that_keys_are_equal(
        &self,
        step: usize,
        set_key: &SetKey,
        work: &Work<'_>,
    ) -> Result<(), Error> {
        let at = Timestamp::now();
        let mut effects = 0;
        match self.both_holders(step, set_key, work).await? {
            None => self.progress().calm(step),
            Some((first, second)) if is_same(&first.key, &second.key) => {}
            Some((first, second)) => {
                first.region.set_connection_psk(&first.connection, &second.key).await?;
                effects = 1;
            }
        }
        self.copy_again(work).await?;
        self.progress().looked(step, at, effects);
        Ok(())
    }

    /// Gives a connection the key of another, which is right: a run that changes the key of any connection between two ends
    /// changes it there first.
    pub(super) async fn copy_key(&self, step: usize, copy_key: &CopyKey, work: &Work<'_>) -> Result<End, Failure> {
        for _ in 0..ROUNDS {
            let CopyKey { from, to } = copy_key;
            let Some((from, to)) = self.present_holders(step, from, to, work).await? else { return Ok(End::Gone) };
            if is_same(&from.key, &to.key) {
                return Ok(End::Changed);
            }
            self.give(step, Request::CopyKey, &to, &from.key, work).await?;
            self.progress().answered(step, Request::CopyKey);
        }
        let text = format!(
            "Somebody else changes the keys of {} and {} at the same time; look at them with osvpn doctor.",
            copy_key.from, copy_key.to
        );
        Err(error(text, &copy_key.to.region).into())
    }

    /// Sees to it once more that a connection has the key of another.
    pub(super) async fn see_that_key_is_copied(
        &self,
        step: usize,
        CopyKey { from, to }: &CopyKey,
        work: &Work<'_>,
    ) -> Result<(), Error> {
        let at = Timestamp::now();
        let mut effects = 0;
        match self.present_holders(step, from, to, work).await? {
            None => self.progress().calm(step),
            Some((from, to)) if is_same(&from.key, &to.key) => {}
            Some((from, to)) => {
                to.region.set_connection_psk(&to.connection, &from.key).await?;
                effects = 1;
            }
        }
        self.progress().looked(step, at, effects);
        Ok(())
    }

    /// The connections that got the key of the VPN are to have it still.
    async fn copy_again(&self, work: &Work<'_>) -> Result<(), Error> {
        for step in 0..self.change.steps().len() {
            if let Step::CopyKey(copy_key) = self.change.steps()[step].clone()
                && self.progress().is_done(step)
            {
                self.see_that_key_is_copied(step, &copy_key, work).await?;
            }
        }
        Ok(())
    }

    async fn put_back(&self, step: usize, first: &Holder, old: &SecretString, work: &Work<'_>) -> Result<(), Error> {
        self.give(step, Request::KeyBack, first, old, work).await?;
        self.progress().reopen(step);
        self.note();
        Ok(())
    }

    fn missing(&self, step: usize, first: &Holder, second: Option<&Holder>) -> Missing {
        let stand = self.progress().stand(step).clone();
        let last = match stand {
            StepStatus::Sent(request, _) | StepStatus::Lost(request) | StepStatus::After(request) => request,
            StepStatus::Open | StepStatus::Stale | StepStatus::Done(_) => return Missing::Both,
        };
        let Some(second) = second else { return Missing::Both };
        // Whatever somebody may have done to it since: only a key that keeps the rule is passed on.
        let is_fit = psk::check(first.key.expose_secret()).is_ok();
        let are_equal = is_same(&first.key, &second.key);
        let is_answered = matches!(stand, StepStatus::After(_));
        match last {
            Request::SecondKey if are_equal => Missing::Nothing,
            Request::FirstKey { .. } if are_equal && is_answered => Missing::Nothing,
            _ if are_equal || !is_fit => Missing::Both,
            Request::FirstKey { were_equal: false } if !is_answered => Missing::Both,
            _ => Missing::Second,
        }
    }

    /// Both halves' connections; none if there are no two, or no two any more.
    async fn both_holders(
        &self,
        step: usize,
        set_key: &SetKey,
        work: &Work<'_>,
    ) -> Result<Option<(Holder, Holder)>, Error> {
        let Some(second) = &set_key.second else { return Ok(None) };
        self.present_holders(step, &set_key.first, second, work).await
    }

    /// Two connections, unless one of them is gone.
    async fn present_holders(
        &self,
        step: usize,
        first: &Object,
        second: &Object,
        work: &Work<'_>,
    ) -> Result<Option<(Holder, Holder)>, Error> {
        let mut both = Vec::new();
        for connection in [first, second] {
            match self.holder(step, connection, work).await {
                Err(error) if error.is_gone() => return Ok(None),
                holder => both.push(holder?),
            }
        }
        Ok(both.pop().and_then(|second| Some((both.pop()?, second))))
    }

    async fn holder(&self, step: usize, connection: &Object, work: &Work<'_>) -> Result<Holder, Error> {
        // Between the halves there is no stopping.
        let region = self.steadfast(step, &connection.region, work)?;
        let key = match region.connection_psk(&self.present(&connection.id)).await {
            Err(error) if error.is_gone() => match self.successor(&connection.id, &region).await? {
                Some(id) => region.connection_psk(&id).await?,
                None => return Err(error),
            },
            key => key?,
        };
        Ok(Holder { region, connection: self.present(&connection.id), key })
    }

    /// Sets the key of one connection. What is lost is read back, and sent again. After an error that leaves no doubt the
    /// step stands where it stood before.
    async fn give(
        &self,
        step: usize,
        request: Request,
        to: &Holder,
        key: &SecretString,
        work: &Work<'_>,
    ) -> Result<(), Error> {
        let never = tokio_util::sync::CancellationToken::new();
        let wish = if matches!(request, Request::FirstKey { .. }) { work.stop } else { &never };
        let id = &to.connection;
        let look = async || {
            let at = Timestamp::now();
            let is_set = is_same(&to.region.connection_psk(id).await?, key);
            self.progress().looked(step, at, usize::from(is_set));
            if !is_set && self.progress().late(step).is_none() {
                self.refused(step);
            }
            Ok(is_set.then_some(()))
        };
        let send = || to.region.set_connection_psk(id, key);
        self.sender(step, request, work, wish).send_until_known(send, look).await
    }
}

fn is_same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}
