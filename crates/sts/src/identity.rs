//! Who one is, and whose a key is. Rules: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>,
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html>. No policy can keep anyone from asking who they are.

use crate::{Error, Sts};
use arn::{AccessKeyId, AccountId, Arn};
use identities::AccessKeyRecord;
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use store::{Read, SHARED};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Sts> = &[handler::<GetCallerIdentity>(), handler::<GetAccessKeyInfo>()];

#[derive(Shape)]
struct GetCallerIdentity;

#[derive(Shape)]
struct GetCallerIdentityOutput {
    user_id: String,
    account: AccountId,
    arn: Arn,
}

impl Operation for GetCallerIdentity {
    type Service = Sts;
    type Access = Read;
    type Output = GetCallerIdentityOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::by_nothing("API_GetCallerIdentity: no permissions are required")
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetCallerIdentityOutput, Error> {
        let caller = cx.caller;
        Ok(GetCallerIdentityOutput { user_id: caller.standing.user_id.clone(), account: caller.account, arn: caller.arn.clone() })
    }
}

/// An access key's id as STS's model has it.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 16, max = 128, pattern = r"[\w]*")]
struct KeyId(Box<str>);

#[derive(Shape)]
struct GetAccessKeyInfo {
    access_key_id: KeyId,
}

#[derive(Shape)]
struct GetAccessKeyInfoOutput {
    account: AccountId,
}

impl Operation for GetAccessKeyInfo {
    type Service = Sts;
    type Access = Read;
    type Output = GetAccessKeyInfoOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    /// The account is in most ids; a key that the operator named says it in its record.
    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetAccessKeyInfoOutput, Error> {
        let id: AccessKeyId = self.access_key_id.as_str().parse().map_err(|_| Error::NoSuchKey)?;
        if let Some(record) = cx.tx.in_account(SHARED).get::<AccessKeyRecord>(&id).await? {
            return Ok(GetAccessKeyInfoOutput { account: record.owner.account });
        }
        let account = id.account().ok_or(Error::NoSuchKey)?;
        Ok(GetAccessKeyInfoOutput { account })
    }
}
