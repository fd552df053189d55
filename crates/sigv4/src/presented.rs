//! The credentials that a request presents. Nothing in here is proven before [`Presented::verify`] says so.

use std::borrow::Cow;
use std::fmt;

use crate::canonical::Sink;
use crate::request::parts;
use crate::time::Stamp;
use crate::{Reason, Style};

/// What a signature is valid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The day, `YYYYMMDD`, UTC.
    pub date: &'a str,
    /// The region that the client believes to talk to.
    pub region: &'a str,
    /// The service, by its signing name.
    pub service: &'a str,
}

impl Scope<'_> {
    /// As strings to sign hold it: `20150830/us-east-1/iam/aws4_request`.
    pub(crate) fn write(&self, sink: &mut impl Sink) {
        for part in [self.date, self.region, self.service] {
            sink.put(part.as_bytes());
            sink.byte(b'/');
        }
        sink.put(b"aws4_request");
    }

    /// Refuses another service than the one that the request would reach.
    ///
    /// # Errors
    /// [`Reason::ScopeService`].
    pub fn require_service(&self, service: &str) -> Result<(), Reason> {
        if self.service == service { Ok(()) } else { Err(Reason::ScopeService { expected: service.into(), given: self.service.into() }) }
    }

    /// Refuses another region. Only for a server that has one: clients with an endpoint of their own sign whatever region they have.
    ///
    /// # Errors
    /// [`Reason::ScopeRegion`].
    pub fn require_region(&self, region: &str) -> Result<(), Reason> {
        if self.region == region { Ok(()) } else { Err(Reason::ScopeRegion { expected: region.into(), given: self.region.into() }) }
    }
}

/// Where the credentials were, and for how long they are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query: a presigned URL.
    Query {
        /// The seconds that the URL asks to live, 1 to [`crate::LONGEST_EXPIRY`].
        expires: u32,
    },
}

/// The credentials of a request and what they claim.
#[derive(Clone)]
pub struct Presented<'a> {
    /// The access key id.
    pub key_id: &'a str,
    /// The session token of temporary credentials.
    pub token: Option<Cow<'a, str>>,
    /// What the signature is for.
    pub scope: Scope<'a>,
    /// When it was signed, in seconds of the epoch. Not yet compared with the clock.
    pub at: i64,
    /// Where the credentials were.
    pub form: Form,
    /// How the service of the scope signs.
    pub style: Style,
    /// The `host` header; empty if there is none, which no signature survives.
    pub host: &'a str,
    pub(crate) stamp: Stamp,
    pub(crate) signature: &'a str,
    pub(crate) signed_headers: Cow<'a, str>,
    pub(crate) content: Content<'a>,
}

/// The values of `x-amz-content-sha256`, wherever they were.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Content<'a> {
    pub(crate) header: Option<&'a str>,
    pub(crate) parameter: Option<&'a str>,
}

impl Presented<'_> {
    /// The names of the headers that are signed, in lower case.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        parts(&self.signed_headers, b';')
    }

    /// Whether a header, named in lower case, is signed.
    pub fn signs(&self, header: &str) -> bool {
        self.signed_headers().any(|name| name == header)
    }

    /// The time of signing as the request writes it: `20150830T123600Z`.
    pub fn timestamp(&self) -> &str {
        self.stamp.as_str()
    }
}

/// Without token and signature, which belong in no log.
impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("key_id", &self.key_id)
            .field("has_token", &self.token.is_some())
            .field("scope", &self.scope)
            .field("at", &self.timestamp())
            .field("form", &self.form)
            .field("host", &self.host)
            .field("signed_headers", &self.signed_headers)
            .finish_non_exhaustive()
    }
}
