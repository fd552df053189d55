//! Temporary delegation: what products ask accounts for, and what they ask it with. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation.html>. Both records are in the shared partition: a
//! request belongs to two accounts, and to only one of them at first.

use crate::sealing::{Keyring, Place, Sealed, SealingError};
use crate::surroundings::Entropy;
use arn::{AccessKeyId, AccountId, Arn, UniqueId};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use store::{Record, SHARED};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A policy template that the operator keeps for a product.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "policy-template", key = arn)]
pub struct PolicyTemplateRecord {
    /// What requests name it by.
    pub arn: Arn,
    /// The product: the account that may ask with it.
    pub product: AccountId,
    /// Its text.
    pub document: String,
    /// Since when, in seconds since the epoch.
    pub created: i64,
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DelegationState {
    /// Nobody has taken it up.
    Unassigned,
    /// Somebody has, and looks at it.
    Assigned,
    /// Whoever took it up asks another to approve it.
    PendingApproval,
    /// It is approved, and the token not sent yet.
    Accepted,
    /// The token is sent.
    Finalized,
    /// It is refused.
    Rejected,
    /// Its time is over.
    Expired,
}

impl DelegationState {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            DelegationState::Unassigned => "UNASSIGNED",
            DelegationState::Assigned => "ASSIGNED",
            DelegationState::PendingApproval => "PENDING_APPROVAL",
            DelegationState::Accepted => "ACCEPTED",
            DelegationState::Finalized => "FINALIZED",
            DelegationState::Rejected => "REJECTED",
            DelegationState::Expired => "EXPIRED",
        }
    }

    /// How long a request stays so, in seconds.
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-building-integration.html>.
    pub fn lasts(self) -> i64 {
        match self {
            DelegationState::Unassigned => DAY,
            DelegationState::Assigned
            | DelegationState::PendingApproval
            | DelegationState::Accepted
            | DelegationState::Finalized
            | DelegationState::Rejected
            | DelegationState::Expired => 7 * DAY,
        }
    }
}

const DAY: i64 = 24 * 3_600;

/// A value for a template's parameter, as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelegationParameter {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
    /// Whether it is a list.
    pub is_list: bool,
}

/// Who took a request up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelegationOwner {
    /// The ARN of the calling identity.
    pub arn: Arn,
    /// `aws:userid`: a name may be given to another later, this not.
    pub user_id: String,
}

/// Whose rights are lent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lender {
    /// Those of a session of a role.
    Role {
        /// The role.
        id: UniqueId,
        /// What the session is called.
        session: String,
    },
    /// Those of a user.
    User {
        /// The user; `None` is root.
        id: Option<UniqueId>,
    },
}

/// A tag that the approver's session had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LentTag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Whether it follows a chain of roles.
    pub transitive: bool,
}

/// Who approved a request, as it was when it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelegationApprover {
    /// The ARN of the calling identity.
    pub arn: Arn,
    /// The ARN of the user or role.
    pub principal: Arn,
    /// Whose rights these are.
    pub lender: Lender,
    /// The long-term key that it used, whose end is the delegation's.
    pub asked_with: Option<AccessKeyId>,
    /// What its session was tagged with.
    pub tags: Vec<LentTag>,
    /// The source identity of its session.
    pub source_identity: Option<String>,
    /// The provider that vouched for its session.
    pub provider: Option<String>,
}

/// A request for temporary access.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "delegation-request", key = id, unique(by_workflow = workflow), index(by_requestor = requestor, by_owner = listed), sealed)]
pub struct DelegationRequestRecord {
    /// A UUID.
    pub id: String,
    /// The product's account.
    pub requestor: AccountId,
    /// What the product is called.
    pub requestor_name: String,
    /// The product's account, and what it calls the request.
    pub workflow: (AccountId, String),
    /// Whose it is to approve; none: whoever takes it up.
    pub owner_account: Option<AccountId>,
    /// Who took it up.
    pub owner: Option<DelegationOwner>,
    /// In whose lists it is: nobody's, until somebody took it up.
    pub listed: Option<AccountId>,
    /// What the product wants, in general.
    pub description: String,
    /// What it wants this time.
    pub request_message: Option<String>,
    /// Where a console leads when all is done.
    pub redirect_url: Option<String>,
    /// Where the product wants to be told: the ARN of a topic.
    pub channel: String,
    /// The template.
    pub template: Arn,
    /// What it was filled with.
    pub parameters: Vec<DelegationParameter>,
    /// What came of it.
    pub policy: String,
    /// How long the access lasts, in seconds.
    pub session_duration: i64,
    /// Whether nobody but its owner may send the token.
    pub only_send_by_owner: bool,
    /// How far it was when it was last changed; see [`DelegationRequestRecord::state_at`].
    pub state: DelegationState,
    /// When that ends, in seconds since the epoch.
    pub expires: i64,
    /// What its owner added.
    pub notes: Option<String>,
    /// Why it was refused.
    pub rejection_reason: Option<String>,
    /// When it was made, in seconds since the epoch.
    pub created: i64,
    /// When it was last changed, in seconds since the epoch.
    pub updated: i64,
    /// Who approved it.
    pub approver: Option<DelegationApprover>,
    /// The secret of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Sealed>,
    /// When the token was traded in, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traded: Option<i64>,
    /// Until when the token is good and what it is traded in for lasts, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_ends: Option<i64>,
}

impl DelegationRequestRecord {
    /// How far it is now.
    pub fn state_at(&self, now: i64) -> DelegationState {
        if now >= self.expires { DelegationState::Expired } else { self.state }
    }

    /// Goes into another state.
    pub fn enter(&mut self, state: DelegationState, now: i64) {
        self.state = state;
        self.expires = now.saturating_add(state.lasts());
        self.updated = now;
    }

    fn place(id: &str) -> Place<'_> {
        Place { kind: Self::KIND, account: SHARED, key: id }
    }

    /// Makes the token with which the access is asked for, once.
    ///
    /// # Errors
    /// There is no chance to make it of, or no key to seal it with.
    pub fn send_token(&mut self, now: i64, keyring: &Keyring, entropy: &dyn Entropy) -> Result<(), SealingError> {
        let mut chance = Zeroizing::new([0; 32]);
        entropy.fill(chance.as_mut())?;
        self.token = Some(keyring.seal(&Self::place(&self.id), chance.as_ref(), entropy)?);
        self.access_ends = Some(now.saturating_add(self.session_duration));
        Ok(())
    }

    /// Whether its token can still be traded in.
    pub fn is_tradable(&self, now: i64) -> bool {
        self.state_at(now) == DelegationState::Finalized && self.traded.is_none() && self.access_ends.is_some_and(|ends| now < ends)
    }

    /// The token, whatever became of it; `None` if it was not sent.
    ///
    /// # Errors
    /// Its secret does not open.
    pub fn token(&self, keyring: &Keyring) -> Result<Option<Zeroizing<String>>, SealingError> {
        let Some(sealed) = &self.token else { return Ok(None) };
        let secret = keyring.open(&Self::place(&self.id), sealed)?;
        Ok(Some(Zeroizing::new(format!("{}.{}", self.id, BASE64_URL_SAFE_NO_PAD.encode(&*secret)))))
    }

    /// Whether `shown` is its token, compared in constant time.
    ///
    /// # Errors
    /// Its secret does not open.
    pub fn is_token(&self, shown: &str, keyring: &Keyring) -> Result<bool, SealingError> {
        Ok(self.token(keyring)?.is_some_and(|token| bool::from(token.as_bytes().ct_eq(shown.as_bytes()))))
    }

    /// Which request a token is of, if it can be one. It proves nothing.
    pub fn id_in(token: &str) -> Option<&str> {
        let (id, secret) = token.split_once('.')?;
        let is_uuid = id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        (is_uuid && secret.len() == 43).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_from_what_can_be_a_token_only() {
        let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
        assert_eq!(DelegationRequestRecord::id_in(&format!("{id}.{}", "x".repeat(43))), Some(id));
        for bad in ["", ".", id, &format!("{id}."), &format!("{id}.{}", "x".repeat(42)), &format!("x.{}", "x".repeat(43))] {
            assert_eq!(DelegationRequestRecord::id_in(bad), None, "{bad}");
        }
    }

    #[test]
    fn fuzz_trade_in_tokens() {
        bolero::check!().with_type::<String>().for_each(|text| {
            if let Some(id) = DelegationRequestRecord::id_in(text) {
                assert!(text.starts_with(id) && text.len() == 80);
            }
        });
    }

    #[test]
    fn nobody_took_it_up_for_a_day_and_all_else_lasts_a_week() {
        assert_eq!(DelegationState::Unassigned.lasts(), 86_400);
        assert_eq!(DelegationState::Finalized.lasts(), 604_800);
    }
}
