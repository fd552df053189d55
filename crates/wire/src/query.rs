//! Query in: `Action=…&Version=…` and the parameters, from the body of a POST or the query of a GET.
//!
//! The parameters become one bounded tree. The number in `Tags.member.7` only sorts; it is never a size. Two parameters with one name, or with
//! names that differ only in case, are refused: whoever reads the first must not see another request than whoever reads the last.

use crate::{Malformed, Members, Name, Node};

mod decode;
mod tree;

/// How much of a request is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of query and body together.
    pub bytes: usize,
    /// Parameters.
    pub parameters: usize,
    /// Parts of a parameter's name between dots.
    pub depth: usize,
    /// The greatest index of a list.
    pub index: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 1 << 20, parameters: 10_000, depth: 32, index: 10_000 }
    }
}

/// What a request says.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The operation.
    pub action: String,
    /// The version of the API. AWS calls a missing one `NO_VERSION_SPECIFIED`.
    pub version: Option<String>,
    /// The parameters, without those of the signature.
    pub input: Node,
}

impl Call {
    /// The version as AWS's `InvalidAction` prints it.
    pub fn version(&self) -> &str {
        self.version.as_deref().unwrap_or("NO_VERSION_SPECIFIED")
    }
}

/// Reads a request: what its URI says after `?` (if anything) and its body, as one set of parameters.
///
/// # Errors
/// Whatever the limits or the syntax forbid, and a request without `Action`.
pub fn read(uri_query: &str, body: &[u8], limits: &Limits) -> Result<Call, Malformed> {
    if uri_query.len().saturating_add(body.len()) > limits.bytes {
        return Err(Malformed::TooLarge(limits.bytes));
    }
    let mut parameters = Vec::with_capacity(16);
    decode::parameters(uri_query.as_bytes(), limits, &mut parameters)?;
    decode::parameters(body, limits, &mut parameters)?;
    tree::build(parameters, limits)
}

/// Whether a body of that content type is read as parameters. A body without a type is.
pub fn is_form(content_type: Option<&str>) -> bool {
    let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    kind.is_empty() || kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// A part of a URI's path, decoded.
///
/// # Errors
/// Invalid escapes, text that is not UTF-8.
pub(crate) fn percent_decoded(text: &[u8]) -> Result<String, Malformed> {
    decode::path(text)
}

/// The parameters of a REST request: text, or a list of texts where a name comes several times.
pub(crate) fn repeated(uri_query: &str, limits: &Limits) -> Result<Members, Malformed> {
    let mut parameters = vec![];
    decode::parameters(uri_query.as_bytes(), limits, &mut parameters)?;
    parameters.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut members: Members = vec![];
    for (name, value) in parameters {
        let value = Node::Text(value.into_owned());
        match members.last_mut() {
            Some((last, node)) if *last == name => {
                if let Node::List(values) = node {
                    values.push(value);
                } else {
                    *node = Node::List(vec![std::mem::take(node), value]);
                }
            }
            _ => members.push((Name::Owned(name.into_owned()), value)),
        }
    }
    Ok(members)
}

/// A name as a message repeats it.
pub(crate) fn short(name: &str) -> String {
    name.chars().take(128).collect()
}
