//! Whatever comes over the wire, reading and verifying it ends in an answer. As a test this runs for about a second; `cargo bolero` runs it longer.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, unreachable_pub, reason = "tests")]
#![expect(dead_code, reason = "the other tests use the rest of the module")]

mod vectors;

use sigv4::{Body, Request, SigningKey};
use vectors::{Wire, vectors};

type Parts = (String, String, Vec<(String, Vec<u8>)>, Vec<u8>);

fn answer(wire: &Wire, now: i64) -> bool {
    let headers: Vec<(&str, &[u8])> = wire.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let request = Request { method: &wire.method, uri: &wire.uri, headers: &headers };
    match sigv4::read(&request) {
        Ok(Some(presented)) => {
            let key = SigningKey::derive("secret", presented.scope.date, presented.scope.region, presented.scope.service);
            let outcomes =
                [Body::Bytes(&wire.body), Body::Hashed([7; 32]), Body::NotSeen].map(|body| presented.verify(&request, &key, body, now));
            let _ = format!("{presented:?}");
            for reason in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
                let _ = (format!("{reason:?}"), reason.query_sentence(), reason.s3_sentence(), reason.s3_elements());
            }
            outcomes.iter().any(Result::is_ok)
        }
        Ok(None) => false,
        Err(reason) => {
            let _ = (reason.query_sentence(), reason.s3_sentence(), reason.s3_elements());
            false
        }
    }
}

#[test]
fn any_request_gets_an_answer() {
    bolero::check!().with_type::<Parts>().for_each(|(method, uri, headers, body)| {
        let wire = Wire { method: method.clone(), uri: uri.clone(), headers: headers.clone(), body: body.clone() };
        assert!(!answer(&wire, 0), "nobody can sign for a secret that only the test has");
    });
}

/// Near to real requests: one of botocore's with a few bytes overwritten, cut out or put in, anywhere.
#[test]
fn a_mangled_request_gets_an_answer() {
    let vectors = vectors();
    bolero::check!().with_type::<(u16, Vec<(u8, u16, u8, u8)>)>().for_each(|(case, edits)| {
        let mut wire = vectors.cases[usize::from(*case) % vectors.cases.len()].wire();
        for (what, place, how, byte) in edits.iter().take(8) {
            let count = wire.headers.len();
            match usize::from(*what) % (3 + 2 * count) {
                0 => edit_text(&mut wire.method, *place, *how, *byte),
                1 => edit_text(&mut wire.uri, *place, *how, *byte),
                2 => edit(&mut wire.body, *place, *how, *byte),
                header if header < 3 + count => edit(&mut wire.headers[header - 3].1, *place, *how, *byte),
                header => edit_text(&mut wire.headers[header - 3 - count].0, *place, *how, *byte),
            }
        }
        assert!(!answer(&wire, vectors.at), "another secret signed it");
    });
}

fn edit(bytes: &mut Vec<u8>, place: u16, how: u8, byte: u8) {
    let place = usize::from(place) % (bytes.len() + 1);
    match how % 3 {
        0 if place < bytes.len() => bytes[place] = byte,
        1 if place < bytes.len() => drop(bytes.remove(place)),
        _ => bytes.insert(place, byte),
    }
}

fn edit_text(text: &mut String, place: u16, how: u8, byte: u8) {
    let mut bytes = std::mem::take(text).into_bytes();
    edit(&mut bytes, place, how, byte);
    *text = String::from_utf8_lossy(&bytes).into_owned();
}
