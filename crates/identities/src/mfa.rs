//! MFA devices: what a user, or root, has beside a key or a password. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html>.
//! A virtual device is a seed that an authenticator app has too; its codes are those of RFC 6238 with SHA-1, six digits and 30 seconds.
//! A security key is known by its serial number only: it signs in, and shows no codes.

use crate::access_keys::Owner;
use crate::names::NameKey;
use crate::sealing::{Keyring, Place, Sealed, SealingError};
use crate::surroundings::Entropy;
use crate::tags::Tags;
use arn::{AccountId, Arn};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use store::{KeyPart, Record};
use totp_rs::{Builder, Secret, Totp};
use wire::Text;
use zeroize::Zeroizing;

/// What names a device: of a virtual one and of a security key, its ARN. It is unique in its account, whatever its case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(min = 9, max = 256, pattern = r"[\w+=/:,.@-]+")]
pub struct SerialNumber(Box<str>);

impl KeyPart for SerialNumber {
    fn encode(&self, out: &mut Vec<u8>) {
        NameKey::of(&self.0).encode(out);
    }
}

/// One device.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "mfa-device", key = serial, index(by_owner = owner), sealed)]
pub struct MfaDeviceRecord {
    /// What names it.
    pub serial: SerialNumber,
    /// What it is.
    pub kind: MfaKind,
    /// Whose it is; nobody's, before it is enabled and after it is deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// When it was enabled, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<i64>,
    /// When it was made, in seconds since the epoch.
    pub created: i64,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// What a device is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum MfaKind {
    /// An app that knows a seed.
    Virtual(VirtualMfa),
    /// A security key or passkey.
    SecurityKey {
        /// What its maker had certified, as AWS names it (`FIDO`: `L1`).
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        certifications: BTreeMap<String, String>,
    },
}

/// What makes the codes of a virtual device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VirtualMfa {
    /// Tells its codes from those of a device that has the same name after it.
    pub id: String,
    /// The seed.
    pub seed: Sealed,
    /// By how many steps its clock is ahead of ours, as it showed when it was last synchronized.
    #[serde(default)]
    pub drift: i64,
}

/// Seconds that a code is shown for.
const STEP: i64 = 30;
/// Steps by which a code may be early or late.
const SKEW: i64 = 1;
/// Bytes of a seed: AWS's are 64 characters in base 32.
const SEED: usize = 40;

/// A seed in the clear. It is wiped when it goes.
pub struct Seed(Zeroizing<Vec<u8>>);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

impl Seed {
    /// A new one.
    pub fn new(entropy: &dyn Entropy) -> Result<Self, SealingError> {
        let mut bytes = Zeroizing::new(vec![0; SEED]);
        entropy.fill(&mut bytes)?;
        Ok(Seed(bytes))
    }

    /// The seed as a person types it into an app.
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(self.secret().to_base32())
    }

    /// Seals it for the device `serial` of `account`.
    pub fn seal(
        &self,
        account: AccountId,
        serial: &SerialNumber,
        keyring: &Keyring,
        entropy: &dyn Entropy,
    ) -> Result<Sealed, SealingError> {
        let account = account.to_string();
        keyring.seal(&Place { kind: MfaDeviceRecord::KIND, account: &account, key: serial.as_str() }, &self.0, entropy)
    }

    /// The step whose code this is, if its clock says so within one step either way.
    fn shows(&self, code: &str, step: i64) -> Option<i64> {
        self.codes(u16::try_from(SKEW).unwrap_or(0))?.check(code, time(step)?).and_then(|step| i64::try_from(step).ok())
    }

    /// The step of the second of two codes that follow each other, if it is within `reach` steps of `now`; the nearest, if there are several.
    fn synchronized(&self, (first, second): (&str, &str), now: i64, reach: i64) -> Option<i64> {
        let codes = self.codes(0)?;
        let is = |code, step| time(step).is_some_and(|time| codes.check(code, time).is_some());
        let mut nearest = (0..=reach).flat_map(|away| [now - away, now + away]);
        nearest.find(|step| is(second, *step) && is(first, step - 1))
    }

    fn codes(&self, skew: u16) -> Option<Totp> {
        Builder::new().with_secret(self.secret()).with_skew(skew).build().ok()
    }

    fn secret(&self) -> Secret {
        Secret::new(self.0.as_slice().into())
    }
}

/// The second at which a step begins.
fn time(step: i64) -> Option<u64> {
    u64::try_from(step).ok().map(|step| step.saturating_mul(STEP.unsigned_abs()))
}

/// How far the clock of a device may be off, in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// When it is enabled: the codes were read a moment ago.
    Minutes,
    /// When it is synchronized: its clock was never set.
    Hours,
}

impl Reach {
    fn steps(self) -> i64 {
        match self {
            Reach::Minutes => 10,
            Reach::Hours => 240,
        }
    }
}

/// Seconds for which it is remembered that a code was used: longer than any clock that [`Reach`] bears with could show it again.
pub const CODE_REMEMBERED: i64 = 86_400;
/// The kind under which used codes are remembered.
pub const CODE: &str = "mfa-code";

impl VirtualMfa {
    /// What is used up with the code of a step.
    pub fn code(&self, step: i64) -> String {
        format!("{} {step}", self.id)
    }

    /// The step whose code this is, `now` being seconds since the epoch. Whether it was used before, the store knows.
    pub fn shows(&self, seed: &Seed, code: &str, now: i64) -> Option<i64> {
        seed.shows(code, now.div_euclid(STEP) + self.drift)
    }

    /// Takes the clock that two consecutive codes tell; answers the steps of both. Nothing changes if they are none.
    pub fn synchronize(&mut self, seed: &Seed, codes: (&str, &str), now: i64, reach: Reach) -> Option<[i64; 2]> {
        let now = now.div_euclid(STEP);
        let second = seed.synchronized(codes, now, reach.steps())?;
        let ahead = second - now;
        // Whoever is quick shows the code of the next step before it begins, and the code of the last one after it ended.
        self.drift = if ahead.abs() <= SKEW { 0 } else { ahead };
        Some([second - 1, second])
    }
}

impl MfaDeviceRecord {
    /// `arn:aws:iam::ACCOUNT:mfa/PATH/NAME`, the serial number of a virtual device, if it is not too long for one.
    pub fn virtual_serial(account: AccountId, path: &str, name: &str) -> Option<SerialNumber> {
        Arn::iam(account, format_args!("mfa{path}{name}")).as_str().parse().ok()
    }

    /// The virtual device, if it is one.
    pub fn as_virtual(&self) -> Option<&VirtualMfa> {
        match &self.kind {
            MfaKind::Virtual(device) => Some(device),
            MfaKind::SecurityKey { .. } => None,
        }
    }

    /// The seed of a virtual device of `account`.
    pub fn seed(&self, device: &VirtualMfa, account: AccountId, keyring: &Keyring) -> Result<Seed, SealingError> {
        let account = account.to_string();
        keyring.open(&Place { kind: MfaDeviceRecord::KIND, account: &account, key: self.serial.as_str() }, &device.seed).map(Seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::SystemEntropy;

    /// The seed of RFC 6238's appendix B.
    fn seed() -> Seed {
        Seed(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    fn device() -> VirtualMfa {
        VirtualMfa { id: "d".into(), seed: serde_json::from_value("1.x".into()).unwrap(), drift: 0 }
    }

    /// The last six digits of appendix B's codes for SHA-1.
    const PUBLISHED: [(i64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    #[test]
    fn codes_are_those_that_the_rfc_publishes() {
        for (now, code) in PUBLISHED {
            assert_eq!(device().shows(&seed(), code, now), Some(now / 30), "{now}");
        }
    }

    #[test]
    fn a_code_may_be_one_step_early_or_late_and_no_more() {
        let (now, code) = PUBLISHED[4];
        for (off, accepted) in [(-61, false), (-30, true), (-1, true), (30, true), (39, true), (60, false)] {
            assert_eq!(device().shows(&seed(), code, now + off).is_some(), accepted, "{off}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for bad in ["", "2870822", "28708", "28708x", "+87082", " 287082", "287082\n", "２８７０８２"] {
            assert_eq!(device().shows(&seed(), bad, 59), None, "{bad}");
        }
        assert_eq!(device().shows(&seed(), "287082", -59), None, "a clock before the epoch");
    }

    fn code(step: i64) -> String {
        seed().codes(0).unwrap().generate(time(step).unwrap()).to_string()
    }

    #[test]
    fn a_clock_that_is_off_is_taken_from_two_consecutive_codes() {
        let now = 66_666_666;
        let (ahead, reach) = (now + 100, Reach::Hours);
        let (first, second, third) = (code(ahead - 1), code(ahead), code(ahead + 1));
        let mut device = device();
        assert_eq!(device.synchronize(&seed(), (&first, &second), now * 30, Reach::Minutes), None);
        assert_eq!(device.synchronize(&seed(), (&second, &first), now * 30, reach), None, "in their order");
        assert_eq!(device.synchronize(&seed(), (&first, &third), now * 30, reach), None, "one after the other");
        assert_eq!(device.synchronize(&seed(), (&second, &second), now * 30, reach), None);
        assert_eq!((device.drift, device.shows(&seed(), &third, (now + 1) * 30)), (0, None));
        assert_eq!(device.synchronize(&seed(), (&first, &second), now * 30, reach), Some([ahead - 1, ahead]));
        assert_eq!(device.drift, 100);
        assert_eq!(device.shows(&seed(), &third, (now + 1) * 30), Some(ahead + 1));
    }

    #[test]
    fn a_clock_that_is_right_stays_so_though_codes_are_shown_early_or_late() {
        let now = 66_666_666;
        for second in [now - 1, now, now + 1] {
            let mut device = VirtualMfa { drift: 7, ..device() };
            let codes = (code(second - 1), code(second));
            assert_eq!(device.synchronize(&seed(), (&codes.0, &codes.1), now * 30 + 3, Reach::Minutes), Some([second - 1, second]));
            assert_eq!(device.drift, 0, "{second}");
        }
    }

    #[test]
    fn a_seed_is_as_long_as_awss_and_is_not_shown() {
        let seed = Seed::new(&SystemEntropy::default()).unwrap();
        assert_eq!(seed.base32().len(), 64);
        assert!(seed.base32().chars().all(|c| c.is_ascii_uppercase() || ('2'..='7').contains(&c)));
        assert_ne!(seed.base32(), Seed::new(&SystemEntropy::default()).unwrap().base32());
        assert_eq!(format!("{seed:?}"), "Seed(…)");
    }
}
