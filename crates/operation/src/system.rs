//! One node of Bailiwick, as the pipeline sees it.

use crate::last_used::LastUsed;
use crate::operation::Api;
use crate::slow::SlowLane;
use crate::tasks::Tasks;
use crate::tries::Tries;
use access::Access;
use audit::Trail;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use identities::SealingError;
use std::sync::Arc;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// How many of each kind an account may have. `None`: as many as it likes. Quotas of one entity are AWS's and not here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Users.
    pub users: Option<u64>,
    /// Groups.
    pub groups: Option<u64>,
    /// Roles.
    pub roles: Option<u64>,
    /// Customer managed policies.
    pub policies: Option<u64>,
    /// Instance profiles.
    pub instance_profiles: Option<u64>,
    /// Accounts, of one organization.
    pub accounts: Option<u64>,
    /// Server certificates.
    pub server_certificates: Option<u64>,
    /// SAML identity providers.
    pub saml_providers: Option<u64>,
    /// OpenID Connect identity providers.
    pub oidc_providers: Option<u64>,
}

/// Everything that requests need.
pub struct System {
    /// The data plane, and with it the store and the keys.
    pub access: Arc<Access>,
    /// The audit trail.
    pub trail: Arc<Trail>,
    /// The operator's limits.
    pub limits: Limits,
    /// Where slow work waits its turn.
    pub slow: SlowLane,
    /// Wrong codes of MFA devices.
    pub tries: Tries,
    /// What outlives the request that asked for it.
    pub tasks: Tasks,
    /// When credentials were last used.
    pub last_used: Arc<LastUsed>,
    /// Held by a question that reads much: one at a time.
    pub(crate) reading: Semaphore,
    /// The services that this node serves, as credential scopes name them.
    pub served: Vec<&'static str>,
}

/// Password hashes at once, and how many wait.
const HASHING: (usize, usize) = (2, 64);
/// Reports at once, and how many there are with those that wait.
const TASKS: (usize, usize) = (2, 1_000);

impl System {
    /// A node over `access`, writing to `trail`, that serves `apis`.
    pub fn new(access: Arc<Access>, trail: Arc<Trail>, limits: Limits, apis: &[Api]) -> Self {
        let served = apis.iter().flat_map(|api| api.scopes.iter().copied()).collect();
        System {
            access,
            trail,
            limits,
            slow: SlowLane::new(HASHING.0, HASHING.1),
            tries: Tries::default(),
            tasks: Tasks::new(TASKS.0, TASKS.1),
            last_used: Arc::default(),
            reading: Semaphore::new(1),
            served,
        }
    }

    /// A new secret access key: 30 random bytes, 40 characters.
    pub fn new_secret(&self) -> Result<Zeroizing<String>, SealingError> {
        let mut bytes = Zeroizing::new([0; 30]);
        self.access.entropy.fill(bytes.as_mut())?;
        Ok(Zeroizing::new(BASE64_STANDARD.encode(bytes.as_ref())))
    }
}
