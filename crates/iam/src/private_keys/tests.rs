use super::*;
use rcgen::{CertificateParams, KeyPair};

/// A certificate of a key.
fn certificate(key: &KeyPair) -> Vec<u8> {
    CertificateParams::new(vec!["server.example".into()]).unwrap().self_signed(key).unwrap().der().to_vec()
}

fn is_of(key: &PrivateKey, der: &[u8]) -> bool {
    key.is_of(&crate::x509::read(der).unwrap())
}

#[test]
fn a_key_belongs_to_its_own_certificate_and_to_no_other() {
    let kinds = [&rcgen::PKCS_RSA_SHA256, &rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ECDSA_P521_SHA512];
    let pairs: Vec<_> = kinds.iter().map(|kind| KeyPair::generate_for(kind).unwrap()).collect();
    let certificates: Vec<_> = pairs.iter().map(certificate).collect();
    for (nth, pair) in pairs.iter().enumerate() {
        let key = PrivateKey::read(&pair.serialize_pem()).unwrap();
        for (other, der) in certificates.iter().enumerate() {
            assert_eq!(is_of(&key, der), nth == other, "{nth} {other}");
        }
        let stranger = certificate(&KeyPair::generate_for(kinds[nth]).unwrap());
        assert!(!is_of(&key, &stranger));
    }
}

#[test]
fn what_no_server_could_use_is_refused() {
    let pem = KeyPair::generate().unwrap().serialize_pem();
    let twice = pem.repeat(2);
    let encrypted = pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let mislabelled = pem.replace("PRIVATE KEY", "RSA PRIVATE KEY");
    let passphrase = pem.replacen("PRIVATE KEY-----\n", "PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n", 1);
    let edwards = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    for bad in ["", "no key", &twice, &encrypted, &mislabelled, &passphrase, &edwards] {
        assert!(PrivateKey::read(bad).is_err(), "{}", bad.lines().next().unwrap_or_default());
    }
}
