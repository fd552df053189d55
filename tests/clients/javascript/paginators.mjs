// Every paginator that the JavaScript SDK has for IAM, and that needs no more than a user, a group, a role or a policy, with pages of two.
import * as iam from "@aws-sdk/client-iam";

const client = new iam.IAMClient({ region: "us-east-1", maxAttempts: 1 });
const [policyArn] = process.argv.slice(2);
const needs = {
  paginateGetGroup: { GroupName: "readers" },
  paginateListAccessKeys: { UserName: "admin" },
  paginateListAttachedGroupPolicies: { GroupName: "readers" },
  paginateListAttachedRolePolicies: { RoleName: "deploy" },
  paginateListAttachedUserPolicies: { UserName: "admin" },
  paginateListEntitiesForPolicy: { PolicyArn: policyArn },
  paginateListGroupPolicies: { GroupName: "readers" },
  paginateListGroupsForUser: { UserName: "user-01" },
  paginateListInstanceProfileTags: { InstanceProfileName: "instance" },
  paginateListInstanceProfilesForRole: { RoleName: "instance" },
  paginateListMFADevices: { UserName: "admin" },
  paginateListPolicies: { Scope: "All" },
  paginateListPolicyTags: { PolicyArn: policyArn },
  paginateListPolicyVersions: { PolicyArn: policyArn },
  paginateListRolePolicies: { RoleName: "deploy" },
  paginateListRoleTags: { RoleName: "deploy" },
  paginateListUserPolicies: { UserName: "creator" },
  paginateListUserTags: { UserName: "admin" },
  paginateSimulateCustomPolicy: {
    PolicyInputList: ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}'],
    ActionNames: ["s3:GetObject", "s3:PutObject", "s3:GetBucketAcl", "iam:GetUser", "iam:ListUsers"],
  },
  paginateSimulatePrincipalPolicy: {
    PolicySourceArn: process.argv[3],
    ActionNames: ["s3:GetObject", "s3:PutObject", "s3:GetBucketAcl", "iam:GetUser", "iam:ListUsers"],
  },
  paginateGetAccountAuthorizationDetails: {},
  paginateListAccountAliases: {},
  paginateListGroups: {},
  paginateListInstanceProfiles: {},
  paginateListRoles: {},
  paginateListServerCertificates: {},
  paginateListSigningCertificates: { UserName: "admin" },
  paginateListSSHPublicKeys: { UserName: "admin" },
  paginateListUsers: {},
  paginateListVirtualMFADevices: {},
};
const length = (value) => (Array.isArray(value) ? value.length : 0);
const told = {};
for (const [name, input] of Object.entries(needs)) {
  const pageSize = name === "paginateListPolicies" ? 500 : 2;
  told[name] = { pages: 0, items: 0, largest: 0 };
  try {
    for await (const { $metadata, ...page } of iam[name]({ client, pageSize }, input)) {
      const items = Object.values(page).reduce((sum, value) => sum + length(value), 0);
      told[name].pages += 1;
      told[name].items += items;
      told[name].largest = Math.max(told[name].largest, items);
      if ($metadata.httpStatusCode !== 200) throw new Error(`status ${$metadata.httpStatusCode}`);
    }
  } catch (error) {
    told[name].error = `${error.name}: ${error.message}`;
  }
}
const known = Object.keys(iam).filter((name) => name.startsWith("paginate"));
console.log(JSON.stringify({ told, known }));
