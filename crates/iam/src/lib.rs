//! AWS Identity and Access Management: who there is in an account, and what each may do.
//! Guide: <https://docs.aws.amazon.com/IAM/latest/UserGuide/>, reference: <https://docs.aws.amazon.com/IAM/latest/APIReference/>.
//!
//! One file a family of operations; what several families share comes first. A family's `OPERATIONS` registers it.

mod documents;
mod error;
mod holders;
mod ids;
mod lists;
mod names;
mod page;
mod paths;
mod pem;
mod permissions;
mod private_keys;
mod providers;
mod quotas;
mod tagging;
mod whose;
mod x509;

mod access_keys;
mod access_reports;
mod account;
mod account_details;
mod account_features;
mod attachments;
mod boundaries;
mod central_root;
mod credential_report;
mod delegation_requests;
mod groups;
mod inline_policies;
mod instance_profiles;
mod last_accessed;
mod login_profiles;
mod mfa_devices;
mod oidc_providers;
mod password_policy;
mod passwords;
mod policies;
mod policies_granting;
mod policy_versions;
mod qr;
mod role_templates;
mod roles;
mod saml_metadata;
mod saml_providers;
mod server_certificates;
mod service_credentials;
mod service_linked_roles;
mod signing_certificates;
mod simulation;
mod ssh_keys;
mod trust;
mod users;

pub use error::Error;

use access::SessionOf;
use operation::{Caller, Failure, Operations, Protocol, Service};

/// The service.
pub struct Iam;

impl Service for Iam {
    const PREFIX: &'static str = "iam";
    const SCOPES: &'static [&'static str] = &[];
    const PROTOCOL: Protocol =
        Protocol::Query { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/", repeats: false };
    const SOURCE: &'static str = "iam.amazonaws.com";
    const GLOBAL: bool = true;
    /// A SAML metadata document has ten million characters at most, some of them in three.
    const BODY: usize = 16 << 20;
    type Error = Error;

    /// Credentials of GetFederationToken may not call IAM, those of GetSessionToken only if a second factor was shown.
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html#stsapi_comparison>.
    fn bars(caller: &Caller, _operation: &str) -> Option<Failure> {
        let session = caller.session()?;
        let barred = match session.of {
            SessionOf::Role { .. } | SessionOf::Key { .. } | SessionOf::AssumedRoot { .. } => false,
            // A product acts with whatever the filled template lets it.
            SessionOf::User { .. } => session.mfa.is_none() && session.delegate.is_none(),
            SessionOf::Federated { .. } => true,
        };
        barred.then(|| Failure::new(403, "InvalidClientTokenId", "The security token included in the request is invalid"))
    }
}

/// Every operation, family by family.
pub const FAMILIES: &[Operations<Iam>] = &[
    users::OPERATIONS,
    roles::OPERATIONS,
    service_linked_roles::OPERATIONS,
    instance_profiles::OPERATIONS,
    policies::OPERATIONS,
    policy_versions::OPERATIONS,
    boundaries::OPERATIONS,
    groups::OPERATIONS,
    access_keys::OPERATIONS,
    signing_certificates::OPERATIONS,
    server_certificates::OPERATIONS,
    oidc_providers::OPERATIONS,
    saml_providers::OPERATIONS,
    account_features::OPERATIONS,
    central_root::OPERATIONS,
    role_templates::OPERATIONS,
    delegation_requests::OPERATIONS,
    password_policy::OPERATIONS,
    login_profiles::OPERATIONS,
    mfa_devices::OPERATIONS,
    account::OPERATIONS,
    inline_policies::OPERATIONS,
    attachments::OPERATIONS,
    account_details::OPERATIONS,
    simulation::OPERATIONS,
    service_credentials::OPERATIONS,
    ssh_keys::OPERATIONS,
    credential_report::OPERATIONS,
    last_accessed::OPERATIONS,
    access_reports::OPERATIONS,
    policies_granting::OPERATIONS,
];

/// Every kind of record that only IAM reads, for checking a store.
pub fn kinds() -> Vec<store::Kind> {
    vec![
        store::Kind::of::<instance_profiles::InstanceProfileRecord>(),
        store::Kind::of::<login_profiles::LoginProfileRecord>(),
        store::Kind::of::<password_policy::PasswordPolicyRecord>(),
        store::Kind::of::<service_linked_roles::DeletionRecord>(),
        store::Kind::of::<server_certificates::ServerCertificateRecord>(),
        store::Kind::of::<server_certificates::ContentRecord>(),
        store::Kind::of::<signing_certificates::SigningCertificateRecord>(),
    ]
}
