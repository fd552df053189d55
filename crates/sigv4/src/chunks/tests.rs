//! The bodies and signatures are those of AWS's two pages on chunked uploads: 66,560 bytes of `a`, in chunks of 65,536, 1,024 and 0.

use super::*;

const SCOPE: Scope<'_> = Scope { date: "20130524", region: "us-east-1", service: "s3" };
const TIME: &str = "20130524T000000Z";

const PLAIN: [&str; 4] = [
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
];

const WITH_TRAILER: [&str; 5] = [
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
];

fn key() -> SigningKey {
    SigningKey::derive("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3")
}

fn hashes() -> [[u8; 32]; 3] {
    [vec![b'a'; 65_536], vec![b'a'; 1_024], Vec::new()].map(|data| Sha256::digest(data).into())
}

fn chain<'k>(key: &'k SigningKey, signatures: &[&str], payload: Payload) -> Chain<'k> {
    Chain::new(key, TIME, SCOPE, signatures[0], payload).unwrap()
}

#[test]
fn the_published_chunks_verify() {
    let key = key();
    let mut chain = chain(&key, &PLAIN, Payload::Streaming);
    for (hash, signature) in hashes().into_iter().zip(&PLAIN[1..]) {
        assert!(!chain.is_whole());
        chain.chunk(hash, signature).unwrap();
        assert_eq!(chain.previous(), *signature);
    }
    assert!(chain.is_whole());
    assert_eq!(chain.chunk(EMPTY, PLAIN[3]), Err(Broken::AfterEnd));
}

#[test]
fn the_published_trailer_verifies() {
    let key = key();
    let mut chain = chain(&key, &WITH_TRAILER, Payload::StreamingTrailer);
    for (hash, signature) in hashes().into_iter().zip(&WITH_TRAILER[1..]) {
        chain.chunk(hash, signature).unwrap();
    }
    assert!(!chain.is_whole(), "the trailer is still to come");
    chain.trailer([("X-Amz-Checksum-Crc32c", " sOO8/Q== ")], WITH_TRAILER[4]).unwrap();
    assert!(chain.is_whole());
}

#[test]
fn a_changed_chunk_or_signature_breaks_the_chain() {
    let key = key();
    let [first, ..] = hashes();
    let mut broken = chain(&key, &PLAIN, Payload::Streaming);
    assert_eq!(broken.chunk(Sha256::digest(vec![b'b'; 65_536]).into(), PLAIN[1]), Err(Broken::Signature));
    assert_eq!(broken.chunk(first, PLAIN[1]), Err(Broken::AfterEnd), "nothing is accepted after an error");
    for place in 0..64 {
        let mut signature = PLAIN[1].as_bytes().to_vec();
        signature[place] ^= 1;
        assert_eq!(chain(&key, &PLAIN, Payload::Streaming).chunk(first, str::from_utf8(&signature).unwrap()), Err(Broken::Signature));
    }
    for signature in ["", PLAIN[1].split_at(63).0, &PLAIN[1].to_uppercase(), &format!("{}0", PLAIN[1])] {
        assert_eq!(chain(&key, &PLAIN, Payload::Streaming).chunk(first, signature), Err(Broken::Signature));
    }
}

#[test]
fn chunks_cannot_be_left_out_swapped_or_moved_to_another_body() {
    let key = key();
    let [first, second, last] = hashes();
    assert_eq!(chain(&key, &PLAIN, Payload::Streaming).chunk(second, PLAIN[2]), Err(Broken::Signature));
    let mut cut = chain(&key, &PLAIN, Payload::Streaming);
    cut.chunk(first, PLAIN[1]).unwrap();
    assert_eq!(cut.chunk(last, PLAIN[3]), Err(Broken::Signature));
    assert!(!cut.is_whole());
    assert_eq!(chain(&key, &WITH_TRAILER, Payload::Streaming).chunk(first, PLAIN[1]), Err(Broken::Signature), "another seed");
    let other = Chain::new(&key, "20130524T000001Z", SCOPE, PLAIN[0], Payload::Streaming);
    assert_eq!(other.unwrap().chunk(first, PLAIN[1]), Err(Broken::Signature), "another time");
    let other = Chain::new(&key, TIME, Scope { region: "us-east-2", ..SCOPE }, PLAIN[0], Payload::Streaming);
    assert_eq!(other.unwrap().chunk(first, PLAIN[1]), Err(Broken::Signature), "another region");
}

#[test]
fn a_trailer_comes_only_where_it_was_announced() {
    let key = key();
    let trailer = [("x-amz-checksum-crc32c", "sOO8/Q==")];
    assert_eq!(chain(&key, &WITH_TRAILER, Payload::StreamingTrailer).trailer(trailer, WITH_TRAILER[4]), Err(Broken::Trailer));
    let mut plain = chain(&key, &PLAIN, Payload::Streaming);
    for (hash, signature) in hashes().into_iter().zip(&PLAIN[1..]) {
        plain.chunk(hash, signature).unwrap();
    }
    assert_eq!(plain.trailer(trailer, WITH_TRAILER[4]), Err(Broken::Trailer));
    let mut changed = chain(&key, &WITH_TRAILER, Payload::StreamingTrailer);
    for (hash, signature) in hashes().into_iter().zip(&WITH_TRAILER[1..]) {
        changed.chunk(hash, signature).unwrap();
    }
    assert_eq!(changed.clone().trailer([("x-amz-checksum-crc32c", "sOO8/A==")], WITH_TRAILER[4]), Err(Broken::Signature));
    assert_eq!(changed.clone().trailer([], WITH_TRAILER[4]), Err(Broken::Signature));
    assert_eq!(changed.trailer(trailer.into_iter().chain([("x", "y")]), WITH_TRAILER[4]), Err(Broken::Signature));
}

#[test]
fn a_chain_begins_only_at_a_signature_and_a_time_of_its_day() {
    let key = key();
    let new = |time, seed, payload| Chain::new(&key, time, SCOPE, seed, payload).map(|_| ());
    assert_eq!(new(TIME, PLAIN[0], Payload::Streaming), Ok(()));
    assert_eq!(new(TIME, "abc", Payload::Streaming), Err(Broken::Seed));
    assert_eq!(new("20130525T000000Z", PLAIN[0], Payload::Streaming), Err(Broken::Seed));
    assert_eq!(new("now\n", PLAIN[0], Payload::Streaming), Err(Broken::Seed));
    assert_eq!(new(TIME, PLAIN[0], Payload::StreamingUnsignedTrailer), Err(Broken::Seed));
    assert_eq!(new(TIME, PLAIN[0], Payload::Hash(EMPTY)), Err(Broken::Seed));
    assert_eq!(Sha256::digest([]).as_slice(), EMPTY);
}
