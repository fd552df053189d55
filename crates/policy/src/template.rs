//! Policy templates: a policy with holes, `@{name}`, and with statements that are there only if a parameter says so, `"@Enabled": "name"`.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-policy-templates.html>.
//! A template is filled value by value, never as text: what is put into a hole stays inside its string of JSON, whatever is in it. Nor does a
//! value mean more than itself: wildcards and variables are the template's to say.

use std::collections::BTreeSet;

use crate::document::{Document, Kind};
use crate::json::{self, Member, Node, Value};

/// The longest template, in bytes.
const LONGEST_TEMPLATE: usize = 20_480;
/// The longest policy that comes out, in characters.
const LONGEST_POLICY: usize = 2_048;
/// What makes a statement depend on a parameter.
const ENABLED: &str = "@Enabled";

/// What a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// One text.
    One,
    /// A list: what has the hole is there once for each.
    Many,
}

/// A value for the holes of one name.
#[derive(Debug, Clone, Copy)]
pub struct Parameter<'a> {
    /// The name.
    pub name: &'a str,
    /// One or several.
    pub holds: Holds,
    /// The values.
    pub values: &'a [String],
}

/// Why a text is no template, or is not filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself")]
pub enum TemplateError {
    #[error("The template is no policy: {0}.")]
    Syntax(String),
    #[error("The template is longer than {LONGEST_TEMPLATE} bytes.")]
    Long,
    #[error("The template has a parameter without a good name: 5 to 256 characters of ASCII without braces.")]
    Name,
    #[error("The template has a directive {0} that is not known.")]
    Directive(String),
    #[error("The template has no parameter {0}.")]
    Unknown(String),
    #[error("The parameter {0} of the template is missing.")]
    Missing(String),
    #[error("The parameter {0} is given twice.")]
    Twice(String),
    #[error("The parameter {0} must have one value.")]
    NotOne(String),
    #[error("The parameter {0} must have at least one value.")]
    Empty(String),
    #[error("A value of the parameter {0} has a wildcard or a variable in it.")]
    Meaning(String),
    #[error("The parameter {0} says whether a statement is there: it must be True or False.")]
    NotATruth(String),
    #[error("The filled policy is longer than {LONGEST_POLICY} characters.")]
    TooLong,
    #[error("The filled policy has no statement.")]
    Nothing,
    #[error("The filled policy is not valid: {0}")]
    Invalid(String),
}

/// A template that has a template's shape.
#[derive(Debug)]
pub struct Template<'t> {
    root: Vec<Member<'t>>,
    names: BTreeSet<String>,
}

impl<'t> Template<'t> {
    /// Reads a template.
    ///
    /// # Errors
    /// It is too long, no JSON, has not the outline of a policy, or holes without names.
    pub fn read(text: &'t str) -> Result<Self, TemplateError> {
        if text.len() > LONGEST_TEMPLATE {
            return Err(TemplateError::Long);
        }
        let node = json::read(text).map_err(|fault| TemplateError::Syntax(fault.what))?;
        let Value::Object(root) = node.value else { return Err(TemplateError::Syntax("it is no object".into())) };
        let mut names = BTreeSet::new();
        for member in &root {
            if member.key.starts_with('@') {
                return Err(TemplateError::Directive(member.key.clone()));
            }
            gather(&member.node, &mut names)?;
        }
        let template = Template { root, names };
        if template.statements().next().is_none() {
            return Err(TemplateError::Syntax("it has no statement".into()));
        }
        for statement in template.statements() {
            let Value::Object(members) = &statement.value else { return Err(TemplateError::Syntax("a statement is no object".into())) };
            for member in members.iter().filter(|member| member.key.starts_with('@')) {
                if member.key != ENABLED {
                    return Err(TemplateError::Directive(member.key.clone()));
                }
            }
        }
        let mut template = template;
        let switches: Vec<String> = template.statements().filter_map(switch).map(str::to_owned).collect();
        for name in switches {
            named(&name)?;
            template.names.insert(name);
        }
        // With nothing to fill in, it is told at once whether it is a policy.
        if template.names.is_empty() {
            template.fill(&[])?;
        }
        Ok(template)
    }

    fn statements(&self) -> impl Iterator<Item = &Node<'t>> {
        let statement = self.root.iter().find(|member| member.key == "Statement").map(|member| &member.node);
        let (one, many) = match statement.map(|node| (node, &node.value)) {
            Some((_, Value::List(list))) => (None, list.as_slice()),
            Some((node, _)) => (Some(node), &[][..]),
            None => (None, &[][..]),
        };
        one.into_iter().chain(many)
    }

    /// The policy that comes of these values, as compact JSON that IAM would take.
    ///
    /// # Errors
    /// A value is missing, unknown, or not what its hole takes; the policy is too long, or is none.
    pub fn fill(&self, parameters: &[Parameter<'_>]) -> Result<String, TemplateError> {
        for (nth, parameter) in parameters.iter().enumerate() {
            let name = || parameter.name.to_owned();
            if parameters.iter().take(nth).any(|earlier| earlier.name == parameter.name) {
                return Err(TemplateError::Twice(name()));
            }
            if !self.names.contains(parameter.name) {
                return Err(TemplateError::Unknown(name()));
            }
            match parameter.holds {
                Holds::One if parameter.values.len() != 1 => return Err(TemplateError::NotOne(name())),
                Holds::Many if parameter.values.is_empty() => return Err(TemplateError::Empty(name())),
                Holds::One | Holds::Many => {}
            }
            if parameter.values.iter().any(|value| value.contains(['*', '?']) || value.contains("${") || value.contains("@{")) {
                return Err(TemplateError::Meaning(name()));
            }
        }
        let filling = Filling { parameters };
        let mut out = String::new();
        filling.root(&self.root, &mut out)?;
        if out.chars().count() > LONGEST_POLICY {
            return Err(TemplateError::TooLong);
        }
        let document = Document::saved(&out, Kind::Session).map_err(|malformed| TemplateError::Invalid(malformed.to_string()))?;
        if document.statements().next().is_none() {
            return Err(TemplateError::Nothing);
        }
        Ok(out)
    }
}

/// The parameter that a statement depends on.
fn switch<'n>(statement: &'n Node<'_>) -> Option<&'n str> {
    let Value::Object(members) = &statement.value else { return None };
    match members.iter().find(|member| member.key == ENABLED).map(|member| &member.node.value) {
        Some(Value::Text(name)) => Some(name),
        // No parameter is called so: such a directive is refused for its name.
        Some(_) => Some(""),
        None => None,
    }
}

/// A name that the API can give.
fn named(name: &str) -> Result<(), TemplateError> {
    let fits = (5..=256).contains(&name.len()) && name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !matches!(byte, b'{' | b'}'));
    if fits { Ok(()) } else { Err(TemplateError::Name) }
}

/// What stands before each hole, with the hole's name, and what is left behind the last.
type Cut<'t> = (Vec<(&'t str, &'t str)>, &'t str);

/// A text, cut at its holes.
fn cut(text: &str) -> Result<Cut<'_>, TemplateError> {
    let (mut holes, mut rest) = (Vec::new(), text);
    while let Some((before, behind)) = rest.split_once("@{") {
        let (name, after) = behind.split_once('}').ok_or(TemplateError::Name)?;
        named(name)?;
        holes.push((before, name));
        rest = after;
    }
    Ok((holes, rest))
}

fn gather(node: &Node<'_>, names: &mut BTreeSet<String>) -> Result<(), TemplateError> {
    let mut text = |text: &str| -> Result<(), TemplateError> {
        names.extend(cut(text)?.0.into_iter().map(|(_, name)| name.to_owned()));
        Ok(())
    };
    match &node.value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::Text(said) => text(said),
        Value::List(items) => items.iter().try_for_each(|item| gather(item, names)),
        Value::Object(members) => members.iter().try_for_each(|member| {
            names.extend(cut(&member.key)?.0.into_iter().map(|(_, name)| name.to_owned()));
            gather(&member.node, names)
        }),
    }
}

struct Filling<'a> {
    parameters: &'a [Parameter<'a>],
}

impl Filling<'_> {
    fn values(&self, name: &str) -> Result<&[String], TemplateError> {
        let found = self.parameters.iter().find(|parameter| parameter.name == name);
        found.map(|parameter| parameter.values).ok_or_else(|| TemplateError::Missing(name.to_owned()))
    }

    /// Whether a statement is there.
    fn is_on(&self, statement: &Node<'_>) -> Result<bool, TemplateError> {
        let Some(name) = switch(statement) else { return Ok(true) };
        match self.values(name)? {
            [word] if word.eq_ignore_ascii_case("true") => Ok(true),
            [word] if word.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(TemplateError::NotATruth(name.to_owned())),
        }
    }

    fn root(&self, members: &[Member<'_>], out: &mut String) -> Result<(), TemplateError> {
        out.push('{');
        for (nth, member) in members.iter().enumerate() {
            comma(nth > 0, out);
            quote(&member.key, out);
            out.push(':');
            if member.key == "Statement" { self.statements(&member.node, out)? } else { self.node(&member.node, out)? }
        }
        out.push('}');
        Ok(())
    }

    fn statements(&self, node: &Node<'_>, out: &mut String) -> Result<(), TemplateError> {
        let all = if let Value::List(list) = &node.value { list.as_slice() } else { std::slice::from_ref(node) };
        out.push('[');
        let mut is_further = false;
        for statement in all {
            if self.is_on(statement)? {
                comma(std::mem::replace(&mut is_further, true), out);
                self.node(statement, out)?;
            }
        }
        if !is_further {
            return Err(TemplateError::Nothing);
        }
        out.push(']');
        Ok(())
    }

    fn node(&self, node: &Node<'_>, out: &mut String) -> Result<(), TemplateError> {
        match &node.value {
            Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(node.raw),
            Value::Text(text) => match self.texts(text)?.as_slice() {
                [one] => quote(one, out),
                many => list(many, out),
            },
            Value::List(items) => {
                out.push('[');
                let mut is_further = false;
                for item in items {
                    if let Value::Text(text) = &item.value {
                        for text in self.texts(text)? {
                            comma(std::mem::replace(&mut is_further, true), out);
                            quote(&text, out);
                        }
                    } else {
                        comma(std::mem::replace(&mut is_further, true), out);
                        self.node(item, out)?;
                    }
                }
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                for (nth, member) in members.iter().filter(|member| member.key != ENABLED).enumerate() {
                    comma(nth > 0, out);
                    match self.texts(&member.key)?.as_slice() {
                        [key] => quote(key, out),
                        _ => return Err(TemplateError::NotOne(member.key.clone())),
                    }
                    out.push(':');
                    self.node(&member.node, out)?;
                }
                out.push('}');
            }
        }
        if out.len() > 4 * LONGEST_POLICY { Err(TemplateError::TooLong) } else { Ok(()) }
    }

    /// What comes of a text with holes: a text for each combination of their values.
    fn texts(&self, text: &str) -> Result<Vec<String>, TemplateError> {
        let (holes, rest) = cut(text)?;
        let mut made = vec![String::new()];
        for (before, name) in holes {
            let values = self.values(name)?;
            if made.len().saturating_mul(values.len()) > LONGEST_POLICY {
                return Err(TemplateError::TooLong);
            }
            made =
                made.iter().flat_map(|begun| values.iter().map(move |value| [begun.as_str(), before, value.as_str()].concat())).collect();
        }
        for text in &mut made {
            text.push_str(rest);
        }
        Ok(made)
    }
}

fn comma(is_further: bool, out: &mut String) {
    if is_further {
        out.push(',');
    }
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn list(texts: &[String], out: &mut String) {
    out.push('[');
    for (nth, text) in texts.iter().enumerate() {
        comma(nth > 0, out);
        quote(text, out);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKETS: &str = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::@{bucketName}/*"},
        {"@Enabled":"mayWrite","Effect":"Allow","Action":"s3:PutObject","Resource":["arn:aws:s3:::@{bucketName}/@{prefixes}/*"]}]}"#;

    fn fill(text: &str, given: &[(&str, Holds, &[&str])]) -> Result<String, TemplateError> {
        let values: Vec<Vec<String>> =
            given.iter().map(|(_, _, values)| values.iter().map(|value| (*value).to_owned()).collect()).collect();
        let given: Vec<Parameter<'_>> =
            given.iter().zip(&values).map(|((name, holds, _), values)| Parameter { name, holds: *holds, values }).collect();
        Template::read(text)?.fill(&given)
    }

    const ALL: [(&str, Holds, &[&str]); 3] =
        [("bucketName", Holds::One, &["logs"]), ("mayWrite", Holds::One, &["True"]), ("prefixes", Holds::Many, &["a", "b"])];

    #[test]
    fn holes_are_filled_and_a_list_stands_once_for_each_value() {
        let filled = fill(BUCKETS, &ALL).unwrap();
        let expected = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::logs/*"},{"Effect":"Allow","Action":"s3:PutObject","Resource":["arn:aws:s3:::logs/a/*","arn:aws:s3:::logs/b/*"]}]}"#;
        assert_eq!(filled, expected);
        let off = fill(BUCKETS, &[ALL[0], ("mayWrite", Holds::One, &["false"])]).unwrap();
        assert_eq!(off.matches("Effect").count(), 1, "{off}");
        let many = fill(&BUCKETS.replace("\"@Enabled\":\"mayWrite\",", ""), &[("bucketName", Holds::Many, &["x", "y"]), ALL[2]]).unwrap();
        assert!(many.contains(r#""Resource":["arn:aws:s3:::x/*","arn:aws:s3:::y/*"]"#) && many.contains("x/b/*"), "{many}");
    }

    #[test]
    fn what_does_not_fit_is_told() {
        use TemplateError::{Empty, Missing, NotATruth, NotOne, Nothing, TooLong, Twice, Unknown};
        let name = |name: &str| name.to_owned();
        assert_eq!(fill(BUCKETS, &ALL[..2]), Err(Missing(name("prefixes"))));
        assert_eq!(fill(BUCKETS, &[ALL[0], ALL[0]]), Err(Twice(name("bucketName"))));
        assert_eq!(fill(BUCKETS, &[("somethingElse", Holds::One, &["x"])]), Err(Unknown(name("somethingElse"))));
        assert_eq!(fill(BUCKETS, &[("bucketName", Holds::One, &["x", "y"])]), Err(NotOne(name("bucketName"))));
        assert_eq!(fill(BUCKETS, &[("bucketName", Holds::Many, &[])]), Err(Empty(name("bucketName"))));
        assert_eq!(fill(BUCKETS, &[ALL[0], ("mayWrite", Holds::One, &["perhaps"])]), Err(NotATruth(name("mayWrite"))));
        let long = "x".repeat(2_048);
        assert_eq!(fill(BUCKETS, &[("bucketName", Holds::One, &[&long]), ALL[1], ALL[2]]), Err(TooLong));
        let one = r#"{"Version":"2012-10-17","Statement":{"@Enabled":"mayWrite","Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
        assert_eq!(fill(one, &[("mayWrite", Holds::One, &["False"])]), Err(Nothing));
        assert!(matches!(
            fill(BUCKETS, &[("bucketName", Holds::One, &["a b\u{7}"]), ALL[1], ALL[2]]),
            Ok(_) | Err(TemplateError::Invalid(_))
        ));
    }

    #[test]
    fn a_value_means_nothing_but_itself() {
        for value in ["*", "logs?", "${aws:username}", "@{prefixes}"] {
            assert_eq!(
                fill(BUCKETS, &[("bucketName", Holds::One, &[value]), ALL[1], ALL[2]]),
                Err(TemplateError::Meaning("bucketName".into()))
            );
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"Statement":[]}"#,
            r#"{"Statement":["x"]}"#,
            r#"{"@Else":1,"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
            r#"{"Statement":{"@Else":"x","Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
            r#"{"Statement":{"@Enabled":true,"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
            r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"@{x}"}}"#,
            r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"@{never"}}"#,
            r#"{"Statement":{"Effect":"Perhaps","Action":"s3:*","Resource":"*"}}"#,
        ] {
            assert!(Template::read(bad).is_err(), "{bad}");
        }
        assert_eq!(Template::read(&" ".repeat(LONGEST_TEMPLATE + 1)).err(), Some(TemplateError::Long));
    }

    /// Whatever is put into a hole, the policy has the template's shape: its statements, its effects, its actions.
    #[test]
    fn fuzz_filled_templates() {
        bolero::check!().with_type::<(String, Vec<String>, bool)>().for_each(|(bucket, prefixes, on)| {
            let (bucket, on) = (vec![bucket.clone()], vec![on.to_string()]);
            let given = [
                Parameter { name: "bucketName", holds: Holds::One, values: &bucket },
                Parameter { name: "prefixes", holds: Holds::Many, values: prefixes },
                Parameter { name: "mayWrite", holds: Holds::One, values: &on },
            ];
            let Ok(filled) = Template::read(BUCKETS).unwrap().fill(&given) else { return };
            let said: serde_json::Value = serde_json::from_str(&filled).unwrap();
            let statements = said["Statement"].as_array().unwrap();
            assert_eq!(statements.len(), if on[0] == "true" { 2 } else { 1 });
            assert_eq!(said.as_object().unwrap().len(), 2);
            for statement in statements {
                assert_eq!((statement.as_object().unwrap().len(), &statement["Effect"]), (3, &"Allow".into()));
            }
            assert_eq!(statements[0]["Resource"], format!("arn:aws:s3:::{}/*", bucket[0]));
        });
    }

    #[test]
    fn fuzz_templates() {
        bolero::check!().with_type::<String>().for_each(|text| {
            if let Ok(template) = Template::read(text) {
                let _ = template.fill(&[]);
            }
        });
    }
}
