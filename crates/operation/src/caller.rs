//! Who calls: a principal that has shown what it signed with, and where its request came from.

use access::{ActingFor, Authenticated, Credential, Session, SessionOf, Standing, Surroundings};
use arn::{AccessKeyId, AccountId, Arn};
use identities::{Owner, ServiceName, UserName, service_arn};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Where a request came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The address of the other end; never what a header claims.
    pub address: Option<IpAddr>,
    /// Whether it came over TLS.
    pub secure: bool,
    /// `User-Agent`.
    pub user_agent: Option<Box<str>>,
    /// `Referer`.
    pub referer: Option<Box<str>>,
    /// The region that it was signed for.
    pub region: Box<str>,
    /// When it was let in, in seconds since the epoch.
    pub now: i64,
}

/// An authenticated caller.
#[derive(Clone)]
pub struct Caller {
    /// How it stands.
    pub standing: Arc<Standing>,
    /// What it signed with.
    pub credential: Arc<Credential>,
    /// Its account; of a service, whose trail its own doings are in: it belongs to none.
    pub account: AccountId,
    /// Its ARN: a user's, a session's, root's; of a service, the one of its registration.
    pub arn: Arn,
    /// What a service says that it acts for.
    pub acting_for: Option<ActingFor>,
    /// Where its request came from.
    pub origin: Origin,
    /// When this very request showed a second factor, in seconds since the epoch.
    pub second_factor: Option<i64>,
}

impl Caller {
    /// `None` if it belongs to no account and is no service: such a principal calls nothing here.
    pub(crate) fn new(known: Authenticated<'_>, origin: Origin) -> Option<Self> {
        let Authenticated { standing, credential, acting_for, .. } = known;
        let (account, arn) = match credential.service() {
            Some((name, account)) => (account, service_arn(account, name)),
            None => (standing.account?, standing.arn.clone()?),
        };
        Some(Caller { standing, credential, account, arn, acting_for, origin, second_factor: None })
    }

    /// The service that this is, if it calls in its own name.
    pub fn service(&self) -> Option<&ServiceName> {
        self.credential.service().map(|(name, _)| name)
    }

    /// The service that calls: in its own name, or, as the last of a chain, in somebody's.
    pub fn calling_service(&self) -> Option<&ServiceName> {
        self.service().or_else(|| self.session()?.via.as_ref()?.services.last())
    }

    /// `arn:aws:SERVICE::ACCOUNT:REST` in the caller's account.
    pub fn arn_here(&self, service: &str, rest: impl fmt::Display) -> Arn {
        if service == "sts" { Arn::sts(self.account, rest) } else { Arn::iam(self.account, rest) }
    }

    /// The session, if the credentials are temporary.
    pub fn session(&self) -> Option<&Session> {
        self.credential.session()
    }

    /// Whether the credentials are temporary.
    pub fn is_temporary(&self) -> bool {
        self.session().is_some()
    }

    /// Whether it showed a second factor: with this request, or when its session began.
    pub fn showed_second_factor(&self) -> bool {
        self.second_factor.is_some() || self.session().is_some_and(|session| session.mfa.is_some())
    }

    /// Whether it is the account's root user, with whatever credentials.
    pub fn is_root(&self) -> bool {
        matches!(self.standing.principal, policy::Principal::Root { .. })
    }

    /// Whether it is somebody's session of a role.
    pub fn is_assumed_role(&self) -> bool {
        self.session().is_some_and(|session| matches!(session.of, SessionOf::Role { .. }))
    }

    /// Whether its organization made it root for one task.
    pub fn is_assumed_root(&self) -> bool {
        self.session().is_some_and(|session| matches!(session.of, SessionOf::AssumedRoot { .. }))
    }

    /// Whether it is a federated user.
    pub fn is_federated(&self) -> bool {
        self.session().is_some_and(|session| matches!(session.of, SessionOf::Federated { .. }))
    }

    /// The user's name, if it is a user.
    pub fn user_name(&self) -> Option<UserName> {
        match (&self.standing.principal, &self.standing.grants) {
            (policy::Principal::User { .. }, Some(grants)) => match &grants.entity {
                access::Entity::User(user) => Some(user.name.clone()),
                access::Entity::Root | access::Entity::Role(_) => None,
            },
            _ => None,
        }
    }

    /// Whose things are its own, if it is a user or root: a role and a federated user have none.
    pub fn owner(&self) -> Option<Owner> {
        let user = match &self.standing.principal {
            policy::Principal::Root { .. } => None,
            policy::Principal::User { .. } => Some(self.standing.grants.as_ref()?.id()?.clone()),
            policy::Principal::Anonymous
            | policy::Principal::Session { .. }
            | policy::Principal::Federated { .. }
            | policy::Principal::Service { .. }
            | policy::Principal::Provider { .. } => return None,
        };
        Some(Owner { account: self.account, user })
    }

    /// The key that it signs with; of a session that was asked for with one, that one.
    pub fn long_term_key(&self) -> &AccessKeyId {
        self.session().and_then(|session| session.asked_with.as_ref()).unwrap_or(&self.credential.id)
    }

    /// The source identity that its session carries.
    pub fn source_identity(&self) -> Option<&str> {
        self.session().and_then(|session| session.source_identity.as_deref())
    }

    /// Whether tags of its session follow it into the next role.
    pub fn has_transitive_tags(&self) -> bool {
        self.session().is_some_and(|session| session.tags.iter().any(|tag| tag.transitive))
    }

    pub(crate) fn surroundings<'a>(&'a self, global: bool) -> Surroundings<'a> {
        Surroundings {
            now: self.origin.now,
            source_ip: self.origin.address,
            secure: self.origin.secure,
            user_agent: self.origin.user_agent.as_deref(),
            referer: self.origin.referer.as_deref(),
            region: if global { "us-east-1" } else { &self.origin.region },
        }
    }
}
