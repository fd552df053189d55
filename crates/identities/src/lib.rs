//! Who there is, and what each may do, as records: what deciding a request needs to know, and nothing else.
//!
//! A record that only its service reads (an instance profile, a login profile, a password policy) lives in that service.
//! No rule of IAM is here; rules live in the services above.

mod access_keys;
mod accounts;
mod central_root;
mod delegation;
mod features;
mod groups;
mod managed;
mod mfa;
mod names;
mod organization_policies;
mod organizations;
mod passwords;
mod policies;
mod providers;
mod roles;
mod sealing;
mod service_credentials;
mod services;
mod ssh_keys;
mod ssh_public_key;
mod surroundings;
mod tags;
mod users;

pub use access_keys::{AccessKeyRecord, Owner};
pub use accounts::{AccountAlias, AccountRecord, AccountStatus, Email, FIRST_ACCOUNT};
pub use central_root::{CENTRAL_ROOT_SERVICE, CentralRootRecord, RootFeature, central_root, is_root_administrator, root_task};
pub use delegation::{
    DelegationApprover, DelegationOwner, DelegationParameter, DelegationRequestRecord, DelegationState, Lender, LentTag,
    PolicyTemplateRecord,
};
pub use features::{AccountFeaturesRecord, OutboundFederation};
pub use groups::GroupRecord;
pub use managed::{ManagedPolicy, managed_policies, managed_policy};
pub use mfa::{CODE, CODE_REMEMBERED, MfaDeviceRecord, MfaKind, Reach, Seed, SerialNumber, VirtualMfa};
pub use names::{GroupName, NameKey, Path, PolicyName, PolicyPath, RoleName, UserName};
pub use organization_policies::{
    AwsOrganizationPolicy, OrganizationPolicy, OrganizationPolicyId, OrganizationPolicyRecord, PolicyAttachmentRecord, attach,
    attach_defaults, attached_to, aws_organization_policies, aws_organization_policy, default_policy, detach_all, organization_policy,
    policy_folder,
};
pub use organizations::{
    DelegatedAdministratorRecord, FeatureSet, JoinedMethod, MOST_LEVELS, MemberRecord, MemberState, OrganizationId, OrganizationPath,
    OrganizationRecord, ParentId, PolicyType, RootId, ServiceAccessRecord, TargetId, UnitId, UnitRecord, organization_path, path_text,
    units_down_to,
};
pub use passwords::{NotHashed, PasswordHash};
pub use policies::{InlinePolicyRecord, PolicyRecord, PolicyVersionRecord, customer_policy_arn};
pub use providers::{
    AssertionEncryption, OidcName, OidcProviderRecord, SamlMetadataRecord, SamlPrivateKeyRecord, SamlProviderName, SamlProviderRecord,
};
pub use roles::{MaxSessionDuration, RoleRecord, RoleUsageRecord, TrustPolicy};
pub use sealing::{Hashed, KeyRecord, Keyring, MasterKey, Place, Purpose, Sealed, SealingError};
pub use service_credentials::{CredentialName, CredentialService, ServiceCredentialRecord};
pub use services::{ServiceHost, ServiceHostError, ServiceKeyRecord, ServiceName, ServiceNameError, ServiceRecord, service_arn};
pub use ssh_keys::SshKeyRecord;
pub use ssh_public_key::{NotAKey, SshPublicKey};
pub use surroundings::{Clock, Entropy, SystemClock, SystemEntropy};
pub use tags::{Tag, TagKey, TagValue, Tags};
pub use users::UserRecord;

/// Every kind of record that is declared here, for checking a store.
pub fn kinds() -> Vec<store::Kind> {
    vec![
        store::Kind::of::<AccountRecord>(),
        store::Kind::of::<UserRecord>(),
        store::Kind::of::<GroupRecord>(),
        store::Kind::of::<RoleRecord>(),
        store::Kind::of::<RoleUsageRecord>(),
        store::Kind::of::<PolicyRecord>(),
        store::Kind::of::<PolicyVersionRecord>(),
        store::Kind::of::<InlinePolicyRecord>(),
        store::Kind::of::<AccessKeyRecord>(),
        store::Kind::of::<ServiceCredentialRecord>(),
        store::Kind::of::<SshKeyRecord>(),
        store::Kind::of::<MfaDeviceRecord>(),
        store::Kind::of::<KeyRecord>(),
        store::Kind::of::<OidcProviderRecord>(),
        store::Kind::of::<AccountFeaturesRecord>(),
        store::Kind::of::<SamlProviderRecord>(),
        store::Kind::of::<SamlMetadataRecord>(),
        store::Kind::of::<SamlPrivateKeyRecord>(),
        store::Kind::of::<OrganizationRecord>(),
        store::Kind::of::<UnitRecord>(),
        store::Kind::of::<MemberRecord>(),
        store::Kind::of::<DelegatedAdministratorRecord>(),
        store::Kind::of::<ServiceAccessRecord>(),
        store::Kind::of::<CentralRootRecord>(),
        store::Kind::of::<OrganizationPolicyRecord>(),
        store::Kind::of::<PolicyAttachmentRecord>(),
        store::Kind::of::<ServiceRecord>(),
        store::Kind::of::<ServiceKeyRecord>(),
        store::Kind::of::<PolicyTemplateRecord>(),
        store::Kind::of::<DelegationRequestRecord>(),
    ]
}
