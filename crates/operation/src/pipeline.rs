//! The order of steps, once for all operations: read, judge, prepare, judge again inside the transaction, run, record, commit.

use crate::allowed::{Allowed, Preparing};
use crate::caller::Caller;
use crate::judge::{Judgement, Subject, judge, unavailable};
use crate::judged::Judged;
use crate::operation::{Input, Operation, Said, Service, SlowOperation};
use crate::second_factor::{self, SecondFactor};
use crate::system::System;
use crate::trail::{Entry, recorded};
use std::marker::PhantomData;
use std::sync::Arc;
use store::{Done, Mode, Read, Store, StoreError, Tx, Who, Write};
use wire::{Common, Failure, Node, Protocol, Shape};

/// One authenticated request to an operation.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub system: &'a System,
    pub caller: &'a Caller,
    pub said: Said<'a>,
    pub request_id: &'a str,
    pub prefix: &'static str,
    pub source: &'static str,
    pub global: bool,
    pub protocol: &'static Protocol,
}

/// What came of it.
pub(crate) struct Called {
    pub output: Result<Node, Failure>,
}

/// The steps of an operation, whether it prepares or not.
pub(crate) trait Steps: Send + Sync + 'static {
    type Input: Input;
    type Service: Service;
    type Access: Runs;
    type Output: Shape + Send;
    type Prepared: Send + Sync;
    const PREPARES: bool;
    fn well_formed(input: &Self::Input) -> Result<(), Failure>;
    fn second_factor(input: &Self::Input) -> Option<SecondFactor<'_, <Self::Service as Service>::Error>>;
    fn judged_by(input: &Self::Input, caller: &Caller) -> Judged;
    fn prepare(input: &Self::Input, cx: Option<Preparing<'_>>) -> impl Future<Output = Result<Self::Prepared, Failure>> + Send;
    fn run(
        input: &Self::Input,
        prepared: &Self::Prepared,
        cx: &mut Allowed<'_, Self::Access>,
    ) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

/// An operation without slow work.
pub(crate) struct Quick<O>(PhantomData<fn() -> O>);

impl<O: Operation> Steps for Quick<O> {
    type Input = O;
    type Service = O::Service;
    type Access = O::Access;
    type Output = O::Output;
    type Prepared = ();
    const PREPARES: bool = false;
    fn well_formed(input: &O) -> Result<(), Failure> {
        input.well_formed().map_err(Into::into)
    }
    fn second_factor(input: &O) -> Option<SecondFactor<'_, <O::Service as Service>::Error>> {
        input.second_factor()
    }
    fn judged_by(input: &O, caller: &Caller) -> Judged {
        input.judged_by(caller)
    }
    async fn prepare(_: &O, _: Option<Preparing<'_>>) -> Result<(), Failure> {
        Ok(())
    }
    async fn run(input: &O, (): &(), cx: &mut Allowed<'_, O::Access>) -> Result<O::Output, Failure> {
        input.run(cx).await.map_err(Into::into)
    }
}

/// An operation with slow work.
pub(crate) struct Slow<O>(PhantomData<fn() -> O>);

impl<O: SlowOperation> Steps for Slow<O> {
    type Input = O;
    type Service = O::Service;
    type Access = O::Access;
    type Output = O::Output;
    type Prepared = O::Prepared;
    const PREPARES: bool = true;
    fn well_formed(_: &O) -> Result<(), Failure> {
        Ok(())
    }
    fn second_factor(_: &O) -> Option<SecondFactor<'_, <O::Service as Service>::Error>> {
        None
    }
    fn judged_by(input: &O, caller: &Caller) -> Judged {
        input.judged_by(caller)
    }
    async fn prepare(input: &O, cx: Option<Preparing<'_>>) -> Result<O::Prepared, Failure> {
        match cx {
            Some(cx) => input.prepare(&cx).await.map_err(Into::into),
            None => Err(Common::Internal.failure(&<O::Service as Service>::PROTOCOL)),
        }
    }
    async fn run(input: &O, prepared: &O::Prepared, cx: &mut Allowed<'_, O::Access>) -> Result<O::Output, Failure> {
        input.run(prepared, cx).await.map_err(Into::into)
    }
}

/// How a mode runs a rule, and whether what it did can be recorded in its transaction.
pub trait Runs: Mode {
    /// Whether it writes.
    const WRITES: bool;
    /// Runs `rule` in a transaction.
    fn transact<T: Send, E: From<StoreError> + Send, F: Future<Output = Result<T, E>> + Send>(
        store: &Store,
        who: &Who,
        rule: impl Fn(Tx<Self>) -> F + Send,
    ) -> impl Future<Output = Result<Done<T>, E>> + Send
    where
        Self: Sized;
    /// Puts an event into the transaction, if it is one that writes.
    fn event(tx: &Tx<Self>, text: &str) -> impl Future<Output = Result<(), StoreError>> + Send
    where
        Self: Sized;
}

impl Runs for Read {
    const WRITES: bool = false;
    async fn transact<T: Send, E: From<StoreError> + Send, F: Future<Output = Result<T, E>> + Send>(
        store: &Store,
        who: &Who,
        rule: impl Fn(Tx<Self>) -> F + Send,
    ) -> Result<Done<T>, E> {
        let value = store.read(&who.account, rule).await?;
        Ok(Done { value, revision: 0, events: Vec::new() })
    }
    async fn event(_: &Tx<Self>, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Runs for Write {
    const WRITES: bool = true;
    async fn transact<T: Send, E: From<StoreError> + Send, F: Future<Output = Result<T, E>> + Send>(
        store: &Store,
        who: &Who,
        rule: impl Fn(Tx<Self>) -> F + Send,
    ) -> Result<Done<T>, E> {
        store.write(who, rule).await
    }
    async fn event(tx: &Tx<Self>, text: &str) -> Result<(), StoreError> {
        tx.event(text).await.map(drop)
    }
}

/// A rule that did not come to its end, with what it was judged by.
struct Stopped {
    failure: Option<Failure>,
    judgement: Judgement,
    store: Option<StoreError>,
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Stopped { failure: None, judgement: Judgement::default(), store: Some(error) }
    }
}

/// Runs one request through the steps of its operation.
pub(crate) async fn call<S: Steps>(call: Call<'_>) -> Called {
    let Call { system, caller, said, request_id, .. } = call;
    let entry = Entry { call: &call, name: S::Input::NAME, members: S::Input::MEMBERS, writes: S::Access::WRITES };
    let input = match S::Input::read(said) {
        Ok(input) => input,
        Err(failure) => return refused(&entry, S::Service::misread(failure), Judgement::default(), 0),
    };
    if let Some(failure) = S::Service::bars(caller, S::Input::NAME) {
        return refused(&entry, failure, Judgement::default(), 0);
    }
    if let Err(failure) = S::well_formed(&input) {
        return refused(&entry, failure, Judgement::default(), 0);
    }
    if S::Access::WRITES && !system.trail.ready_for_writes() {
        return Called { output: Err(Common::Unavailable.failure(call.protocol)) };
    }
    // The second factor belongs to who asks: policies are asked with it.
    let showed = match S::second_factor(&input) {
        None => None,
        Some(SecondFactor { serial, code, refused: says }) => match second_factor::check(system, caller, serial, code).await {
            Ok(at) => Some(Caller { second_factor: Some(at), ..caller.clone() }),
            Err(not_shown) => return refused(&entry, says(not_shown).into(), Judgement::default(), 0),
        },
    };
    let (caller, call) = match &showed {
        Some(caller) => (caller, Call { caller, ..call }),
        None => (caller, call),
    };
    let revision = match system.access.store.revision().await {
        Ok(revision) => revision,
        Err(error) => return refused(&entry, unavailable(&error, call.protocol), Judgement::default(), 0),
    };
    let subject = Subject { prefix: call.prefix, name: S::Input::NAME, global: call.global, protocol: call.protocol };
    let prepared = match prepare::<S>(&call, subject, &input).await {
        Ok(prepared) => prepared,
        Err(stopped) => return stopped.refused(&entry, revision),
    };
    // What reads leaves no name behind.
    let name = if S::Access::WRITES { caller.arn.to_string() } else { String::new() };
    let who = Who { account: caller.account.to_string(), caller: name, at_millis: system.access.clock.now_millis() };
    let (input, prepared) = (&input, &prepared);
    let done = S::Access::transact(&system.access.store, &who, |tx| {
        let entry = &entry;
        async move {
            let mut judgement = Judgement::default();
            // Whoever waited for this turn may have been revoked meanwhile.
            let changed = refreshed(system, caller, entry.call.protocol).await?;
            let caller = changed.as_ref().unwrap_or(caller);
            let judged = judge(system, caller, subject, S::judged_by(input, caller), &tx.reading(), &mut judgement).await;
            let permit = match judged {
                Ok(permit) => permit,
                Err(failure) => return Err(Stopped { failure: Some(failure), judgement, store: None }),
            };
            let mut cx = Allowed { caller, tx, now: caller.origin.now, system, request_id, permit };
            match S::run(input, prepared, &mut cx).await {
                Ok(output) => {
                    let output = output.write();
                    let crossing = entry.crossing(&judgement)?;
                    let text = entry.text(Ok(&output), recorded(&judgement, revision, caller).as_ref(), crossing)?;
                    if let Some(crossing) = crossing {
                        system.trail.note(entry.other_side(&output, crossing)?);
                    }
                    S::Access::event(&cx.tx, &text).await?;
                    Ok((output, text))
                }
                Err(failure) => Err(Stopped { failure: Some(failure), judgement, store: None }),
            }
        }
    })
    .await;
    match done {
        Ok(Done { value: (output, text), events, .. }) => {
            match events.as_slice() {
                [] => system.trail.note(&text),
                // The event is durable in the store; a file that does not take it now gets it later, and no write is let in until then.
                events => {
                    for event in events {
                        if let Err(error) = system.trail.write_through(*event, &text) {
                            tracing::error!(error = &error as &dyn std::error::Error, "the audit trail cannot be written");
                        }
                    }
                }
            }
            Called { output: Ok(output) }
        }
        Err(stopped) => stopped.refused(&entry, revision),
    }
}

/// The caller as it stands now, if that is not as it was when it was let in.
async fn refreshed(system: &System, caller: &Caller, protocol: &Protocol) -> Result<Option<Caller>, Stopped> {
    match system.access.refresh(&caller.credential).await {
        Ok(standing) if Arc::ptr_eq(&standing, &caller.standing) => Ok(None),
        Ok(standing) => Ok(Some(Caller { standing, ..caller.clone() })),
        Err(refused) => {
            let said = refused.said(access::Dialect::of(protocol));
            let failure = Failure::new(said.status, said.code, said.message.into_owned());
            Err(Stopped { failure: Some(failure), judgement: Judgement::default(), store: None })
        }
    }
}

/// Slow work, on a snapshot, after a judgement that is made again later.
async fn prepare<S: Steps>(call: &Call<'_>, subject: Subject, input: &S::Input) -> Result<S::Prepared, Stopped> {
    let Call { system, caller, .. } = *call;
    if !S::PREPARES {
        return S::prepare(input, None).await.map_err(|failure| Stopped {
            failure: Some(failure),
            judgement: Judgement::default(),
            store: None,
        });
    }
    let account = caller.account.to_string();
    system
        .access
        .store
        .read(&account, |tx| async move {
            let mut judgement = Judgement::default();
            let stop = |failure, judgement| Stopped { failure: Some(failure), judgement, store: None };
            match judge(system, caller, subject, S::judged_by(input, caller), &tx, &mut judgement).await {
                Ok(permit) => {
                    let cx = Preparing { caller, tx, now: caller.origin.now, system, _permit: permit };
                    S::prepare(input, Some(cx)).await.map_err(|failure| stop(failure, judgement))
                }
                Err(failure) => Err(stop(failure, judgement)),
            }
        })
        .await
}

impl Stopped {
    fn refused(self, entry: &Entry<'_>, revision: i64) -> Called {
        let failure = match (self.failure, self.store) {
            (Some(failure), _) => failure,
            (None, Some(error)) => unavailable(&error, entry.call.protocol),
            (None, None) => Common::Internal.failure(entry.call.protocol),
        };
        refused(entry, failure, self.judgement, revision)
    }
}

/// A refusal is recorded like a read: nothing was written that it could be part of.
fn refused(entry: &Entry<'_>, failure: Failure, judgement: Judgement, revision: i64) -> Called {
    match entry.text(Err(&failure), recorded(&judgement, revision, entry.call.caller).as_ref(), None) {
        Ok(text) => entry.call.system.trail.note(&text),
        Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "an event cannot be recorded"),
    }
    Called { output: Err(failure) }
}
