//! What is sent to break a server: each gets a clear answer, soon.

use crate::{QUERY, from_query, shown};
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use wire::query::{Limits, read};
use wire::{Entries, Malformed, Shape};

/// Far more than any of these takes in a build without optimization, far less than work that grows with the square.
const SOON: Duration = Duration::from_secs(3);

fn soon<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    assert!(start.elapsed() < SOON, "{what} took {:?}", start.elapsed());
    done
}

#[derive(Debug, Shape)]
struct Item {
    key: Option<String>,
    value: Option<String>,
}
#[derive(Debug, Shape)]
struct Input {
    a: Option<String>,
    items: Vec<Item>,
    map: Entries<String>,
}

#[test]
fn ten_thousand_parameters_are_read_at_once_whatever_their_order() {
    let mut forward = String::from("Action=A");
    let mut backward = forward.clone();
    for n in 0..4_999 {
        let _ = write!(forward, "&Items.member.{n}.Key=k&Items.member.{n}.Value=v");
        let _ = write!(backward, "&Items.member.{}.Value=v&Items.member.{}.Key=k", 4_999 - n, 4_999 - n);
    }
    for body in [forward, backward] {
        let call = soon("reading", || read("", body.as_bytes(), &Limits::default())).unwrap();
        let input: Input = soon("typing", || wire::input(&call.input, &QUERY)).unwrap();
        assert_eq!(input.items.len(), 4_999);
    }
    let flat: String = (0..9_999).map(|n| format!("&P{n}=v")).collect();
    let call = soon("flat names", || read("", format!("Action=A{flat}").as_bytes(), &Limits::default())).unwrap();
    assert!(soon("absent members", || wire::input::<Input>(&call.input, &QUERY)).is_ok());
    let map: String = (0..4_999).map(|n| format!("&Map.entry.{n}.key=k{n}&Map.entry.{n}.value=v")).collect();
    let call = soon("a map", || read("", format!("Action=A{map}").as_bytes(), &Limits::default())).unwrap();
    assert_eq!(wire::input::<Input>(&call.input, &QUERY).unwrap().map.0.len(), 4_999);
    assert_eq!(read("", format!("Action=A{flat}&B=1&C=1").as_bytes(), &Limits::default()), Err(Malformed::TooMany));
}

#[test]
fn ten_megabytes_are_refused_unread() {
    let body = vec![b'&'; 10 << 20];
    assert_eq!(soon("separators", || read("", &body, &Limits::default())), Err(Malformed::TooLarge(1 << 20)));
    assert_eq!(soon("json", || wire::json::read(&body, 1 << 20)), Err(Malformed::TooLarge(1 << 20)));
    let failure = Malformed::TooLarge(1 << 20).failure(&QUERY);
    assert_eq!((failure.status, failure.message.as_str()), (413, "The request is larger than 1048576 bytes."));
}

#[test]
fn a_megabyte_of_anything_is_answered_soon() {
    let limits = Limits::default();
    for filler in ["&", "=", "%", "%41", "A=&", ".", "A.", "member.", "A.member.1.", "\u{e9}", "+"] {
        let body = format!("Action=A&B{}", filler.repeat((1 << 20) / filler.len() - 16));
        let _ = soon(filler, || read("", body.as_bytes(), &limits));
    }
    for filler in ["[", "{\"a\":", "{\"a\":1},", "\"a\":1,", "1,", "\\u0041", "{}"] {
        let body = format!("{{\"A\":{}", filler.repeat((1 << 20) / filler.len() - 16));
        assert!(soon(filler, || wire::json::read(body.as_bytes(), 1 << 20)).is_err());
    }
    let members: Vec<String> = (0..70_000).map(|n| format!("\"m{n}\":0")).collect();
    assert!(soon("an object of many members", || wire::json::read(format!("{{{}}}", members.join(",")).as_bytes(), 1 << 20)).is_ok());
}

#[test]
fn a_list_index_is_never_an_allocation() {
    for index in ["10000", "10001", "4294967295", "18446744073709551615", "999999999999999999999999999999"] {
        let read = soon(index, || read("", format!("Action=A&Items.member.{index}.Key=k").as_bytes(), &Limits::default()));
        match read {
            Ok(call) => assert_eq!(call.input.get("Items").as_list().unwrap().len(), 1),
            Err(malformed) => assert!(matches!(malformed, Malformed::Index(_))),
        }
    }
}

#[test]
fn nesting_beyond_the_limit_is_refused_and_within_it_is_harmless() {
    let name = |depth: usize| vec!["A"; depth].join(".");
    assert!(read("", format!("Action=A&B.{}=1", name(31)).as_bytes(), &Limits::default()).is_ok());
    assert_eq!(read("", format!("Action=A&B.{}=1", name(32)).as_bytes(), &Limits::default()), Err(Malformed::TooDeep));
    assert_eq!(read("", format!("Action=A&B.{}=1", name(100_000)).as_bytes(), &Limits::default()), Err(Malformed::TooDeep));
}

#[test]
fn a_second_meaning_cannot_be_smuggled_in() {
    // In the URI beside the body, by case, by encoding, through a NUL, as a list beside a value.
    for (uri, body) in [
        ("Action=GetUser", "Action=DeleteUser&UserName=alice"),
        ("", "Action=GetUser&action=DeleteUser"),
        ("", "Action=GetUser&%61ction=DeleteUser"),
        ("", "Action=GetUser&Action%00=DeleteUser"),
        ("", "Action=GetUser&Action.member.1=DeleteUser"),
        ("UserName=alice", "Action=GetUser&UserName=root"),
        ("", "Action=GetUser&Version=2010-05-08&VERSION=2011-06-15"),
    ] {
        assert!(read(uri, body.as_bytes(), &Limits::default()).is_err(), "{uri} {body}");
    }
    // What is not a separator is part of the value.
    let call = read("", b"Action=GetUser&UserName=alice;UserName=root", &Limits::default()).unwrap();
    assert_eq!(shown(&call.input), r#"{"UserName":"alice;UserName=root"}"#);
}

#[test]
fn messages_repeat_no_more_of_a_name_than_they_must() {
    let name = "x".repeat(100_000);
    let Err(Malformed::Duplicate(told)) = read("", format!("Action=A&{name}=1&{name}=2").as_bytes(), &Limits::default()) else {
        panic!("not refused")
    };
    assert_eq!(told.len(), 128);
}

#[test]
fn control_characters_in_a_value_do_not_break_the_reply() {
    let failure = from_query::<Input>("A.member.1=x&Items.member.1.Key=%00").unwrap_err();
    let reply = wire::Answer { protocol: &QUERY, form: wire::Form::Xml, request_id: "r" }.failure(&failure);
    assert!(!reply.body.contains(&0));
}
