//! AWS Security Token Service: temporary credentials, and who one is.
//! Guide: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html>, reference: <https://docs.aws.amazon.com/STS/latest/APIReference/>.
//!
//! A session is sealed into its token, so nothing here writes but that a delegation's token is used up. `session` holds what all that issue have in common.

mod error;
mod session;

mod assume_role;
mod assume_root;
mod authorization_messages;
mod delegated_access;
mod federation_tokens;
mod identity;
mod session_tokens;

pub use error::Error;

use access::SessionOf;
use operation::{Caller, Failure, Operations, Protocol, Service};

/// The service.
pub struct Sts;

impl Service for Sts {
    const PREFIX: &'static str = "sts";
    const SCOPES: &'static [&'static str] = &[];
    const PROTOCOL: Protocol =
        Protocol::Query { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/", repeats: true };
    const SOURCE: &'static str = "sts.amazonaws.com";
    const GLOBAL: bool = false;
    type Error = Error;

    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html#stsapi_comparison>.
    fn bars(caller: &Caller, operation: &str) -> Option<Failure> {
        let denied = |words: String| Some(Failure::new(403, "AccessDenied", words));
        if operation == "GetCallerIdentity" {
            return None;
        }
        if caller.service().is_some() {
            return if operation == "AssumeRole" {
                None
            } else {
                denied(format!("User: {} is not authorized to perform: sts:{operation}", caller.arn))
            };
        }
        if operation == "AssumeRole" && caller.is_root() {
            return denied("Roles may not be assumed by root accounts.".into());
        }
        if operation == "AssumeRoot" && caller.is_root() {
            return denied(format!("User: {} is not authorized to perform: sts:AssumeRoot", caller.arn));
        }
        let session = caller.session()?;
        // A delegation is for calling with the caller's rights, not for credentials that outlive it and are bound to no service.
        if session.via.is_some() {
            return denied(format!("User: {} is not authorized to perform: sts:{operation}", caller.arn));
        }
        if matches!(operation, "GetSessionToken" | "GetFederationToken") {
            return denied(format!("Cannot call {operation} with session credentials"));
        }
        let allowed = match session.of {
            SessionOf::Role { .. } | SessionOf::Key { .. } => true,
            SessionOf::User { .. } => operation == "AssumeRole",
            SessionOf::Federated { .. } | SessionOf::AssumedRoot { .. } => false,
        };
        if allowed { None } else { denied(format!("User: {} is not authorized to perform: sts:{operation}", caller.arn)) }
    }
}

/// Every operation, family by family.
pub const FAMILIES: &[Operations<Sts>] = &[
    assume_role::OPERATIONS,
    assume_root::OPERATIONS,
    session_tokens::OPERATIONS,
    federation_tokens::OPERATIONS,
    identity::OPERATIONS,
    authorization_messages::OPERATIONS,
    delegated_access::OPERATIONS,
];
