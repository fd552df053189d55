//! Reading: where in the request we are, and everything that is wrong with it so far.

use crate::{Common, Failure, Kind, Name, Node, Protocol, Shape, Struct, TextRules};
use std::fmt::Write as _;
use std::str::FromStr;

/// No message tells more violations than this; the count before them still says how many there are.
const TOLD: usize = 100;
/// No message repeats more characters of one value than this.
const REPEATED: usize = 2_048;
/// Buckets of the hash table in which AWS's framework keeps a structure's members.
const BUCKETS: u32 = 16;

/// Reads an input from what a request says.
///
/// # Errors
/// What AWS answers to a request that breaks its model: `ValidationError` (or `ValidationException`) with every violation, or
/// `MalformedInput` (or `SerializationException`) when a value is not even of its type.
pub fn input<T: Struct>(node: &Node, protocol: &Protocol) -> Result<T, Failure> {
    let mut reader = Reader::new(protocol);
    let read = if node.is_absent() { T::read(&Node::Map(vec![]), &mut reader) } else { T::read(node, &mut reader) };
    match (read, reader.verdict(protocol)) {
        (Some(input), None) => Ok(input),
        (_, Some(failure)) => Err(failure),
        // A shape that says no without a reason: the request is refused all the same.
        (None, None) => Err(Common::MalformedInput.failure(protocol)),
    }
}

/// What a message tells of the value that broke a constraint.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// It was not there.
    Null,
    /// The value, in quotes.
    Value(&'a str),
    /// Nothing: the value is a secret, or AWS does not repeat it.
    Hidden,
}

/// How values are spelled in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// Everything is text.
    Query,
    /// Numbers and booleans are JSON's.
    Json,
    /// JSON in the body, text in path and query.
    Rest,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Member(&'static str),
    /// Elements count from 1, as in AWS's messages.
    Element(usize),
    Entry,
}

/// One broken constraint: where it comes in the message, and its words.
#[derive(Debug)]
struct Violation {
    order: Vec<usize>,
    words: String,
}

/// Where in the request we are, and every constraint that it broke so far.
#[derive(Debug)]
pub struct Reader {
    spelling: Spelling,
    /// Whether messages may repeat values.
    repeats: bool,
    path: Vec<Step>,
    violations: Vec<Violation>,
    count: usize,
    misfit: Option<String>,
    /// What AWS says in words of its own; it is told only where nothing breaks the framework's rules.
    own_words: Option<String>,
}

impl Reader {
    /// A reader of requests in that protocol.
    pub fn new(protocol: &Protocol) -> Self {
        let spelling = match protocol {
            Protocol::Query { .. } => Spelling::Query,
            Protocol::Json { .. } => Spelling::Json,
            Protocol::RestJson => Spelling::Rest,
        };
        let repeats = !matches!(protocol, Protocol::Query { repeats: false, .. });
        Reader { spelling, repeats, path: Vec::new(), violations: Vec::new(), count: 0, misfit: None, own_words: None }
    }

    /// Notes that the value here breaks a constraint.
    pub fn violates(&mut self, value: Shown<'_>, constraint: &str) {
        self.count += 1;
        if self.violations.len() >= TOLD {
            return;
        }
        let at = self.here();
        let words = match if self.repeats { value } else { Shown::Hidden } {
            Shown::Null => format!("Value null at '{at}' failed to satisfy constraint: {constraint}"),
            Shown::Hidden => format!("Value at '{at}' failed to satisfy constraint: {constraint}"),
            Shown::Value(value) => match value.char_indices().nth(REPEATED) {
                None => format!("Value '{value}' at '{at}' failed to satisfy constraint: {constraint}"),
                Some((end, _)) => {
                    format!("Value '{}…' at '{at}' failed to satisfy constraint: {constraint}", value.get(..end).unwrap_or_default())
                }
            },
        };
        let order = self.path.iter().map(Step::order).collect();
        self.violations.push(Violation { order, words });
    }

    /// Takes back what elements broke since there were `count` violations, and says once, of the list, what each element has to be.
    fn told_of_the_list(&mut self, count: usize, items: &[Node], kind: &Kind) {
        // Organizations tells a reason of the one rule that was broken instead of these words.
        if self.count == count || self.spelling == Spelling::Json {
            return;
        }
        let Some(rules) = kind.rules() else { return };
        self.violations.truncate(count);
        self.count = count;
        let quiet = matches!(kind, Kind::Text(rules) if rules.quiet);
        let texts: Vec<&str> = items.iter().filter_map(Node::as_text).take(TOLD).collect();
        let all = format!("[{}]", texts.join(", "));
        self.violates(if quiet { Shown::Hidden } else { Shown::Value(&all) }, &format!("Member must satisfy constraint: [{rules}]"));
    }

    /// Notes that the value here is not of its type at all. `wanted` reads like `an Integer`. The value is not repeated.
    pub fn misfits(&mut self, node: &Node, wanted: &str) {
        if self.misfit.is_some() {
            return;
        }
        let text = match self.spelling {
            Spelling::Query => format!("Value at '{}' can not be converted to {wanted}", self.here()),
            Spelling::Json | Spelling::Rest => {
                let found = match node {
                    Node::Absent => "VALUE_NULL",
                    Node::Bool(true) => "TRUE_VALUE",
                    Node::Bool(false) => "FALSE_VALUE",
                    Node::Number(_) | Node::Decimal(_) | Node::Time(_) => "NUMBER_VALUE",
                    Node::Text(_) | Node::Blob(_) => "STRING_VALUE",
                    Node::List(_) => "START_ARRAY",
                    Node::Map(_) | Node::Entries(_) => "START_OBJECT",
                };
                format!("{found} can not be converted to {wanted}")
            }
        };
        self.misfit = Some(text);
    }

    /// The node, if it can hold members.
    pub fn structure<'n>(&mut self, node: &'n Node) -> Option<&'n Node> {
        if matches!(node, Node::Map(_)) {
            return Some(node);
        }
        self.misfits(node, "a Structure");
        None
    }

    /// Reads a member.
    pub fn member<T: Shape>(&mut self, parent: &Node, name: &'static str) -> Option<T> {
        let read = self.value(parent.get(name), Step::Member(name));
        self.path.pop();
        read
    }

    /// Reads what stands at `step`, or what it means that nothing does. The step stays in the path.
    fn value<T: Shape>(&mut self, node: &Node, step: Step) -> Option<T> {
        self.path.push(step);
        if node.is_absent() { T::absent(self) } else { T::read(node, self) }
    }

    /// Reads a member that must be there although its type would do without.
    pub fn required<T: Shape>(&mut self, parent: &Node, name: &'static str) -> Option<T> {
        if !parent.get(name).is_absent() {
            return self.member(parent, name);
        }
        self.path.push(Step::Member(name));
        self.violates(Shown::Null, "Member must not be null");
        self.path.pop();
        None
    }

    /// Reads a member that has a default.
    pub fn member_or_default<T: Shape + Default>(&mut self, parent: &Node, name: &'static str) -> Option<T> {
        if parent.get(name).is_absent() { Some(T::default()) } else { self.member(parent, name) }
    }

    /// Holds the length of a member, if it is there, against bounds: elements of a list or a map, characters of a text.
    pub fn length<T: Shape>(&mut self, parent: &Node, name: &'static str, min: usize, max: usize) {
        let node = parent.get(name);
        let length = match node {
            Node::List(items) => items.len(),
            Node::Entries(entries) | Node::Map(entries) => entries.len(),
            Node::Text(text) => text.chars().count(),
            Node::Blob(bytes) => bytes.len(),
            Node::Absent | Node::Bool(_) | Node::Number(_) | Node::Decimal(_) | Node::Time(_) => return,
        };
        // Of a list that has elements AWS prints the objects of its framework, which says nothing.
        let shown = match (T::KIND, node.as_text()) {
            (Kind::Text(rules), Some(text)) if !rules.quiet => Shown::Value(text),
            (Kind::List(_) | Kind::Entries(_), _) if length == 0 => Shown::Value("[]"),
            _ => Shown::Hidden,
        };
        self.path.push(Step::Member(name));
        if length < min {
            self.violates(shown, &format!("Member must have length greater than or equal to {min}"));
        }
        if length > max {
            self.violates(shown, &format!("Member must have length less than or equal to {max}"));
        }
        self.path.pop();
    }

    /// Reads the elements of a list.
    pub fn elements<T: Shape>(&mut self, node: &Node) -> Option<Vec<T>> {
        let items = if let Node::List(items) = node {
            items.as_slice()
        } else if self.is_empty_parameter(node) {
            &[]
        } else if self.spelling == Spelling::Rest && matches!(node, Node::Text(_)) {
            // One value in the query of a REST request.
            std::slice::from_ref(node)
        } else {
            self.misfits(node, "a List");
            return None;
        };
        let mut read = Some(Vec::with_capacity(items.len()));
        let before = self.count;
        for (index, item) in items.iter().enumerate() {
            match (self.value(item, Step::Element(index + 1)), &mut read) {
                (Some(value), Some(list)) => list.push(value),
                _ => read = None,
            }
            self.path.pop();
        }
        self.told_of_the_list(before, items, &T::KIND);
        read
    }

    /// Reads the entries of a map, in the order in which they were sent.
    pub fn entries<T: Shape>(&mut self, node: &Node) -> Option<Vec<(Name, T)>> {
        let entries = if let Node::Entries(entries) | Node::Map(entries) = node {
            entries.as_slice()
        } else if self.is_empty_parameter(node) {
            &[]
        } else {
            self.misfits(node, "a Map");
            return None;
        };
        let mut read = Some(Vec::with_capacity(entries.len()));
        for (key, item) in entries {
            match (self.value(item, Step::Entry), &mut read) {
                (Some(value), Some(list)) => list.push((key.clone(), value)),
                _ => read = None,
            }
            self.path.pop();
        }
        read
    }

    /// `Name=`, which is how clients of the Query protocol send an empty list.
    fn is_empty_parameter(&self, node: &Node) -> bool {
        self.spelling == Spelling::Query && node.as_text() == Some("")
    }

    /// The text of a node.
    pub fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        if let Node::Text(text) = node {
            return Some(text);
        }
        self.misfits(node, "a String");
        None
    }

    /// Reads a text that keeps rules. Each rule that it breaks is one violation; `quiet` ones do not repeat the text.
    pub fn parse<T: FromStr<Err = Vec<String>>>(&mut self, node: &Node, quiet: bool) -> Option<T> {
        let text = self.text(node)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(broken) => {
                for constraint in broken {
                    self.violates(if quiet { Shown::Hidden } else { Shown::Value(text) }, &constraint);
                }
                None
            }
        }
    }

    /// Reads a text that keeps `rules`, of which one may be said in words of AWS's own.
    pub fn parse_text<T: FromStr<Err = Vec<String>>>(&mut self, node: &Node, rules: &TextRules) -> Option<T> {
        let text = self.text(node)?;
        let broken = match text.parse() {
            Ok(value) => return Some(value),
            Err(broken) => broken,
        };
        for constraint in broken {
            if !rules.says.is_empty() && constraint == rules.pattern_message() {
                let words = rules.says.replace("{}", &self.here());
                self.own_words.get_or_insert(words);
            } else {
                self.violates(if rules.quiet { Shown::Hidden } else { Shown::Value(text) }, &constraint);
            }
        }
        None
    }

    /// A whole number: JSON's, or the digits of a Query parameter.
    pub fn number(&mut self, node: &Node) -> Option<i64> {
        let number = if let Node::Number(number) = node { Some(*number) } else { self.spelled(node).and_then(|text| text.parse().ok()) };
        self.or_misfits(number, node, "an Integer")
    }

    /// A number with a fraction.
    pub fn decimal(&mut self, node: &Node) -> Option<f64> {
        let number = if let Node::Decimal(number) = node {
            Some(*number)
        } else if let Node::Number(number) = node {
            #[expect(clippy::cast_precision_loss, reason = "the nearest decimal is what JSON means too")]
            Some(*number as f64)
        } else {
            self.spelled(node).and_then(|text| text.parse().ok()).filter(|number: &f64| number.is_finite())
        };
        self.or_misfits(number, node, "a Double")
    }

    /// `true` or `false`.
    pub fn bool(&mut self, node: &Node) -> Option<bool> {
        let value = if let Node::Bool(value) = node {
            Some(*value)
        } else {
            match self.spelled(node) {
                Some("true") => Some(true),
                Some("false") => Some(false),
                _ => None,
            }
        };
        self.or_misfits(value, node, "a Boolean")
    }

    /// The value, or the complaint that there is none.
    pub(crate) fn or_misfits<T>(&mut self, value: Option<T>, node: &Node, wanted: &str) -> Option<T> {
        if value.is_none() {
            self.misfits(node, wanted);
        }
        value
    }

    /// The text of what is no string, in the protocols that spell it as text.
    fn spelled<'n>(&self, node: &'n Node) -> Option<&'n str> {
        node.as_text().filter(|_| self.spelling != Spelling::Json)
    }

    /// Whether something was wrong so far.
    pub fn has_complaints(&self) -> bool {
        self.count > 0 || self.misfit.is_some() || self.own_words.is_some()
    }

    /// The reply to all that was wrong, if anything was.
    pub fn verdict(&self, protocol: &Protocol) -> Option<Failure> {
        if let Some(misfit) = &self.misfit {
            return Some(Common::MalformedInput.says(protocol, misfit.clone()));
        }
        if self.count == 0 {
            return self.own_words.as_ref().map(|words| Common::Validation.says(protocol, words.clone()));
        }
        let mut message = format!("{} validation error{} detected: ", self.count, if self.count == 1 { "" } else { "s" });
        let mut violations: Vec<&Violation> = self.violations.iter().collect();
        violations.sort_by(|one, other| one.order.cmp(&other.order));
        for (index, violation) in violations.iter().enumerate() {
            let _ = write!(message, "{}{}", if index == 0 { "" } else { "; " }, violation.words);
        }
        Some(Common::Validation.says(protocol, message))
    }

    /// `tags.6.member.value`: the names of the model with a small first letter.
    fn here(&self) -> String {
        let mut out = String::new();
        for step in &self.path {
            if !out.is_empty() {
                out.push('.');
            }
            match step {
                Step::Member(name) => out.extend(spelled_small(name)),
                Step::Element(index) => {
                    let _ = write!(out, "{index}.member");
                }
                Step::Entry => out.push_str("entry.value"),
            }
        }
        out
    }
}

impl Step {
    /// Where among its neighbours a message tells it. AWS's framework walks the members of a structure as a hash table of Java's does:
    /// by the bucket of the name's hash, and those that share one in the model's order.
    fn order(&self) -> usize {
        match self {
            Step::Member(name) => {
                let hash = spelled_small(name).fold(0_u32, |hash, letter| hash.wrapping_mul(31).wrapping_add(u32::from(letter)));
                ((hash ^ (hash >> 16)) % BUCKETS) as usize
            }
            Step::Element(index) => *index,
            Step::Entry => 0,
        }
    }
}

/// The name of a member with a small first letter.
fn spelled_small(name: &str) -> impl Iterator<Item = char> {
    name.char_indices().map(|(at, letter)| if at == 0 { letter.to_ascii_lowercase() } else { letter })
}
