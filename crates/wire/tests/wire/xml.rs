use quick_xml::events::Event;
use wire::{Failure, Name, Node, xml};

const NS: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

fn reply(output: &Node) -> String {
    String::from_utf8(xml::reply("Op", NS, output, "id")).unwrap()
}
fn inside(node: Node) -> String {
    let whole = reply(&Node::Map(vec![("A".into(), node)]));
    let result = whole.split_once("<OpResult>").and_then(|(_, after)| after.split_once("</OpResult>"));
    result.map(|(inside, _)| inside.to_owned()).unwrap_or_default()
}

#[test]
fn a_reply_has_namespace_result_and_request_id() {
    assert_eq!(
        reply(&Node::Map(vec![("A".into(), Node::text("b"))])),
        "<OpResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><OpResult><A>b</A></OpResult>\
         <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></OpResponse>"
    );
}

#[test]
fn an_output_without_members_still_has_a_result_and_no_output_has_none() {
    assert!(reply(&Node::Map(vec![])).contains("<OpResult/><ResponseMetadata>"));
    assert!(reply(&Node::Map(vec![("A".into(), Node::Absent)])).contains("<OpResult/><ResponseMetadata>"));
    assert!(!reply(&Node::Absent).contains("Result"));
}

#[test]
fn values_are_written_as_aws_writes_them() {
    for (node, text) in [
        (Node::Bool(false), "<A>false</A>"),
        (Node::Number(-3), "<A>-3</A>"),
        (Node::Decimal(0.5), "<A>0.5</A>"),
        (Node::Time(1_273_361_941), "<A>2010-05-08T23:39:01Z</A>"),
        (Node::Time(0), "<A>1970-01-01T00:00:00Z</A>"),
        (Node::Blob(vec![0, 255]), "<A>AP8=</A>"),
        (Node::text(""), "<A/>"),
        (Node::List(vec![]), "<A/>"),
        (Node::Map(vec![]), "<A/>"),
        (Node::List(vec![Node::text("x"), Node::text("")]), "<A><member>x</member><member/></A>"),
        (Node::Entries(vec![("Users".into(), Node::Number(1))]), "<A><entry><key>Users</key><value>1</value></entry></A>"),
        (Node::Absent, ""),
    ] {
        assert_eq!(inside(node), text);
    }
}

#[test]
fn times_beyond_the_calendar_are_the_last_one() {
    assert_eq!(inside(Node::Time(i64::MAX)), "<A>9999-12-30T22:00:00Z</A>");
    assert!(inside(Node::Time(i64::MIN)).starts_with("<A>-009999-01-02T"));
}

#[test]
fn text_cannot_leave_its_element() {
    assert_eq!(inside(Node::text("</A><B x=\"1\">&amp;]]>")), "<A>&lt;/A&gt;&lt;B x=&quot;1&quot;&gt;&amp;amp;]]&gt;</A>");
    assert_eq!(
        inside(Node::Entries(vec![("<k>".into(), Node::text("&"))])),
        "<A><entry><key>&lt;k&gt;</key><value>&amp;</value></entry></A>"
    );
}

#[test]
fn a_name_that_is_not_ours_cannot_make_markup() {
    let foreign = Node::Map(vec![(Name::Owned("x><y".to_owned()), Node::text("1")), (Name::Owned("Fine".to_owned()), Node::text("2"))]);
    assert_eq!(inside(foreign), "<A><Fine>2</Fine></A>");
}

#[test]
fn what_xml_cannot_carry_becomes_the_replacement_character() {
    assert_eq!(
        inside(Node::text("a\0b\u{1}c\u{B}d\u{1F}\u{FFFE}\u{FFFF}\u{FFFD}")),
        "<A>a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}</A>"
    );
    assert_eq!(inside(Node::text("a\tb\nc\rd\u{7F}\u{85}é𝄞\u{EFFF}\u{FFBE}")), "<A>a\tb\nc&#xD;d\u{7F}\u{85}é𝄞\u{EFFF}\u{FFBE}</A>");
}

#[test]
fn failures_say_whose_fault_it_is() {
    let text = |failure: &Failure| String::from_utf8(xml::failure(failure, NS, "id")).unwrap();
    assert_eq!(
        text(&Failure::new(404, "NoSuchEntity", "The user with name <x> cannot be found.")),
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type><Code>NoSuchEntity</Code>\
         <Message>The user with name &lt;x&gt; cannot be found.</Message></Error><RequestId>id</RequestId></ErrorResponse>"
    );
    assert!(
        text(&Failure::new(503, "ServiceUnavailable", "")).contains("<Type>Receiver</Type><Code>ServiceUnavailable</Code></Error>"),
        "a failure without words has no message at all"
    );
    assert!(text(&Failure::new(409, "X", "m").with("Reason", Node::text("R"))).contains("<Message>m</Message><Reason>R</Reason></Error>"));
}

/// What a parser makes of the text that we wrote.
fn parsed(xml: &str) -> String {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut inside, mut text) = (false, String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) if tag.name().as_ref() == "A" => inside = true,
            Event::End(tag) if tag.name().as_ref() == "A" => inside = false,
            Event::Text(part) if inside => text.push_str(&part),
            Event::GeneralRef(reference) if inside => match reference.resolve_char_ref().unwrap() {
                Some(c) => text.push(c),
                None => text.push_str(quick_xml::escape::resolve_predefined_entity(&reference).unwrap()),
            },
            Event::Eof => return text,
            _ => {}
        }
    }
}

#[test]
fn a_parser_reads_back_every_text_that_xml_can_carry() {
    bolero::check!().with_type::<String>().with_iterations(2_000).for_each(|text| {
        let carried: String = text
            .chars()
            .map(|c| {
                if matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}') { '\u{FFFD}' } else { c }
            })
            .collect();
        assert_eq!(parsed(&reply(&Node::Map(vec![("A".into(), Node::text(text.as_str()))]))), carried);
    });
}
