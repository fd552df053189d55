//! An operation: the struct is its input, the `impl` says what it is judged by and what its rule is, and one line registers it.

use crate::allowed::{Allowed, Preparing};
use crate::caller::Caller;
use crate::judged::Judged;
use crate::pipeline::{Call, Called, Quick, Runs, Slow, call};
use crate::second_factor::SecondFactor;
use std::marker::PhantomData;
use std::pin::Pin;
use store::StoreError;
use wire::{Failure, Member, Node, Protocol, Shape, Struct};

/// An API of AWS's, or of ours.
pub trait Service: 'static {
    /// The prefix of its actions, and its name in a credential scope.
    const PREFIX: &'static str;
    /// Further names that a credential scope may give it.
    const SCOPES: &'static [&'static str];
    /// How its bytes look.
    const PROTOCOL: Protocol;
    /// What the trail calls it: `iam.amazonaws.com`.
    const SOURCE: &'static str;
    /// Whether it has one endpoint for all regions: `aws:RequestedRegion` is then `us-east-1`, whatever the client signed with.
    const GLOBAL: bool;
    /// The longest body that it reads, in bytes.
    const BODY: usize = 1 << 20;
    /// Its errors, each with AWS's code.
    type Error: Into<Failure> + From<StoreError> + Send;
    /// What a kind of credential may not call, whatever its policies say.
    fn bars(caller: &Caller, operation: &str) -> Option<Failure>;
    /// What it calls a request that breaks its model; most services say it in the words that all share.
    fn misread(failure: Failure) -> Failure {
        failure
    }
}

/// The bytes of a request, and the tree that they were read into.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// In which protocol.
    pub protocol: &'a Protocol,
    /// Its members.
    pub node: &'a Node,
    /// The body as it was sent.
    pub body: &'a [u8],
}

/// What the struct of an operation can be read from.
pub trait Input: Sized + Send + Sync + 'static {
    /// The operation's name.
    const NAME: &'static str;
    /// Its members.
    const MEMBERS: &'static [Member];
    /// Method and path, where the service speaks REST.
    const HTTP: Option<&'static str>;
    /// Reads it; all that is wrong with it comes in one failure.
    fn read(said: Said<'_>) -> Result<Self, Failure>;
}

impl<T: Struct + Send + Sync + 'static> Input for T {
    const NAME: &'static str = <T as Struct>::NAME;
    const MEMBERS: &'static [Member] = <T as Struct>::MEMBERS;
    const HTTP: Option<&'static str> = <T as Struct>::HTTP;
    fn read(said: Said<'_>) -> Result<Self, Failure> {
        wire::input(said.node, said.protocol)
    }
}

/// One operation: the struct is its input.
pub trait Operation: Input {
    /// Whose operation it is.
    type Service: Service;
    /// Whether its rule may write.
    type Access: Runs;
    /// Its answer.
    type Output: Shape + Send;
    /// What AWS refuses in its own words before anyone is asked for permission: an ARN that does not parse. Most operations have nothing.
    fn well_formed(&self) -> Result<(), <Self::Service as Service>::Error> {
        Ok(())
    }
    /// The second factor that this request shows. It is checked, and used up, before the request is judged. Most operations take none.
    fn second_factor(&self) -> Option<SecondFactor<'_, <Self::Service as Service>::Error>> {
        None
    }
    /// What this request is judged by. Pure: it reads the input and the caller, nothing else.
    fn judged_by(&self, caller: &Caller) -> Judged;
    /// The rule. It may run again when its transaction must.
    fn run(
        &self,
        cx: &mut Allowed<'_, Self::Access>,
    ) -> impl Future<Output = Result<Self::Output, <Self::Service as Service>::Error>> + Send;
}

/// An operation with work that is slow or leaves the process (hashing a password, a public-key operation): that is done after a first
/// judgement and before the transaction, in which the judgement is made again.
pub trait SlowOperation: Input {
    /// Whose operation it is.
    type Service: Service;
    /// Whether its rule may write.
    type Access: Runs;
    /// Its answer.
    type Output: Shape + Send;
    /// What the slow work made.
    type Prepared: Send + Sync;
    /// What this request is judged by.
    fn judged_by(&self, caller: &Caller) -> Judged;
    /// The slow work. It sees a snapshot and changes nothing.
    fn prepare(&self, cx: &Preparing<'_>) -> impl Future<Output = Result<Self::Prepared, <Self::Service as Service>::Error>> + Send;
    /// The rule.
    fn run(
        &self,
        prepared: &Self::Prepared,
        cx: &mut Allowed<'_, Self::Access>,
    ) -> impl Future<Output = Result<Self::Output, <Self::Service as Service>::Error>> + Send;
}

type Calling<'a> = Pin<Box<dyn Future<Output = Called> + Send + 'a>>;

/// An operation as the server calls it: its name, its members, and a plain function.
pub struct Handler<S> {
    /// The operation's name.
    pub name: &'static str,
    /// Its members.
    pub members: &'static [Member],
    /// Method and path, where the service speaks REST.
    pub http: Option<&'static str>,
    /// What its answer holds.
    pub output: wire::Kind,
    pub(crate) call: for<'a> fn(Call<'a>) -> Calling<'a>,
    service: PhantomData<fn() -> S>,
}

/// A family of operations of the service `S`.
pub type Operations<S> = &'static [Handler<S>];

/// Registers `O`.
pub const fn handler<O: Operation>() -> Handler<O::Service> {
    Handler {
        name: O::NAME,
        members: O::MEMBERS,
        http: O::HTTP,
        output: <O::Output as Shape>::KIND,
        call: quick::<O>,
        service: PhantomData,
    }
}

/// Registers an operation that prepares.
pub const fn slow_handler<O: SlowOperation>() -> Handler<O::Service> {
    Handler { name: O::NAME, members: O::MEMBERS, http: O::HTTP, output: <O::Output as Shape>::KIND, call: slow::<O>, service: PhantomData }
}

fn quick<O: Operation>(request: Call<'_>) -> Calling<'_> {
    Box::pin(call::<Quick<O>>(request))
}

fn slow<O: SlowOperation>(request: Call<'_>) -> Calling<'_> {
    Box::pin(call::<Slow<O>>(request))
}

/// A service as the door knows it: any service, its type forgotten.
pub struct Api {
    /// See [`Service`].
    pub prefix: &'static str,
    /// Names in a credential scope, the prefix first.
    pub scopes: Vec<&'static str>,
    /// See [`Service`].
    pub protocol: Protocol,
    /// See [`Service`].
    pub source: &'static str,
    /// See [`Service`].
    pub global: bool,
    /// See [`Service::BODY`].
    pub body: usize,
    /// Every operation.
    pub operations: Vec<ApiOperation>,
}

/// An operation of an [`Api`].
pub struct ApiOperation {
    /// Its name.
    pub name: &'static str,
    /// Its members.
    pub members: &'static [Member],
    /// Method and path, where the service speaks REST.
    pub http: Option<&'static str>,
    /// What its answer holds.
    pub output: wire::Kind,
    pub(crate) call: for<'a> fn(Call<'a>) -> Calling<'a>,
}

impl Api {
    /// The service `S` with its families.
    pub fn of<S: Service>(families: &[Operations<S>]) -> Self {
        let mut operations: Vec<ApiOperation> = families
            .iter()
            .flat_map(|family| family.iter())
            .map(|h| ApiOperation { name: h.name, members: h.members, http: h.http, output: h.output, call: h.call })
            .collect();
        operations.sort_by_key(|operation| operation.name);
        let scopes = std::iter::once(S::PREFIX).chain(S::SCOPES.iter().copied()).collect();
        Api { prefix: S::PREFIX, scopes, protocol: S::PROTOCOL, source: S::SOURCE, global: S::GLOBAL, body: S::BODY, operations }
    }

    /// The operation with this name.
    pub fn operation(&self, name: &str) -> Option<&ApiOperation> {
        self.operations.binary_search_by_key(&name, |operation| operation.name).ok().and_then(|at| self.operations.get(at))
    }
}
