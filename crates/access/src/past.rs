//! Why was that decided? A decision that the trail recorded is made again, on the policies as they were at its revision and with the condition
//! keys that it had then. Source of the form: `audit::Recorded`.

use crate::Access;
use crate::worlds::{World, recorded_facts};
use audit::{Check, Parsed};
use policy::Explanation;
use store::StoreError;

/// Why a recorded decision cannot be made again.
#[derive(Debug, thiserror::Error)]
pub enum Unexplained {
    /// Nothing was decided: the request did not come so far, or nothing is asked for it.
    #[error("nothing was decided for this request: {0}")]
    Undecided(String),
    /// The history does not reach back so far, or the principal cannot be told from the record.
    #[error("the principal of this request cannot be found at its revision")]
    NoPrincipal,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One check of a request, explained.
#[derive(Debug)]
pub struct Explained {
    /// What was asked.
    pub check: Check<'static>,
    /// Why the answer was what it was.
    pub explanation: Explanation,
    /// Condition keys whose values the trail cut or left out: they count as absent here.
    pub altered: Vec<String>,
}

impl Access {
    /// Explains every check of a recorded request.
    pub async fn explain_recorded(&self, event: &Parsed) -> Result<Vec<Explained>, Unexplained> {
        let Some(recorded) = event.recorded() else {
            let why = event.error_message.clone().or(event.error_code.clone()).unwrap_or_else(|| "no permission is asked for it".into());
            return Err(Unexplained::Undecided(why));
        };
        let mut world = World::past(self, recorded.revision);
        let mut all = Vec::with_capacity(recorded.checks.len());
        for check in &recorded.checks {
            let facts = recorded_facts(recorded, check);
            let setting = world.setting(&event.identity, recorded, check).await?.ok_or(Unexplained::NoPrincipal)?;
            let explanation = setting.standing().explain(&setting.question(check, &facts));
            let altered = recorded.keys.altered().chain(check.keys.altered()).map(str::to_owned).collect();
            all.push(Explained { check: check.clone(), explanation, altered });
        }
        Ok(all)
    }
}
