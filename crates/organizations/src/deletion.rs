//! What goes with an organization: units, policies, handshakes, tags, and all else that it had.
//! Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_org_delete.html>.

use crate::account_creation::AccountCreationRecord;
use crate::authority::ResourcePolicyRecord;
use crate::handshakes::HandshakeRecord;
use crate::tagging::TagsRecord;
use identities::{
    CentralRootRecord, OrganizationPolicyRecord, OrganizationRecord, PolicyAttachmentRecord, ServiceAccessRecord, UnitRecord,
};
use store::{Record, Span, StoreError, Tx, Write};

/// Records that are taken away together.
const SOME: usize = 500;

/// Takes away all that an organization without members has. `tx` is in the shared partition.
pub(crate) async fn forget(tx: &Tx<Write>, organization: &OrganizationRecord) -> Result<(), StoreError> {
    let id = &organization.id;
    while let Some(some) = some(tx, UnitRecord::BY_ORGANIZATION.of(id)).await? {
        for unit in some {
            tx.delete::<UnitRecord>(&unit.id).await?;
        }
    }
    while let Some(some) = some(tx, PolicyAttachmentRecord::BY_ORGANIZATION.under(id)).await? {
        for attachment in some {
            tx.delete::<PolicyAttachmentRecord>((&attachment.target, &attachment.policy)).await?;
        }
    }
    while let Some(some) = some(tx, OrganizationPolicyRecord::BY_NAME.under(id)).await? {
        for policy in some {
            tx.delete::<OrganizationPolicyRecord>(&policy.id).await?;
        }
    }
    while let Some(some) = some(tx, HandshakeRecord::BY_ORGANIZATION.of(id)).await? {
        for handshake in some {
            tx.delete::<HandshakeRecord>(&handshake.id).await?;
        }
    }
    while let Some(some) = some(tx, AccountCreationRecord::BY_ORGANIZATION.of(id)).await? {
        for creation in some {
            tx.delete::<AccountCreationRecord>(&creation.id).await?;
        }
    }
    while let Some(some) = some(tx, ServiceAccessRecord::KEY.under(id)).await? {
        for access in some {
            tx.delete::<ServiceAccessRecord>((&access.organization, &access.service)).await?;
        }
    }
    while let Some(some) = some(tx, TagsRecord::BY_ORGANIZATION.of(id)).await? {
        for tags in some {
            tx.delete::<TagsRecord>(&tags.resource).await?;
        }
    }
    tx.delete::<CentralRootRecord>(id).await?;
    tx.delete::<ResourcePolicyRecord>(id).await?;
    Ok(())
}

/// Some of the records that are left, if any are.
async fn some<R: Record>(tx: &Tx<Write>, span: Span<R>) -> Result<Option<Vec<R>>, StoreError> {
    let records = tx.scan(span, None, SOME, |_| true).await?.records;
    Ok(Some(records).filter(|records| !records.is_empty()))
}
