//! Weaknesses that shipped in other verifiers of signatures, each tried on this one. The requests are botocore's.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, unreachable_pub, reason = "tests")]
#![expect(dead_code, reason = "the other tests use the rest of the module")]

mod vectors;

use sigv4::{Payload, Reason};
use vectors::{Case, Vectors, Wire, vectors};

fn try_it(vectors: &Vectors, case: &Case, wire: &Wire) -> Result<Payload, Option<Reason>> {
    vectors.authenticate(wire, &case.service, vectors.at)
}

/// Ceph CVE-2026-54330; rustfs GHSA-g8w9-qw9q-fghr, GHSA-xm99-m3gq-83g8: a header that nobody signed turned an upload into a copy.
#[test]
fn unsigned_amz_headers_are_refused() {
    let vectors = vectors();
    let headers = [
        "x-amz-copy-source",
        "X-Amz-Copy-Source",
        "X-AMZ-ACL",
        "x-amz-grant-full-control",
        "x-amz-metadata-directive",
        "x-amz-tagging",
        "x-amz-website-redirect-location",
        "x-amz-server-side-encryption-customer-key",
        "x-amz-bypass-governance-retention",
        "x-amz-meta-a-name-of-ones-own",
        "x-amz-target",
        "x-amz-expires",
        "x-amz-",
    ];
    for case in vectors.good() {
        for header in headers {
            if case.wire().header(header).is_some() {
                continue;
            }
            let refused = try_it(&vectors, case, &case.wire().and(header, "/secrets/key")).unwrap_err().unwrap();
            assert_eq!(refused, Reason::HeadersNotSigned { names: vec![header.to_ascii_lowercase().into()] }, "{}", case.name);
        }
        let two = case.wire().and("x-amz-tagging", "a").and("X-Amz-Acl", "b");
        let refused = try_it(&vectors, case, &two).unwrap_err().unwrap();
        assert_eq!(refused, Reason::HeadersNotSigned { names: vec!["x-amz-tagging".into(), "x-amz-acl".into()] });
    }
}

/// Of the same: which unsigned headers are let through, and that each comes once. S3 does not ask them to be signed; others have no use for them.
#[test]
fn only_headers_that_change_nothing_are_let_through_unsigned() {
    let vectors = vectors();
    for case in vectors.good() {
        let wire = case.wire();
        for header in ["x-amz-decoded-content-length", "x-amz-trailer", "x-amz-checksum-algorithm"] {
            if wire.header(header).is_some() {
                assert_eq!(
                    try_it(&vectors, case, &wire.and(header, "1")),
                    Err(Some(Reason::Repeated { name: header.into() })),
                    "{}",
                    case.name
                );
                continue;
            }
            let outcome = try_it(&vectors, case, &wire.and(header, "1"));
            if case.service == "s3" {
                assert_eq!(outcome, try_it(&vectors, case, &wire), "{}", case.name);
                let twice = try_it(&vectors, case, &wire.and(header, "1").and(header, "2"));
                assert_eq!(twice, Err(Some(Reason::Repeated { name: header.into() })), "{}", case.name);
            } else {
                assert_eq!(outcome, Err(Some(Reason::HeadersNotSigned { names: vec![header.into()] })), "{}", case.name);
            }
        }
        for harmless in ["x-amzn-trace-id", "x-forwarded-for", "x-amzx", "via"] {
            assert_eq!(try_it(&vectors, case, &wire.and(harmless, "1")), try_it(&vectors, case, &wire), "{}", case.name);
        }
    }
}

/// A presigned URL leaves the body open; a header that came later may close it, and must not open it or change how it is read.
#[test]
fn an_unsigned_content_header_only_narrows_a_presigned_url() {
    let vectors = vectors();
    let case = vectors.case("s3 presigned put, long-term");
    let wire = case.wire();
    let with = |word: &str| try_it(&vectors, case, &wire.and("x-amz-content-sha256", word));
    let hash = |body: &str| {
        let right = vectors.case("s3 payload hash, in the header").wire();
        (Wire { body: body.into(), ..wire.clone() }, right.header("x-amz-content-sha256").unwrap().to_owned())
    };
    assert_eq!(with("UNSIGNED-PAYLOAD"), Ok(Payload::Unsigned));
    for word in ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"] {
        assert_eq!(with(word), Err(Some(Reason::HeadersNotSigned { names: vec!["x-amz-content-sha256".into()] })), "{word}");
    }
    for word in ["", "UNSIGNED", "unsigned-payload", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"] {
        assert!(matches!(with(word), Err(Some(Reason::ContentWord { .. }))), "{word}");
    }
    let (body, right) = hash("body");
    assert!(matches!(try_it(&vectors, case, &body.and("x-amz-content-sha256", &right)), Ok(Payload::Hash(_))));
    let (other, right) = hash("another body");
    assert!(matches!(try_it(&vectors, case, &other.and("x-amz-content-sha256", &right)), Err(Some(Reason::ContentHash { .. }))));
}

/// MinIO CVE-2026-40344, CVE-2026-41145: one payload mode, with the credentials in one of the places, skipped the comparison.
#[test]
fn every_payload_mode_in_every_place_compares_the_signature() {
    let vectors = vectors();
    let mut tried = 0;
    for mode in ["unsigned", "streaming", "streaming-trailer", "streaming-unsigned-trailer", "hash"] {
        for place in ["in the header", "in the query and a signed header", "in the query alone"] {
            let case = vectors.case(&format!("s3 payload {mode}, {place}"));
            let wire = case.wire();
            assert!(try_it(&vectors, case, &wire).is_ok());
            for signature in ["", "0", &"0".repeat(64), &"f".repeat(64), "UNSIGNED-PAYLOAD"] {
                let refused = try_it(&vectors, case, &wire.with_signature(signature));
                assert!(matches!(refused, Err(Some(Reason::Mismatch(_)))), "{}: {refused:?}", case.name);
                tried += 1;
            }
            // The same signature with another mode announced.
            for word in [
                "UNSIGNED-PAYLOAD",
                "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            ] {
                let announced = wire.header("x-amz-content-sha256").map(str::to_owned);
                if announced.is_some_and(|announced| announced != word) {
                    assert!(try_it(&vectors, case, &wire.with("x-amz-content-sha256", word)).is_err(), "{}: {word}", case.name);
                    assert!(try_it(&vectors, case, &wire.and("x-amz-content-sha256", word)).is_err(), "{}: {word}", case.name);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

/// MinIO CVE-2020-11012: the access key id was enough.
#[test]
fn an_access_key_id_without_its_signature_is_nothing() {
    let vectors = vectors();
    for case in vectors.good() {
        let wire = case.wire();
        let signature = wire.signature().to_owned();
        if case.is_presigned() {
            for uri in [
                wire.uri.replace(&signature, ""),
                wire.uri.replace(&format!("X-Amz-Signature={signature}"), ""),
                wire.uri.replace("X-Amz-Signature=", "signature="),
            ] {
                assert!(try_it(&vectors, case, &wire.at(uri)).is_err(), "{}", case.name);
            }
        } else {
            let value = wire.header("authorization").unwrap();
            let without = value.replace(&format!(", Signature={signature}"), "");
            let refused = try_it(&vectors, case, &wire.with("Authorization", &without)).unwrap_err().unwrap();
            assert!(matches!(refused, Reason::Missing(_)), "{refused:?}");
            // Without the header nobody is there: anonymous, not whoever the rest of the request names.
            assert_eq!(try_it(&vectors, case, &wire.without("Authorization")), Err(None));
            assert_eq!(try_it(&vectors, case, &wire.with("Authorization", "").without("Authorization")), Err(None));
        }
    }
}

/// floci#1841, gopherstack#1654: `X-Amz-Signature` was left out of what header signatures cover, or never compared in URLs.
#[test]
fn a_signature_parameter_is_either_compared_or_refused() {
    let vectors = vectors();
    for case in vectors.good() {
        let wire = case.wire();
        let separator = if wire.uri.contains('?') { '&' } else { '?' };
        for parameter in ["X-Amz-Signature", "x-amz-signature", "X-Amz-Signature%20", "X-Amz%2DSignature", "X-AMZ-SIGNATURE"] {
            for value in ["", "=", "=0", &format!("={}", wire.signature())] {
                let added = wire.at(format!("{}{separator}{parameter}{value}", wire.uri));
                assert!(try_it(&vectors, case, &added).is_err(), "{}: {parameter}{value}", case.name);
            }
        }
    }
}

/// rustfs GHSA-c667-rgrv-99vj: a signature was good for any request of its owner.
#[test]
fn a_signature_does_not_fit_another_request() {
    let vectors = vectors();
    // Without those whose paths become one when they are normalized.
    let signed: Vec<&Case> = vectors.good().filter(|case| !case.is_presigned() && !case.name.starts_with("execute-api, a path")).collect();
    let mut tried = 0;
    for from in &signed {
        let donor = from.wire();
        for to in &signed {
            let mut wire = to.wire();
            if (&donor.method, &donor.uri, &donor.body, donor.header("host")) == (&wire.method, &wire.uri, &wire.body, wire.header("host"))
            {
                continue;
            }
            // Everything that authenticates comes from one request, everything that it does from another.
            for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
                wire = match donor.header(name) {
                    Some(value) => wire.with(name, value),
                    None => wire.without(name),
                };
            }
            assert!(vectors.authenticate(&wire, &from.service, vectors.at).is_err(), "{} for {}", from.name, to.name);
            tried += 1;
        }
    }
    assert!(tried > 5_000, "{tried}");
}

/// fakecloud#2288: the hash in the header was signed, and never compared with the body.
#[test]
fn a_swapped_body_is_refused() {
    let vectors = vectors();
    for case in vectors.good().filter(|case| case.payload == "hash") {
        let swapped = Wire { body: b"Action=DeleteUser&UserName=alice&Version=2010-05-08".to_vec(), ..case.wire() };
        let refused = try_it(&vectors, case, &swapped).unwrap_err().unwrap();
        assert!(matches!(refused, Reason::ContentHash { .. } | Reason::Mismatch(_)), "{}: {refused:?}", case.name);
    }
}

/// aws-iam-authenticator CVE-2022-2385: a parameter twice, or in another case, and verifier and service saw two identities.
#[test]
fn parameters_twice_or_in_another_spelling_are_refused() {
    let vectors = vectors();
    let names = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
        "X-Amz-Security-Token",
    ];
    for case in vectors.good().filter(|case| case.is_presigned()) {
        let wire = case.wire();
        for name in names {
            let spelled = [
                name.to_owned(),
                name.to_lowercase(),
                name.to_uppercase(),
                name.replacen("Amz", "amz", 1),
                name.replacen('-', "%2D", 1),
                name.replacen('A', "%41", 1),
            ];
            for other in spelled {
                for uri in [format!("{}&{other}=x", wire.uri), wire.uri.replacen('?', &format!("?{other}=x&"), 1)] {
                    let refused = try_it(&vectors, case, &wire.at(uri));
                    let absent = !wire.uri.contains(&format!("{name}="));
                    assert!(
                        matches!(refused, Err(Some(Reason::Repeated { .. }))) || absent && refused.is_err(),
                        "{}: {other}: {refused:?}",
                        case.name
                    );
                }
                if other != name && wire.uri.contains(&format!("{name}=")) {
                    let respelled = wire.uri.replace(&format!("{name}="), &format!("{other}="));
                    assert_eq!(
                        try_it(&vectors, case, &wire.at(respelled)),
                        Err(Some(Reason::Repeated { name: name.into() })),
                        "{}: {other}",
                        case.name
                    );
                }
            }
        }
        // What is not the verifier's is the signature's: neither a second action nor another one.
        for uri in [
            format!("{}&Action=GetSessionToken", wire.uri),
            format!("{}&action=GetSessionToken", wire.uri),
            wire.uri.replace("Action=GetCallerIdentity", "Action=GetSessionToken"),
        ] {
            assert!(uri == wire.uri || try_it(&vectors, case, &wire.at(uri)).is_err(), "{}", case.name);
        }
    }
}

/// The same class among headers.
#[test]
fn headers_that_decide_come_once() {
    let vectors = vectors();
    for case in vectors.good() {
        let wire = case.wire();
        for name in [
            "authorization",
            "host",
            "date",
            "content-type",
            "x-amz-date",
            "x-amz-security-token",
            "x-amz-content-sha256",
            "x-amz-copy-source",
            "x-amz-target",
            "content-md5",
        ] {
            let Some(value) = wire.header(name) else { continue };
            for again in [value, "other", ""] {
                for spelled in [name.to_owned(), name.to_uppercase()] {
                    let refused = try_it(&vectors, case, &wire.and(&spelled, again));
                    // A header that is not signed at all decides nothing here.
                    let decides = wire.header("authorization").unwrap_or(&wire.uri).contains(name) || name == "authorization";
                    assert!(!decides || matches!(refused, Err(Some(Reason::Repeated { .. }))), "{}: {name}: {refused:?}", case.name);
                }
            }
        }
    }
}

/// A line's end inside a value would let one header stand for two in the text that is signed.
#[test]
fn no_value_holds_the_end_of_a_line() {
    let vectors = vectors();
    for case in vectors.good() {
        let wire = case.wire();
        for name in ["host", "authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"] {
            let Some(value) = wire.header(name).map(str::to_owned) else { continue };
            for evil in ["\n", "\r\nx-amz-acl: public-read", "\0", "\u{7f}", "\u{b}"] {
                let broken = format!("{value}{evil}x");
                let refused = try_it(&vectors, case, &wire.with(name, &broken)).unwrap_err();
                let told = matches!(refused, Some(Reason::Header { .. }));
                assert!(told || name != "host" && name != "authorization", "{}: {name}: {refused:?}", case.name);
            }
        }
        for method in ["GET\n/other", "", "GET /"] {
            let outcome = try_it(&vectors, case, &Wire { method: method.into(), ..wire.clone() });
            assert!(matches!(outcome, Err(Some(Reason::Method))), "{outcome:?}");
        }
    }
}
