//! Who may use what a report is about: the user or role itself, the users of a group, or whoever has a policy, by itself or by a group.
//! They come in pages, each once, and a page says where the next begins.

use crate::permissions::{Member, Subject};
use arn::{AccountId, Arn};
use identities::{GroupRecord, RoleRecord, UserRecord};
use store::{KeyPart, Marker, Read, Span, StoreError, Tx};

/// The lists that members stand in, in their order.
pub(super) enum Members {
    One(Box<Member>),
    Of(GroupRecord),
    Having { policy: Arn, groups: Vec<GroupRecord> },
}

/// Where a page of members begins: in which list, and after what, without what all of the list begin with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub list: u16,
    pub after: Vec<u8>,
}

/// Groups that may have one policy, and be looked into.
const GROUPS: usize = 10_000;

impl Members {
    /// Of what a report is about.
    pub async fn of(tx: &Tx<Read>, account: AccountId, subject: &Subject) -> Result<Self, StoreError> {
        Ok(match subject {
            Subject::User(user) => Members::One(Box::new(Member::user(account, user))),
            Subject::Role(role) => Members::One(Box::new(Member::role(account, role))),
            Subject::Group(group) => Members::Of(group.clone()),
            Subject::Policy(arn, _) => {
                let groups = tx.scan(GroupRecord::BY_ATTACHED.of(arn), None, GROUPS, |_: &GroupRecord| true).await?.records;
                Members::Having { policy: arn.clone(), groups }
            }
        })
    }

    /// Up to `limit` of them, and where the next page begins, if there may be more.
    pub async fn page(
        &self,
        tx: &Tx<Read>,
        account: AccountId,
        from: &Place,
        limit: usize,
    ) -> Result<(Vec<Member>, Option<Place>), StoreError> {
        let members = |users: &[UserRecord]| users.iter().map(|user| Member::user(account, user)).collect();
        let (found, next, lists) = match self {
            Members::One(member) => (vec![(**member).clone()], None, 1),
            Members::Of(group) => {
                let (found, next) = from.users(tx, limit, &group.id.bytes(), UserRecord::BY_GROUP.of(&group.id)).await?;
                (members(&found), next, 1)
            }
            Members::Having { policy, groups } => {
                let lists = u16::try_from(groups.len() + 2).unwrap_or(u16::MAX);
                let (found, next) = match from.list {
                    0 => {
                        let (found, next) = from.users(tx, limit, &policy.bytes(), UserRecord::BY_ATTACHED.of(policy)).await?;
                        (members(&found), next)
                    }
                    1 => {
                        let (prefix, span) = (policy.bytes(), RoleRecord::BY_ATTACHED.of(policy));
                        let page = tx.scan(span, from.after(&prefix).as_ref(), limit, |_: &RoleRecord| true).await?;
                        let members = page.records.iter().map(|role| Member::role(account, role)).collect();
                        (members, page.next.map(|next| from.at(&prefix, &next)))
                    }
                    nth => match groups.split_at_checked(usize::from(nth) - 2) {
                        Some((earlier, [group, ..])) => {
                            let (mut found, next) = from.users(tx, limit, &group.id.bytes(), UserRecord::BY_GROUP.of(&group.id)).await?;
                            // Whoever has the policy otherwise, too, was met before.
                            found.retain(|user| {
                                !user.attached.contains(policy) && !earlier.iter().any(|group| user.groups.contains(&group.id))
                            });
                            (members(&found), next)
                        }
                        Some((_, [])) | None => (Vec::new(), None),
                    },
                };
                (found, next, lists)
            }
        };
        let following = from.list.saturating_add(1);
        Ok((found, next.or_else(|| (following < lists).then(|| Place { list: following, after: Vec::new() }))))
    }
}

impl Place {
    /// A page of the users in `span`, all of whose entries begin with `prefix`.
    async fn users(
        &self,
        tx: &Tx<Read>,
        limit: usize,
        prefix: &[u8],
        span: Span<UserRecord>,
    ) -> Result<(Vec<UserRecord>, Option<Place>), StoreError> {
        let page = tx.scan(span, self.after(prefix).as_ref(), limit, |_| true).await?;
        Ok((page.records, page.next.map(|next| self.at(prefix, &next))))
    }

    fn after(&self, prefix: &[u8]) -> Option<Marker> {
        (!self.after.is_empty()).then(|| Marker::after([prefix, &self.after].concat()))
    }

    fn at(&self, prefix: &[u8], next: &Marker) -> Place {
        Place { list: self.list, after: next.entry().strip_prefix(prefix).unwrap_or_default().to_vec() }
    }
}
