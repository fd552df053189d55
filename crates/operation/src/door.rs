//! Bytes in, bytes out: which service and operation a request is for, whose it is, and the reply in the protocol's words.

use crate::caller::{Caller, Origin};
use crate::last_used::Let;
use crate::operation::{Api, ApiOperation, Said};
use crate::pipeline::Call;
use crate::system::System;
use crate::trail;
use access::{Authenticated, Dialect, Refused};
use audit::{Event, EventType, UserIdentity};
use sigv4::{Body, Presented};
use std::net::IpAddr;
use std::sync::Arc;
use wire::{Answer, Common, Failure, Form, Node, Protocol, Reply};

/// A request as it came.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// `GET`, `POST` …
    pub method: &'a str,
    /// Path and query, byte for byte.
    pub uri: &'a str,
    /// All headers, in their order.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The whole body.
    pub body: &'a [u8],
    /// The other end.
    pub address: Option<IpAddr>,
    /// Whether it came over TLS.
    pub secure: bool,
}

impl<'a> Incoming<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    fn path(&self) -> &'a str {
        self.uri.split_once('?').map_or(self.uri, |(path, _)| path)
    }

    fn query(&self) -> &'a str {
        self.uri.split_once('?').map_or("", |(_, query)| query)
    }
}

/// The door of one node: every API that it serves.
pub struct Door {
    system: Arc<System>,
    apis: Vec<&'static Api>,
    served: Vec<wire::route::Served>,
}

/// What the bytes of a request ask for.
struct Asked {
    operation: Option<&'static ApiOperation>,
    name: String,
    version: String,
    node: Node,
}

/// The longest body that is read before it is known who sent it, in bytes: what its event says is worth that much.
const READ_FOR_STRANGERS: usize = 1 << 16;

/// What is said of a request that asks for nothing that there is, in the words of the protocol that most clients here speak.
const QUERY: Protocol = Protocol::Query { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/", repeats: false };

impl Door {
    /// A door to `apis`. They live as long as the process: handlers are found without counting references.
    pub fn new(system: Arc<System>, apis: Vec<Api>) -> Self {
        let apis: Vec<&'static Api> = apis.into_iter().map(|api| &*Box::leak(Box::new(api))).collect();
        let served = apis
            .iter()
            .map(|api| {
                let paths: Vec<&'static str> = api.operations.iter().filter_map(|operation| operation.http).collect();
                wire::route::Served {
                    name: api.prefix,
                    scopes: &api.scopes,
                    protocol: api.protocol,
                    paths: Box::leak(paths.into_boxed_slice()),
                }
            })
            .collect();
        Door { system, apis, served }
    }

    /// Whether a service of this name, as credential scopes say it, is served here.
    pub fn serves(&self, scope: &str) -> bool {
        self.apis.iter().any(|api| api.scopes.contains(&scope))
    }

    /// How long the body of a request may be that comes with this head: its service knows. Whose the request is, is not known yet.
    pub fn body_limit(&self, head: Incoming<'_>) -> usize {
        let presented = sigv4::read(&sigv4::Request { method: head.method, uri: head.uri, headers: head.headers });
        let scope = presented.as_ref().ok().and_then(Option::as_ref).map(|presented| presented.scope.service);
        let api = scope.and_then(|scope| self.route(&head, Some(scope)));
        api.map_or(wire::query::Limits::default().bytes, |api| api.body)
    }

    /// Answers a request. It always does: what goes wrong inside is an error of the protocol too.
    pub async fn answer(&self, incoming: Incoming<'_>) -> Reply {
        let chance = self.system.access.entropy.public_id();
        let request_id = audit::EventId::from_entropy(chance.unwrap_or_default()).to_string();
        let form = Form::asked(incoming.header("accept"));
        let signed = sigv4::Request { method: incoming.method, uri: incoming.uri, headers: incoming.headers };
        let presented = sigv4::read(&signed);
        let scope = presented.as_ref().ok().and_then(Option::as_ref).map(|presented| presented.scope.service);
        let api = self.route(&incoming, scope);
        let protocol = api.map_or(&QUERY, |api| &api.protocol);
        let answer = Answer { protocol, form, request_id: &request_id };
        if chance.is_err() {
            return answer.failure(&Common::Internal.failure(protocol));
        }
        let served = self.serve(&incoming, &signed, presented, api, &request_id).await;
        match served {
            Ok((operation, output)) => answer.reply(operation, &output),
            Err(failure) => answer.failure(&failure),
        }
    }

    /// The reply to a request that the HTTP layer could not let in.
    pub fn refuse(&self, incoming: Incoming<'_>, status: u16, words: &str) -> Reply {
        let request_id = match self.system.access.entropy.public_id() {
            Ok(id) => audit::EventId::from_entropy(id).to_string(),
            Err(_) => String::from("00000000-0000-0000-0000-000000000000"),
        };
        let protocol = self.route(&incoming, None).map_or(&QUERY, |api| &api.protocol);
        let common = match status {
            413 => Common::TooLarge,
            503 => Common::Unavailable,
            500 => Common::Internal,
            _ => Common::MalformedRequest,
        };
        let mut failure = common.says(protocol, words);
        failure.status = status;
        Answer { protocol, form: Form::asked(incoming.header("accept")), request_id: &request_id }.failure(&failure)
    }

    fn route(&self, incoming: &Incoming<'_>, scope: Option<&str>) -> Option<&'static Api> {
        let version = if scope.is_none() { version_of(incoming) } else { None };
        let seen = wire::route::Seen {
            scope,
            target: incoming.header("x-amz-target"),
            method: incoming.method,
            path: incoming.path(),
            uri_query: incoming.query(),
            version: version.as_deref(),
        };
        let at = wire::route::service(&self.served, &seen).ok()?;
        self.apis.get(at).copied()
    }

    async fn serve(
        &self,
        incoming: &Incoming<'_>,
        signed: &sigv4::Request<'_>,
        presented: Result<Option<Presented<'_>>, sigv4::Reason>,
        api: Option<&'static Api>,
        request_id: &str,
    ) -> Result<(&'static str, Node), Failure> {
        let protocol = api.map_or(&QUERY, |api| &api.protocol);
        wire::refuse_encoding(incoming.header("content-encoding")).map_err(|malformed| malformed.failure(protocol))?;
        // A long body is read only for whom it is known that it is theirs: a stranger must not make much work.
        let early = (incoming.body.len() <= READ_FOR_STRANGERS).then(|| self.read(incoming, api));
        let origin = Origin {
            address: incoming.address,
            secure: incoming.secure,
            user_agent: incoming.header("user-agent").map(Into::into),
            referer: incoming.header("referer").map(Into::into),
            region: presented.as_ref().ok().and_then(Option::as_ref).map_or("us-east-1", |presented| presented.scope.region).into(),
            now: self.system.access.clock.now(),
        };
        let known = match self.let_in(incoming, signed, presented, api).await {
            Ok(known) => known,
            Err(refused) => {
                let said = refused.said(Dialect::of(protocol));
                let failure = Failure::new(said.status, said.code, said.message.into_owned());
                let asked = early.as_ref().and_then(|asked| asked.as_ref().ok());
                self.record_stranger(&origin, api, asked, &failure, request_id);
                return Err(failure);
            }
        };
        let asked = early.unwrap_or_else(|| self.read(incoming, api)).map_err(|malformed| malformed.failure(protocol))?;
        // Whoever is in no account calls nothing here.
        let caller = Caller::new(known, origin).ok_or_else(|| Common::Denied.failure(protocol))?;
        let Some((api, operation)) = api.zip(asked.operation) else {
            return Err(Common::no_operation(protocol, &asked.name, &asked.version));
        };
        self.note_use(&caller, api, operation);
        let call = Call {
            system: &self.system,
            caller: &caller,
            said: Said { protocol: &api.protocol, node: &asked.node, body: incoming.body },
            request_id,
            prefix: api.prefix,
            source: api.source,
            global: api.global,
            protocol: &api.protocol,
        };
        (operation.call)(call).await.output.map(|output| (operation.name, output))
    }

    /// Finds the operation, and reads its input into a tree.
    fn read(&self, incoming: &Incoming<'_>, api: Option<&'static Api>) -> Result<Asked, wire::Malformed> {
        let limits = wire::query::Limits::default();
        let limits = wire::query::Limits { bytes: api.map_or(limits.bytes, |api| api.body), ..limits };
        let nothing = |name: &str| Asked { operation: None, name: name.to_owned(), version: String::new(), node: Node::Absent };
        match api.map(|api| (api, api.protocol)) {
            None | Some((_, Protocol::Query { .. })) => {
                let body = if wire::query::is_form(incoming.header("content-type")) { incoming.body } else { &[] };
                let call = wire::query::read(incoming.query(), body, &limits)?;
                let fits = |api: &&Api| matches!(api.protocol, Protocol::Query { version, .. } if version == call.version());
                let operation = api.filter(fits).and_then(|api| api.operation(&call.action));
                Ok(Asked { operation, version: call.version().to_owned(), name: call.action, node: call.input })
            }
            Some((api, Protocol::Json { .. })) => {
                let target = incoming.header("x-amz-target").unwrap_or_default();
                let name = wire::route::operation_of_target(&api.protocol, target).unwrap_or_default();
                let Some(operation) = api.operation(name) else { return Ok(nothing(name)) };
                let node = wire::json::read(incoming.body, limits.bytes)?;
                Ok(Asked { operation: Some(operation), name: name.to_owned(), version: String::new(), node })
            }
            Some((api, Protocol::RestJson)) => {
                let rest: Vec<_> = api.operations.iter().filter_map(|operation| Some((operation, operation.http?))).collect();
                let found = wire::rest::find(rest.iter().map(|(_, http)| *http), incoming.method, incoming.path(), incoming.query());
                let Some((at, labels)) = found else { return Ok(nothing(incoming.path())) };
                let Some((operation, _)) = rest.get(at) else { return Ok(nothing(incoming.path())) };
                // An input without members that are known here reads the body itself: see `Input::read`.
                let node = match operation.members {
                    [] => Node::Absent,
                    _ => wire::rest::read(labels, incoming.query(), incoming.body, &limits)?,
                };
                Ok(Asked { operation: Some(operation), name: operation.name.to_owned(), version: String::new(), node })
            }
        }
    }

    async fn let_in<'a>(
        &self,
        incoming: &Incoming<'_>,
        signed: &sigv4::Request<'a>,
        presented: Result<Option<Presented<'a>>, sigv4::Reason>,
        api: Option<&'static Api>,
    ) -> Result<Authenticated<'a>, Refused> {
        let presented = presented?.ok_or(Refused::Unsigned)?;
        if api.is_none() {
            let expected = self.apis.first().map_or("iam", |api| api.prefix);
            presented.scope.require_service(expected)?;
            return Err(Refused::UnknownKey);
        }
        self.system.access.authenticate(signed, &presented, Body::Bytes(incoming.body)).await
    }

    fn note_use(&self, caller: &Caller, api: &Api, operation: &ApiOperation) {
        let region = if api.global { "us-east-1" } else { &caller.origin.region };
        let used = Let { service: api.prefix, region, at: caller.origin.now };
        self.system.last_used.let_in(&caller.standing, &caller.credential, &used);
        self.system.last_used.tried(&caller.standing, operation.name, &used);
    }

    /// Whoever is not let in can ask as often as they like: beyond some a second, they are counted only.
    fn record_stranger(&self, origin: &Origin, api: Option<&Api>, asked: Option<&Asked>, failure: &Failure, request_id: &str) {
        if origin.address.is_some_and(|address| !self.system.trail.unauthenticated(address)) {
            return;
        }
        let address = trail::address(origin.address);
        let event_id = match trail::event_id(&self.system) {
            Ok(id) => id,
            Err(error) => return tracing::error!(error = &error as &dyn std::error::Error, "an event cannot be recorded"),
        };
        let event = Event {
            identity: UserIdentity::Unknown { account: None, access_key_id: None },
            at: origin.now,
            source: api.map_or("bailiwick", |api| api.source),
            name: asked.and_then(|asked| asked.operation).map_or("Unknown", |operation| operation.name),
            region: &origin.region,
            source_address: &address,
            user_agent: origin.user_agent.as_deref(),
            error: Some((&*failure.code, strangers_words(failure))),
            request: None,
            response: None,
            additional: &[],
            recorded: None,
            request_id,
            event_id,
            read_only: true,
            resources: &[],
            event_type: EventType::ApiCall,
            recipient: None,
            shared_id: None,
            tls: None,
        };
        self.system.trail.note(event.line());
    }
}

/// A refusal's words repeat what the stranger sent, a token in a canonical request among it: the trail keeps the first sentence.
fn strangers_words(failure: &Failure) -> &str {
    failure.message.split_once('\n').map_or(failure.message.as_str(), |(first, _)| first)
}

/// `Version` of an unsigned Query request, to tell its service by.
fn version_of(incoming: &Incoming<'_>) -> Option<String> {
    let is_read = wire::query::is_form(incoming.header("content-type")) && incoming.body.len() <= READ_FOR_STRANGERS;
    let body = if is_read { incoming.body } else { &[] };
    wire::query::read(incoming.query(), body, &wire::query::Limits::default()).ok()?.version
}
