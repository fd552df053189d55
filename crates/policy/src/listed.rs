//! Whom a statement names in `Principal` or `NotPrincipal`, and how directly. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>.
//! `*` alone is the only wildcard. Names in ARNs have their case. A role's path is part of its ARN but not of its sessions', so a role is told by account
//! and name; where unique ids are known, they alone count.

use arn::{AccountId, Arn, UniqueId};

use crate::document::{Effect, Kind, Named, NamedBy, Principals};
use crate::principal::Principal;

/// How a statement reaches the caller. In its own account an allow that reaches it directly needs nothing else; the others leave more to other policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// By its account, which may then allow it by policies of its own.
    Account,
    /// By the role or user that stands behind the session: it suffices for that one, but boundary and session policies still limit the session.
    Behind,
    /// By itself, or as everybody.
    Direct,
}

/// Whom a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    not: bool,
    list: Box<[Who]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    /// `"*"`
    Everyone,
    /// `{"AWS": "*"}`: everyone but services and providers of identities.
    AnyAws,
    Account {
        /// None where the account was named by its digits alone.
        partition: Option<Box<str>>,
        account: AccountId,
    },
    User {
        arn: Arn,
        id: Option<UniqueId>,
    },
    Role {
        arn: Arn,
        id: Option<UniqueId>,
    },
    /// A session of a role or a federated user.
    Session(Box<str>),
    Id(UniqueId),
    Service(Box<str>),
    Provider(Box<str>),
    /// What names nobody: other wildcards, ARNs of things that do not ask, users of S3 by their canonical id.
    Nobody,
}

impl Listed {
    /// Compiles an element; none if the statement applies to all. What a missing element means depends on the kind of policy.
    pub(crate) fn new(element: Option<&Principals>, kind: Kind, effect: Effect) -> Option<Listed> {
        let Some(element) = element else {
            return match (kind, effect) {
                (Kind::Identity | Kind::Boundary | Kind::Session | Kind::ServiceControl | Kind::ResourceControl, _) => None,
                // No page says what an endpoint's policy means without one: the safer reading.
                (Kind::Endpoint, Effect::Deny) => None,
                (Kind::Endpoint, Effect::Allow) | (Kind::Trust | Kind::Resource, _) => Some(Listed { not: false, list: Box::default() }),
            };
        };
        let list = if element.everyone { [Who::Everyone].into() } else { element.list.iter().map(Who::new).collect() };
        Some(Listed { not: element.not, list })
    }

    /// Whether it names everybody: `"Principal": "*"`.
    pub(crate) fn is_everyone(&self) -> bool {
        !self.not && matches!(&*self.list, [Who::Everyone])
    }

    /// How the statement reaches this caller, if it does.
    pub(crate) fn reaches(&self, principal: &Principal, kind: Kind, effect: Effect, has_boundary: bool) -> Option<Tier> {
        // Assuming a role is always signed, or rests on a provider's word.
        if kind == Kind::Trust && effect == Effect::Allow && *principal == Principal::Anonymous {
            return None;
        }
        let named = self.list.iter().filter_map(|who| who.tier(principal)).max();
        if !self.not {
            return named;
        }
        // A Deny with NotPrincipal always denies a user or role that has a boundary.
        let is_bounded = has_boundary && effect == Effect::Deny && principal.account().is_some();
        // An Allow of this kind is no longer documented; stored ones grant to everybody else. How it relates to boundaries is nowhere said, so
        // those still limit it.
        if named.is_none() || is_bounded { Some(Tier::Behind) } else { None }
    }

    pub(crate) fn weight(&self) -> usize {
        let who = |who: &Who| match who {
            Who::Everyone | Who::AnyAws | Who::Nobody => 0,
            Who::Account { partition, .. } => partition.as_ref().map_or(0, |text| text.len()),
            Who::User { arn, .. } | Who::Role { arn, .. } => arn.as_str().len() + 21,
            Who::Session(text) | Who::Service(text) | Who::Provider(text) => text.len(),
            Who::Id(id) => id.as_str().len(),
        };
        self.list.iter().map(|each| size_of::<Who>() + who(each)).sum()
    }
}

impl Who {
    fn new(named: &Named) -> Who {
        let text = &*named.spot.text;
        match named.by {
            NamedBy::Aws if text == "*" => Who::AnyAws,
            _ if text.contains(['*', '?']) => Who::Nobody,
            NamedBy::Aws => Who::aws(text, named.id.as_ref()),
            NamedBy::Service => Who::Service(text.into()),
            NamedBy::Federated => Who::Provider(text.into()),
            NamedBy::CanonicalUser => Who::Nobody,
        }
    }

    fn aws(text: &str, id: Option<&UniqueId>) -> Who {
        if let Ok(account) = text.parse() {
            return Who::Account { partition: None, account };
        }
        if let Ok(id) = text.parse() {
            return Who::Id(id);
        }
        let Ok(arn) = text.parse::<Arn>() else { return Who::Nobody };
        let Some(account) = arn.account_id().filter(|_| arn.region().is_empty()) else { return Who::Nobody };
        match (arn.service(), arn.resource().split_once('/')) {
            ("iam", None) if arn.resource() == "root" => Who::Account { partition: Some(arn.partition().into()), account },
            ("iam", Some(("user", _))) => Who::User { arn, id: id.cloned() },
            ("iam", Some(("role", _))) => Who::Role { arn, id: id.cloned() },
            ("sts", Some(("assumed-role" | "federated-user", _))) => Who::Session(text.into()),
            _ => Who::Nobody,
        }
    }

    fn tier(&self, principal: &Principal) -> Option<Tier> {
        let when = |reached: bool, tier: Tier| reached.then_some(tier);
        match (self, principal) {
            (Who::Everyone, _) => Some(Tier::Direct),
            (Who::AnyAws, _) => when(!matches!(principal, Principal::Service { .. } | Principal::Provider { .. }), Tier::Direct),
            (Who::Account { partition, account }, _) => {
                let same_partition = |arn: &Arn| partition.as_ref().is_none_or(|own| **own == *arn.partition());
                let reached = principal.account() == Some(*account) && principal.arn().is_some_and(same_partition);
                // The root user is the account; a session of root for one task is still limited to that.
                when(reached, if matches!(principal, Principal::Root { .. }) { Tier::Behind } else { Tier::Account })
            }
            (Who::User { arn, id }, Principal::User { arn: caller, id: caller_id, .. }) => {
                when(is_same(id, caller_id, || arn == caller), Tier::Direct)
            }
            (Who::User { arn, id }, Principal::Federated { by: Some(by), by_id, .. }) => {
                when(is_same(id, by_id, || is_same_name(arn, by)), Tier::Behind)
            }
            (Who::Role { arn, id }, Principal::Session { role, role_id, .. }) => {
                when(is_same(id, role_id, || is_same_name(arn, role)), Tier::Behind)
            }
            (Who::Session(text), Principal::Session { arn, .. } | Principal::Federated { arn, .. }) => {
                when(**text == *arn.as_str(), Tier::Direct)
            }
            (Who::Id(id), Principal::User { id: Some(own), .. }) => when(id == own, Tier::Direct),
            (Who::Id(id), Principal::Session { role_id: Some(own), .. } | Principal::Federated { by_id: Some(own), .. }) => {
                when(id == own, Tier::Behind)
            }
            (Who::Service(text), Principal::Service { name }) => when(text == name, Tier::Direct),
            (Who::Provider(text), Principal::Provider { provider }) => when(text == provider, Tier::Direct),
            (Who::User { .. } | Who::Role { .. } | Who::Session(_) | Who::Id(_) | Who::Service(_) | Who::Provider(_) | Who::Nobody, _) => {
                None
            }
        }
    }
}

/// Ids tell, where both are known; else what `by_name` says.
fn is_same(id: &Option<UniqueId>, caller: &Option<UniqueId>, by_name: impl Fn() -> bool) -> bool {
    match (id, caller) {
        (Some(id), Some(caller)) => id == caller,
        (None, _) | (_, None) => by_name(),
    }
}

/// The same kind of entity, account and name, whatever its path.
fn is_same_name(one: &Arn, other: &Arn) -> bool {
    one.partition() == other.partition()
        && one.account() == other.account()
        && one.resource_type() == other.resource_type()
        && one.resource_name() == other.resource_name()
}
