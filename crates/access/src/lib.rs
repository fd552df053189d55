//! The data plane: whose request is this, and do policies allow it? Credentials become a principal, a principal its policies, and policies a
//! decision, from caches that a commit keeps true before it is answered. The services above ask here, and so do other servers.
//!
//! In reading order: [`sessions`], what a session token is; `credentials` and `authenticate`, who signed; [`grants`], [`levels`] and
//! [`standing`], what that principal has, what binds it from above, and what it is; [`services`], servers that call for others; [`facts`] and
//! [`decide`], the decision; [`authorize`], the whole for a request that another server captured; [`worlds`], the same decision in the past,
//! and as it would be.

mod authenticate;
mod authorize;
mod caches;
mod credentials;
mod decide;
mod epochs;
mod facts;
mod grants;
mod levels;
mod messages;
mod past;
mod refused;
mod services;
mod sessions;
mod standing;
mod supposed;
mod tries;
mod verify;
mod worlds;

pub use authenticate::Authenticated;
pub use authorize::{Answer, Captured, Check, Unanswered};
pub use caches::Access;
pub use credentials::{Credential, Holder};
pub use decide::{Decided, Question};
pub use facts::{Surroundings, iso};
pub use grants::{Entity, Grants, compiled_trust};
pub use levels::{Levels, Whose};
pub use past::{Explained, Unexplained};
pub use refused::{Dialect, Refused, Said};
pub use services::{ActingFor, Delegation, NoDelegation, Registered, delegated_secret};
pub use sessions::{Credentials, LONGEST_TOKEN, Session, SessionOf, SessionTag, TokenError, Via};
pub use standing::Standing;
pub use supposed::{Change, Supposed};
pub use verify::{Asker, Fingerprint, Shower, Shown, ShownKey, Unverified, name_in_api_key};
pub use worlds::{Setting, World, recorded_facts};
