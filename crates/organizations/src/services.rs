//! The services of AWS's that work with Organizations, by the principals that they act as. Source:
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html>.

/// In the order of the alphabet.
const SERVICES: &[&str] = &[
    "access-analyzer.amazonaws.com",
    "account.amazonaws.com",
    "agentless.inspector2.amazonaws.com",
    "auditmanager.amazonaws.com",
    "aws-artifact-account-sync.amazonaws.com",
    "backup.amazonaws.com",
    "bedrock.amazonaws.com",
    "billing-cost-management.amazonaws.com",
    "chatbot.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "compute-optimizer.amazonaws.com",
    "config-multiaccountsetup.amazonaws.com",
    "config.amazonaws.com",
    "controltower.amazonaws.com",
    "cost-optimization-hub.bcm.amazonaws.com",
    "detective.amazonaws.com",
    "devops-guru.amazonaws.com",
    "ds.amazonaws.com",
    "ec2.amazonaws.com",
    "ec2.capacitymanager.amazonaws.com",
    "fms.amazonaws.com",
    "guardduty.amazonaws.com",
    "health.amazonaws.com",
    "hubv2.securityhub.amazonaws.com",
    "iam.amazonaws.com",
    "inspector2.amazonaws.com",
    "internetmonitor.amazonaws.com",
    "ipam.amazonaws.com",
    "license-management.marketplace.amazonaws.com",
    "license-manager-linux-subscriptions.amazonaws.com",
    "license-manager.amazonaws.com",
    "license-manager.member-account.amazonaws.com",
    "macie.amazonaws.com",
    "malware-protection.guardduty.amazonaws.com",
    "member.org.stacksets.cloudformation.amazonaws.com",
    "mgn.amazonaws.com",
    "network-security-director.amazonaws.com",
    "networkmanager.amazonaws.com",
    "notifications.amazonaws.com",
    "observabilityadmin.amazonaws.com",
    "opsdatasync.ssm.amazonaws.com",
    "private-marketplace.marketplace.amazonaws.com",
    "procurement-insights.marketplace.amazonaws.com",
    "q.amazonaws.com",
    "ram.amazonaws.com",
    "reachabilityanalyzer.networkinsights.amazonaws.com",
    "reporting.trustedadvisor.amazonaws.com",
    "resource-explorer-2.amazonaws.com",
    "s3.amazonaws.com",
    "security-ir.amazonaws.com",
    "securityhub.amazonaws.com",
    "securitylake.amazonaws.com",
    "selfservicereporting.amazonaws.com",
    "servicecatalog.amazonaws.com",
    "servicequotas.amazonaws.com",
    "ssm-quicksetup.amazonaws.com",
    "ssm.amazonaws.com",
    "sso.amazonaws.com",
    "stacksets.cloudformation.amazonaws.com",
    "storage-lens.s3.amazonaws.com",
    "support.amazonaws.com",
    "tagpolicies.tag.amazonaws.com",
    "upgrade-rollout.amazonaws.com",
    "user-subscriptions.amazonaws.com",
    "wellarchitected.amazonaws.com",
];

/// Services that several members can administer, and how many.
const SEVERAL: &[(&str, usize)] = &[
    ("backup.amazonaws.com", 5),
    ("cloudtrail.amazonaws.com", 3),
    ("config-multiaccountsetup.amazonaws.com", 3),
    ("config.amazonaws.com", 3),
    ("health.amazonaws.com", 5),
    ("member.org.stacksets.cloudformation.amazonaws.com", 5),
    ("reporting.trustedadvisor.amazonaws.com", 5),
    ("servicecatalog.amazonaws.com", 50),
    ("storage-lens.s3.amazonaws.com", 5),
];

/// Whether there is such a service.
pub(crate) fn is_known(principal: &str) -> bool {
    SERVICES.binary_search(&principal).is_ok()
}

/// How many members can administer a service. Most have one.
pub(crate) fn administrators(principal: &str) -> usize {
    SEVERAL.iter().find(|(service, _)| *service == principal).map_or(1, |(_, most)| *most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_is_found() {
        assert!(SERVICES.is_sorted());
        assert!(SERVICES.iter().all(|service| is_known(service)));
        assert!(SEVERAL.iter().all(|(service, most)| is_known(service) && *most > 1 && administrators(service) == *most));
        assert!(!is_known("nothing.amazonaws.com"));
        assert_eq!(administrators("sso.amazonaws.com"), 1);
    }
}
