//! How many of a kind an account may have: as many as it likes, until the operator says otherwise.
//! Source of what is counted: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.

use crate::Error;
use operation::Allowed;
use store::{Record, Write};

/// Refuses one more record of `R`, if there are `limit`; `name` is what AWS calls the quota.
pub(crate) async fn quota<R: Record>(cx: &Allowed<'_, Write>, limit: Option<u64>, name: &'static str) -> Result<(), Error> {
    let Some(limit) = limit else { return Ok(()) };
    let at_most = usize::try_from(limit).unwrap_or(usize::MAX);
    if cx.tx.count(R::KEY.all(), at_most).await? >= at_most {
        return Err(Error::Quota { name, limit });
    }
    Ok(())
}
