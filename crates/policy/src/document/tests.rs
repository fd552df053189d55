use super::*;

fn place(line: u32, column: u32) -> Place {
    Place { line, column }
}

#[test]
fn statements_have_their_places_and_elements() {
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Sid\": \"é\", \"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"*\"},\n    {\"Effect\": \"Deny\",\n     \"NotAction\": [\"a:b\"], \"NotResource\": [\"arn:aws:s3:::x\"], \"Condition\": {\"Bool\": {\"a:b\": true}}}]}";
    let document = Document::parse(text).unwrap();
    assert_eq!(document.text(), text);
    let statements: Vec<_> = document.statements().collect();
    assert_eq!((statements[0].start(), statements[0].end()), (place(4, 5), place(4, 71)));
    assert_eq!((statements[1].start(), statements[1].end()), (place(5, 5), place(6, 100)));
    assert_eq!((statements[0].sid(), statements[1].sid()), (Some("é"), None));
    assert_eq!((statements[0].effect(), statements[1].effect()), (Effect::Allow, Effect::Deny));
    assert!(!statements[0].is_not_action() && statements[1].is_not_action() && statements[1].is_not_resource());
    assert_eq!(statements[1].actions().chain(statements[1].resources()).collect::<Vec<_>>(), ["a:b", "arn:aws:s3:::x"]);
    assert!(!statements[0].is_conditional() && statements[1].is_conditional());
    assert_eq!(statements[0].actions.list[0].place, place(4, 47));
    assert_eq!(statements[1].conditions[0].keys[0].values[0].place, place(6, 93));
}

#[test]
fn positions_are_those_that_the_simulator_of_aws_counts_from() {
    let text = r#"{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}"#;
    let document = Document::parse(text).unwrap();
    let statement = document.statements().next().unwrap();
    assert_eq!((statement.start(), statement.end()), (place(1, 40), place(1, 113)));
}

#[test]
fn keys_that_stand_twice_are_refused() {
    let texts = [
        r#"{"Statement":[],"Statement":[]}"#,
        r#"{"Statement":[{"Effect":"Allow","Effect":"Deny","Action":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"*","Action":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"*","Condition":{"Bool":{"a:b":"true","a:b":"false"}}}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"*","Condition":{"Bool":{"a:b":"true"},"Bool":{"c:d":"true"}}}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"*","Principal":{"AWS":"1","AWS":"2"}}]}"#,
        r#"{"Statement":[{"Effect":"Allow","\u0045ffect":"Deny","Action":"*"}]}"#,
    ];
    for text in texts {
        let error = Document::parse(text).unwrap_err();
        assert!(error.to_string().contains("stands twice"), "{error}");
        assert_eq!(Document::saved(text, Kind::Identity).unwrap_err().to_string(), "Syntax errors in policy.");
    }
}

#[test]
fn what_cannot_be_read_says_so_in_awss_words() {
    for (kind, text, words) in [
        (Kind::Identity, r#"{"Statement":[],}"#, "Syntax errors in policy."),
        (Kind::Trust, r#"{"Statement":[],}"#, "This policy contains invalid Json"),
        (Kind::Trust, "", "This policy contains invalid Json"),
        (Kind::Trust, "[]", "Syntax errors in policy."),
        (Kind::Identity, r#"{"Version":"2012-10-17"}"#, "Syntax errors in policy."),
        (Kind::Identity, r#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#, "The policy failed legacy parsing"),
        (Kind::Identity, r#"{"Statement":{"Effect":"alow","Action":"*","Resource":"*"}}"#, "Syntax errors in policy."),
    ] {
        assert_eq!(Document::saved(text, kind).unwrap_err().to_string(), words, "{text}");
    }
    assert!(Document::parse(r#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#).is_err());
    assert!(Document::parse(r#"{"Statement":{"Effect":"Allow","Action":[],"Resource":"*"}}"#).is_err());
}

#[test]
fn size_leaves_out_white_space_outside_strings() {
    let size = |text: &str| Document::parse(text).unwrap().size();
    let tight = r#"{"Id":"a b\" c","Statement":[]}"#;
    assert_eq!(size(tight), tight.chars().count());
    assert_eq!(size("{ \"Id\" :\t\"a b\\\" c\" ,\r\n \"Statement\": [ ] }"), tight.chars().count());
    assert_eq!(size(r#"{"Id":"é\\","Statement":[] }"#), 27);
}

#[test]
fn context_keys_are_those_of_conditions_and_variables() {
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}/${$}{x}","Condition":{"StringLike":{"aws:SourceVpc":"${s3:prefix, 'p'}"}}}"#;
    let keys = |version: &str| Document::parse(&format!(r#"{{"Version":"{version}","Statement":{statement}}}"#)).unwrap().context_keys();
    assert_eq!(keys("2012-10-17"), BTreeSet::from(["aws:SourceVpc".into(), "aws:username".into(), "s3:prefix".into()]));
    assert_eq!(keys("2008-10-17"), BTreeSet::from(["aws:SourceVpc".into()]));
}

#[test]
fn principals_are_told_with_their_places_and_pinned() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Principal":{"AWS":["arn:aws:iam::111122223333:user/a","111122223333","arn:aws:sts::111122223333:assumed-role/r/s"],"Service":"x.amazonaws.com"}}}"#;
    let document = Document::parse(text).unwrap();
    let texts: Vec<_> = document.principals().map(|principal| principal.text).collect();
    assert_eq!(texts, ["arn:aws:iam::111122223333:user/a", "111122223333", "arn:aws:sts::111122223333:assumed-role/r/s"]);
    assert_eq!(document.principals().next().unwrap().place, place(1, 65));
    let mut asked = Vec::new();
    let pinned = document.pinned(|arn| {
        asked.push(arn.as_str().to_owned());
        "AIDAAAAAAAAAAAAAAAAA1".parse().ok()
    });
    assert_eq!(asked, ["arn:aws:iam::111122223333:user/a"]);
    assert_eq!(pinned.principals().next().unwrap().id.unwrap().as_str(), "AIDAAAAAAAAAAAAAAAAA1");
    assert_eq!((pinned.text(), document.principals().next().unwrap().id), (text, None));
}

/// Writes a document anew from its tree, in another order and with other white space.
fn print(document: &Document) -> String {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let list = |list: &[Spot]| format!("[\t{}\n]", list.iter().map(|spot| quoted(&spot.text)).collect::<Vec<_>>().join(" , "));
    let statements: Vec<String> = document
        .statements
        .iter()
        .map(|statement| {
            let mut members = Vec::new();
            if let Some(texts) = &statement.resources {
                members.push(format!("\"{}Resource\": {}", if texts.not { "Not" } else { "" }, list(&texts.list)));
            }
            if let Some(element) = &statement.principals {
                let of = |by: NamedBy, name: &str| {
                    let spots: Vec<Spot> = element.list.iter().filter(|named| named.by == by).map(|named| named.spot.clone()).collect();
                    if spots.is_empty() { None } else { Some(format!("\"{name}\":{}", list(&spots))) }
                };
                let types = [
                    of(NamedBy::Aws, "AWS"),
                    of(NamedBy::CanonicalUser, "CanonicalUser"),
                    of(NamedBy::Federated, "Federated"),
                    of(NamedBy::Service, "Service"),
                ];
                let types = types.into_iter().flatten().collect::<Vec<_>>().join(",");
                let value = if element.everyone { "\"*\"".into() } else { format!("{{{types}}}") };
                members.push(format!("\"{}Principal\":{value}", if element.not { "Not" } else { "" }));
            }
            members.push(format!("\"{}Action\": {}", if statement.actions.not { "Not" } else { "" }, list(&statement.actions.list)));
            let key = |key: &Key| format!("{}: {}", quoted(&key.name.text), list(&key.values));
            let operator = |operator: &Operator| {
                format!("{}: {{{}}}", quoted(&operator.name.text), operator.keys.iter().map(key).collect::<Vec<_>>().join(","))
            };
            members.push(format!("\"Condition\": {{{}}}", statement.conditions.iter().map(operator).collect::<Vec<_>>().join(",")));
            members.push(format!("\"Effect\": \"{}\"", statement.effect.as_str()));
            members.extend(statement.sid.as_ref().map(|sid| format!("\"Sid\": {}", quoted(&sid.text))));
            format!("{{\n{}\n}}", members.join(" ,\r\n"))
        })
        .collect();
    let version = if document.version == Version::New { "2012-10-17" } else { "2008-10-17" };
    let id = document.id.as_ref().map(|id| format!(",\"Id\":{}", quoted(&id.text))).unwrap_or_default();
    format!("{{\"Statement\":[{}],\"Version\":\"{version}\"{id}}}", statements.join(","))
}

/// A tree without its places: all that a document says. Principals of one type keep their order, types do not.
fn meaning(document: &Document) -> String {
    let texts = |list: &[Spot]| list.iter().map(|spot| spot.text.to_string()).collect::<Vec<_>>();
    let statements = document.statements.iter().map(|statement| {
        let principals = statement.principals.as_ref().map(|element| {
            let mut list: Vec<_> = element.list.iter().map(|named| (named.by, named.spot.text.to_string())).collect();
            list.sort_by_key(|(by, _)| *by);
            (element.not, element.everyone, list)
        });
        let conditions: Vec<_> = statement
            .conditions
            .iter()
            .map(|operator| {
                (
                    operator.name.text.to_string(),
                    operator.keys.iter().map(|key| (key.name.text.to_string(), texts(&key.values))).collect::<Vec<_>>(),
                )
            })
            .collect();
        let resources = statement.resources.as_ref().map(|resources| (resources.not, texts(&resources.list)));
        format!(
            "{:?}",
            (
                statement.sid().map(str::to_owned),
                statement.effect,
                principals,
                statement.actions.not,
                texts(&statement.actions.list),
                resources,
                conditions
            )
        )
    });
    format!("{:?} {:?} {:?}", document.version, document.id(), statements.collect::<Vec<_>>())
}

mod printed {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn some_texts() -> impl Strategy<Value = Value> {
        let text = || any::<String>().prop_map(Value::from);
        prop_oneof![text(), prop::collection::vec(text(), 1..4).prop_map(Value::from)]
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![any::<String>().prop_map(Value::from), any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from)]
    }

    fn conditions() -> impl Strategy<Value = Value> {
        let values = prop_oneof![value(), prop::collection::vec(value(), 0..3).prop_map(Value::from)];
        let keys = prop::collection::btree_map(any::<String>(), values, 0..3).prop_map(|keys| Value::Object(keys.into_iter().collect()));
        prop::collection::btree_map(any::<String>(), keys, 0..3).prop_map(|operators| Value::Object(operators.into_iter().collect()))
    }

    fn principals() -> impl Strategy<Value = Value> {
        let types = prop::sample::subsequence(vec!["AWS", "Service", "Federated", "CanonicalUser"], 0..=4);
        let listed = (types, prop::collection::vec(some_texts(), 4));
        let listed = listed.prop_map(|(types, texts)| Value::Object(types.into_iter().map(String::from).zip(texts).collect()));
        prop_oneof![Just(Value::from("*")), listed]
    }

    fn statement() -> impl Strategy<Value = Value> {
        let parts = (
            any::<bool>(),
            (any::<bool>(), some_texts()),
            prop::option::of((any::<bool>(), some_texts())),
            prop::option::of((any::<bool>(), principals())),
            prop::option::of(conditions()),
            prop::option::of(any::<String>()),
        );
        parts.prop_map(|(deny, action, resource, principal, condition, sid)| {
            let mut members = Map::new();
            let mut element =
                |name: &str, (not, value): (bool, Value)| members.insert(format!("{}{name}", if not { "Not" } else { "" }), value);
            element("Effect", (false, if deny { "Deny" } else { "Allow" }.into()));
            element("Action", action);
            resource.map(|resource| element("Resource", resource));
            principal.map(|principal| element("Principal", principal));
            condition.map(|condition| element("Condition", (false, condition)));
            sid.map(|sid| element("Sid", (false, sid.into())));
            Value::Object(members)
        })
    }

    proptest! {
        #[test]
        fn parsing_what_was_printed_gives_the_same_document(statements in prop::collection::vec(statement(), 0..4), new in any::<bool>()) {
            let version = if new { "2012-10-17" } else { "2008-10-17" };
            let text = json!({"Version": version, "Statement": statements}).to_string();
            let document = Document::parse(&text).unwrap();
            let again = Document::parse(&print(&document)).unwrap();
            prop_assert_eq!(meaning(&document), meaning(&again));
            prop_assert_eq!(document.text(), text);
        }
    }
}
