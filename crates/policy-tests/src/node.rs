//! Values with their places, whichever language they were written in, and their way to JSON, which the engine reads, and back.

use policy::Place;
use policy::json;

/// A value of a file.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) start: Place,
    /// Just behind it.
    pub(crate) end: Place,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) node: Node,
}

/// What is wrong, and where in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) what: String,
    pub(crate) place: Place,
}

impl Wrong {
    pub(crate) fn at<T>(place: Place, what: impl ToString) -> Result<T, Wrong> {
        Err(Wrong { what: what.to_string(), place })
    }
}

impl Node {
    /// Reads JSON.
    pub(crate) fn json(text: &str) -> Result<Node, Wrong> {
        match json::read(text) {
            Ok(node) => Ok(node.into()),
            Err(fault) => Wrong::at(fault.place, fault.what),
        }
    }

    /// What kind of value it is, for messages.
    pub(crate) fn noun(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }

    /// The member of an object; none if it is something else.
    pub(crate) fn member(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Object(members) => members.iter().find(|member| member.key == key).map(|member| &member.node),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => None,
        }
    }

    /// A text, or a number or boolean as its text.
    pub(crate) fn word(self, what: &str) -> Result<String, Wrong> {
        match self.value {
            Value::Text(text) | Value::Number(text) => Ok(text),
            Value::Bool(value) => Ok(if value { "true" } else { "false" }.into()),
            Value::Null | Value::List(_) | Value::Object(_) => {
                Wrong::at(self.start, format_args!("{what} is {}, not a string", self.noun()))
            }
        }
    }

    /// A list; one value alone is a list of it.
    pub(crate) fn list(self) -> Vec<Node> {
        match self.value {
            Value::List(list) => list,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => vec![self],
        }
    }
}

impl From<json::Node<'_>> for Node {
    fn from(node: json::Node<'_>) -> Node {
        let value = match node.value {
            json::Value::Null => Value::Null,
            json::Value::Bool(value) => Value::Bool(value),
            json::Value::Number(text) => Value::Number(text.into()),
            json::Value::Text(text) => Value::Text(text),
            json::Value::List(list) => Value::List(list.into_iter().map(Node::from).collect()),
            json::Value::Object(members) => {
                let member = |json::Member { key, place, node }| Member { key, place, node: node.into() };
                Value::Object(members.into_iter().map(member).collect())
            }
        };
        Node { value, start: node.start, end: node.end }
    }
}

/// A node as one line of JSON, which remembers where everything came from.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) text: String,
    /// Characters so far.
    length: u32,
    /// From which column on which place is meant, in order.
    places: Vec<(u32, Place)>,
}

impl Written {
    pub(crate) fn of(node: &Node) -> Written {
        let mut written = Written::default();
        written.node(node);
        written
    }

    /// Where a column of the line came from.
    pub(crate) fn place(&self, column: u32) -> Place {
        let after = self.places.partition_point(|(from, _)| *from <= column);
        after.checked_sub(1).and_then(|at| self.places.get(at)).map_or(Place { line: 1, column: 1 }, |(_, place)| *place)
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.length = self.length.saturating_add(u32::try_from(text.chars().count()).unwrap_or(u32::MAX));
    }

    fn mark(&mut self, place: Place) {
        self.places.push((self.length.saturating_add(1), place));
    }

    fn node(&mut self, node: &Node) {
        self.mark(node.start);
        match &node.value {
            Value::Null => self.push("null"),
            Value::Bool(value) => self.push(if *value { "true" } else { "false" }),
            // A policy's numbers count as their text, and YAML has numbers that JSON has not.
            Value::Number(text) | Value::Text(text) => self.string(text),
            Value::List(list) => {
                self.push("[");
                for (item, at) in list.iter().zip(0..) {
                    self.push(if at == 0 { "" } else { "," });
                    self.node(item);
                }
                self.push("]");
            }
            Value::Object(members) => {
                self.push("{");
                for (member, at) in members.iter().zip(0..) {
                    self.push(if at == 0 { "" } else { "," });
                    self.mark(member.place);
                    self.string(&member.key);
                    self.push(":");
                    self.node(&member.node);
                }
                self.push("}");
            }
        }
        self.mark(node.end);
    }

    fn string(&mut self, text: &str) {
        self.push(&serde_json::Value::from(text).to_string());
    }
}

/// The members of an object, taken one by one, so that those left over are unknown.
pub(crate) struct Members {
    pub(crate) place: Place,
    what: &'static str,
    known: Vec<&'static str>,
    left: Vec<Member>,
}

impl Members {
    pub(crate) fn of(node: Node, what: &'static str) -> Result<Members, Wrong> {
        match node.value {
            Value::Object(left) => Ok(Members { place: node.start, what, known: Vec::new(), left }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                Wrong::at(node.start, format_args!("{what} is {}, not an object", node.noun()))
            }
        }
    }

    /// None at all.
    pub(crate) fn none(what: &'static str) -> Members {
        Members { place: Place { line: 1, column: 1 }, what, known: Vec::new(), left: Vec::new() }
    }

    /// A member; `null` counts as missing.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Node> {
        self.known.push(key);
        let at = self.left.iter().position(|member| member.key == key)?;
        Some(self.left.remove(at).node).filter(|node| !matches!(node.value, Value::Null))
    }

    pub(crate) fn needed(&mut self, key: &'static str) -> Result<Node, Wrong> {
        self.take(key).map_or_else(|| Wrong::at(self.place, format_args!("{} has no {key}", self.what)), Ok)
    }

    /// Those that are left, whose names are free.
    pub(crate) fn rest(self) -> Vec<Member> {
        self.left
    }

    pub(crate) fn end(self) -> Result<(), Wrong> {
        match self.left.first() {
            None => Ok(()),
            Some(member) => {
                let known = self.known.join(", ");
                Wrong::at(member.place, format_args!("{:?} is no member of {}: those are {known}", member.key, self.what))
            }
        }
    }
}
