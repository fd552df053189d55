//! AWS Organizations: many accounts under one, in a tree. Records that deciding needs are in `identities`; what only this service reads is here.
//! Guide: <https://docs.aws.amazon.com/organizations/latest/userguide/>, reference:
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/>.
//!
//! One file a family of operations; what several families share comes first. A family's `OPERATIONS` registers it.

mod authority;
mod deletion;
mod error;
mod ids;
mod inheritance;
mod page;
mod policy_syntax;
mod policy_trees;
mod quotas;
mod service_linked_role;
mod services;
mod tagging;

mod account_creation;
mod accounts;
mod all_features;
mod attachments;
mod delegated_administrators;
mod effective_policies;
mod handshakes;
mod invitations;
mod organization;
mod policies;
mod policy_types;
mod resource_policy;
mod responsibility_transfers;
mod service_access;
mod tag_policies;
mod tags;
mod units;

pub use accounts::state as member_state;
pub use error::Error;
pub use tag_policies::{TagRules, tag_rules};
pub use tagging::account_tags;

use operation::{Caller, Failure, Operations, Protocol, Service};

/// The service.
pub struct Organizations;

impl Service for Organizations {
    const PREFIX: &'static str = "organizations";
    const SCOPES: &'static [&'static str] = &[];
    const PROTOCOL: Protocol = Protocol::Json { version: "1.1", target: "AWSOrganizationsV20161128" };
    const SOURCE: &'static str = "organizations.amazonaws.com";
    const GLOBAL: bool = true;
    type Error = Error;

    fn bars(_: &Caller, _: &str) -> Option<Failure> {
        None
    }

    fn misread(failure: Failure) -> Failure {
        error::misread(failure)
    }
}

/// Every operation, family by family.
pub const FAMILIES: &[Operations<Organizations>] = &[
    organization::OPERATIONS,
    units::OPERATIONS,
    accounts::OPERATIONS,
    account_creation::OPERATIONS,
    handshakes::OPERATIONS,
    invitations::OPERATIONS,
    all_features::OPERATIONS,
    responsibility_transfers::OPERATIONS,
    service_access::OPERATIONS,
    delegated_administrators::OPERATIONS,
    resource_policy::OPERATIONS,
    tags::OPERATIONS,
    policies::OPERATIONS,
    attachments::OPERATIONS,
    policy_types::OPERATIONS,
    effective_policies::OPERATIONS,
];

/// Every kind of record that only Organizations reads, for checking a store.
pub fn kinds() -> Vec<store::Kind> {
    vec![
        store::Kind::of::<authority::ResourcePolicyRecord>(),
        store::Kind::of::<tagging::TagsRecord>(),
        store::Kind::of::<account_creation::AccountCreationRecord>(),
        store::Kind::of::<handshakes::HandshakeRecord>(),
        store::Kind::of::<responsibility_transfers::TransferRecord>(),
    ]
}
