//! The protocols that AWS's services speak, and how a reply is put on the wire in each.

use crate::{Failure, Name, Node, json, xml};

/// How the bytes of a service look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Parameters in, XML out (IAM, STS).
    Query {
        /// `2010-05-08`.
        version: &'static str,
        /// The namespace of its replies: `https://iam.amazonaws.com/doc/2010-05-08/`.
        namespace: &'static str,
        /// Whether a message repeats the value that broke a constraint.
        repeats: bool,
    },
    /// JSON in and out, the operation named by `X-Amz-Target` (Organizations, Identity Store).
    Json {
        /// `1.1` or `1.0`.
        version: &'static str,
        /// What stands before the dot in `X-Amz-Target`.
        target: &'static str,
    },
    /// JSON in and out, the operation named by method and path.
    RestJson,
}

/// How a Query service is asked to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// XML.
    #[default]
    Xml,
    /// The same tree as JSON, with numbers for times.
    Json,
}

impl Form {
    /// JSON if the header `Accept` names `application/json` and no XML before it.
    pub fn asked(accept: Option<&str>) -> Form {
        for range in accept.unwrap_or_default().split(',') {
            let kind = range.split(';').next().unwrap_or_default().trim();
            if kind.eq_ignore_ascii_case("application/json") {
                return Form::Json;
            }
            if kind.eq_ignore_ascii_case("text/xml") || kind.eq_ignore_ascii_case("application/xml") {
                return Form::Xml;
            }
        }
        Form::Xml
    }
}

/// What goes back to the client. The HTTP layer adds `Date` and `Content-Length`.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Content type and request id, and what else the protocol asks for. Names are in lower case.
    pub headers: Vec<(&'static str, Name)>,
    /// The body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Reply {
    /// Without the body, which may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).field("headers", &self.headers).field("body", &self.body.len()).finish()
    }
}

/// How one request is to be answered.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The protocol of the service.
    pub protocol: &'a Protocol,
    /// What `Accept` asked for; only Query services mind.
    pub form: Form,
    /// The id of the request.
    pub request_id: &'a str,
}

impl Answer<'_> {
    /// The reply of an operation that worked. `Node::Absent` is the output of an operation that has none; a structure without members is not
    /// the same: botocore fails where `<OpResult>` is missing although the model has an output.
    pub fn reply(&self, operation: &str, output: &Node) -> Reply {
        match (self.protocol, self.form) {
            (Protocol::Query { namespace, .. }, Form::Xml) => {
                self.with("text/xml", 200, xml::reply(operation, namespace, output, self.request_id))
            }
            (Protocol::Query { .. }, Form::Json) => {
                self.with("application/json", 200, json::query_reply(operation, output, self.request_id))
            }
            (Protocol::Json { .. } | Protocol::RestJson, _) => self.with(self.protocol.json_type(), 200, json::reply(output)),
        }
    }

    /// The reply to a request that failed.
    pub fn failure(&self, failure: &Failure) -> Reply {
        match (self.protocol, self.form) {
            (Protocol::Query { namespace, .. }, Form::Xml) => {
                self.with("text/xml", failure.status, xml::failure(failure, namespace, self.request_id))
            }
            (Protocol::Query { .. }, Form::Json) => {
                self.with("application/json", failure.status, json::query_failure(failure, self.request_id))
            }
            (Protocol::Json { .. } | Protocol::RestJson, _) => {
                // As the errors of each model call it.
                let message = if matches!(self.protocol, Protocol::Json { .. }) { "Message" } else { "message" };
                let mut reply = self.with(self.protocol.json_type(), failure.status, json::failure(failure, message));
                reply.headers.push(("x-amzn-errortype", failure.code.clone()));
                reply
            }
        }
    }

    fn with(&self, content_type: &'static str, status: u16, body: Vec<u8>) -> Reply {
        let mut headers = Vec::with_capacity(3);
        headers.push(("content-type", Name::Borrowed(content_type)));
        headers.push(("x-amzn-requestid", Name::Owned(self.request_id.to_owned())));
        Reply { status, headers, body }
    }
}

impl Protocol {
    fn json_type(&self) -> &'static str {
        match self {
            Protocol::Json { version: "1.0", .. } => "application/x-amz-json-1.0",
            Protocol::Json { .. } => "application/x-amz-json-1.1",
            Protocol::Query { .. } | Protocol::RestJson => "application/json",
        }
    }
}
