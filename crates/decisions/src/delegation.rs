//! Temporary delegation, as far as AWS's API has nothing for it: the policy templates that the operator keeps for products, and what a product is
//! told of its requests. `docs/delegation.md` is the guide.
//!
//! AWS takes products up by hand and tells them by SNS. Here the operator adds a template, by command or by a signed request of the account
//! that the store was begun with; and a product reads where its requests are, with the exchange token while it is good.

use crate::said::{Said, map, text};
use crate::services::only_the_operators;
use crate::{Decisions, Error};
use access::iso;
use arn::{AccountId, Arn};
use identities::{AccountRecord, DelegationRequestRecord, PolicyTemplateRecord};
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use policy::{Template, TemplateError};
use serde::Deserialize;
use store::{Marker, Mode, Read, Record, SHARED, StoreError, Stored, Tx, Write};
use wire::Node;

pub(super) const OPERATIONS: Operations<Decisions> = &[
    handler::<AddPolicyTemplate>(),
    handler::<ListPolicyTemplates>(),
    handler::<RemovePolicyTemplate>(),
    handler::<ListDelegationNotices>(),
];

/// Templates or requests of one page.
const PAGE: usize = 100;

/// Why a template is not kept.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself")]
pub enum NotKept {
    #[error("a policy template's ARN is one of iam's, such as arn:aws:iam::partner:delegation-template/example.com/Setup")]
    Arn,
    #[error("{0}")]
    Template(#[from] TemplateError),
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    #[error("there is a policy template {0} already")]
    Exists(Arn),
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Keeps a template for a product. One that is there is not replaced: a name stays what it was read as.
///
/// # Errors
/// It is no template, the product is no account, or there is one of this name.
pub async fn add(tx: &Tx<Write>, template: &PolicyTemplateRecord) -> Result<(), NotKept> {
    if template.arn.service() != "iam" {
        return Err(NotKept::Arn);
    }
    Template::read(&template.document)?;
    let shared = tx.in_account(SHARED);
    if shared.get::<AccountRecord>(&template.product).await?.is_none() {
        return Err(NotKept::NoAccount(template.product));
    }
    match shared.insert(template).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(NotKept::Exists(template.arn.clone())),
    }
}

/// Ends a template: nothing is asked for with it any more, and no token of what was is traded in. Whether there was one.
///
/// # Errors
/// What the store says.
pub async fn remove(tx: &Tx<Write>, arn: &Arn) -> Result<bool, StoreError> {
    tx.in_account(SHARED).delete::<PolicyTemplateRecord>(arn).await
}

/// A page of all templates, by ARN.
///
/// # Errors
/// What the store says.
pub async fn list<M: Mode>(tx: &Tx<M>, after: Option<&Marker>) -> Result<(Vec<PolicyTemplateRecord>, Option<Marker>), StoreError> {
    let page = tx.in_account(SHARED).scan(PolicyTemplateRecord::KEY.all(), after, PAGE, |_: &PolicyTemplateRecord| true).await?;
    Ok((page.records, page.next))
}

body!(AddPolicyTemplate, "POST /policy-templates");
body!(ListPolicyTemplates, "POST /policy-templates/list");
body!(RemovePolicyTemplate, "POST /policy-templates/remove");
body!(ListDelegationNotices, "POST /delegation-notices");

fn after(token: Option<&str>) -> Result<Option<Marker>, Error> {
    token.map(str::parse).transpose().map_err(|_| Error::Invalid("nextToken: not one that was given".into()))
}

fn page(name: &'static str, items: Vec<Node>, next: Option<Marker>) -> Said {
    Said(map([(name, Node::List(items)), ("nextToken", text(next))]))
}

/// A template that is to be kept.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AddPolicyTemplate {
    arn: Arn,
    product: AccountId,
    document: String,
}

impl Operation for AddPolicyTemplate {
    type Service = Decisions;
    type Access = Write;
    type Output = Said;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<Said, Error> {
        only_the_operators(cx).await?;
        let template =
            PolicyTemplateRecord { arn: self.arn.clone(), product: self.product, document: self.document.clone(), created: cx.now };
        match add(&cx.tx, &template).await {
            Ok(()) => Ok(Said(map([("template", shown(&template))]))),
            Err(NotKept::Store(error)) => Err(Error::Store(error)),
            Err(NotKept::Exists(arn)) => Err(Error::TemplateExists(arn)),
            Err(error @ (NotKept::Arn | NotKept::Template(_) | NotKept::NoAccount(_))) => Err(Error::Invalid(error.to_string())),
        }
    }
}

fn shown(template: &PolicyTemplateRecord) -> Node {
    map([
        ("arn", Node::text(template.arn.as_str())),
        ("product", Node::text(template.product.to_string())),
        ("document", Node::text(template.document.as_str())),
        ("created", Node::text(iso(template.created))),
    ])
}

/// All templates, a page at a time.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListPolicyTemplates {
    #[serde(default)]
    next_token: Option<String>,
}

impl Operation for ListPolicyTemplates {
    type Service = Decisions;
    type Access = Read;
    type Output = Said;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<Said, Error> {
        only_the_operators(cx).await?;
        let (templates, next) = list(&cx.tx, after(self.next_token.as_deref())?.as_ref()).await?;
        Ok(page("templates", templates.iter().map(shown).collect(), next))
    }
}

/// A template that is to be none any more.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RemovePolicyTemplate {
    arn: Arn,
}

impl Operation for RemovePolicyTemplate {
    type Service = Decisions;
    type Access = Write;
    type Output = Said;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<Said, Error> {
        only_the_operators(cx).await?;
        if remove(&cx.tx, &self.arn).await? { Ok(Said(map([]))) } else { Err(Error::NoSuchTemplate(self.arn.clone())) }
    }
}

/// What became of the requests that the caller's account made, a page at a time.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListDelegationNotices {
    #[serde(default)]
    next_token: Option<String>,
}

impl Operation for ListDelegationNotices {
    type Service = Decisions;
    type Access = Read;
    type Output = Said;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<Said, Error> {
        let span = DelegationRequestRecord::BY_REQUESTOR.of(&cx.caller.account);
        let after = after(self.next_token.as_deref())?;
        let requests = cx.tx.in_account(SHARED).scan(span, after.as_ref(), PAGE, |_: &DelegationRequestRecord| true).await?;
        let mut notices = Vec::with_capacity(requests.records.len());
        for request in &requests.records {
            let tradable = request.is_tradable(cx.now);
            let token = if tradable { request.token(&cx.access().keyring)? } else { None };
            notices.push(map([
                ("delegationRequestId", Node::text(request.id.as_str())),
                ("requestorWorkflowId", Node::text(request.workflow.1.as_str())),
                ("notificationChannel", Node::text(request.channel.as_str())),
                ("ownerAccountId", text(request.owner_account)),
                ("state", Node::text(request.state_at(cx.now).as_str())),
                ("rejectionReason", text(request.rejection_reason.as_ref())),
                ("updated", Node::text(iso(request.updated))),
                ("expires", Node::text(iso(request.expires))),
                ("exchangeToken", text(token.as_deref())),
                ("accessEnds", text(request.access_ends.map(iso))),
            ]));
        }
        Ok(page("notices", notices, requests.next))
    }
}
