//! Names with dots as one tree.

use super::decode::Parameter;
use super::{Call, Limits, short};
use crate::{Malformed, Members, Name, Node};
use std::cmp::Ordering;

/// The parameters as a call. Sorting brings together what belongs together, so the work is n log n whatever the names.
pub(super) fn build(mut parameters: Vec<Parameter<'_>>, limits: &Limits) -> Result<Call, Malformed> {
    parameters.sort_unstable_by(|(one, _), (other, _)| order(one, other));
    let twins = parameters.windows(2).find_map(|pair| match pair {
        [(one, _), (other, _)] if order(one, other) == Ordering::Equal => Some(short(other)),
        _ => None,
    });
    if let Some(name) = twins {
        return Err(Malformed::Duplicate(name));
    }
    let mut members = members(&mut parameters, 0, limits)?;
    let (mut action, mut version) = (None, None);
    members.retain_mut(|(name, node)| match name.as_ref() {
        "Action" => {
            action = text(node);
            false
        }
        "Version" => {
            version = text(node);
            false
        }
        // The parameters of a presigned request are the signature's, not the operation's.
        name => !name.as_bytes().get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"X-Amz-")),
    });
    let action = action.filter(|action| !action.is_empty()).ok_or(Malformed::NoAction)?;
    Ok(Call { action, version, input: Node::Map(members) })
}

fn text(node: &mut Node) -> Option<String> {
    if let Node::Text(text) = node { Some(std::mem::take(text)) } else { None }
}

/// Names in an order that ignores case and puts all that is below `A.` right after `A`.
fn order(one: &str, other: &str) -> Ordering {
    let key = |byte: u8| if byte == b'.' { 0 } else { byte.to_ascii_lowercase() };
    for (one, other) in one.bytes().zip(other.bytes()) {
        // Most names begin like their neighbours.
        if one != other && key(one) != key(other) {
            return key(one).cmp(&key(other));
        }
    }
    one.len().cmp(&other.len())
}

/// The structure that sorted parameters make, whose names all begin with the same `start` bytes.
fn members(parameters: &mut [Parameter<'_>], start: usize, limits: &Limits) -> Result<Members, Malformed> {
    let mut members: Members = Vec::with_capacity(parameters.len().min(8));
    let mut rest = parameters;
    while let Some((name, _)) = rest.first() {
        let head = head(name, start).to_owned();
        let end = start + head.len();
        let size = rest.iter().take_while(|(name, _)| is_below(name, start, &head)).count();
        let (group, after) = std::mem::take(&mut rest).split_at_mut(size.max(1));
        rest = after;
        // `Tags.member.1` beside `tags.member.2`.
        if let Some((other, _)) = group.iter().find(|(name, _)| name.get(start..end) != Some(&head)) {
            return Err(Malformed::Duplicate(short(other)));
        }
        let node = match group {
            [(name, value)] if name.len() == end => Node::Text(std::mem::take(value).into_owned()),
            // The shortest name sorts first.
            [(name, _), ..] if name.len() == end => return Err(Malformed::Conflict(short(name))),
            group => node(group, end + 1, limits)?,
        };
        members.push((Name::Owned(head), node));
    }
    Ok(members)
}

/// What is below one name: a list, a map, or a structure.
fn node(group: &mut [Parameter<'_>], start: usize, limits: &Limits) -> Result<Node, Malformed> {
    let all = |word: &str| group.iter().all(|(name, _)| name.get(start..).is_some_and(|below| below.starts_with(word)));
    if all("member.") {
        let items = numbered(group, start + "member.".len(), limits)?;
        return Ok(Node::List(items.into_iter().map(|(_, node)| node).collect()));
    }
    if all("entry.") {
        let whole = group.first().map(|(name, _)| short(name)).unwrap_or_default();
        let mut entries: Members = vec![];
        for (_, node) in numbered(group, start + "entry.".len(), limits)? {
            let Node::Map(members) = node else { return Err(Malformed::Entry(whole)) };
            entries.push(entry(members).ok_or_else(|| Malformed::Entry(whole.clone()))?);
        }
        if crate::json::twin(&entries).is_some() {
            return Err(Malformed::Duplicate(whole));
        }
        return Ok(Node::Entries(entries));
    }
    members(group, start, limits).map(Node::Map)
}

/// The parts `1`, `2`, … in the order of their numbers. Gaps do not matter.
fn numbered(group: &mut [Parameter<'_>], start: usize, limits: &Limits) -> Result<Vec<(u32, Node)>, Malformed> {
    let members = members(group, start, limits)?;
    let mut items = Vec::with_capacity(members.len());
    for (number, node) in members {
        let digits = number.bytes().all(|byte| byte.is_ascii_digit()) && (number == "0" || !number.starts_with('0'));
        match number.parse::<u32>() {
            Ok(number) if digits && number <= limits.index => items.push((number, node)),
            _ => return Err(Malformed::Index(group.first().map(|(name, _)| short(name)).unwrap_or_default())),
        }
    }
    items.sort_by_key(|(number, _)| *number);
    Ok(items)
}

/// `key` and `value`. A value may be left out, as AWS's clients do for null.
fn entry(members: Members) -> Option<(Name, Node)> {
    let (mut key, mut value) = (None, Node::Absent);
    for (name, node) in members {
        match (name.as_ref(), node) {
            ("key", Node::Text(text)) => key = Some(Name::Owned(text)),
            ("value", node) => value = node,
            _ => return None,
        }
    }
    Some((key?, value))
}

/// The part of a name from `start` to the next dot.
fn head(name: &str, start: usize) -> &str {
    let rest = name.get(start..).unwrap_or_default();
    let end = rest.bytes().position(|byte| byte == b'.').unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// Whether the part of `name` from `start` is `head`, whatever its case.
fn is_below(name: &str, start: usize, head: &str) -> bool {
    let Some((part, after)) = name.as_bytes().get(start..).and_then(|rest| rest.split_at_checked(head.len())) else { return false };
    part.eq_ignore_ascii_case(head.as_bytes()) && matches!(after, [] | [b'.', ..])
}
