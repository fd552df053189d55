//! YAML 1.2 with the place of every value, by the core schema: `true`, `false`, `null` and numbers are what they look like, everything else is text.
//! Anchors and aliases are read, tags and merge keys are not. What an alias stands for counts each time, so that a small file cannot become a large one.

use std::collections::HashMap;

use policy::Place;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

use crate::node::{Member, Node, Value, Wrong};

/// The deepest nesting that is read.
const DEEPEST: usize = 64;
/// Values that a file may hold, those of its aliases included.
const MOST: usize = 2_000_000;

/// Reads the one document of a file.
pub(crate) fn read(text: &str) -> Result<Node, Wrong> {
    let mut reader = Reader { open: Vec::new(), anchors: HashMap::new(), read: 0, root: None };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => reader.event(event, span)?,
            Err(error) => return Wrong::at(place(*error.marker()), error.info()),
        }
    }
    match reader.root {
        Some(root) => Ok(root),
        None => Wrong::at(Place { line: 1, column: 1 }, "the file is empty"),
    }
}

/// saphyr counts lines from 1 and columns from 0.
fn place(marker: Marker) -> Place {
    let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Place { line: number(marker.line()).max(1), column: number(marker.col()).saturating_add(1) }
}

/// A list or an object that is not at its end.
struct Open {
    anchor: usize,
    start: Place,
    holds: Holds,
}

enum Holds {
    List(Vec<Node>),
    /// And the key whose value comes next.
    Object(Vec<Member>, Option<(String, Place)>),
}

struct Reader {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    read: usize,
    root: Option<Node>,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Wrong> {
        let (start, end) = (place(span.start), place(span.end));
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.root.is_some() => Wrong::at(start, "a file holds one document"),
            Event::DocumentStart(_) => Ok(()),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    self.count(size(&node), start)?;
                    self.put(node, 0)
                }
                None => Wrong::at(start, "the alias stands inside what it names"),
            },
            Event::Scalar(text, style, anchor, None) => {
                self.count(1, start)?;
                let value = match style {
                    ScalarStyle::Plain => plain(&text),
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted | ScalarStyle::Literal | ScalarStyle::Folded => {
                        Value::Text(text.into_owned())
                    }
                };
                self.put(Node { value, start, end }, anchor)
            }
            Event::SequenceStart(anchor, None) => self.begin(anchor, start, Holds::List(Vec::new())),
            Event::MappingStart(anchor, None) => self.begin(anchor, start, Holds::Object(Vec::new(), None)),
            Event::Scalar(_, _, _, Some(tag)) | Event::SequenceStart(_, Some(tag)) | Event::MappingStart(_, Some(tag)) => {
                Wrong::at(start, format_args!("the tag {}{} is not read", tag.handle, tag.suffix))
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { anchor, start, holds }) => {
                    let value = match holds {
                        Holds::List(list) => Value::List(list),
                        Holds::Object(members, _) => Value::Object(members),
                    };
                    self.put(Node { value, start, end }, anchor)
                }
                None => Ok(()),
            },
        }
    }

    fn count(&mut self, more: usize, place: Place) -> Result<(), Wrong> {
        self.read = self.read.saturating_add(more);
        if self.read > MOST { Wrong::at(place, format_args!("the file holds more than {MOST} values")) } else { Ok(()) }
    }

    fn begin(&mut self, anchor: usize, start: Place, holds: Holds) -> Result<(), Wrong> {
        self.count(1, start)?;
        if self.open.len() == DEEPEST {
            return Wrong::at(start, format_args!("nested deeper than {DEEPEST} levels"));
        }
        self.open.push(Open { anchor, start, holds });
        Ok(())
    }

    /// Puts a value where it belongs.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Wrong> {
        if anchor != 0 {
            self.count(size(&node), node.start)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.holds) {
            None => self.root = Some(node),
            Some(Holds::List(list)) => list.push(node),
            Some(Holds::Object(members, key @ None)) => {
                let place = node.start;
                let name = node.word("a key")?;
                if members.iter().any(|member| member.key == name) {
                    return Wrong::at(place, format_args!("{name:?} stands twice in one object"));
                }
                *key = Some((name, place));
            }
            Some(Holds::Object(members, key)) => {
                if let Some((key, place)) = key.take() {
                    members.push(Member { key, place, node });
                }
            }
        }
        Ok(())
    }
}

/// How many values a node holds, itself included.
fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => 0,
        Value::List(list) => list.iter().map(size).sum(),
        Value::Object(members) => members.iter().map(|member| size(&member.node)).sum(),
    }
}

/// What a plain scalar is. Source: <https://yaml.org/spec/1.2.2/#103-core-schema>.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if text.bytes().any(|byte| byte.is_ascii_digit()) && text.parse::<f64>().is_ok() => Value::Number(text.into()),
        _ => Value::Text(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        crate::node::Written::of(&read(text).unwrap()).text
    }

    fn wrong(text: &str) -> (String, u32, u32) {
        let wrong = read(text).unwrap_err();
        (wrong.what, wrong.place.line, wrong.place.column)
    }

    #[test]
    fn plain_words_are_text_but_for_those_of_the_core_schema() {
        assert_eq!(
            json("[yes, no, on, ~, true, 2012-10-17, 010, '1', a:b]"),
            r#"["yes","no","on",null,true,"2012-10-17","010","1","a:b"]"#
        );
    }

    #[test]
    fn every_value_has_its_place_in_the_file() {
        let node = read("a:\n  - é: x\n    y: 1\n").unwrap();
        let Value::Object(members) = &node.value else { panic!("an object") };
        let Value::List(list) = &members[0].node.value else { panic!("a list") };
        assert_eq!(list[0].start, Place { line: 2, column: 5 });
        let Value::Object(members) = &list[0].value else { panic!("an object") };
        assert_eq!((members[0].node.start, members[1].place), (Place { line: 2, column: 8 }, Place { line: 3, column: 5 }));
    }

    #[test]
    fn a_place_in_the_json_leads_back_to_the_file() {
        let node = read("Statement:\n  - Effect: Allow\n    Action: [\"é\", b]\n").unwrap();
        let written = crate::node::Written::of(&node);
        let column = |part: &str| u32::try_from(written.text.split(part).next().unwrap().chars().count()).unwrap() + 1;
        assert_eq!(written.place(column("\"b\"")), Place { line: 3, column: 19 });
        assert_eq!(written.place(column("\"Effect\"")), Place { line: 2, column: 5 });
    }

    #[test]
    fn aliases_are_read_and_cannot_grow_without_bounds() {
        assert_eq!(json("a: &x [1]\nb: *x\n"), r#"{"a":["1"],"b":["1"]}"#);
        let mut laughs = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for n in 1..12 {
            laughs += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(","));
        }
        assert!(wrong(&laughs).0.contains("more than"));
    }

    #[test]
    fn what_is_not_read_is_said_where_it_stands() {
        assert_eq!(wrong("a: 1\na: 2\n"), ("\"a\" stands twice in one object".into(), 2, 1));
        assert_eq!(wrong("a: !Ref b\n").0, "the tag !Ref is not read");
        assert_eq!(wrong("a: 1\n---\nb: 2\n").0, "a file holds one document");
        assert_eq!(wrong("").0, "the file is empty");
        assert_eq!(wrong("a: [1\nb: 2\n").1, 2);
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(wrong(&"- ".repeat(100)).0.contains("nested deeper"));
    }
}
