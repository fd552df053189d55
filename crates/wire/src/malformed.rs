//! Requests that cannot be read at all.

use crate::{Common, Failure, Protocol};

/// Why a request cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A `%` that no two hexadecimal digits follow.
    #[error("The request contains an invalid percent-encoding.")]
    Percent,
    /// Bytes that are not UTF-8.
    #[error("The request contains text that is not UTF-8.")]
    Utf8,
    /// A parameter without a name, or one whose name holds control characters or empty parts.
    #[error("The request contains a parameter whose name is not valid.")]
    ParameterName,
    /// A parameter given twice, or twice but for case.
    #[error("The parameter {0} is given more than once.")]
    Duplicate(String),
    /// A parameter that has a value and parts, or parts of two kinds.
    #[error("The parameter {0} has a value and parts of its own.")]
    Conflict(String),
    /// A list index that is no number, has leading zeros or is too large.
    #[error("The parameter {0} has a list index that is not valid.")]
    Index(String),
    /// A map entry without key or with more than key and value.
    #[error("The parameter {0} has a map entry that is not a key and a value.")]
    Entry(String),
    /// Nested deeper than we read.
    #[error("The request is nested too deep.")]
    TooDeep,
    /// More parameters or values than we read.
    #[error("The request has too many parameters.")]
    TooMany,
    /// More bytes than we read.
    #[error("The request is larger than {0} bytes.")]
    TooLarge(usize),
    /// Query: no `Action`.
    #[error("Missing Action")]
    NoAction,
    /// JSON that does not parse, or is nested deeper than 128.
    #[error("The request body is not valid JSON, or nested too deep: line {line}, column {column}.")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A JSON object that names a member twice.
    #[error("The request body names a member twice: line {line}, column {column}.")]
    DuplicateKey {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// JSON that is not an object.
    #[error("The request body is not a JSON object.")]
    NotAnObject,
    /// A body that is compressed.
    #[error("The content encoding of the request is not supported.")]
    Encoded,
}

impl Malformed {
    /// What AWS answers to it.
    pub fn failure(&self, protocol: &Protocol) -> Failure {
        let common = match self {
            Malformed::Percent
            | Malformed::Utf8
            | Malformed::ParameterName
            | Malformed::Duplicate(_)
            | Malformed::Conflict(_)
            | Malformed::Index(_)
            | Malformed::Entry(_)
            | Malformed::TooDeep
            | Malformed::TooMany
            | Malformed::Json { .. }
            | Malformed::DuplicateKey { .. }
            | Malformed::NotAnObject => Common::MalformedRequest,
            Malformed::TooLarge(_) => Common::TooLarge,
            Malformed::NoAction => Common::MissingAction,
            Malformed::Encoded => Common::UnsupportedMedia,
        };
        common.says(protocol, self.to_string())
    }
}

/// A compressed body is refused rather than taken for something else. No operation of the services here may be sent compressed.
///
/// # Errors
/// [`Malformed::Encoded`] where the header `Content-Encoding` names anything but `identity`.
pub fn refuse_encoding(content_encoding: Option<&str>) -> Result<(), Malformed> {
    let known = |name: &str| {
        let name = name.trim();
        name.is_empty() || name.eq_ignore_ascii_case("identity")
    };
    if content_encoding.is_none_or(|header| header.split(',').all(known)) { Ok(()) } else { Err(Malformed::Encoded) }
}
