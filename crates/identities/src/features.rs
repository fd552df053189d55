//! What an account has switched on for all of its principals.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetSecurityTokenServicePreferences.html>,
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableOutboundWebIdentityFederation.html>.

use arn::AccountId;
use serde::{Deserialize, Serialize};
use store::Record;

/// The switches of one account. One that has never touched them has no record.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "account-features", key = account)]
pub struct AccountFeaturesRecord {
    /// Whose they are.
    pub account: AccountId,
    /// Which kind of token a session of the global endpoint has: 1 or 2. All tokens are good in all regions here.
    pub token_version: u8,
    /// Tokens for services outside, if they were ever allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound: Option<OutboundFederation>,
}

/// Whether principals may ask for tokens that others verify.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutboundFederation {
    /// What tells this account's issuer from all others. It stays when the feature goes off and on.
    pub id: String,
    /// Whether the feature is on.
    pub enabled: bool,
}

impl AccountFeaturesRecord {
    /// Of an account that has never touched them.
    pub fn new(account: AccountId) -> Self {
        AccountFeaturesRecord { account, token_version: 1, outbound: None }
    }
}

impl OutboundFederation {
    /// The URL that tokens name as their issuer.
    pub fn issuer(&self) -> String {
        format!("https://{}.tokens.sts.global.api.aws", self.id)
    }
}
