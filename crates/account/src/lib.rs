//! AWS Account Management: an account's name, contacts, e-mail address and regions, told and changed by the account itself, or by whoever
//! manages its organization. Reference: <https://docs.aws.amazon.com/accounts/latest/reference/api-reference.html>.
//!
//! One file a family of operations; `subject`, whose account a request is about, and `codes`, what shows that somebody is reached, come first. A family's `OPERATIONS` registers it.

mod codes;
mod error;
mod subject;

mod alternate_contacts;
mod contact;
mod information;
mod phone_number;
mod primary_email;
mod regions;

pub use codes::PendingCode;
pub use error::Error;
pub use phone_number::pending_phone;
pub use primary_email::pending_email;

use operation::{Caller, Failure, Operations, Protocol, Service};

/// The service.
pub struct Account;

impl Service for Account {
    const PREFIX: &'static str = "account";
    const SCOPES: &'static [&'static str] = &[];
    const PROTOCOL: Protocol = Protocol::RestJson;
    const SOURCE: &'static str = "account.amazonaws.com";
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
pub const FAMILIES: &[Operations<Account>] = &[
    information::OPERATIONS,
    contact::OPERATIONS,
    phone_number::OPERATIONS,
    alternate_contacts::OPERATIONS,
    primary_email::OPERATIONS,
    regions::OPERATIONS,
];

/// Every kind of record that only this service reads, for checking a store.
pub fn kinds() -> Vec<store::Kind> {
    vec![
        store::Kind::of::<contact::ContactRecord>(),
        store::Kind::of::<phone_number::PhoneRecord>(),
        store::Kind::of::<alternate_contacts::AlternateContactRecord>(),
        store::Kind::of::<primary_email::EmailUpdateRecord>(),
        store::Kind::of::<regions::RegionRecord>(),
    ]
}
