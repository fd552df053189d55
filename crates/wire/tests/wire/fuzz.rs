//! Fuzz targets. As tests they run for a moment; `cargo bolero test -p wire fuzz::…` runs them for long.

use crate::{JSON, QUERY, shown};
use wire::query::Limits;
use wire::{Answer, Form, Node, Shape};

#[derive(Debug, PartialEq, Shape)]
struct Pair {
    key: String,
    value: Option<i64>,
}
#[derive(Debug, PartialEq, Shape)]
struct Input {
    name: Option<String>,
    flag: Option<bool>,
    time: Option<wire::Timestamp>,
    blob: Option<wire::Blob>,
    pairs: Vec<Pair>,
    map: wire::Entries<String>,
}

/// Reading, typing and answering never panic, and the answer is XML or JSON that a parser takes.
fn through(node: &Node, protocol: &wire::Protocol) {
    let output = match wire::input::<Input>(node, protocol) {
        Ok(input) => Ok(input.write()),
        Err(failure) => Err(failure),
    };
    for form in [Form::Xml, Form::Json] {
        let answer = Answer { protocol, form, request_id: "id" };
        let reply = match &output {
            Ok(output) => answer.reply("Op", output),
            Err(failure) => answer.failure(failure),
        };
        if reply.headers[0].1 == "text/xml" {
            let mut reader = quick_xml::Reader::from_reader(reply.body.as_slice());
            while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
        } else {
            serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap();
        }
    }
}

#[test]
fn any_query() {
    bolero::check!().with_iterations(20_000).for_each(|body: &[u8]| {
        if let Ok(call) = wire::query::read("", body, &Limits::default()) {
            through(&call.input, &QUERY);
        }
    });
}

/// Bytes alone rarely make a request: these are made of the words that matter.
#[test]
fn any_sentence_of_query_words() {
    const WORDS: &[&str] = &[
        "Action",
        "Pairs",
        "Map",
        "Name",
        "name",
        "member",
        "entry",
        "key",
        "Key",
        "value",
        "Value",
        "1",
        "2",
        "10",
        "007",
        "a",
        "%41",
        "%",
        "+",
        "é",
        "X-Amz-Date",
    ];
    const MARKS: &[&str] = &[".", "=", "&", ".member.", ".entry.", "&Pairs.member.1.", "=1&Action=A&"];
    bolero::check!().with_type::<Vec<(u8, u8)>>().with_iterations(20_000).for_each(|picks| {
        let mut body = String::from("Action=A&");
        for (word, mark) in picks {
            body.push_str(WORDS[usize::from(*word) % WORDS.len()]);
            body.push_str(MARKS[usize::from(*mark) % MARKS.len()]);
        }
        if let Ok(call) = wire::query::read("", body.as_bytes(), &Limits::default()) {
            // Sent again with its parameters in another order, it is the same call.
            let mut parameters: Vec<&str> = body.split('&').collect();
            parameters.reverse();
            let again = wire::query::read("", parameters.join("&").as_bytes(), &Limits::default()).unwrap();
            assert_eq!(shown(&call.input), shown(&again.input));
            through(&call.input, &QUERY);
        }
    });
}

#[test]
fn any_json() {
    bolero::check!().with_iterations(20_000).for_each(|body: &[u8]| {
        if let Ok(node) = wire::json::read(body, 1 << 20) {
            through(&node, &JSON);
        }
    });
}

/// What serde_json reads without duplicates, we read alike and write alike.
#[test]
fn any_sentence_of_json_words() {
    const WORDS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"Name\"",
        "\"Pairs\"",
        "\"Key\"",
        "\"k\"",
        "1",
        "-0.5",
        "true",
        "null",
        "\"\\u0041\"",
        "\"\\ud800\"",
        " ",
        "{\"Pairs\":[{\"Key\":",
        "}]}",
    ];
    bolero::check!().with_type::<Vec<u8>>().with_iterations(20_000).for_each(|picks| {
        let body: String = picks.iter().map(|pick| WORDS[usize::from(*pick) % WORDS.len()]).collect();
        let theirs = serde_json::from_str::<serde_json::Value>(&body).ok().filter(serde_json::Value::is_object);
        match wire::json::read(body.as_bytes(), 1 << 20) {
            Ok(node) => {
                if let Some(theirs) = theirs {
                    // `null` members vanish.
                    let mut ours: serde_json::Value = serde_json::from_str(&shown(&node)).unwrap();
                    let mut theirs = theirs;
                    for value in [&mut ours, &mut theirs] {
                        without_nulls(value);
                    }
                    assert_eq!(ours, theirs);
                }
                through(&node, &JSON);
            }
            Err(wire::Malformed::DuplicateKey { .. }) => {}
            Err(_) => assert!(theirs.is_none(), "{body}"),
        }
    });
}

fn without_nulls(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members.values_mut().for_each(without_nulls);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
