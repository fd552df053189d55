use crate::{JSON, QUERY, REST};
use wire::{Answer, Common, Failure, Form, Malformed, Node, Protocol, Reply, refuse_encoding};

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_ref())
}
fn answer<'a>(protocol: &'a Protocol, form: Form) -> Answer<'a> {
    Answer { protocol, form, request_id: "id" }
}

#[test]
fn each_protocol_answers_in_its_content_type_and_with_the_request_id() {
    for (protocol, form, kind) in [
        (&QUERY, Form::Xml, "text/xml"),
        (&QUERY, Form::Json, "application/json"),
        (&JSON, Form::Xml, "application/x-amz-json-1.1"),
        (&Protocol::Json { version: "1.0", target: "T" }, Form::Xml, "application/x-amz-json-1.0"),
        (&REST, Form::Xml, "application/json"),
    ] {
        let answer = answer(protocol, form);
        for reply in [answer.reply("Op", &Node::Absent), answer.failure(&Failure::new(404, "NoSuchEntity", "gone"))] {
            assert_eq!((header(&reply, "content-type"), header(&reply, "x-amzn-requestid")), (Some(kind), Some("id")));
            assert!(reply.headers.iter().all(|(name, _)| !name.bytes().any(|byte| byte.is_ascii_uppercase())));
            assert!(!reply.body.is_empty());
        }
    }
}

#[test]
fn json_failures_say_their_code_in_body_and_header() {
    for (protocol, body) in
        [(JSON, r#"{"__type":"AccessDeniedException","Message":"no"}"#), (REST, r#"{"__type":"AccessDeniedException","message":"no"}"#)]
    {
        let reply = answer(&protocol, Form::Xml).failure(&Common::Denied.says(&protocol, "no"));
        assert_eq!(header(&reply, "x-amzn-errortype"), Some("AccessDeniedException"));
        assert_eq!(reply.body, body.as_bytes());
    }
    assert_eq!(header(&answer(&QUERY, Form::Xml).failure(&Common::Denied.failure(&QUERY)), "x-amzn-errortype"), None);
}

#[test]
fn the_shared_errors_have_awss_codes_in_every_protocol() {
    use Common as C;
    let told = |common: C| {
        [QUERY, JSON, REST].map(|protocol| common.failure(&protocol)).map(|failure| (failure.status, failure.code.into_owned()))
    };
    for (common, query, json, rest) in [
        (C::Denied, (403, "AccessDenied"), (400, "AccessDeniedException"), (403, "AccessDeniedException")),
        (C::NoOperation, (400, "InvalidAction"), (400, "UnknownOperationException"), (404, "UnknownOperationException")),
        (C::Throttling, (400, "Throttling"), (400, "ThrottlingException"), (429, "TooManyRequestsException")),
        (C::Internal, (500, "InternalFailure"), (500, "InternalFailure"), (500, "InternalServerException")),
        (C::Unavailable, (503, "ServiceUnavailable"), (503, "ServiceUnavailable"), (503, "ServiceUnavailable")),
        (C::Validation, (400, "ValidationError"), (400, "ValidationException"), (400, "ValidationException")),
    ] {
        assert_eq!(told(common), [query, json, rest].map(|(status, code)| (status, code.to_owned())));
    }
}

#[test]
fn an_unknown_operation_is_named_with_its_version() {
    let failure = Common::no_operation(&QUERY, "Foo", "2010-05-08");
    assert_eq!(
        (failure.status, failure.code.as_ref(), failure.message.as_str()),
        (400, "InvalidAction", "Could not find operation Foo for version 2010-05-08")
    );
    assert!(Common::no_operation(&QUERY, &"x".repeat(1 << 20), "v").message.len() < 300);
}

#[test]
fn unreadable_requests_have_clear_answers() {
    for (malformed, query, json) in [
        (Malformed::Percent, (404, "MalformedQueryString"), (400, "SerializationException")),
        (Malformed::TooLarge(5), (413, "RequestEntityTooLarge"), (413, "RequestEntityTooLargeException")),
        (Malformed::NoAction, (400, "MissingAction"), (400, "UnknownOperationException")),
        (Malformed::Encoded, (415, "UnsupportedMediaType"), (415, "UnsupportedMediaTypeException")),
    ] {
        for (protocol, expected) in [(QUERY, query), (JSON, json)] {
            let failure = malformed.failure(&protocol);
            assert_eq!((failure.status, failure.code.as_ref()), expected);
            assert_eq!(failure.message, malformed.to_string());
        }
    }
}

#[test]
fn compressed_bodies_are_refused() {
    for fine in [None, Some(""), Some("identity"), Some(" Identity ")] {
        assert_eq!(refuse_encoding(fine), Ok(()));
    }
    for bad in ["gzip", "identity, gzip", "br", "deflate"] {
        assert_eq!(refuse_encoding(Some(bad)), Err(Malformed::Encoded));
    }
}

#[test]
fn accept_asks_for_json() {
    for accept in ["application/json", "Application/JSON; q=0.9", "*/*, application/json"] {
        assert_eq!(Form::asked(Some(accept)), Form::Json, "{accept}");
    }
    for accept in ["", "*/*", "text/xml, application/json", "application/xml", "application/jsonx", "text/json"] {
        assert_eq!(Form::asked(Some(accept)), Form::Xml, "{accept}");
    }
    assert_eq!(Form::asked(None), Form::Xml);
}

#[test]
fn debugging_a_reply_does_not_print_its_body() {
    let reply = answer(&QUERY, Form::Xml).reply("CreateAccessKey", &Node::Map(vec![("SecretAccessKey".into(), Node::text("wJalrXUtn"))]));
    assert!(!format!("{reply:?}").contains("wJalrXUtn"));
}
