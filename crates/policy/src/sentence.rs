//! The sentence that a denied caller reads.

use crate::decide::Decision;

/// AWS's sentence for a denial. Across accounts it says no more than that.
pub fn sentence(principal_arn: &str, action: &str, resource: Option<&str>, _decision: &Decision<'_>, _same_account: bool) -> String {
    match resource {
        Some(resource) => format!("User: {principal_arn} is not authorized to perform: {action} on resource: {resource}"),
        None => format!("User: {principal_arn} is not authorized to perform: {action}"),
    }
}
