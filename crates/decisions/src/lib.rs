//! The `bailiwick:` service: decisions for other servers. A store, a catalog, a mesh sends the request that it captured and what that request
//! would do; the answer says whose it is and whether policies allow it. It binds nobody but the asker.
//!
//! `docs/stores.md` is the guide. In reading order: `asked`, the members of a question and what an asker may not say; [`authorize`], the
//! question and the answer; `chunks`, bodies that are signed chunk by chunk; `verify`, credentials that sign nothing; `ssh_keys`, for SSH servers;
//! [`services`], servers that call others for their callers; [`delegation`], products that ask accounts for access; `role_usage`, what such a server needs its service-linked roles for.

/// Declares an input that is a body of JSON and nothing else; an empty one counts as `{}`.
macro_rules! body {
    ($name:ident, $http:literal) => {
        impl operation::Input for $name {
            const NAME: &'static str = stringify!($name);
            const MEMBERS: &'static [wire::Member] = &[];
            const HTTP: Option<&'static str> = Some($http);

            fn read(said: operation::Said<'_>) -> Result<Self, operation::Failure> {
                crate::authorize::read(if said.body.is_empty() { b"{}" } else { said.body })
            }
        }
    };
}

mod asked;
mod authorize;
mod checks;
mod chunks;
pub mod delegation;
mod error;
mod foresight;
mod messages;
mod role_usage;
mod said;
pub mod services;
mod shown;
mod ssh_keys;
mod verify;

pub use error::Error;

use operation::{Caller, Failure, Operations, Protocol, Service};

/// The service.
pub struct Decisions;

impl Service for Decisions {
    const PREFIX: &'static str = "bailiwick";
    const SCOPES: &'static [&'static str] = &[];
    const PROTOCOL: Protocol = Protocol::RestJson;
    const SOURCE: &'static str = "bailiwick";
    const GLOBAL: bool = false;
    type Error = Error;

    fn bars(_: &Caller, _: &str) -> Option<Failure> {
        None
    }
}

/// Every operation, family by family.
pub const FAMILIES: &[Operations<Decisions>] = &[
    authorize::OPERATIONS,
    chunks::OPERATIONS,
    verify::OPERATIONS,
    ssh_keys::OPERATIONS,
    services::OPERATIONS,
    delegation::OPERATIONS,
    role_usage::OPERATIONS,
    foresight::OPERATIONS,
];
