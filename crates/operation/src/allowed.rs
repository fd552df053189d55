//! What a rule may touch: the caller, its transaction, the time, and what makes ids and secrets.

use crate::caller::Caller;
use crate::judge::{self, Permit};
use crate::last_used::{LastUsed, Let};
use crate::slow::Busy;
use crate::system::{Limits, System};
use crate::tasks::{Begun, Outliving};
use crate::trail::{self, Seen};
use crate::tries::Tries;
use access::{Access, Answer, Captured, Delegation, Said};
use arn::{AccountId, IdKind, UniqueId};
use audit::Trail;
use identities::{Place, Sealed, SealingError};
use store::{Mode, Read, StoreError, Tx};
use tokio::sync::SemaphorePermit;
use zeroize::Zeroizing;

/// All that a rule may touch. It exists only for a request that was allowed.
pub struct Allowed<'t, M: Mode> {
    /// Who asked.
    pub caller: &'t Caller,
    /// The transaction, in the caller's account.
    pub tx: Tx<M>,
    /// Now, in seconds since the epoch.
    pub now: i64,
    pub(crate) system: &'t System,
    pub(crate) request_id: &'t str,
    pub(crate) permit: Permit,
}

/// One more thing that the caller may or may not do, which changes the answer and not whether there is one.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The action.
    pub action: &'a str,
    /// On what.
    pub resource: &'a str,
    /// Whose that is.
    pub account: AccountId,
}

impl<M: Mode> Allowed<'_, M> {
    /// Whether the caller may do one thing more. A resource of another account has no policy that could allow it.
    pub fn may(&self, asking: Asking<'_>) -> bool {
        judge::may(self.caller, &asking)
    }

    /// Whether the caller may do one thing more; `None` if that depends on what such a request would bring along.
    pub fn could(&self, asking: Asking<'_>) -> Option<bool> {
        judge::could(self.caller, &asking)
    }

    /// Whether all that this request was judged on is of `account`. Where that is not the caller's own, the resource's policy let it.
    pub fn was_judged_on_resources_of(&self, account: AccountId) -> bool {
        self.permit.is_on_resources_of(account)
    }

    /// Whether Bailiwick itself serves the service that a credential scope names.
    pub fn serves(&self, scope: &str) -> bool {
        self.system.served.contains(&scope)
    }

    /// Notes what whoever made a captured request used: the key or role, and each action, whether it was allowed or not.
    pub fn note_uses(&self, answer: &Answer<'_>, checks: &[access::Check<'_>]) {
        let Some((caller, presented)) = &answer.caller else { return };
        let used = Let { service: presented.scope.service, region: presented.scope.region, at: self.now };
        self.system.last_used.let_in(&answer.standing, &caller.credential, &used);
        self.note_tried(answer, checks, presented.scope.region);
    }

    /// Notes each action that another server asks about, for whoever showed it a credential.
    pub fn note_tried(&self, answer: &Answer<'_>, checks: &[access::Check<'_>], region: &str) {
        for (service, action) in checks.iter().filter_map(|check| check.action.split_once(':')) {
            self.system.last_used.tried(&answer.standing, action, &Let { service, region, at: self.now });
        }
    }

    /// Records what was decided for another server: one event for each check, with the delegation that came of it.
    pub fn record_answer(
        &self,
        captured: &Captured<'_>,
        answer: &Answer<'_>,
        checks: &[access::Check<'_>],
        delegation: Option<&Delegation>,
    ) -> Result<(), StoreError> {
        trail::foreign(&self.asker(), captured, answer, checks, delegation)
    }

    /// Records that a request which another server captured was not let in.
    pub fn record_refused(&self, captured: &Captured<'_>, said: &Said) -> Result<(), StoreError> {
        trail::foreign_refused(&self.asker(), &Seen::in_request(captured), said)
    }

    /// Records what was decided about whoever showed another server a credential: one event for each check, and one where there was none.
    pub fn record_verified(
        &self,
        seen: &Seen<'_>,
        credential: &str,
        answer: &Answer<'_>,
        checks: &[access::Check<'_>],
    ) -> Result<(), StoreError> {
        trail::verified(&self.asker(), seen, (answer, credential), checks)
    }

    /// Records that a credential which another server was shown is not good.
    pub fn record_unverified(&self, seen: &Seen<'_>, said: &Said) -> Result<(), StoreError> {
        trail::foreign_refused(&self.asker(), seen, said)
    }

    fn asker(&self) -> trail::Asker<'_> {
        trail::Asker { system: self.system, caller: self.caller, request_id: self.request_id }
    }

    /// A new unique id.
    pub fn new_id(&self, kind: IdKind) -> Result<UniqueId, SealingError> {
        let mut entropy = [0; 11];
        self.system.access.entropy.fill(&mut entropy)?;
        Ok(UniqueId::from_entropy(kind, entropy))
    }

    /// A new random UUID.
    pub fn new_uuid(&self) -> Result<String, SealingError> {
        let mut entropy = [0; 16];
        self.system.access.entropy.fill(&mut entropy)?;
        Ok(audit::EventId::from_entropy(entropy).to_string())
    }

    /// A new secret access key: 40 characters.
    pub fn new_secret(&self) -> Result<Zeroizing<String>, SealingError> {
        self.system.new_secret()
    }

    /// Random bits.
    pub fn chance(&self) -> Result<u64, SealingError> {
        let mut entropy = [0; 8];
        self.system.access.entropy.fill(&mut entropy)?;
        Ok(u64::from_be_bytes(entropy))
    }

    /// A secret, sealed for the record at `place`.
    pub fn seal(&self, place: &Place<'_>, secret: &[u8]) -> Result<Sealed, SealingError> {
        self.system.access.keyring.seal(place, secret, self.system.access.entropy.as_ref())
    }

    /// The data plane: for those operations that ask or issue what it knows.
    pub fn access(&self) -> &Access {
        &self.system.access
    }

    /// What was decided so far.
    pub fn trail(&self) -> &Trail {
        &self.system.trail
    }

    /// The place of the one question that reads the whole trail, or all policies; `None` while another has it.
    pub fn one_at_a_time(&self) -> Option<SemaphorePermit<'_>> {
        self.system.reading.try_acquire().ok()
    }

    /// The operator's limits.
    pub fn limits(&self) -> &Limits {
        &self.system.limits
    }

    /// Wrong codes of MFA devices.
    pub fn tries(&self) -> &Tries {
        &self.system.tries
    }

    /// Begins work that outlives this request, unless work of this name is not done yet.
    pub fn outlive<F>(&self, name: &str, work: impl FnOnce(Outliving) -> F) -> Result<Begun, Busy>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let System { access, last_used, tasks, .. } = self.system;
        tasks.begin(name, work(Outliving { access: access.clone(), last_used: last_used.clone() }))
    }

    /// Whether work of this name is not done yet.
    pub fn is_running(&self, name: &str) -> bool {
        self.system.tasks.is_running(name)
    }

    /// When credentials were last used.
    pub fn last_used(&self) -> &LastUsed {
        &self.system.last_used
    }
}

/// What slow work may touch, before the transaction.
pub struct Preparing<'t> {
    /// Who asked.
    pub caller: &'t Caller,
    /// A snapshot, in the caller's account.
    pub tx: Tx<Read>,
    /// Now, in seconds since the epoch.
    pub now: i64,
    pub(crate) system: &'t System,
    pub(crate) _permit: Permit,
}

impl Preparing<'_> {
    /// Runs slow work where it blocks nobody. The snapshot is given back first: whoever waits here holds nothing that others need.
    pub async fn slow<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        self.tx.pause();
        self.system.slow.run(work).await
    }

    /// The data plane: for slow work that needs its keys or its chance.
    pub fn access(&self) -> &Access {
        &self.system.access
    }

    /// Fills `out` with bytes that nobody can guess.
    pub fn chance(&self, out: &mut [u8]) -> Result<(), SealingError> {
        Ok(self.system.access.entropy.fill(out)?)
    }
}
