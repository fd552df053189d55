//! Which service a request is for. The services register themselves in a table; this module knows none.

use crate::{Protocol, rest};

/// A service as the routing sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Served {
    /// Its name in the server: `iam`.
    pub name: &'static str,
    /// The names that the scope of a credential may give it: `iam`; `sso-oauth` for sso-oidc.
    pub scopes: &'static [&'static str],
    /// How it speaks. Query services are also told by their version, JSON services by their target.
    pub protocol: Protocol,
    /// The paths of a REST service, written as in `Struct::HTTP`.
    pub paths: &'static [&'static str],
}

/// What of a request tells its service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen<'a> {
    /// The service in the scope of its credential; `None` for an unsigned request.
    pub scope: Option<&'a str>,
    /// The header `X-Amz-Target`.
    pub target: Option<&'a str>,
    /// The HTTP method.
    pub method: &'a str,
    /// The path as sent, without the query.
    pub path: &'a str,
    /// What stands after `?`.
    pub uri_query: &'a str,
    /// The parameter `Version`, where parameters could be read.
    pub version: Option<&'a str>,
}

/// Why no service is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrouted {
    /// The scope names a service that is not served here.
    Scope,
    /// Nothing in an unsigned request tells a service.
    Nothing,
}

/// The service of a request, as its place in the table. A signed request is for the service that its scope names, whatever else it says: only
/// that service's keys may have signed it. Where several share a scope, or nothing is signed, target, version and path decide, in this order.
///
/// # Errors
/// No service fits.
pub fn service(table: &[Served], seen: &Seen<'_>) -> Result<usize, Unrouted> {
    let in_scope = |served: &Served| seen.scope.is_none_or(|scope| served.scopes.contains(&scope));
    let candidates: Vec<usize> = table.iter().enumerate().filter(|(_, served)| in_scope(served)).map(|(at, _)| at).collect();
    if seen.scope.is_some() {
        match candidates.as_slice() {
            [] => return Err(Unrouted::Scope),
            [only] => return Ok(*only),
            _ => {}
        }
    }
    let told = candidates.iter().copied().find(|at| table.get(*at).is_some_and(|served| is_told(served, seen)));
    told.or_else(|| candidates.first().copied().filter(|_| seen.scope.is_some())).ok_or(Unrouted::Nothing)
}

fn is_told(served: &Served, seen: &Seen<'_>) -> bool {
    match served.protocol {
        Protocol::Json { target, .. } => seen.target.and_then(|sent| sent.split_once('.')).is_some_and(|(prefix, _)| prefix == target),
        Protocol::Query { version, .. } => seen.target.is_none() && seen.version == Some(version),
        Protocol::RestJson => {
            seen.target.is_none() && rest::find(served.paths.iter().copied(), seen.method, seen.path, seen.uri_query).is_some()
        }
    }
}

/// The operation that `X-Amz-Target` names, if the prefix is the service's.
pub fn operation_of_target<'a>(protocol: &Protocol, target: &'a str) -> Option<&'a str> {
    let Protocol::Json { target: prefix, .. } = protocol else { return None };
    target.strip_prefix(prefix)?.strip_prefix('.').filter(|operation| !operation.is_empty())
}
