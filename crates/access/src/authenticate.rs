//! Whose request is this? Signature first, then what it stands on; nothing about a request is believed before both hold.

use crate::Access;
use crate::credentials::Credential;
use crate::refused::Refused;
use crate::services::ActingFor;
use crate::standing::Standing;
use arn::AccessKeyId;
use sigv4::{Body, Presented, Scope, SigningKey, Verified};
use std::sync::Arc;

/// A request whose signature is good, and whoever made it.
pub struct Authenticated<'a> {
    /// How the principal stands.
    pub standing: Arc<Standing>,
    /// What it signed with.
    pub credential: Arc<Credential>,
    /// What it says that it acts for, if it is a service.
    pub acting_for: Option<ActingFor>,
    /// What the signature vouches for.
    pub verified: Verified<'a>,
}

impl Authenticated<'_> {
    /// The key that requests of one day, region and service are signed with: whoever has it can sign them.
    pub fn signing_key(&self, scope: &Scope<'_>) -> SigningKey {
        self.credential.signing_key(scope.date, scope.region, scope.service)
    }
}

impl Access {
    /// Checks `presented`, which was read off `request`, against the key that it names.
    pub async fn authenticate<'a>(
        &self,
        request: &sigv4::Request<'a>,
        presented: &Presented<'a>,
        body: Body<'_>,
    ) -> Result<Authenticated<'a>, Refused> {
        // An id that cannot be one is as unknown as any other.
        let id: AccessKeyId = presented.key_id.parse().map_err(|_| Refused::UnknownKey)?;
        let credential = self.credential(&id, presented.token.as_deref()).await?;
        let scope = &presented.scope;
        let key = credential.signing_key(scope.date, scope.region, scope.service);
        let now = self.clock.now();
        let verified = presented.verify(request, &key, body, now)?;
        if credential.session().is_some_and(|session| session.expires <= now) {
            return Err(Refused::Expired);
        }
        let standing = self.standing(&credential).await?;
        let acting_for = match credential.service() {
            Some(_) => Some(self.acting_for(request).await?),
            None => None,
        };
        Ok(Authenticated { standing, credential, acting_for, verified })
    }
}
