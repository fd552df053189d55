//! How long verifying takes with the day key at hand, beside the bare SHA-256 and HMAC that it cannot do without:
//! `cargo run --release -p sigv4 --example verify_time`. The target is twice the bare time at most.
//! The requests are botocore's; what is timed is all that a server does with one: read it, then verify it.
#![expect(clippy::print_stdout, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, unreachable_pub, reason = "a measurement")]
#![expect(dead_code, reason = "the tests use the rest of the module")]

use std::hint::black_box;
use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use sigv4::{Body, Reason, Request, SigningKey};

#[path = "../tests/vectors/mod.rs"]
mod vectors;

const CASES: [&str; 4] = [
    "sts GetCallerIdentity, temporary",
    "s3 GetObject, long-term",
    "s3 GetObject, temporary",
    "sts presigned GetCallerIdentity, temporary",
];

fn main() {
    let vectors = vectors::vectors();
    println!("{:<46} {:>9} {:>9} {:>7}", "request", "verify ns", "bare ns", "ratio");
    for name in CASES {
        let case = vectors.case(name);
        let mut wire = case.wire();
        // As HTTP servers hand them over.
        wire.headers.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
        let headers: Vec<(&str, &[u8])> = wire.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let request = Request { method: &wire.method, uri: &wire.uri, headers: &headers };
        let presented = sigv4::read(&request).unwrap().unwrap();
        let key = SigningKey::derive(vectors.secret(case.temporary), presented.scope.date, presented.scope.region, presented.scope.service);
        let wrong = SigningKey::derive("wrong", presented.scope.date, presented.scope.region, presented.scope.service);
        let Err(Reason::Mismatch(texts)) = presented.verify(&request, &wrong, Body::Bytes(&wire.body), vectors.at) else {
            panic!("it verified")
        };

        let verify = || {
            let request = black_box(request);
            let presented = sigv4::read(&request).unwrap().unwrap();
            presented.verify(&request, black_box(&key), Body::Bytes(black_box(&wire.body)), vectors.at).unwrap().signature.len()
        };
        let bare = || {
            // Where the signature does not cover the body there is nothing to hash of it.
            let body = Sha256::digest(black_box(&wire.body));
            let canonical = Sha256::digest(black_box(texts.canonical_request.as_bytes()));
            let mut mac = Hmac::<Sha256>::new_from_slice(black_box(key.expose())).unwrap();
            mac.update(black_box(texts.string_to_sign.as_bytes()));
            usize::from(body[0]) + usize::from(canonical[0]) + usize::from(mac.finalize().into_bytes()[0])
        };
        let (verify, bare) = (fastest(verify), fastest(bare));
        println!("{name:<46} {verify:>9.0} {bare:>9.0} {:>7.2}", verify / bare);
    }
}

/// Nanoseconds a turn, in the fastest of many rounds: the others were disturbed by somebody else.
fn fastest(mut turn: impl FnMut() -> usize) -> f64 {
    let round = |turn: &mut dyn FnMut() -> usize| {
        let start = Instant::now();
        for _ in 0..1_000 {
            black_box(turn());
        }
        start.elapsed().as_secs_f64() * 1e6
    };
    (0..300).map(|_| round(&mut turn)).fold(f64::INFINITY, f64::min)
}
