//! Authorization messages: what a denial meant, sealed, so that whoever is denied can carry it to whoever may know.
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html>.

use crate::Access;
use crate::sessions::TokenError;
use arn::AccountId;
use aws_lc_rs::aead::NONCE_LEN;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use identities::SealingError;

/// Bytes of a message, so that its sealed text stays within the 10,240 characters that AWS allows.
const ROOM: usize = 7_500;

impl Access {
    /// Seals `message` for `account`; `None` if it is too long to be carried.
    pub fn seal_message(&self, account: AccountId, message: &str) -> Result<Option<String>, TokenError> {
        if message.len() > ROOM {
            return Ok(None);
        }
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce).map_err(SealingError::from)?;
        let key = self.keyring.token_key()?;
        let mut sealed = key.to_be_bytes().to_vec();
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&self.keyring.seal_token(key, &nonce, &bound(account), message.as_bytes())?);
        Ok(Some(BASE64_URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens a message of `account`'s.
    pub fn open_message(&self, account: AccountId, message: &str) -> Result<String, TokenError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(message).map_err(|_| TokenError::Foreign)?;
        let (key, rest) = bytes.split_first_chunk::<8>().ok_or(TokenError::Foreign)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(TokenError::Foreign)?;
        let content = self.keyring.open_token(u64::from_be_bytes(*key), nonce, &bound(account), sealed).map_err(|_| TokenError::Foreign)?;
        String::from_utf8(content.to_vec()).map_err(|_| TokenError::Foreign)
    }
}

fn bound(account: AccountId) -> Vec<u8> {
    format!("authorization message {account}").into_bytes()
}
