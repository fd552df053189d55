//! Secrets at rest. A master key, which is not in the store, seals data keys, which are; data keys seal secrets. So the master key can
//! be changed without touching a secret. A sealed value is bound to the kind, account and key of its record: moved elsewhere, it does not open.

use crate::surroundings::{Entropy, NoEntropy};
use aws_lc_rs::aead::{AES_256_GCM, AES_256_GCM_SIV, Aad, Algorithm, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use std::fmt;
use store::Record;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Why a value did not open, or could not be sealed. It never says what was in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    /// The key is another one, the value was changed, or it stands where it was not put.
    #[error("a sealed value does not open here")]
    DoesNotOpen,
    /// The text is not a key.
    #[error("a key has the wrong form")]
    Malformed,
    /// The machine has no chance to give.
    #[error("the machine's random generator failed")]
    NoEntropy,
}

impl From<NoEntropy> for SealingError {
    fn from(_: NoEntropy) -> Self {
        SealingError::NoEntropy
    }
}

/// What everything else is sealed under: 32 random bytes that the operator keeps apart from the store.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// What is sealed to prove a master key.
const PROOF: &[u8] = b"this is the master key of this store";

impl MasterKey {
    /// The key with these bytes, which whoever keeps it has read.
    pub fn new(bytes: &[u8; 32]) -> Self {
        MasterKey(*bytes)
    }

    /// A value that only this key opens, kept in the store from the first start on.
    pub fn prove(&self, entropy: &dyn Entropy) -> Result<Vec<u8>, SealingError> {
        seal(&aead(&AES_256_GCM, &self.0)?, b"proof", PROOF, entropy)
    }

    /// Whether `proof` was made with this key.
    pub fn proves(&self, proof: &[u8]) -> bool {
        aead(&AES_256_GCM, &self.0).and_then(|key| open(&key, b"proof", proof)).is_ok_and(|said| said.as_slice() == PROOF)
    }
}

/// What a data key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Secrets in records.
    Records,
    /// Session tokens and what else goes out sealed and comes back.
    Tokens,
}

/// A data key, sealed under the master key. It is kept in the shared partition.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "data-key", key = number, sealed)]
pub struct KeyRecord {
    /// Said by each value that is sealed under it.
    pub number: u64,
    /// What it is for.
    pub purpose: Purpose,
    /// The key.
    pub sealed: Sealed,
    /// Seconds since the epoch.
    pub created: i64,
}

/// A sealed value: the number of its data key, and the rest in base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(Box<str>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// The record that a sealed value belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The record's kind.
    pub kind: &'a str,
    /// Its account.
    pub account: &'a str,
    /// Its key, as text.
    pub key: &'a str,
}

impl Place<'_> {
    /// Parts that no other parts give: each with its length.
    fn bound(&self) -> Vec<u8> {
        let mut bound = Vec::with_capacity(64);
        for part in [self.kind, self.account, self.key] {
            bound.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bound.extend_from_slice(part.as_bytes());
        }
        bound
    }
}

/// The keyed hash of a secret that a machine made, for secrets that are only ever compared.
///
/// Such a secret has 256 random bits: nobody can try them, so nothing is won by a hash that is slow on purpose (argon2id is for what people
/// think up), and a check costs microseconds. The key is not in the store, so a stolen store cannot even be asked whether a guess is right;
/// the place of the record is hashed too, so a hash that is moved to another record is nobody's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hashed(Box<str>);

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashed(…)")
    }
}

/// The keys that a running server seals and opens with.
pub struct Keyring {
    records: Vec<RecordKey>,
    tokens: Vec<TokenKey>,
}

struct RecordKey {
    number: u64,
    seal: LessSafeKey,
    hash: hmac::Key,
}

struct TokenKey {
    number: u64,
    seal: LessSafeKey,
    secret: hmac::Key,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(…)")
    }
}

impl Keyring {
    /// A new data key, sealed under `master`.
    pub fn new_key(number: u64, purpose: Purpose, master: &MasterKey, now: i64, entropy: &dyn Entropy) -> Result<KeyRecord, SealingError> {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(key.as_mut())?;
        let sealed = seal(&aead(&AES_256_GCM, &master.0)?, &bound_key(number, purpose), key.as_ref(), entropy)?;
        Ok(KeyRecord { number, purpose, sealed: Sealed(BASE64_STANDARD.encode(sealed).into()), created: now })
    }

    /// Opens the store's data keys, in the order of their numbers.
    pub fn unlock(master: &MasterKey, keys: &[KeyRecord]) -> Result<Self, SealingError> {
        let master = aead(&AES_256_GCM, &master.0)?;
        let mut ring = Keyring { records: Vec::new(), tokens: Vec::new() };
        for record in keys {
            let sealed = BASE64_STANDARD.decode(record.sealed.0.as_bytes()).map_err(|_| SealingError::Malformed)?;
            let key = open(&master, &bound_key(record.number, record.purpose), &sealed)?;
            match record.purpose {
                Purpose::Records => ring.records.push(RecordKey::derive(record.number, &key)?),
                Purpose::Tokens => ring.tokens.push(TokenKey::derive(record.number, &key)?),
            }
        }
        if ring.records.is_empty() || ring.tokens.is_empty() {
            return Err(SealingError::Malformed);
        }
        Ok(ring)
    }

    /// Seals a secret for the record at `place`, under the newest key.
    pub fn seal(&self, place: &Place<'_>, secret: &[u8], entropy: &dyn Entropy) -> Result<Sealed, SealingError> {
        let key = self.records.last().ok_or(SealingError::Malformed)?;
        let sealed = seal(&key.seal, &place.bound(), secret, entropy)?;
        Ok(Sealed(format!("{}.{}", key.number, BASE64_STANDARD.encode(sealed)).into()))
    }

    /// Opens what was sealed for the record at `place`.
    pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        let (number, encoded) = sealed.0.split_once('.').ok_or(SealingError::Malformed)?;
        let number: u64 = number.parse().map_err(|_| SealingError::Malformed)?;
        let key = self.records.iter().find(|key| key.number == number).ok_or(SealingError::DoesNotOpen)?;
        open(&key.seal, &place.bound(), &BASE64_STANDARD.decode(encoded).map_err(|_| SealingError::Malformed)?)
    }

    /// Hashes a secret of the record at `place`, under the newest key.
    pub fn hash(&self, place: &Place<'_>, secret: &[u8]) -> Result<Hashed, SealingError> {
        let key = self.records.last().ok_or(SealingError::Malformed)?;
        Ok(Hashed(format!("{}.{}", key.number, BASE64_STANDARD.encode(hashing(key, place, secret).sign())).into()))
    }

    /// Whether `secret` is what was hashed for the record at `place`. It compares in constant time; where nothing was hashed, the work is
    /// the same and the answer no.
    pub fn is_hash_of(&self, place: &Place<'_>, hashed: Option<&Hashed>, secret: &[u8]) -> bool {
        let parts = hashed.and_then(|hashed| hashed.0.split_once('.'));
        let parts = parts.and_then(|(number, tag)| Some((number.parse::<u64>().ok()?, BASE64_STANDARD.decode(tag).ok()?)));
        let kept = parts.as_ref().and_then(|(number, tag)| Some((self.records.iter().find(|key| key.number == *number)?, tag.as_slice())));
        let Some((key, tag)) = kept.or_else(|| self.records.last().map(|key| (key, NO_TAG.as_slice()))) else { return false };
        let shown = hashing(key, place, secret).sign();
        aws_lc_rs::constant_time::verify_slices_are_equal(shown.as_ref(), tag).is_ok() && kept.is_some()
    }

    /// The number of the key that new tokens are sealed under.
    pub fn token_key(&self) -> Result<u64, SealingError> {
        self.tokens.last().map(|key| key.number).ok_or(SealingError::Malformed)
    }

    /// Seals what goes out and must come back unchanged. `bound` is not in it, and must be the same when it comes back. A nonce that
    /// repeats does not give the key away (GCM-SIV), so many nodes may seal under one key. Answers nonce and sealed bytes.
    pub fn seal_token(&self, key: u64, nonce: &[u8; NONCE_LEN], bound: &[u8], content: &[u8]) -> Result<Vec<u8>, SealingError> {
        let mut sealed = content.to_vec();
        let key = &self.token(key)?.seal;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(*nonce), Aad::from(bound), &mut sealed)
            .map_err(|_| SealingError::DoesNotOpen)?;
        Ok(sealed)
    }

    /// Opens what [`Keyring::seal_token`] sealed.
    pub fn open_token(&self, key: u64, nonce: &[u8; NONCE_LEN], bound: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        let mut content = Zeroizing::new(sealed.to_vec());
        let key = &self.token(key)?.seal;
        let length = key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound), &mut content)
            .map_err(|_| SealingError::DoesNotOpen)?
            .len();
        content.truncate(length);
        Ok(content)
    }

    /// The secret access key that goes with a token: 40 characters that nothing in the token lets anyone compute.
    pub fn token_secret(&self, key: u64, nonce: &[u8; NONCE_LEN], access_key_id: &str) -> Result<Zeroizing<String>, SealingError> {
        let mut context = hmac::Context::with_key(&self.token(key)?.secret);
        context.update(nonce);
        context.update(access_key_id.as_bytes());
        let tag = context.sign();
        let bytes = tag.as_ref().get(..30).ok_or(SealingError::Malformed)?;
        Ok(Zeroizing::new(BASE64_STANDARD.encode(bytes)))
    }

    fn token(&self, number: u64) -> Result<&TokenKey, SealingError> {
        self.tokens.iter().find(|key| key.number == number).ok_or(SealingError::DoesNotOpen)
    }
}

/// As long as a tag is, and none that anybody can make.
const NO_TAG: [u8; 32] = [0; 32];

/// An HMAC over a place and a secret. Every part of the place has its length before it, so no two pairs are one text.
fn hashing(key: &RecordKey, place: &Place<'_>, secret: &[u8]) -> hmac::Context {
    let mut context = hmac::Context::with_key(&key.hash);
    context.update(&place.bound());
    context.update(secret);
    context
}

impl RecordKey {
    /// What seals, and a second key out of it for what is only compared.
    fn derive(number: u64, key: &[u8]) -> Result<Self, SealingError> {
        let hash = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"bailiwick record hash 1");
        Ok(RecordKey { number, seal: aead(&AES_256_GCM, key)?, hash: hmac::Key::new(hmac::HMAC_SHA256, hash.as_ref()) })
    }
}

impl TokenKey {
    /// Two keys out of one, so that what seals tokens says nothing of their secrets.
    fn derive(number: u64, key: &[u8]) -> Result<Self, SealingError> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, key);
        let seal = hmac::sign(&root, b"bailiwick session token seal 1");
        let secret = hmac::sign(&root, b"bailiwick session token secret 1");
        Ok(TokenKey { number, seal: aead(&AES_256_GCM_SIV, seal.as_ref())?, secret: hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref()) })
    }
}

fn bound_key(number: u64, purpose: Purpose) -> Vec<u8> {
    format!("data-key {number} {purpose:?}").into_bytes()
}

fn aead(algorithm: &'static Algorithm, key: &[u8]) -> Result<LessSafeKey, SealingError> {
    UnboundKey::new(algorithm, key).map(LessSafeKey::new).map_err(|_| SealingError::Malformed)
}

/// Nonce, then ciphertext and tag.
fn seal(key: &LessSafeKey, bound: &[u8], secret: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, SealingError> {
    let mut nonce = [0; NONCE_LEN];
    entropy.fill(&mut nonce)?;
    let mut sealed = secret.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), &mut sealed)
        .map_err(|_| SealingError::DoesNotOpen)?;
    sealed.splice(..0, nonce);
    Ok(sealed)
}

fn open(key: &LessSafeKey, bound: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealingError> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealingError::Malformed)?;
    let mut secret = Zeroizing::new(rest.to_vec());
    let length = key
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound), &mut secret)
        .map_err(|_| SealingError::DoesNotOpen)?
        .len();
    secret.truncate(length);
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::SystemEntropy;

    fn ring() -> (MasterKey, Vec<KeyRecord>, Keyring) {
        let entropy = SystemEntropy::default();
        let master = MasterKey::new(&[1; 32]);
        let keys = vec![
            Keyring::new_key(1, Purpose::Records, &master, 0, &entropy).unwrap(),
            Keyring::new_key(2, Purpose::Tokens, &master, 0, &entropy).unwrap(),
        ];
        let ring = Keyring::unlock(&master, &keys).unwrap();
        (master, keys, ring)
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_own_place() {
        let (_, _, ring) = ring();
        let here = Place { kind: "access-key", account: "111122223333", key: "AKIA1" };
        let sealed = ring.seal(&here, b"secret", &SystemEntropy::default()).unwrap();
        assert_eq!(ring.open(&here, &sealed).unwrap().as_slice(), b"secret");
        for elsewhere in [
            Place { key: "AKIA2", ..here },
            Place { account: "999999999999", ..here },
            Place { kind: "mfa", ..here },
            Place { kind: "access-key1", account: "11122223333", ..here },
        ] {
            assert_eq!(ring.open(&elsewhere, &sealed), Err(SealingError::DoesNotOpen), "{elsewhere:?}");
        }
    }

    #[test]
    fn a_hash_is_of_its_secret_in_its_place_and_of_nothing_else() {
        let (master, keys, ring) = ring();
        let here = Place { kind: "service-credential", account: "111122223333", key: "ACCA1" };
        let hashed = ring.hash(&here, b"secret").unwrap();
        assert!(ring.is_hash_of(&here, Some(&hashed), b"secret"));
        assert!(!ring.is_hash_of(&here, Some(&hashed), b"secret "));
        assert!(!ring.is_hash_of(&Place { key: "ACCA2", ..here }, Some(&hashed), b"secret"), "moved to another record");
        assert!(!ring.is_hash_of(&here, None, b"secret"), "nothing was hashed");
        assert!(!ring.is_hash_of(&here, Some(&Hashed("1.AAAA".into())), b"secret"));
        assert!(!ring.is_hash_of(&here, Some(&Hashed("nonsense".into())), b"secret"));
        assert!(Keyring::unlock(&master, &keys).unwrap().is_hash_of(&here, Some(&hashed), b"secret"), "after a restart");
        let other = [
            Keyring::new_key(1, Purpose::Records, &master, 0, &SystemEntropy::default()).unwrap(),
            Keyring::new_key(2, Purpose::Tokens, &master, 0, &SystemEntropy::default()).unwrap(),
        ];
        assert!(!Keyring::unlock(&master, &other).unwrap().is_hash_of(&here, Some(&hashed), b"secret"), "another store's key");
        assert_eq!(format!("{hashed:?}"), "Hashed(…)");
    }

    #[test]
    fn another_master_key_proves_nothing_and_opens_nothing() {
        let (master, keys, _) = ring();
        let entropy = SystemEntropy::default();
        let proof = master.prove(&entropy).unwrap();
        assert!(master.proves(&proof));
        let other = MasterKey::new(&[2; 32]);
        assert!(!other.proves(&proof));
        assert!(!master.proves(&proof[1..]));
        assert_eq!(Keyring::unlock(&other, &keys).unwrap_err(), SealingError::DoesNotOpen);
    }

    #[test]
    fn a_changed_token_or_another_key_id_does_not_open() {
        let (_, _, ring) = ring();
        let nonce = [7; NONCE_LEN];
        let sealed = ring.seal_token(2, &nonce, b"ASIA1", b"content").unwrap();
        assert_eq!(ring.open_token(2, &nonce, b"ASIA1", &sealed).unwrap().as_slice(), b"content");
        assert!(ring.open_token(2, &nonce, b"ASIA2", &sealed).is_err());
        assert!(ring.open_token(1, &nonce, b"ASIA1", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(ring.open_token(2, &nonce, b"ASIA1", &changed).is_err(), "byte {at}");
        }
        let secret = ring.token_secret(2, &nonce, "ASIA1").unwrap();
        assert_eq!(secret.len(), 40);
        assert_ne!(secret, ring.token_secret(2, &nonce, "ASIA2").unwrap());
    }

    #[test]
    fn nothing_secret_is_printed() {
        let (master, keys, ring) = ring();
        let said = format!("{master:?} {ring:?} {:?}", keys[0]);
        assert!(said.contains("MasterKey(…)") && said.contains("Sealed(…)"), "{said}");
    }
}
