//! Role templates: what services of AWS make roles from. Rules: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AcquireRole.html>.
//! Only services own templates, and none is registered here: no template is found, as in an account of AWS that names one that is not there.

use crate::roles::Role;
use crate::{Error, Iam};
use arn::Arn;
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use store::{Read, Write};
use wire::{ArnText, Entries, Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[handler::<AcquireRole>(), handler::<GetRoleTemplateVersion>()];

/// What a request for a template is judged on.
fn template(arn: &ArnText) -> Target {
    arn.arn().map_or(Target::Everything, Target::Arn)
}

/// That there is no such template; in IAM's words, if it is no ARN at all.
fn missing(arn: &ArnText) -> Error {
    match arn.arn() {
        Some(arn) => Error::NoRoleTemplate(arn),
        None => Error::InvalidArn,
    }
}

/// What a parameter of a template is replaced with.
#[derive(Shape)]
struct ReplacementValueEntry {
    #[shape(required, min = 1, max = 20)]
    values: Vec<String>,
}

#[derive(Shape)]
struct AcquireRole {
    template_arn: ArnText,
    template_minor_version: Option<i32>,
    #[shape(max = 30)]
    replacement_values: Entries<ReplacementValueEntry>,
}

#[derive(Shape)]
struct AcquireRoleOutput {
    role: Role,
}

impl Operation for AcquireRole {
    type Service = Iam;
    type Access = Write;
    type Output = AcquireRoleOutput;

    fn well_formed(&self) -> Result<(), Error> {
        self.template_arn.arn().map(drop).ok_or(Error::InvalidArn)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(template(&self.template_arn))
    }

    async fn run(&self, _: &mut Allowed<'_, Write>) -> Result<AcquireRoleOutput, Error> {
        Err(missing(&self.template_arn))
    }
}

#[derive(Shape)]
struct GetRoleTemplateVersion {
    template_arn: ArnText,
    minor_version: Option<i32>,
}

#[derive(Shape)]
struct GetRoleTemplateVersionOutput {
    role_template_version: RoleTemplateVersion,
}

/// Who manages a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
#[text(as_is)]
enum ManagedBy {
    Service,
}

/// What a parameter of a template is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
#[text(as_is)]
enum ParameterType {
    String,
    StringList,
    Number,
    NumberList,
    Arn,
    ArnList,
}

/// A template as IAM shows it.
#[derive(Shape)]
struct RoleTemplateVersion {
    template_arn: Option<Arn>,
    template_name: Option<String>,
    template_version_id: Option<String>,
    description: Option<String>,
    major_version: Option<i32>,
    default_minor_version: Option<i32>,
    managed_by_type: Option<ManagedBy>,
    managed_by_value: Option<String>,
    enabled: Option<bool>,
    minor_version: Option<i32>,
    role_name_pattern: Option<String>,
    role_path_pattern: Option<String>,
    role_description_pattern: Option<String>,
    assume_role_policy_document_template: Option<String>,
    inline_policy_templates: Vec<InlinePolicyTemplate>,
    managed_policy_arns: Vec<Arn>,
    permission_boundary_arn: Option<Arn>,
    parameters_definition: Vec<ParameterDefinition>,
    role_tags_template: Vec<TagTemplate>,
    max_session_duration: Option<i32>,
    version_enabled: Option<bool>,
    create_timestamp: Option<Timestamp>,
    update_timestamp: Option<Timestamp>,
}

#[derive(Shape)]
struct InlinePolicyTemplate {
    policy_name: String,
    policy_document: String,
}

#[derive(Shape)]
struct ParameterDefinition {
    name: String,
    #[shape(name = "Type")]
    kind: ParameterType,
    sub_type: Option<String>,
    description: Option<String>,
    is_required: Option<bool>,
    default_value: Option<String>,
    immutable: Option<bool>,
}

#[derive(Shape)]
struct TagTemplate {
    key: String,
    value: String,
}

impl Operation for GetRoleTemplateVersion {
    type Service = Iam;
    type Access = Read;
    type Output = GetRoleTemplateVersionOutput;

    fn well_formed(&self) -> Result<(), Error> {
        self.template_arn.arn().map(drop).ok_or(Error::InvalidArn)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(template(&self.template_arn))
    }

    async fn run(&self, _: &mut Allowed<'_, Read>) -> Result<GetRoleTemplateVersionOutput, Error> {
        Err(missing(&self.template_arn))
    }
}
