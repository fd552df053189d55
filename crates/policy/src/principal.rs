//! Who asks. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.
//! The principal of a role's request is the session; a policy that names the role reaches it through the session.

use arn::{AccountId, Arn, UniqueId};

/// Who asks, as policies see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Nobody in particular: the request was not signed.
    Anonymous,
    /// The root user of an account.
    Root {
        /// `arn:aws:iam::ACCOUNT:root`
        arn: Arn,
        /// Its account.
        account: AccountId,
    },
    /// An IAM user, with a long-term key or with credentials of GetSessionToken.
    User {
        /// With its path.
        arn: Arn,
        /// `AIDA…`, where it is known.
        id: Option<UniqueId>,
        /// Its account.
        account: AccountId,
    },
    /// A session of a role.
    Session {
        /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`
        arn: Arn,
        /// The role, with its path where that is known.
        role: Arn,
        /// `AROA…`, where it is known.
        role_id: Option<UniqueId>,
        /// The role's account.
        account: AccountId,
        /// The role is service-linked: SCPs and RCPs do not bind it.
        service_linked: bool,
    },
    /// A session of GetFederationToken.
    Federated {
        /// `arn:aws:sts::ACCOUNT:federated-user/NAME`
        arn: Arn,
        /// Its account.
        account: AccountId,
        /// The IAM user or root user that asked for it.
        by: Option<Arn>,
        /// That user's id, where it is known.
        by_id: Option<UniqueId>,
    },
    /// A service of AWS, or a server that counts as one, on its own behalf.
    Service {
        /// Such as `lambda.amazonaws.com`.
        name: Box<str>,
    },
    /// Whoever presents a SAML assertion or an OIDC token to `AssumeRoleWith…`.
    Provider {
        /// The provider's ARN, or the host of one that needs no registration, such as `accounts.google.com`.
        provider: Box<str>,
    },
}

/// Why a text names no principal that can ask for something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalError {
    /// Not an ARN, not a service's host name, not `anonymous`.
    #[error("{0:?} is neither the ARN of a principal, nor a service principal, nor \"anonymous\"")]
    Unknown(String),
    /// An ARN of something that does not ask: a group, a policy, a bucket.
    #[error("{0:?} is the ARN of nothing that can make a request")]
    NotAPrincipal(String),
}

/// Providers of web identities that an account need not register.
const WELL_KNOWN: [&str; 4] = ["accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"];

/// Under this path IAM keeps service-linked roles.
const SERVICE_LINKED: &str = "/aws-service-role/";

impl Principal {
    /// The root user of an account, in partition `aws`.
    pub fn root(account: AccountId) -> Principal {
        Principal::Root { arn: Arn::iam(account, "root"), account }
    }

    /// A principal from its name alone: an ARN, `anonymous`, or a service's host name. The ARN of a role stands for a session of it whose name is
    /// not known; a federated user counts as made by the IAM user of that name; a session's ARN does not tell the role's path, so the role counts
    /// as not service-linked (the safer reading).
    ///
    /// # Errors
    /// The text names nothing that can make a request.
    pub fn from_arn(text: &str) -> Result<Principal, PrincipalError> {
        if text == "anonymous" {
            return Ok(Principal::Anonymous);
        }
        if WELL_KNOWN.contains(&text) {
            return Ok(Principal::Provider { provider: text.into() });
        }
        if !text.starts_with("arn:") {
            let is_host = text.contains('.') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
            return if is_host { Ok(Principal::Service { name: text.into() }) } else { Err(PrincipalError::Unknown(text.into())) };
        }
        let arn: Arn = text.parse().map_err(|_| PrincipalError::Unknown(text.into()))?;
        Principal::of(arn).ok_or_else(|| PrincipalError::NotAPrincipal(text.into()))
    }

    fn of(arn: Arn) -> Option<Principal> {
        let account = arn.account_id()?;
        let iam = |resource: String| Arn::new(arn.partition(), "iam", "", arn.account(), resource).ok();
        let (kind, name) = arn.resource().split_once('/').unwrap_or((arn.resource(), ""));
        let named = !name.is_empty() && !name.ends_with('/');
        match (arn.service(), kind) {
            ("iam", "root") if name.is_empty() => Some(Principal::Root { account, arn }),
            ("iam", "user") if named => Some(Principal::User { id: None, account, arn }),
            ("iam", "role") if named => {
                let service_linked = arn.path().starts_with(SERVICE_LINKED);
                Some(Principal::Session { role: arn.clone(), role_id: None, account, service_linked, arn })
            }
            ("iam", "saml-provider" | "oidc-provider") if named => Some(Principal::Provider { provider: arn.as_str().into() }),
            ("sts", "assumed-role") => {
                let (role, session) = name.split_once('/')?;
                if role.is_empty() || session.is_empty() || session.contains('/') {
                    return None;
                }
                let role = iam(format!("role/{role}"))?;
                Some(Principal::Session { role, role_id: None, account, service_linked: false, arn })
            }
            ("sts", "federated-user") if named => {
                let by = iam(format!("user/{name}"));
                Some(Principal::Federated { by, by_id: None, account, arn })
            }
            _ => None,
        }
    }

    /// Its ARN; none for an anonymous caller, a service and a provider.
    pub fn arn(&self) -> Option<&Arn> {
        match self {
            Principal::Root { arn, .. }
            | Principal::User { arn, .. }
            | Principal::Session { arn, .. }
            | Principal::Federated { arn, .. } => Some(arn),
            Principal::Anonymous | Principal::Service { .. } | Principal::Provider { .. } => None,
        }
    }

    /// Its account; none for an anonymous caller, a service and a provider.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Principal::Root { account, .. }
            | Principal::User { account, .. }
            | Principal::Session { account, .. }
            | Principal::Federated { account, .. } => Some(*account),
            Principal::Anonymous | Principal::Service { .. } | Principal::Provider { .. } => None,
        }
    }

    /// How it is written: its ARN, the service's or provider's name, or `anonymous`.
    pub fn name(&self) -> &str {
        match self {
            Principal::Root { arn, .. }
            | Principal::User { arn, .. }
            | Principal::Session { arn, .. }
            | Principal::Federated { arn, .. } => arn.as_str(),
            Principal::Service { name } => name,
            Principal::Provider { provider } => provider,
            Principal::Anonymous => "anonymous",
        }
    }
}

#[cfg(test)]
mod tests;
