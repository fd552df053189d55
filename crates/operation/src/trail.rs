//! What the trail keeps of a call: CloudTrail's record, with what the decision rested on.

use crate::caller::Caller;
use crate::judge::Judgement;
use crate::pipeline::Call;
use crate::system::System;
use access::{Answer, Captured, Check, Delegation, Entity, Said, Session, SessionOf, Standing};
use audit::{Attributes, Event, EventId, EventType, Issuer, Object, Recorded, UserIdentity, Value};
use std::borrow::Cow;
use std::net::IpAddr;
use store::StoreError;
use wire::{Failure, Kind, Member, Node};

/// A call that is to be recorded.
pub(crate) struct Entry<'a> {
    pub call: &'a Call<'a>,
    pub name: &'static str,
    pub members: &'static [Member],
    pub writes: bool,
}

/// A call that crossed into another account has an event in each, with one id that both share.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html#cloudtrail-integration_signin-crossaccount>.
#[derive(Clone, Copy)]
pub(crate) struct Crossing {
    pub account: arn::AccountId,
    shared: EventId,
}

impl Entry<'_> {
    /// Where the call went, if it was a role of another account that was taken on.
    pub(crate) fn crossing(&self, judgement: &Judgement) -> Result<Option<Crossing>, StoreError> {
        // A service is in no account, so it leaves none.
        if self.call.caller.service().is_some() {
            return Ok(None);
        }
        let own = self.call.caller.account;
        let other = judgement.checks.iter().filter_map(|check| check.resource_account).find(|account| *account != own);
        match other.filter(|_| self.name.starts_with("AssumeRole")) {
            Some(account) => Ok(Some(Crossing { account, shared: event_id(self.call.system)? })),
            None => Ok(None),
        }
    }

    /// The event in the account that was crossed into: of the caller it tells no name.
    pub(crate) fn other_side(&self, output: &Node, crossing: Crossing) -> Result<String, StoreError> {
        let Call { caller, .. } = *self.call;
        let principal_id = caller.standing.user_id.as_str();
        self.event(Ok(output), UserIdentity::AwsAccount { principal_id, account: caller.account }, None, Some((crossing.account, crossing)))
    }

    /// The record's line. With no chance to give there is no event id, and the call fails.
    pub(crate) fn text(
        &self,
        output: Result<&Node, &Failure>,
        recorded: Option<&Recorded<'_>>,
        crossing: Option<Crossing>,
    ) -> Result<String, StoreError> {
        let caller = self.call.caller;
        let identity = identity(caller);
        self.event(output, identity, recorded, crossing.map(|crossing| (caller.account, crossing)))
    }

    fn event(
        &self,
        output: Result<&Node, &Failure>,
        identity: UserIdentity<'_>,
        recorded: Option<&Recorded<'_>>,
        crossing: Option<(arn::AccountId, Crossing)>,
    ) -> Result<String, StoreError> {
        let Call { system, caller, said, request_id, source, global, .. } = *self.call;
        let request = |object: &mut Object<'_>| members(object, said.node, self.members);
        let response = |object: &mut Object<'_>| {
            if let Ok(node) = output {
                members(object, node, &[]);
            }
        };
        let client = address(caller.origin.address);
        // CloudTrail shows the service in the place of its address.
        let service = caller.calling_service().map(identities::ServiceName::as_str);
        let additional = [("clientAddress", &*client)];
        let role = recorded.and_then(|recorded| recorded.checks.first()?.resource_account).filter(|_| self.name.starts_with("AssumeRole"));
        let own = role.filter(|_| caller.service().is_some()).unwrap_or(caller.account);
        let event = Event {
            identity,
            at: caller.origin.now,
            source,
            name: self.name,
            region: if global { "us-east-1" } else { &caller.origin.region },
            source_address: service.unwrap_or(&client),
            user_agent: service.or(caller.origin.user_agent.as_deref()),
            error: output.as_ref().err().map(|failure| (&*failure.code, failure.message.as_str())),
            request: has_members(said.node).then_some(&request),
            response: (output.is_ok_and(has_members) && self.answers()).then_some(&response),
            additional: if service.is_some() { &additional } else { &[] },
            recorded,
            request_id,
            event_id: event_id(system)?,
            read_only: !self.writes,
            resources: &[],
            event_type: EventType::ApiCall,
            recipient: Some(crossing.map_or(own, |(recipient, _)| recipient)),
            shared_id: crossing.map(|(_, crossing)| crossing.shared),
            tls: None,
        };
        Ok(event.text())
    }

    /// CloudTrail shows what a write answered, and of reads only what issued something.
    fn answers(&self) -> bool {
        self.writes || self.name.starts_with("Assume") || matches!(self.name, "GetSessionToken" | "GetFederationToken")
    }
}

/// A new event id.
pub(crate) fn event_id(system: &System) -> Result<EventId, StoreError> {
    let id = system.access.entropy.public_id().map_err(|error| StoreError::Failed(Box::new(error)))?;
    Ok(EventId::from_entropy(id))
}

/// What a decision rested on; nothing, where none was made.
pub(crate) fn recorded<'a>(judgement: &'a Judgement, revision: i64, caller: &'a Caller) -> Option<Recorded<'a>> {
    let (outcome, because, by) = judgement.decided.clone()?;
    let checks = judgement.checks.iter().zip(&judgement.own_keys);
    Some(Recorded {
        revision,
        outcome: outcome.as_str().into(),
        because: because.as_str().into(),
        by,
        asked_by: None,
        keys: crate::judge::recorded(&judgement.keys),
        checks: checks.map(|(check, keys)| audit::Check { keys: crate::judge::recorded(keys), ..check.clone() }).collect(),
        session_policies: session_policies(caller.session()),
    })
}

/// Another server that asks.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub system: &'a System,
    pub caller: &'a Caller,
    pub request_id: &'a str,
}

/// What another server asked: one event for each check, about whoever made the captured request. One with no check is about the signature.
pub(crate) fn foreign(
    asker: &Asker<'_>,
    captured: &Captured<'_>,
    answer: &Answer<'_>,
    checks: &[Check<'_>],
    delegation: Option<&Delegation>,
) -> Result<(), StoreError> {
    let key = answer.caller.as_ref().map(|(caller, _)| caller.credential.id.as_str());
    let delegated =
        delegation.map(|made| [("delegatedTo", asker.caller.arn.as_str()), ("delegationAccessKeyId", made.access_key_id.as_str())]);
    let additional = delegated.as_ref().map_or(&[][..], |delegated| &delegated[..]);
    each_check(asker, &Seen::in_request(captured), (answer, key), checks, additional)
}

/// What another server asked about whoever showed it a credential that signs nothing: an event for each check, and one where there was none.
pub(crate) fn verified(
    asker: &Asker<'_>,
    seen: &Seen<'_>,
    (answer, credential): (&Answer<'_>, &str),
    checks: &[Check<'_>],
) -> Result<(), StoreError> {
    if checks.is_empty() {
        let identity = identity_of(&answer.standing, None, Some(credential));
        let recipient = answer.standing.account;
        return seen_event(asker, seen, &Foreign { identity, error: None, recorded: None, recipient, additional: &[] });
    }
    each_check(asker, seen, (answer, Some(credential)), checks, &[])
}

fn each_check(
    asker: &Asker<'_>,
    seen: &Seen<'_>,
    (answer, key): (&Answer<'_>, Option<&str>),
    checks: &[Check<'_>],
    additional: &[(&str, &str)],
) -> Result<(), StoreError> {
    let standing = &*answer.standing;
    let session = answer.caller.as_ref().and_then(|(caller, _)| caller.credential.session());
    let identity = identity_of(standing, session, key);
    for ((check, decided), facts) in checks.iter().zip(&answer.decisions).zip(&answer.contexts) {
        let recorded = Recorded {
            revision: answer.revision,
            outcome: decided.outcome.as_str().into(),
            because: decided.because.as_str().into(),
            by: decided.by.clone(),
            asked_by: Some(asker.caller.arn.as_str().into()),
            keys: crate::judge::recorded(facts),
            checks: vec![audit::Check {
                action: check.action.into(),
                resource: check.resource.into(),
                resource_account: check.resource_account,
                outcome: decided.outcome.as_str().into(),
                because: decided.because.as_str().into(),
                by: decided.by.clone(),
                keys: audit::Keys::default(),
                resource_policy: check.resource_policy.map(Into::into),
            }],
            session_policies: session_policies(session),
        };
        let denied = (!decided.is_allowed()).then_some(("AccessDenied", "Access Denied"));
        let recipient = standing.account.or(check.resource_account);
        seen_event(asker, seen, &Foreign { identity, error: denied, recorded: Some(&recorded), recipient, additional })?;
    }
    Ok(())
}

/// What another server saw and was not let in. Strangers can make a server ask as often as they like: they are sampled.
pub(crate) fn foreign_refused(asker: &Asker<'_>, seen: &Seen<'_>, said: &Said) -> Result<(), StoreError> {
    if seen.source_ip.is_some_and(|address| !asker.system.trail.unauthenticated(address)) {
        return Ok(());
    }
    let words = said.message.split_once('\n').map_or(&*said.message, |(first, _)| first);
    let identity = UserIdentity::Unknown { account: None, access_key_id: None };
    let recipient = Some(asker.caller.account);
    seen_event(asker, seen, &Foreign { identity, error: Some((said.code, words)), recorded: None, recipient, additional: &[] })
}

/// What another server saw of whoever it asks about.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What the event is called.
    pub name: &'static str,
    /// Where it came from.
    pub source_ip: Option<IpAddr>,
    /// With which software.
    pub user_agent: Option<&'a str>,
}

impl<'a> Seen<'a> {
    pub(crate) fn in_request(captured: &Captured<'a>) -> Self {
        let agent = captured.request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
        let user_agent = agent.and_then(|(_, value)| std::str::from_utf8(value).ok());
        Seen { name: "AuthorizeCheck", source_ip: captured.source_ip, user_agent }
    }
}

/// What an event about what was seen says.
struct Foreign<'a> {
    identity: UserIdentity<'a>,
    error: Option<(&'a str, &'a str)>,
    recorded: Option<&'a Recorded<'a>>,
    recipient: Option<arn::AccountId>,
    additional: &'a [(&'a str, &'a str)],
}

fn seen_event(asker: &Asker<'_>, seen: &Seen<'_>, said: &Foreign<'_>) -> Result<(), StoreError> {
    let Asker { system, request_id, .. } = *asker;
    let address = address(seen.source_ip);
    let event = Event {
        identity: said.identity,
        at: system.access.clock.now(),
        source: "bailiwick",
        name: seen.name,
        region: "us-east-1",
        source_address: &address,
        user_agent: seen.user_agent,
        error: said.error,
        request: None,
        response: None,
        additional: said.additional,
        recorded: said.recorded,
        request_id,
        event_id: event_id(system)?,
        read_only: true,
        resources: &[],
        event_type: EventType::ApiCall,
        recipient: said.recipient,
        shared_id: None,
        tls: None,
    };
    system.trail.note(event.line());
    Ok(())
}

/// The policies that only the session's token knows.
pub(crate) fn session_policies(session: Option<&Session>) -> Vec<Cow<'_, str>> {
    let Some(session) = session else { return Vec::new() };
    session.policy.iter().map(String::as_str).chain(session.managed.iter().map(arn::Arn::as_str)).map(Cow::Borrowed).collect()
}

/// The address as the trail writes it.
pub(crate) fn address(address: Option<IpAddr>) -> Cow<'static, str> {
    address.map_or("Bailiwick Internal".into(), |address| address.to_canonical().to_string().into())
}

/// Who called, in CloudTrail's words.
pub(crate) fn identity(caller: &Caller) -> UserIdentity<'_> {
    identity_of(&caller.standing, caller.session(), Some(caller.credential.id.as_str()))
}

fn identity_of<'a>(standing: &'a Standing, session: Option<&'a Session>, access_key_id: Option<&'a str>) -> UserIdentity<'a> {
    let unknown = UserIdentity::Unknown { account: standing.account, access_key_id };
    if let policy::Principal::Service { name } = &standing.principal {
        return UserIdentity::AwsService { invoked_by: name };
    }
    let invoked_by = session.and_then(|session| session.via.as_ref()?.services.last()).map(identities::ServiceName::as_str);
    let (Some(grants), Some(account)) = (&standing.grants, standing.account) else { return unknown };
    let (arn, issuer) = (standing.arn.as_ref().map_or("", arn::Arn::as_str), grants.arn().as_str());
    let attributes = session.filter(|session| !matches!(session.of, SessionOf::Key { .. }));
    let attributes = attributes.map(|session| Attributes {
        issued_at: session.issued,
        mfa: session.mfa.is_some(),
        assumed_root: matches!(session.of, SessionOf::AssumedRoot { .. }),
        delegate: session.delegate,
    });
    match (session.map(|session| &session.of), &grants.entity, attributes) {
        (Some(SessionOf::Federated { name, .. }), entity, Some(attributes)) => {
            let issuer = match entity {
                Entity::User(user) => Issuer::IamUser { id: user.id.as_str(), arn: issuer, account, name: user.name.as_str() },
                Entity::Root | Entity::Role(_) => Issuer::Root { account },
            };
            UserIdentity::FederatedUser { name, arn, account, access_key_id, issuer, attributes, invoked_by }
        }
        (Some(SessionOf::Role { name, .. }), Entity::Role(role), Some(attributes)) => UserIdentity::AssumedRole {
            role_id: role.id.as_str(),
            session_name: name,
            arn,
            account,
            access_key_id,
            issuer: Issuer::Role { id: role.id.as_str(), arn: issuer, account, name: role.name.as_str() },
            attributes,
            source_identity: session.and_then(|session| session.source_identity.as_deref()),
            web_identity: None,
            invoked_by,
        },
        (_, Entity::User(user), session) => {
            UserIdentity::IamUser { id: user.id.as_str(), arn, account, access_key_id, name: user.name.as_str(), session, invoked_by }
        }
        (_, Entity::Root, session) => UserIdentity::Root { account, access_key_id, alias: None, session, invoked_by },
        (_, Entity::Role(_), _) => unknown,
    }
}

fn has_members(node: &Node) -> bool {
    matches!(node, Node::Map(members) if !members.is_empty())
}

/// The members of a request or an answer; the trail's own table leaves secrets out. The Query protocol sends texts: `known` says which of
/// them are numbers and truths.
pub(crate) fn members(object: &mut Object<'_>, node: &Node, known: &'static [Member]) {
    if let Node::Map(members) = node {
        let fields = Member::flat(known);
        for (name, node) in members {
            if !node.is_absent() {
                let kind = fields.iter().find(|field| field.name == name).map(|field| &field.kind);
                put(object.member(name), node, kind);
            }
        }
    }
}

fn put(value: Value<'_>, node: &Node, kind: Option<&'static Kind>) {
    match (node, kind) {
        (Node::Text(text), Some(Kind::Number { .. })) => match text.parse() {
            Ok(number) => value.number(number),
            Err(_) => value.text(text),
        },
        (Node::Text(text), Some(Kind::Bool)) if matches!(text.as_str(), "true" | "false") => value.bool(text == "true"),
        (Node::Absent, _) => value.null(),
        (Node::Bool(truth), _) => value.bool(*truth),
        (Node::Number(number), _) => value.number(*number),
        (Node::Decimal(number), _) => value.fraction(*number),
        (Node::Text(text), _) => value.text(text),
        (Node::Time(seconds), _) => value.time(*seconds),
        // Bytes say nothing to a reader: that there were some, and how many.
        (Node::Blob(bytes), _) => value.text(&format!("{} bytes", bytes.len())),
        (Node::List(items), kind) => {
            let inner = if let Some(Kind::List(inner)) = kind { Some(*inner) } else { None };
            value.list(|list| items.iter().for_each(|node| put(list.item(), node, inner)));
        }
        (Node::Map(_), kind) => {
            let inner = if let Some(Kind::Struct(_, inner)) = kind { inner } else { &[][..] };
            value.object(|object| members(object, node, inner));
        }
        (Node::Entries(entries), _) => value.object(|object| entries.iter().for_each(|(key, node)| put(object.entry(key), node, None))),
    }
}
