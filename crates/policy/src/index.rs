//! Finds the statements that may concern a request without looking at the others: one radix tree over action and resource.
//!
//! A key is the text that the actions of a pattern begin with, a mark that says whether the action ends there and in which order the parts of the
//! resource follow, and the text that the resources of a pattern begin with in that order. A walk goes along the request once for each order, so its
//! cost depends on the length of the request and on the statements found, not on the statements that name other things. Keys are in lower case where
//! the request is compared without case.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::action::Tail;
use crate::compiled::{Rule, WHOLE};
use crate::resource::{Lookup, Order, Target};

/// Marks are bytes that no text in UTF-8 has, from this one on: for each order one where the action goes on, and then one where it ends.
const FIRST_MARK: u8 = 0xF8;

fn mark(order: Order, ends: bool) -> u8 {
    let place = match order {
        Order::Whole => 0,
        Order::Account => 1,
        Order::Service => 2,
    };
    FIRST_MARK + 2 * place + u8::from(ends)
}

/// The order of a mark, if it stands for actions that go on or `at_end` is true.
fn order_of(byte: u8, at_end: bool) -> Option<Order> {
    let place = byte.checked_sub(FIRST_MARK)?;
    if place % 2 == 1 && !at_end {
        return None;
    }
    match place / 2 {
        0 => Some(Order::Whole),
        1 => Some(Order::Account),
        2 => Some(Order::Service),
        _ => None,
    }
}

/// A statement with more pairs of action and resource than this is found by its actions, and by what all its resources begin with.
const MOST_PAIRS: usize = 256;

/// Nothing is left to compare.
const SURE: u32 = u32::MAX;

/// The tree.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The first one is the root; children of one node stand side by side, sorted by their first byte.
    nodes: Box<[Node]>,
    labels: Box<[u8]>,
    entries: Box<[Entry]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Node {
    label: u32,
    label_length: u32,
    child: u32,
    children: u16,
    first: u8,
    entry: u32,
    entries: u32,
}

/// A statement that is found at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) rule: u32,
    action: u32,
    resource: u32,
    /// The resource must end where the node does.
    ends: bool,
}

/// What is left to compare before a statement that was found covers the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    /// One pattern of the statement's list.
    One(usize),
    /// All of them.
    Whole,
}

impl Left {
    fn of(code: u32) -> Left {
        match code {
            SURE => Left::Nothing,
            code if code as usize == WHOLE => Left::Whole,
            code => Left::One(code as usize),
        }
    }

    fn code(tail: Tail, at: usize) -> u32 {
        match tail {
            Tail::End | Tail::Free => SURE,
            Tail::Compare => number(at),
        }
    }
}

impl Entry {
    pub(crate) fn action(&self) -> Left {
        Left::of(self.action)
    }

    pub(crate) fn resource(&self) -> Left {
        Left::of(self.resource)
    }
}

/// Indexes are far below 2³²: documents and sets are bounded by memory.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(SURE)
}

impl Index {
    pub(crate) fn new<'a>(rules: impl Iterator<Item = &'a Rule>) -> Index {
        let mut keys = Vec::new();
        for (rule, at) in rules.zip(0..) {
            push_keys(rule, at, &mut keys);
        }
        keys.sort_unstable();
        keys.dedup();
        Builder::default().build(&keys)
    }

    /// About how many bytes it takes beside itself.
    pub(crate) fn weight(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.labels) + size_of_val(&*self.entries)
    }

    /// Shows every statement that may cover the request, until `see` breaks off. A statement may come more than once.
    pub(crate) fn find(&self, action: &str, target: &Target<'_>, see: &mut dyn FnMut(&Entry) -> ControlFlow<()>) {
        let Some(mut node) = self.nodes.first() else { return };
        let mut action = action.as_bytes();
        loop {
            let children = self.children(node);
            for mark in children.iter().rev().take_while(|child| child.first >= FIRST_MARK) {
                let text = order_of(mark.first, action.is_empty()).and_then(|order| target.in_order(order));
                if let Some((folded, exact)) = text
                    && self.resources(mark, folded.as_bytes(), exact.as_bytes(), see).is_break()
                {
                    return;
                }
            }
            let Some(next) = action.first().and_then(|byte| child(children, byte.to_ascii_lowercase())) else { return };
            let label = self.label(next);
            let Some((text, rest)) = action.split_at_checked(label.len()) else { return };
            // The first byte is the child's.
            if !folds_to(text.get(1..).unwrap_or_default(), label.get(1..).unwrap_or_default()) {
                return;
            }
            (action, node) = (rest, next);
        }
    }

    /// The walk along a resource, whose first part is compared without case.
    fn resources(&self, mark: &Node, folded: &[u8], exact: &[u8], see: &mut dyn FnMut(&Entry) -> ControlFlow<()>) -> ControlFlow<()> {
        let (mut folded, mut exact) = (folded, exact);
        let mut node = mark;
        let Some((_, mut label)) = self.label(node).split_first() else { return ControlFlow::Continue(()) };
        loop {
            match strip(folded, exact, label) {
                Some(rest) => (folded, exact) = rest,
                None => return ControlFlow::Continue(()),
            }
            let next = folded.first().map(u8::to_ascii_lowercase).or_else(|| exact.first().copied());
            for entry in self.entries(node) {
                if !entry.ends || next.is_none() {
                    see(entry)?;
                }
            }
            let Some(child) = next.and_then(|byte| child(self.children(node), byte)) else { return ControlFlow::Continue(()) };
            label = self.label(child);
            node = child;
        }
    }

    fn children(&self, node: &Node) -> &[Node] {
        let start = node.child as usize;
        self.nodes.get(start..start + usize::from(node.children)).unwrap_or_default()
    }

    fn label(&self, node: &Node) -> &[u8] {
        let start = node.label as usize;
        self.labels.get(start..start + node.label_length as usize).unwrap_or_default()
    }

    fn entries(&self, node: &Node) -> &[Entry] {
        let start = node.entry as usize;
        self.entries.get(start..start + node.entries as usize).unwrap_or_default()
    }
}

/// The child whose label begins with `byte`.
fn child(children: &[Node], byte: u8) -> Option<&Node> {
    if children.len() <= 8 {
        return children.iter().find(|child| child.first == byte);
    }
    children.binary_search_by_key(&byte, |child| child.first).ok().and_then(|at| children.get(at))
}

/// Whether `text` is `label`, which is in lower case. Labels are short, and most texts are as they are: no call is worth its while.
fn folds_to(text: &[u8], label: &[u8]) -> bool {
    text.len() == label.len() && text.iter().zip(label).all(|(byte, wanted)| byte == wanted || byte.to_ascii_lowercase() == *wanted)
}

/// What is left of a text in two parts behind `label`, if it begins with that; case counts in the second part only.
fn strip<'t>(folded: &'t [u8], exact: &'t [u8], label: &[u8]) -> Option<(&'t [u8], &'t [u8])> {
    match folded.split_at_checked(label.len()) {
        Some((part, rest)) => folds_to(part, label).then_some((rest, exact)),
        None => {
            let (one, other) = label.split_at_checked(folded.len())?;
            // Most labels differ in the first byte, if they do.
            if other.first() != exact.first() {
                return None;
            }
            let rest = exact.strip_prefix(other)?;
            folds_to(folded, one).then_some((&[], rest))
        }
    }
}

type Key = (Box<[u8]>, Entry);

fn push_keys(rule: &Rule, at: u32, keys: &mut Vec<Key>) {
    let actions = rule.actions.index();
    let mut resources = rule.resources.index();
    if actions.len() > 1 && actions.len() * resources.len() > MOST_PAIRS {
        resources = vec![(Lookup { order: Order::Whole, prefix: common_start(&resources), tail: Tail::Compare, ends: false }, WHOLE)];
    }
    for (action, action_tail, action_at) in &actions {
        for (lookup, resource_at) in &resources {
            let mut key = Vec::with_capacity(action.len() + 1 + lookup.prefix.len());
            key.extend_from_slice(action.as_bytes());
            key.push(mark(lookup.order, *action_tail == Tail::End));
            key.extend_from_slice(lookup.prefix.as_bytes());
            let entry = Entry {
                rule: at,
                action: Left::code(*action_tail, *action_at),
                resource: Left::code(lookup.tail, *resource_at),
                ends: lookup.ends,
            };
            keys.push((key.into(), entry));
        }
    }
}

/// What all of them begin with.
fn common_start(resources: &[(Lookup, usize)]) -> String {
    let Some(((first, _), others)) = resources.split_first() else { return String::new() };
    if resources.iter().any(|(lookup, _)| lookup.order != Order::Whole) {
        return String::new();
    }
    let shared =
        |one: &str, other: &str| one.chars().zip(other.chars()).take_while(|(one, other)| one == other).map(|(c, _)| c.len_utf8()).sum();
    let length = others.iter().map(|(lookup, _)| shared(&first.prefix, &lookup.prefix)).min().unwrap_or(first.prefix.len());
    first.prefix.get(..length).unwrap_or_default().into()
}

/// Builds the tree level by level, so that siblings stand side by side.
#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    labels: Vec<u8>,
    entries: Vec<Entry>,
}

impl Builder {
    fn build(mut self, keys: &[Key]) -> Index {
        if keys.is_empty() {
            return Index::default();
        }
        self.nodes.push(Node::default());
        let mut work = VecDeque::from([(0, keys, 0)]);
        while let Some((node, keys, depth)) = work.pop_front() {
            let here = keys.partition_point(|(key, _)| key.len() == depth);
            let (own, mut below) = keys.split_at(here);
            let (entry, child) = (self.entries.len(), self.nodes.len());
            self.entries.extend(own.iter().map(|(_, entry)| *entry));
            while let Some(first) = below.first().and_then(|(key, _)| key.get(depth)).copied() {
                let same = below.partition_point(|(key, _)| key.get(depth) == Some(&first));
                let (group, rest) = below.split_at(same);
                let length = label_length(group, depth);
                let label = group.first().and_then(|(key, _)| key.get(depth..depth + length)).unwrap_or_default();
                let start = self.labels.len();
                self.labels.extend_from_slice(label);
                work.push_back((self.nodes.len(), group, depth + length));
                self.nodes.push(Node { label: number(start), label_length: number(length), first, ..Node::default() });
                below = rest;
            }
            let children = u16::try_from(self.nodes.len() - child).unwrap_or(u16::MAX);
            if let Some(node) = self.nodes.get_mut(node) {
                (node.entry, node.entries) = (number(entry), number(own.len()));
                (node.child, node.children) = (number(child), children);
            }
        }
        Index { nodes: self.nodes.into(), labels: self.labels.into(), entries: self.entries.into() }
    }
}

/// How far all keys of a sorted group agree from `depth` on, at least one byte. A mark always begins a label.
fn label_length(group: &[Key], depth: usize) -> usize {
    let (Some((first, _)), Some((last, _))) = (group.first(), group.last()) else { return 0 };
    let (first, last) = (first.get(depth..).unwrap_or_default(), last.get(depth..).unwrap_or_default());
    let common = first.iter().zip(last).take_while(|(one, other)| one == other).count();
    let mark = first.iter().skip(1).position(|byte| *byte >= FIRST_MARK).map_or(common, |at| at + 1);
    common.min(mark)
}

#[cfg(test)]
mod tests;
