//! Finds the statements that may concern a request without looking at the others: one radix tree over action and resource.
//!
//! A key is the text that the actions of a pattern begin with, a byte that says whether the action ends there, and the text that the resources of a
//! pattern begin with. Both walk along the request once, so the cost depends on the length of the request and on the statements found, not on the
//! statements that name other things. Keys are in lower case where the request is compared without case.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::action::Tail;
use crate::compiled::{Rule, WHOLE};
use crate::resource::Target;

/// Bytes that no text in UTF-8 has.
const ACTION_GOES_ON: u8 = 0xFE;
const ACTION_ENDS: u8 = 0xFF;

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
    pub(crate) fn find(&self, action: &str, target: &Target<'_>, mut see: impl FnMut(&Entry) -> ControlFlow<()>) {
        let Some(mut node) = self.nodes.first() else { return };
        let action = action.as_bytes();
        let mut at = 0;
        loop {
            let children = self.children(node);
            let mut marks = children.iter().rev().take_while(|child| child.first >= ACTION_GOES_ON);
            for mark in marks.by_ref() {
                if mark.first == ACTION_GOES_ON || at == action.len() {
                    let stop = self.resources(mark, target, &mut see);
                    if stop.is_break() {
                        return;
                    }
                }
            }
            let Some(next) = action.get(at).and_then(|byte| child(children, byte.to_ascii_lowercase())) else { return };
            let label = self.label(next);
            let Some(text) = action.get(at..at + label.len()) else { return };
            if !text.eq_ignore_ascii_case(label) {
                return;
            }
            at += label.len();
            node = next;
        }
    }

    fn resources(&self, mark: &Node, target: &Target<'_>, see: &mut impl FnMut(&Entry) -> ControlFlow<()>) -> ControlFlow<()> {
        let text = target.text.as_bytes();
        let mut node = mark;
        let Some((_, mut label)) = self.label(node).split_first() else { return ControlFlow::Continue(()) };
        let mut at = 0;
        loop {
            let Some(part) = text.get(at..at + label.len()) else { return ControlFlow::Continue(()) };
            if part != label && !is_equal_in_head(part, label, target.head.saturating_sub(at)) {
                return ControlFlow::Continue(());
            }
            at += label.len();
            for entry in self.entries(node) {
                if !entry.ends || at == text.len() {
                    see(entry)?;
                }
            }
            let Some(byte) = text.get(at) else { return ControlFlow::Continue(()) };
            let byte = if at < target.head { byte.to_ascii_lowercase() } else { *byte };
            let Some(next) = child(self.children(node), byte) else { return ControlFlow::Continue(()) };
            label = self.label(next);
            node = next;
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

/// Equal, without regard to case in the first `head` bytes.
fn is_equal_in_head(part: &[u8], label: &[u8], head: usize) -> bool {
    let head = head.min(part.len());
    let ((part_head, part_rest), (label_head, label_rest)) = (part.split_at(head), label.split_at(head));
    head > 0 && part_head.eq_ignore_ascii_case(label_head) && part_rest == label_rest
}

type Key = (Box<[u8]>, Entry);

fn push_keys(rule: &Rule, at: u32, keys: &mut Vec<Key>) {
    let actions = rule.actions.index();
    let mut resources = rule.resources.index();
    if actions.len() > 1 && actions.len() * resources.len() > MOST_PAIRS {
        resources = vec![(common_start(&resources), Tail::Compare, WHOLE)];
    }
    for (action, action_tail, action_at) in &actions {
        for (resource, resource_tail, resource_at) in &resources {
            let mark = if *action_tail == Tail::End { ACTION_ENDS } else { ACTION_GOES_ON };
            let mut key = Vec::with_capacity(action.len() + 1 + resource.len());
            key.extend_from_slice(action.as_bytes());
            key.push(mark);
            key.extend_from_slice(resource.as_bytes());
            let entry = Entry {
                rule: at,
                action: Left::code(*action_tail, *action_at),
                resource: Left::code(*resource_tail, *resource_at),
                ends: *resource_tail == Tail::End,
            };
            keys.push((key.into(), entry));
        }
    }
}

fn common_start(resources: &[(String, Tail, usize)]) -> String {
    let mut texts = resources.iter().map(|(text, ..)| text.as_str());
    let first = texts.next().unwrap_or_default();
    let length = texts.fold(first.len(), |length, text| {
        let same = first.char_indices().zip(text.chars()).find(|((at, one), other)| *at >= length || one != other);
        same.map_or(text.len().min(length), |((at, _), _)| at.min(length))
    });
    first.get(..length).unwrap_or_default().into()
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
    let mark = first.iter().skip(1).position(|byte| *byte >= ACTION_GOES_ON).map_or(common, |at| at + 1);
    common.min(mark)
}
