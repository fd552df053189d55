//! What is supposed to be otherwise than it is: a change of policies that is tried before it is made. Grants, levels and trust policies are
//! gathered as ever, with what is supposed laid over what the store says; nothing is written, and nothing of it reaches a cache.

use crate::grants::compile;
use arn::{Arn, UniqueId};
use identities::{OrganizationPolicyId, PolicyType, TargetId};
use policy::{Kind, PolicySet, Source};
use std::sync::Arc;
use store::StoreError;

/// One change.
#[derive(Debug, Clone)]
pub enum Change {
    /// A managed policy says this, whatever its default version says; one that does not exist is there.
    Text {
        /// Its ARN.
        policy: Arn,
        /// What it says.
        text: Arc<str>,
    },
    /// A managed policy is attached to a user, a group or a role, or is not.
    Managed {
        /// The user's, group's or role's id.
        of: UniqueId,
        /// The policy's ARN.
        policy: Arn,
        /// Whether it is attached.
        attached: bool,
    },
    /// A user, a group or a role has an inline policy, or has it not.
    Inline {
        /// The user's, group's or role's id.
        of: UniqueId,
        /// The policy's name.
        name: Box<str>,
        /// What it says; none is no policy.
        text: Option<Arc<str>>,
    },
    /// A user or a role has this permissions boundary, or none.
    Boundary {
        /// The user's or role's id.
        of: UniqueId,
        /// The policy's ARN.
        policy: Option<Arn>,
    },
    /// A role has this trust policy.
    Trust {
        /// The role's ARN.
        of: Arn,
        /// What it says.
        text: Arc<str>,
    },
    /// A resource, and all that lies under it, has this policy, or none.
    Resource {
        /// The resource's ARN.
        arn: Box<str>,
        /// What its policy says.
        text: Option<Arc<str>>,
    },
    /// A policy of an organization is attached to a root, a unit or an account, or is not.
    Control {
        /// To what.
        target: TargetId,
        /// Which kind of policy it is.
        kind: PolicyType,
        /// Its id.
        policy: OrganizationPolicyId,
        /// Whether it is attached.
        attached: bool,
    },
    /// A policy of an organization says this; one that does not exist is there.
    ControlText {
        /// Its id.
        policy: OrganizationPolicyId,
        /// What it says.
        text: Arc<str>,
    },
}

/// Changes that are made together.
#[derive(Debug, Clone, Default)]
pub struct Supposed(Vec<Change>);

/// Nothing is otherwise than it is.
pub(crate) static NOTHING: Supposed = Supposed(Vec::new());

impl Supposed {
    /// All of these.
    pub fn new(changes: Vec<Change>) -> Self {
        Supposed(changes)
    }

    /// The managed policies that a user, a group or a role would have. Says whether that is a change.
    pub(crate) fn attached(&self, to: &UniqueId, policies: &mut Vec<Arn>) -> bool {
        let mut changed = false;
        for change in &self.0 {
            if let Change::Managed { of, policy, attached } = change
                && of == to
            {
                policies.retain(|held| held != policy);
                if *attached {
                    policies.push(policy.clone());
                }
                changed = true;
            }
        }
        changed
    }

    /// The inline policies that a user, a group or a role would have beside those that have other names.
    pub(crate) fn inline<'a>(&'a self, entity: &'a UniqueId) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        self.0.iter().filter_map(move |change| {
            if let Change::Inline { of, name, text } = change
                && of == entity
            {
                Some((&**name, text.as_deref()))
            } else {
                None
            }
        })
    }

    /// The boundary that a user or a role would have; `None` where nothing is supposed about it.
    pub(crate) fn boundary(&self, entity: &UniqueId) -> Option<Option<&Arn>> {
        self.0.iter().rev().find_map(|change| {
            if let Change::Boundary { of, policy } = change
                && of == entity
            {
                Some(policy.as_ref())
            } else {
                None
            }
        })
    }

    /// What a managed policy would say.
    pub(crate) fn text(&self, arn: &Arn) -> Option<&str> {
        self.0.iter().rev().find_map(|change| {
            if let Change::Text { policy, text } = change
                && policy == arn
            {
                Some(&**text)
            } else {
                None
            }
        })
    }

    /// A role's trust policy. Whom it names is found by name: nobody was pinned yet.
    pub(crate) fn trust(&self, role: &Arn) -> Result<Option<PolicySet>, StoreError> {
        let text = self.0.iter().rev().find_map(|change| {
            if let Change::Trust { of, text } = change
                && of == role
            {
                Some(text)
            } else {
                None
            }
        });
        text.map(|text| set(&format!("trust policy of {role}, as supposed"), text, Kind::Trust)).transpose()
    }

    /// The policy that a resource would have; the outer `None` where nothing is supposed about it.
    pub(crate) fn resource(&self, resource: &str) -> Option<Result<Option<PolicySet>, StoreError>> {
        let under = |arn: &str| resource.strip_prefix(arn).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let text = self.0.iter().rev().find_map(|change| {
            if let Change::Resource { arn, text } = change
                && under(arn)
            {
                Some(text.as_ref())
            } else {
                None
            }
        })?;
        Some(text.map(|text| set("resource policy, as supposed", text, Kind::Resource)).transpose())
    }

    /// What would be attached to a target of an organization, and what not.
    pub(crate) fn controls<'a>(&'a self, to: &'a TargetId, of: PolicyType) -> impl Iterator<Item = (&'a OrganizationPolicyId, bool)> {
        self.0.iter().filter_map(move |change| {
            if let Change::Control { target, kind, policy, attached } = change
                && target == to
                && *kind == of
            {
                Some((policy, *attached))
            } else {
                None
            }
        })
    }

    /// What a policy of an organization would say.
    pub(crate) fn control_text(&self, id: &OrganizationPolicyId) -> Option<&str> {
        self.0.iter().rev().find_map(|change| {
            if let Change::ControlText { policy, text } = change
                && policy == id
            {
                Some(&**text)
            } else {
                None
            }
        })
    }
}

fn set(source: &str, text: &str, kind: Kind) -> Result<PolicySet, StoreError> {
    Ok(PolicySet::new(kind, [(Source::new(source), Arc::new(compile(text, kind)?))]))
}
