//! A second factor that a request shows beside its signature: checked and used up before anything is judged, since policies ask for it.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html>.

use crate::caller::Caller;
use crate::system::System;
use identities::{CODE, CODE_REMEMBERED, MfaDeviceRecord, SealingError, SerialNumber};
use store::{Spent, StoreError};

/// What a request shows, and what its service says if that is no second factor of the caller's.
pub struct SecondFactor<'a, E> {
    /// The device.
    pub serial: &'a str,
    /// What it showed.
    pub code: &'a str,
    /// What the service says.
    pub refused: fn(NotShown) -> E,
}

/// Why a second factor is none.
#[derive(Debug, thiserror::Error)]
pub enum NotShown {
    /// The caller has no such device that shows codes. Whether somebody else has, it does not say.
    #[error("the caller has no such device")]
    NoSuchDevice,
    /// The code is wrong, was used, or is not looked at after too many wrong ones.
    #[error("not a code of the device")]
    WrongCode,
    /// The device cannot be looked at.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The device's seed does not open.
    #[error(transparent)]
    Sealing(#[from] SealingError),
}

/// Checks the code of one of the caller's own devices; answers when, in seconds since the epoch.
pub(crate) async fn check(system: &System, caller: &Caller, serial: &str, code: &str) -> Result<i64, NotShown> {
    let owner = caller.owner().ok_or(NotShown::NoSuchDevice)?;
    let serial: SerialNumber = serial.parse().map_err(|_| NotShown::NoSuchDevice)?;
    let (access, account) = (&system.access, caller.account.to_string());
    let serial = &serial;
    let device = access.store.read(&account, |tx| async move { tx.get::<MfaDeviceRecord>(serial).await }).await?;
    let device = device.filter(|device| device.owner.as_ref() == Some(&owner)).ok_or(NotShown::NoSuchDevice)?;
    let made = device.as_virtual().ok_or(NotShown::NoSuchDevice)?;
    let now = access.clock.now();
    let attempt = system.tries.begin(&made.id, caller.long_term_key(), now).ok_or(NotShown::WrongCode)?;
    let seed = device.seed(made, caller.account, &access.keyring)?;
    let step = made.shows(&seed, code, now).ok_or(NotShown::WrongCode)?;
    let (now_millis, until) = (access.clock.now_millis(), (now + CODE_REMEMBERED).saturating_mul(1_000));
    match access.store.spend(CODE, &account, &made.code(step), now_millis, until).await? {
        Spent::Fresh => {
            attempt.succeeded();
            Ok(now)
        }
        Spent::Already => Err(NotShown::WrongCode),
    }
}
