//! Signatures that botocore made: each is accepted, and none once anything that it covers was changed.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, unreachable_pub, reason = "tests")]

mod vectors;

use sigv4::chunks::{Broken, Chain};
use sigv4::{Body, Payload, Reason, Request, SKEW, SigningKey};
use vectors::{Case, Vectors, Wire, vectors};

fn payload_word(payload: Payload) -> &'static str {
    match payload {
        Payload::Hash(_) => "hash",
        Payload::Unsigned => "unsigned",
        Payload::Streaming => "streaming",
        Payload::StreamingTrailer => "streaming-trailer",
        Payload::StreamingUnsignedTrailer => "streaming-unsigned-trailer",
    }
}

/// Every change of every case must be refused.
fn refused(what: impl Fn(&Vectors, &Case, &Wire) -> Vec<(String, Wire)>) {
    let vectors = vectors();
    let mut count = 0;
    for case in vectors.good() {
        for (change, wire) in what(&vectors, case, &case.wire()) {
            assert!(vectors.authenticate(&wire, &case.service, vectors.at).is_err(), "{}: {change}: {wire:?}", case.name);
            count += 1;
        }
    }
    assert!(count >= 60, "only {count} changes");
}

fn one(change: &str, wire: Wire) -> Vec<(String, Wire)> {
    vec![(change.to_owned(), wire)]
}

fn flipped(text: &str, place: usize, bit: u8) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[place] ^= bit;
    String::from_utf8(bytes).ok()
}

#[test]
fn every_signature_is_accepted_and_says_what_it_covers() {
    let vectors = vectors();
    assert!(vectors.good().count() >= 140);
    for case in vectors.good() {
        let payload = vectors.authenticate(&case.wire(), &case.service, vectors.at);
        let payload =
            payload.unwrap_or_else(|reason| panic!("{}: {}", case.name, reason.map(|reason| reason.query_sentence()).unwrap_or_default()));
        assert_eq!(payload_word(payload), case.payload, "{}", case.name);
    }
}

#[test]
fn what_other_services_than_s3_cannot_accept_is_refused_though_signed() {
    let vectors = vectors();
    let bad: Vec<_> = vectors.cases.iter().filter(|case| case.payload == "refused").collect();
    assert_eq!(bad.len(), 6);
    for case in bad {
        let reason = vectors.authenticate(&case.wire(), &case.service, vectors.at).unwrap_err().unwrap();
        let right = if case.name.contains("another body") {
            matches!(reason, Reason::ContentHash { .. })
        } else {
            matches!(reason, Reason::ContentForeign { .. })
        };
        assert!(right, "{}: {reason:?}", case.name);
    }
}

#[test]
fn header_names_count_in_any_case_and_the_order_of_headers_does_not() {
    let vectors = vectors();
    for case in vectors.good() {
        for change in [str::to_ascii_lowercase, str::to_ascii_uppercase] {
            let mut wire = case.wire();
            wire.headers.iter_mut().for_each(|(name, _)| *name = change(name));
            vectors.authenticate(&wire, &case.service, vectors.at).unwrap();
        }
        if !case.name.contains("twice") && !case.name.contains("two lines") {
            let mut wire = case.wire();
            wire.headers.reverse();
            vectors.authenticate(&wire, &case.service, vectors.at).unwrap();
        }
    }
}

#[test]
fn a_signature_is_good_for_its_time_only() {
    let vectors = vectors();
    for case in vectors.good() {
        let wire = case.wire();
        let at = |after: i64| vectors.authenticate(&wire, &case.service, vectors.at + after);
        let last = match case.expires {
            None => SKEW,
            // What is not S3 lives no longer than a clock may be wrong, whatever the URL asks.
            Some(expires) if case.service == "s3" => expires.into(),
            Some(expires) => SKEW.min(expires.into()),
        };
        assert!(at(-SKEW).is_ok() && at(last).is_ok(), "{}", case.name);
        assert!(matches!(at(-SKEW - 1), Err(Some(Reason::Early { .. }))), "{}", case.name);
        match at(last + 1) {
            Err(Some(Reason::Late { .. })) => assert!(!case.is_presigned(), "{}", case.name),
            Err(Some(Reason::Expired { asked, .. })) => assert_eq!(Some(asked), case.expires.map(i64::from), "{}", case.name),
            other => panic!("{}: {other:?}", case.name),
        }
        assert!(at(i64::MAX - vectors.at).is_err() && at(i64::MIN).is_err());
    }
}

#[test]
fn another_method_is_refused() {
    refused(|_, _, wire| {
        let methods = ["GET", "PUT", "POST", "DELETE", "HEAD", "get", "Get", "", "GET\n/", "GET ", "PATCHX"];
        let others = methods.iter().filter(|method| **method != wire.method);
        others.map(|method| (format!("method {method:?}"), Wire { method: (*method).to_owned(), ..wire.clone() })).collect()
    });
}

#[test]
fn another_byte_anywhere_in_path_or_query_is_refused() {
    refused(|_, case, wire| {
        let mut changes = Vec::new();
        if case.service != "s3" && wire.uri.contains("/..") {
            return changes; // What such a segment takes away may be anything.
        }
        for place in 0..wire.uri.len() {
            for bit in [1, 32, 1 << (1 + place % 6)] {
                let Some(uri) = flipped(&wire.uri, place, bit) else { continue };
                // Two spellings of one escape mean the same, and so do an empty and a dot segment where paths are normalized.
                let spelling = bit == 32
                    && (wire.uri.as_bytes()[place].is_ascii_hexdigit() && wire.uri[..place].bytes().rev().take(2).any(|byte| byte == b'%'));
                let dots = case.service != "s3" && matches!(wire.uri.as_bytes()[place], b'.' | b'/');
                if !spelling && !dots {
                    changes.push((format!("{uri} for {}", wire.uri), wire.at(uri)));
                }
            }
        }
        changes
    });
}

#[test]
fn a_longer_path_or_query_is_refused() {
    refused(|_, _, wire| {
        let (path, query) = wire.uri.split_once('?').unwrap_or((&wire.uri, ""));
        let mut uris = vec![
            format!("{path}x?{query}"),
            format!("/x/x/x{path}?{query}"),
            format!("{path}?{query}&a"),
            format!("{path}?a&{query}"),
            format!("{path}?{query}&Action=DeleteUser"),
            format!("{path}?{query}&versionId=1"),
            format!("{path}%2F?{query}"),
            format!("{path}%00?{query}"),
            format!("{path}#?{query}"),
            format!("{path}%?{query}"),
            format!("{path} ?{query}"),
            format!("http://elsewhere{path}?{query}"),
            format!("{path}?{query}&%"),
            format!("{path}?{query}?"),
        ];
        if !query.is_empty() {
            uris.push(path.to_owned());
            // A parameter without a value and one with an empty value are the same.
            uris.extend(query.strip_suffix(|last| last != '=').map(|shorter| format!("{path}?{shorter}")));
        }
        uris.into_iter().map(|uri| (uri.clone(), wire.at(uri))).collect()
    });
}

#[test]
fn another_host_or_none_is_refused() {
    refused(|_, _, wire| {
        let host = wire.header("host").unwrap();
        vec![
            ("another host".to_owned(), wire.with("Host", "elsewhere.example.com")),
            ("another port".to_owned(), wire.with("Host", &format!("{host}:8443"))),
            ("a dot".to_owned(), wire.with("Host", &format!("{host}."))),
            ("no host".to_owned(), wire.without("Host")),
            ("an empty host".to_owned(), wire.with("Host", "")),
            ("a second host".to_owned(), wire.and("Host", "elsewhere.example.com")),
            ("the same host again".to_owned(), wire.and("host", host)),
        ]
    });
}

#[test]
fn another_body_is_refused_where_the_signature_covers_it() {
    refused(|_, case, wire| {
        let other = |body: Vec<u8>| Wire { body, ..wire.clone() };
        let mut changes = Vec::new();
        if case.payload == "hash" {
            changes.push(("a longer body".to_owned(), other([&*wire.body, b"&a=b"].concat())));
            if !wire.body.is_empty() {
                changes.push(("no body".to_owned(), other(Vec::new())));
                changes.push((
                    "another byte".to_owned(),
                    other(wire.body.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == 0)).collect()),
                ));
            }
        }
        changes
    });
}

#[test]
fn another_date_region_service_or_key_is_refused() {
    refused(|_, case, wire| {
        let scope = format!("20260102/{}/{}/aws4_request", case.region, case.service);
        let key_id = if case.temporary { "ASIARZPUZDIKGB2VALC4" } else { "AKIARZPUZDIKGB2VALC4" };
        let scoped = |to: &str| wire.replacing(&scope, to);
        let mut changes = vec![
            ("another region".to_owned(), scoped(&format!("20260102/us-west-9/{}/aws4_request", case.service))),
            ("no region".to_owned(), scoped(&format!("20260102//{}/aws4_request", case.service))),
            ("another service".to_owned(), scoped(&format!("20260102/{}/ec2/aws4_request", case.region))),
            ("another day".to_owned(), scoped(&format!("20260103/{}/{}/aws4_request", case.region, case.service))),
            ("another terminator".to_owned(), scoped(&format!("20260102/{}/{}/aws5_request", case.region, case.service))),
            ("no terminator".to_owned(), scoped(&format!("20260102/{}/{}", case.region, case.service))),
            ("a part more".to_owned(), scoped(&format!("{scope}/x"))),
            ("another key id".to_owned(), wire.replacing(key_id, "AKIAIOSFODNN7EXAMPLE")),
            (
                "the other key id".to_owned(),
                wire.replacing(key_id, if case.temporary { "AKIARZPUZDIKGB2VALC4" } else { "ASIARZPUZDIKGB2VALC4" }),
            ),
            ("another algorithm".to_owned(), wire.replacing("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512")),
            ("a signature of version 4a".to_owned(), wire.replacing("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")),
        ];
        for later in ["20260102T030406Z", "20260102T030400Z", "20260103T000000Z", "20260102T0304Z", "2026-01-02T03:04:05Z", ""] {
            let wire = match (wire.header("x-amz-date"), wire.header("date")) {
                (Some(_), _) => wire.with("X-Amz-Date", later),
                (None, Some(_)) => wire.with("Date", later),
                (None, None) => wire.at(wire.uri.replace("20260102T030405Z", later)),
            };
            changes.push((format!("signed at {later}"), wire));
        }
        changes
    });
}

#[test]
fn another_byte_anywhere_in_the_signature_is_refused() {
    refused(|_, _, wire| {
        let signature = wire.signature();
        assert_eq!(signature.len(), 64);
        let mut changes = Vec::new();
        for place in 0..64 {
            for bit in [1, 2, 4, 8, 16, 32, 64] {
                let other = flipped(signature, place, bit).unwrap();
                changes.push((other.clone(), wire.with_signature(&other)));
            }
        }
        for other in [
            "",
            "0",
            &signature[1..],
            &signature[..63],
            &format!("{signature}0"),
            &format!("0{signature}"),
            &"0".repeat(64),
            &signature.to_uppercase(),
        ] {
            // Two signatures in a hundred have no letter.
            if other != signature {
                changes.push((other.to_owned(), wire.with_signature(other)));
            }
        }
        changes
    });
}

#[test]
fn another_secret_is_refused() {
    let vectors = vectors();
    for case in vectors.good() {
        let wire = case.wire();
        let headers: Vec<(&str, &[u8])> = wire.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let request = Request { method: &wire.method, uri: &wire.uri, headers: &headers };
        let presented = sigv4::read(&request).unwrap().unwrap();
        let secret = vectors.secret(!case.temporary);
        let key = SigningKey::derive(secret, presented.scope.date, presented.scope.region, presented.scope.service);
        let reason = presented.verify(&request, &key, Body::Bytes(&wire.body), vectors.at).unwrap_err();
        let Reason::Mismatch(mismatch) = reason else { panic!("{reason:?}") };
        assert!(mismatch.canonical_request.starts_with(&wire.method) && mismatch.string_to_sign.contains("20260102T030405Z"));
        assert_eq!(&*mismatch.provided, wire.signature());
    }
}

#[test]
fn every_signed_header_must_come_as_it_was_signed() {
    refused(|_, _, wire| {
        let headers: Vec<(&str, &[u8])> = wire.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let presented = sigv4::read(&Request { method: &wire.method, uri: &wire.uri, headers: &headers }).unwrap().unwrap();
        let mut changes = Vec::new();
        for name in presented.signed_headers() {
            let value = wire.header(name).unwrap();
            changes.push((format!("{name} changed"), wire.with(name, &format!("{value}x"))));
            changes.push((format!("{name} gone"), wire.without(name)));
            changes.push((format!("{name} twice"), wire.and(name, value)));
        }
        changes
    });
}

#[test]
fn the_list_of_signed_headers_is_itself_bound() {
    refused(|_, _, wire| {
        let place = wire.header("authorization").unwrap_or(&wire.uri).to_owned();
        let list = place.split("SignedHeaders=").nth(1).unwrap().split(['&', ',']).next().unwrap();
        let names: Vec<&str> = list.split("%3B").flat_map(|names| names.split(';')).collect();
        let mut lists =
            vec!["".to_owned(), format!("{list};x"), list.to_uppercase(), format!("{list};"), format!(";{list}"), format!("{list};host")];
        for left_out in &names {
            lists.push(names.iter().filter(|name| *name != left_out).copied().collect::<Vec<_>>().join(";"));
        }
        lists.push(names.iter().rev().copied().collect::<Vec<_>>().join(";"));
        lists.retain(|other| other.replace("%3B", ";") != names.join(";"));
        lists
            .into_iter()
            .map(|other| (other.clone(), wire.replacing(&format!("SignedHeaders={list}"), &format!("SignedHeaders={other}"))))
            .collect()
    });
}

#[test]
fn credentials_in_two_places_are_refused() {
    let vectors = vectors();
    let url = vectors.case("sts presigned GetCallerIdentity, long-term").wire();
    let header = vectors.case("sts GetCallerIdentity, long-term").wire();
    let both = url.and("Authorization", header.header("authorization").unwrap());
    assert_eq!(vectors.authenticate(&both, "sts", vectors.at), Err(Some(Reason::TwoPlaces)));
    refused(|_, case, wire| {
        if case.is_presigned() {
            one("a header too", wire.and("Authorization", "AWS4-HMAC-SHA256 Credential=AKIARZPUZDIKGB2VALC4/20260102/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=00"))
        } else {
            let separator = if wire.uri.contains('?') { '&' } else { '?' };
            [
                "X-Amz-Signature=00",
                "x-amz-signature=00",
                "X-Amz-Credential=x",
                "X-Amz-Algorithm=AWS4-HMAC-SHA256",
                "X-Amz-Security-Token=x",
                "X-Amz-Date=x",
            ]
            .map(|parameter| (parameter.to_owned(), wire.at(format!("{}{separator}{parameter}", wire.uri))))
            .into()
        }
    });
}

#[test]
fn a_session_token_is_bound_and_comes_once() {
    refused(|vectors, case, wire| {
        let mut changes = vec![("another token in a header".to_owned(), wire.and("X-Amz-Security-Token", "other"))];
        if case.temporary && case.is_presigned() {
            let start = wire.uri.find("X-Amz-Security-Token=").unwrap();
            let end = wire.uri[start..].find('&').map_or(wire.uri.len(), |end| start + end);
            let parameter = &wire.uri[start..end];
            let gone = wire.uri.replace(parameter, "").replace("&&", "&");
            changes.push(("no token".to_owned(), wire.at(&gone)));
            changes.push(("in the header instead, unsigned".to_owned(), wire.at(&gone).and("X-Amz-Security-Token", vectors.token())));
            changes.push(("twice".to_owned(), wire.at(format!("{}&{parameter}", wire.uri))));
            changes.push(("in both".to_owned(), wire.and("X-Amz-Security-Token", vectors.token())));
        } else if case.temporary {
            changes.push(("no token".to_owned(), wire.without("X-Amz-Security-Token")));
            changes.push(("another token".to_owned(), wire.with("X-Amz-Security-Token", "other")));
        }
        changes
    });
}

#[test]
fn chunks_go_on_from_the_seed() {
    let vectors = vectors();
    let mut count = 0;
    for case in vectors.cases.iter().filter(|case| case.chunks.is_some()) {
        let wire = case.wire();
        let headers: Vec<(&str, &[u8])> = wire.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let request = Request { method: &wire.method, uri: &wire.uri, headers: &headers };
        let presented = sigv4::read(&request).unwrap().unwrap();
        let key = SigningKey::derive(vectors.secret(false), presented.scope.date, presented.scope.region, presented.scope.service);
        let verified = presented.verify(&request, &key, Body::NotSeen, vectors.at).unwrap();
        let chain = || Chain::new(&key, presented.timestamp(), presented.scope, verified.signature, verified.payload).unwrap();
        let chunks: Vec<([u8; 32], &str)> =
            case.chunks.as_ref().unwrap().iter().map(|(hash, signature)| (unhex(hash), &**signature)).collect();
        let mut whole = chain();
        for (hash, signature) in &chunks {
            whole.chunk(*hash, signature).unwrap();
        }
        if let Some(trailer) = &case.trailer {
            assert!(!whole.is_whole());
            whole.trailer(trailer.headers.iter().map(|(name, value)| (&**name, &**value)), &trailer.signature).unwrap();
        }
        assert!(whole.is_whole(), "{}", case.name);
        assert_eq!(chain().chunk(chunks[1].0, chunks[1].1), Err(Broken::Signature));
        assert_eq!(chain().chunk(chunks[1].0, chunks[0].1), Err(Broken::Signature));
        count += 1;
    }
    assert_eq!(count, 2);
}

fn unhex(text: &str) -> [u8; 32] {
    let bytes: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect();
    bytes.try_into().unwrap()
}
