//! What deciding must know of services beside [`::services`], which says what AWS defines: whom resource control policies bind, and who names
//! resources without a type. From <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html> and
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/>, both of 2026.

/// What the name of an action of this service begins with, in lower case, is bound by resource control policies: services that AWS lists, and those
/// that AWS does not know.
pub fn is_bound_by_rcps(service: &str) -> bool {
    has(&BOUND_BY_RCPS, service) || ::services::service(service).is_none()
}

/// The `RESOURCE` of this service's ARNs begins with a type, as `user/` does. Of a service that AWS does not know nothing is assumed.
pub(crate) fn has_resource_types(service: &str) -> bool {
    !has(&WITHOUT_TYPES, service) && ::services::service(service).is_some()
}

/// Both lists are sorted. Prefixes have no case. Those of one first letter are few, and mostly of different lengths.
fn has(list: &[&str], service: &str) -> bool {
    let Some(first) = service.as_bytes().first().map(u8::to_ascii_lowercase) else { return false };
    let from = list.partition_point(|known| known.as_bytes().first().is_some_and(|letter| *letter < first));
    let rest = list.get(from..).unwrap_or_default();
    let same_letter = rest.iter().take_while(|known| known.as_bytes().first() == Some(&first));
    same_letter.into_iter().any(|known| known.len() == service.len() && known.eq_ignore_ascii_case(service))
}

/// Services whose resources are named without a type: a bucket's objects, a stage of an API.
#[rustfmt::skip]
const WITHOUT_TYPES: [&str; 8] = [
    "aws-marketplace", "codepipeline", "execute-api", "neptune-db", "s3", "servicequotas", "ssm-sap", "wafv2",
];

#[rustfmt::skip]
const BOUND_BY_RCPS: [&str; 62] = [
    "aoss", "appconfig", "appstream", "autoscaling", "autoscaling-plans", "budgets", "clouddirectory", "cloudfront", "cloudsearch",
    "cloudtrail-data", "codeartifact", "codebuild", "codecommit", "codepipeline", "cognito-identity", "cognito-idp", "comprehend",
    "comprehendmedical", "compute-optimizer", "cost-optimization-hub", "dax", "dsql", "dynamodb", "ecr", "ecr-public", "events",
    "firehose", "fis", "fms", "gamelift", "health", "inspector-scan", "kendra", "kinesisvideo", "kms", "logs", "memorydb",
    "networkmonitor", "notifications", "opensearch", "pca-connector-ad", "personalize", "polly", "pricing", "resource-groups",
    "rolesanywhere", "s3", "secretsmanager", "servicediscovery", "signin", "sqs", "sts", "support", "swf", "textract",
    "timestream-influxdb", "transcribe", "transfer", "translate", "wafv2", "workspaces", "xray",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_name_only_what_aws_knows() {
        assert!(BOUND_BY_RCPS.is_sorted() && WITHOUT_TYPES.is_sorted());
        assert!(BOUND_BY_RCPS.iter().chain(&WITHOUT_TYPES).all(|service| ::services::service(service).is_some()));
    }

    #[test]
    fn rcps_bind_what_aws_lists_and_what_aws_does_not_know() {
        for (service, bound) in
            [("s3", true), ("S3", true), ("sts", true), ("iam", false), ("organizations", false), ("ec2", false), ("catalog", true)]
        {
            assert_eq!(is_bound_by_rcps(service), bound, "{service}");
        }
    }

    #[test]
    fn types_are_expected_of_what_aws_knows() {
        for (service, typed) in [("iam", true), ("ec2", true), ("s3", false), ("execute-api", false), ("catalog", false), ("*", false)] {
            assert_eq!(has_resource_types(service), typed, "{service}");
        }
    }
}
