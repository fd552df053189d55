//! Who holds policies: users, groups and roles. What is done with their policies is alike; here is what differs.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html>.

use crate::names::ExistingUserName;
use crate::{Error, roles};
use arn::{Arn, UniqueId};
use identities::{GroupName, GroupRecord, RoleName, RoleRecord, UserName, UserRecord};
use operation::{Allowed, Caller, Protected, Resolved};
use std::fmt::Display;
use store::{Mode, Names, Read, Record, StoreError, Stored, Tx, Write};

/// A record of something that holds policies.
pub(crate) trait Holder: Record {
    /// What it is called by its kind.
    type Name;
    /// As messages say it: `user`.
    const CALLED: &'static str;
    /// What the sizes of its inline policies may come to, in characters without white space.
    const INLINE: usize;
    /// What AWS calls the quota of managed policies.
    const QUOTA: &'static str;

    /// The one with this name.
    fn find<M: Mode, N: Send + Names<Self::Name>>(tx: &Tx<M>, name: N) -> impl Future<Output = Result<Option<Self>, StoreError>> + Send;
    /// Its unique id.
    fn id(&self) -> &UniqueId;
    /// Its name, as it was given to it.
    fn name(&self) -> &str;
    /// The managed policies attached to it.
    fn attached(&self) -> &[Arn];
    /// The same, to change them.
    fn attached_mut(&mut self) -> &mut Vec<Arn>;
    /// Whether only AWS may change it.
    fn is_protected(&self) -> bool;
}

macro_rules! holder {
    ($record:ident, $name:ident, $called:literal, $inline:literal, $quota:literal, $protected:expr) => {
        impl Holder for $record {
            type Name = $name;
            const CALLED: &'static str = $called;
            const INLINE: usize = $inline;
            const QUOTA: &'static str = $quota;

            async fn find<M: Mode, N: Send + Names<$name>>(tx: &Tx<M>, name: N) -> Result<Option<Self>, StoreError> {
                tx.find($record::BY_NAME, name).await
            }
            fn id(&self) -> &UniqueId {
                &self.id
            }
            fn name(&self) -> &str {
                self.name.as_str()
            }
            fn attached(&self) -> &[Arn] {
                &self.attached
            }
            fn attached_mut(&mut self) -> &mut Vec<Arn> {
                &mut self.attached
            }
            fn is_protected(&self) -> bool {
                $protected(self)
            }
        }
    };
}
holder!(UserRecord, UserName, "user", 2048, "PoliciesPerUser", |_| false);
holder!(GroupRecord, GroupName, "group", 5120, "PoliciesPerGroup", |_| false);
holder!(RoleRecord, RoleName, "role", 10240, "PoliciesPerRole", |role: &RoleRecord| roles::reserved(&role.path).is_some());

/// The one with this name, or that there is none.
pub(crate) async fn existing<H: Holder, M: Mode, N>(cx: &Allowed<'_, M>, name: &N) -> Result<H, Error>
where
    N: Display + Sync,
    for<'n> &'n N: Names<H::Name>,
{
    H::find(&cx.tx, name).await?.ok_or_else(|| Error::NotFound { kind: H::CALLED, name: name.to_string() })
}

/// The same, for who will change its policies: those of a role that a service of AWS made are that service's.
pub(crate) async fn changing<H: Holder, N>(cx: &Allowed<'_, Write>, name: &N) -> Result<H, Error>
where
    N: Display + Sync,
    for<'n> &'n N: Names<H::Name>,
{
    let holder: H = existing(cx, name).await?;
    if holder.is_protected() { Err(Error::Protected(holder.name().to_owned())) } else { Ok(holder) }
}

/// Stores one whose name has not changed, so that nothing can be in its way.
pub(crate) async fn put<H: Holder>(cx: &Allowed<'_, Write>, holder: &H) -> Result<(), Error> {
    match cx.tx.put(holder).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::NotFound { kind: H::CALLED, name: holder.name().to_owned() }),
    }
}

/// A user or role by name, judged with its permissions boundary: the key is there only if it has one.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_PermissionsBoundary>.
#[derive(Debug, Clone)]
pub(crate) struct Bounded<N>(pub N);

/// A name that leads to a permissions boundary.
pub(crate) trait LeadsToBoundary: Protected {
    /// The boundary of what has this name.
    fn boundary(&self, tx: &Tx<Read>) -> impl Future<Output = Result<Option<Arn>, StoreError>> + Send;
}

impl LeadsToBoundary for ExistingUserName {
    async fn boundary(&self, tx: &Tx<Read>) -> Result<Option<Arn>, StoreError> {
        Ok(tx.find(UserRecord::BY_NAME, self).await?.and_then(|user| user.permissions_boundary))
    }
}

impl LeadsToBoundary for UserName {
    async fn boundary(&self, tx: &Tx<Read>) -> Result<Option<Arn>, StoreError> {
        Ok(tx.find(UserRecord::BY_NAME, self).await?.and_then(|user| user.permissions_boundary))
    }
}

impl LeadsToBoundary for RoleName {
    async fn boundary(&self, tx: &Tx<Read>) -> Result<Option<Arn>, StoreError> {
        Ok(tx.find(RoleRecord::BY_NAME, self).await?.and_then(|role| role.permissions_boundary))
    }
}

impl<N: LeadsToBoundary> Protected for Bounded<N> {
    fn resolve<'a>(&'a self, caller: &'a Caller, tx: &'a Tx<Read>) -> Resolved<'a> {
        Box::pin(async move {
            let mut resource = self.0.resolve(caller, tx).await?;
            let boundary = self.0.boundary(tx).await?;
            resource.facts.extend(boundary.map(|boundary| ("iam:PermissionsBoundary".to_owned(), boundary.to_string())));
            Ok(resource)
        })
    }
}
