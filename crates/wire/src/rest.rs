//! REST-JSON in: method and path name the operation; path, query and body become one node.

use crate::{Malformed, Members, Name, Node, json, query};

/// `"PUT /analyzer/{analyzerName}"`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern<'a> {
    method: &'a str,
    segments: Vec<Segment<'a>>,
    /// `?aws_iam=t`: what the query must hold.
    query: Vec<(&'a str, &'a str)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment<'a> {
    Literal(&'a str),
    Label(&'a str),
    /// `{proxy+}`: everything from here.
    Rest(&'a str),
}

impl<'a> Pattern<'a> {
    /// Takes the text of a struct's `http` apart. Without a method before the path it is `None`.
    pub fn new(http: &'a str) -> Option<Self> {
        let (method, target) = http.split_once(' ')?;
        let (path, asked) = target.split_once('?').unwrap_or((target, ""));
        let segments = segments(path)?
            .map(|segment| match segment.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
                None => Segment::Literal(segment),
                Some(label) => label.strip_suffix('+').map_or(Segment::Label(label), Segment::Rest),
            })
            .collect();
        let query = asked.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
        Some(Pattern { method, segments, query })
    }

    /// The labels, if method, path and query (as sent) are this pattern's.
    pub fn matches(&self, method: &str, path: &str, uri_query: &str) -> Option<Vec<(&'a str, String)>> {
        if method != self.method {
            return None;
        }
        let mut labels = vec![];
        let mut sent = segments(path)?;
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => (sent.next()? == *literal).then_some(())?,
                Segment::Label(label) => labels.push((*label, filled(sent.next()?)?)),
                Segment::Rest(label) => {
                    let rest: Vec<&str> = sent.by_ref().collect();
                    labels.push((*label, filled(&rest.join("/"))?));
                }
            }
        }
        let asked =
            |(name, value): &(&str, &str)| uri_query.split('&').any(|pair| pair.split_once('=').unwrap_or((pair, "")) == (*name, *value));
        (sent.next().is_none() && self.query.iter().all(asked)).then_some(labels)
    }

    /// The number of literal segments and of asked parameters: of two patterns that match, the one with more is meant.
    pub fn weight(&self) -> usize {
        self.segments.iter().filter(|segment| matches!(segment, Segment::Literal(_))).count() + self.query.len()
    }
}

/// The pattern that is meant, by its place, and its labels: of those that match, the most literal one.
pub fn find<'a>(
    patterns: impl IntoIterator<Item = &'a str>,
    method: &str,
    path: &str,
    uri_query: &str,
) -> Option<(usize, Vec<(&'a str, String)>)> {
    // Most differ in the method or in what their path begins with, and that is seen without taking them apart.
    let near = patterns.into_iter().enumerate().filter(|(_, http)| begins_with(http, method, path));
    let matching = near.filter_map(|(at, http)| {
        let pattern = Pattern::new(http)?;
        let labels = pattern.matches(method, path, uri_query)?;
        Some((pattern.weight(), at, labels))
    });
    matching.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, at, labels)| (at, labels))
}

/// Whether the method is this pattern's, and the path begins with what stands before its first label.
fn begins_with(http: &str, method: &str, path: &str) -> bool {
    let target = http.strip_prefix(method).and_then(|rest| rest.strip_prefix(' '));
    target.and_then(|target| target.split(['{', '?']).next()).is_some_and(|literal| path.starts_with(literal))
}

fn segments(path: &str) -> Option<std::str::Split<'_, char>> {
    Some(path.strip_prefix('/')?.split('/'))
}

/// A label, decoded; an empty one is none.
fn filled(segment: &str) -> Option<String> {
    query::percent_decoded(segment.as_bytes()).ok().filter(|label| !label.is_empty())
}

/// The input of an operation: labels of the path, parameters of the query, members of the body. A name that comes from two of them is refused.
/// Values of path and query are text; a query parameter that is given several times is a list.
///
/// # Errors
/// As reading query and body; [`Malformed::Duplicate`].
pub fn read(labels: Vec<(&str, String)>, uri_query: &str, body: &[u8], limits: &query::Limits) -> Result<Node, Malformed> {
    let Node::Map(in_body) = json::read(body, limits.bytes)? else { return Err(Malformed::NotAnObject) };
    let mut members: Members = labels.into_iter().map(|(name, value)| (Name::Owned(name.to_owned()), Node::Text(value))).collect();
    members.extend(query::repeated(uri_query, limits)?);
    members.extend(in_body);
    match json::twin(&members) {
        Some(name) => Err(Malformed::Duplicate(query::short(name))),
        None => Ok(Node::Map(members)),
    }
}
