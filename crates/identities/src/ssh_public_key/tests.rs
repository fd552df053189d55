//! Keys that `ssh-keygen` made, and what it says of them.

use super::*;

const BLOB: &str = concat!(
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQDDm8ju1gvKawFLDo+xA23PTNcJgcwRH/mZezPDEY7QcKHoeZPJYeUta9Z1BbwtAOmaM61w",
    "bJOWHbVfLMzdwPyxd3ukddDxbI+VYXA/9+MA2z2Rdr1a8xjUqRXF+swsjR0uoRQ7maKsRAos6p9LCWtkCfZrtUL//pwh8uw7qJLY",
    "kjzIirr0XzujxNrQ4y7xH7eww/NUlZog+nZKvZe3DjJXHMt96m+9CC3c9VDYyZZ2yNndMYLGUWwODELoqJuLqv5xiG1CY4q2yLSt",
    "zMMf16YBzpQx8PkXntBtKZTgOdhE4nFAUh5WNv7mdv5uORuzLxwN0etFC6p2T4k3APOt/Q1N",
);
const SHORT: &str = concat!(
    "AAAAB3NzaC1yc2EAAAADAQABAAAAgQC2iaZQSltXXsiBZ1m1xNqMX/xGEOIuqJuocUv+YusNCxs/GeZSzECVoJ4bByQabHpWZSRl",
    "cQhDJGrL/+wza5SmBrjqKMZSg8mMFN1DwneaDlfCONI8Rh/5XRk3Bt0BxcjxPEP2ehAvZXCZXw9CJ9RuJEu5T1l1+PrW0bfDqEzW",
    "tQ==",
);
const ED25519: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIGvK8N0mQwbX1glgI6Ju5m30lc23/DvFL0hErefHZhj/";
const INFO: &str = concat!(
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAw5vI7tYLymsBSw6PsQNt\n",
    "z0zXCYHMER/5mXszwxGO0HCh6HmTyWHlLWvWdQW8LQDpmjOtcGyTlh21XyzM3cD8\n",
    "sXd7pHXQ8WyPlWFwP/fjANs9kXa9WvMY1KkVxfrMLI0dLqEUO5mirEQKLOqfSwlr\n",
    "ZAn2a7VC//6cIfLsO6iS2JI8yIq69F87o8Ta0OMu8R+3sMPzVJWaIPp2Sr2Xtw4y\n",
    "VxzLfepvvQgt3PVQ2MmWdsjZ3TGCxlFsDgxC6Kibi6r+cYhtQmOKtsi0rczDH9em\n",
    "Ac6UMfD5F57QbSmU4DnYROJxQFIeVjb+5nb+bjkbsy8cDdHrRQuqdk+JNwDzrf0N\n",
    "TQIDAQAB\n",
);
const PKCS1: &str = concat!(
    "MIIBCgKCAQEAw5vI7tYLymsBSw6PsQNtz0zXCYHMER/5mXszwxGO0HCh6HmTyWHl\n",
    "LWvWdQW8LQDpmjOtcGyTlh21XyzM3cD8sXd7pHXQ8WyPlWFwP/fjANs9kXa9WvMY\n",
    "1KkVxfrMLI0dLqEUO5mirEQKLOqfSwlrZAn2a7VC//6cIfLsO6iS2JI8yIq69F87\n",
    "o8Ta0OMu8R+3sMPzVJWaIPp2Sr2Xtw4yVxzLfepvvQgt3PVQ2MmWdsjZ3TGCxlFs\n",
    "DgxC6Kibi6r+cYhtQmOKtsi0rczDH9emAc6UMfD5F57QbSmU4DnYROJxQFIeVjb+\n",
    "5nb+bjkbsy8cDdHrRQuqdk+JNwDzrf0NTQIDAQAB\n",
);

fn pem(label: &str, body: &str) -> String {
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}

fn key() -> SshPublicKey {
    SshPublicKey::read(&format!("ssh-rsa {BLOB} alice@example.com")).unwrap()
}

#[test]
fn every_form_of_a_key_is_the_same_key() {
    for text in [
        format!("ssh-rsa {BLOB}"),
        format!("\n ssh-rsa\t {BLOB}\talice at home\r\n"),
        pem("PUBLIC KEY", INFO),
        pem("PUBLIC KEY", INFO).replace('\n', "\r\n"),
        pem("RSA PUBLIC KEY", PKCS1),
    ] {
        assert_eq!(SshPublicKey::read(&text), Ok(key()), "{text}");
    }
}

#[test]
fn a_key_is_written_as_ssh_keygen_writes_it() {
    assert_eq!(key().line(), format!("ssh-rsa {BLOB}"));
    assert_eq!(key().pem(), pem("PUBLIC KEY", INFO));
    assert_eq!(key().md5(), "7a:91:eb:76:f6:61:a6:8c:a5:19:c8:c1:42:4b:37:83");
    assert_eq!(key().sha256(), "SHA256:Hih/9Hcc+Ggsjw0hchB+/eHWl4SxgeZmVK+zXTZ0+V4");
    let kept = serde_json::to_string(&key()).unwrap();
    assert_eq!(serde_json::from_str::<SshPublicKey>(&kept).unwrap(), key());
}

#[test]
fn what_is_no_encoding_is_told_from_what_is_no_key() {
    for text in [
        "",
        "walk",
        "ssh-rsa",
        "not a key at all",
        &format!("command=\"id\" ssh-rsa {BLOB}"),
        &format!("ssh-rsa {BLOB}\nssh-rsa {BLOB}"),
        &pem("CERTIFICATE", INFO),
        &format!("{}{}", pem("PUBLIC KEY", INFO), pem("PRIVATE KEY", INFO)),
        &format!("{} trailing", pem("PUBLIC KEY", INFO)),
    ] {
        assert_eq!(SshPublicKey::read(text), Err(NotAKey::Unrecognized), "{text}");
    }
    for text in [
        "ssh-rsa AAAA",
        "ssh-rsa !!!!",
        &format!("ssh-rsa {SHORT}"),
        &format!("ssh-ed25519 {ED25519}"),
        &format!("ssh-dss {BLOB}"),
        &format!("ssh-rsa {ED25519}"),
        &format!("ssh-rsa {}", BLOB.get(4..).unwrap()),
        &format!("ssh-rsa {BLOB}AAAA"),
        &pem("PUBLIC KEY", "bm90IGEga2V5\n"),
        &pem("PUBLIC KEY", PKCS1),
        &pem("RSA PUBLIC KEY", INFO),
    ] {
        assert_eq!(SshPublicKey::read(text), Err(NotAKey::Invalid), "{text}");
    }
}

/// Two spellings of one key would be two keys: longer lengths, zeros before a number, bytes behind the end.
#[test]
fn a_second_spelling_of_a_key_is_no_key() {
    let blob = key().blob();
    assert_eq!(SshPublicKey::of_blob(&blob), Ok(key()));
    let (head, modulus) = blob.split_at(18);
    let padded = [head, &[0, 0, 1, 2, 0], modulus.get(4..).unwrap()].concat();
    for other in [padded, [blob.as_slice(), &[0]].concat(), blob.get(..blob.len() - 1).unwrap().to_vec()] {
        assert_eq!(SshPublicKey::of_blob(&other), Err(NotAKey::Invalid));
    }
    let der = BASE64_STANDARD.decode(INFO.replace('\n', "")).unwrap();
    assert_eq!(of_info(&der), Some(key()));
    let mut longer = der.clone();
    longer.splice(1..2, [0x83, 0x00]);
    for other in [longer, [der.as_slice(), &[0]].concat()] {
        assert_eq!(of_info(&other), None);
    }
}

#[test]
fn even_numbers_and_the_exponent_one_are_no_rsa() {
    let SshPublicKey { exponent, modulus } = key();
    let mut even = modulus.clone();
    *even.last_mut().unwrap() &= 0xfe;
    assert!(SshPublicKey::of(&exponent, &modulus).is_some());
    for (exponent, modulus) in [(&*exponent, &*even), (&[1][..], &*modulus), (&[4][..], &*modulus), (&[1; 9][..], &*modulus)] {
        assert!(SshPublicKey::of(exponent, modulus).is_none());
    }
    let longest = [[0xff].as_slice(), &[1; 2_047]].concat();
    assert!(SshPublicKey::of(&exponent, &longest).is_some(), "16,384 bits");
    assert!(SshPublicKey::of(&exponent, &[longest.as_slice(), &[1]].concat()).is_none());
}

/// Fuzz target: whatever comes in, and whatever is read comes out so that it is read again.
#[test]
fn reading_any_key() {
    let holds = |key: &SshPublicKey| {
        assert_eq!(SshPublicKey::read(&key.line()).as_ref(), Ok(key));
        assert_eq!(SshPublicKey::read(&key.pem()).as_ref(), Ok(key));
        assert_eq!(key.md5().len(), 47);
    };
    let good =
        [key().blob(), BASE64_STANDARD.decode(INFO.replace('\n', "")).unwrap(), BASE64_STANDARD.decode(PKCS1.replace('\n', "")).unwrap()];
    // Bytes that make no key are read in all ways; then good keys with some bytes of them changed.
    bolero::check!().with_type::<(Vec<u8>, u8, Vec<(u16, u8)>)>().with_iterations(20_000).for_each(|(bytes, nth, changes)| {
        let mut near = good.get(usize::from(*nth) % good.len()).cloned().unwrap_or_default();
        for (at, byte) in changes.iter().take(4) {
            let at = usize::from(*at) % near.len();
            near[at] = *byte;
        }
        for bytes in [bytes, &near] {
            let text = String::from_utf8_lossy(bytes);
            let encoded = BASE64_STANDARD.encode(bytes);
            let read = [
                SshPublicKey::of_blob(bytes),
                SshPublicKey::read(&text),
                SshPublicKey::read(&format!("ssh-rsa {encoded}")),
                SshPublicKey::read(&pem("PUBLIC KEY", &encoded)),
                SshPublicKey::read(&pem("RSA PUBLIC KEY", &encoded)),
            ];
            read.iter().flatten().for_each(holds);
        }
    });
}
