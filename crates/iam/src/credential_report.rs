//! The credential report: every user of an account, root first, and how it may sign in or sign, as CSV. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>.
//! It is made when it is asked for, beside other requests, and for four hours there is no other. Only the last one is kept, in parts, and no
//! history of it.

mod rows;

use crate::{Error, Iam};
use arn::AccountId;
use operation::{Allowed, Begun, Caller, Judged, Operation, Operations, Outliving, Target, handler, log_inside};
use rows::Rows;
use serde::{Deserialize, Serialize};
use store::{Mark, Marks, Read, Store, StoreError};
use wire::{Blob, Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[handler::<GenerateCredentialReport>(), handler::<GetCredentialReport>()];

/// The kind under which reports are kept.
const KIND: &str = "credential-report";
/// The mark that says which report there is.
const STATE: &str = "state";
/// How long a report is the last one, in seconds.
const FRESH: i64 = 4 * 60 * 60;
/// About how many bytes a part has. Parts end with rows.
const PART: usize = 1 << 19;

/// The report that there is.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// What the names of its parts begin with.
    parts: String,
    /// Seconds since the epoch.
    made: i64,
}

impl Kept {
    async fn find(store: &Store, account: AccountId) -> Result<Option<Self>, StoreError> {
        let state = store.mark(KIND, &account.to_string(), STATE).await?;
        state.map(|text| serde_json::from_str(&text).map_err(|error| StoreError::Unreadable(KIND, error))).transpose()
    }

    fn is_fresh(&self, now: i64) -> bool {
        now - self.made < FRESH
    }

    /// All of it; `None` if another report has taken its place meanwhile.
    async fn content(&self, store: &Store, account: AccountId) -> Result<Option<Vec<u8>>, StoreError> {
        let (account, mut content, mut after) = (account.to_string(), Vec::new(), None::<String>);
        loop {
            let span = Marks { kind: KIND, account: &account, prefix: &self.parts };
            let Some((key, part)) = store.marks(&span, after.as_deref(), 1).await?.pop() else { break };
            content.extend_from_slice(part.as_bytes());
            after = Some(key);
        }
        // Rows stand between line feeds; after the last there is none.
        if content.last() == Some(&b'\n') {
            content.pop();
        }
        Ok(Some(content).filter(|content| !content.is_empty()))
    }
}

/// What a report's work is called while it is not done.
fn task(account: AccountId) -> String {
    format!("{KIND} {account}")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum State {
    Started,
    Inprogress,
    Complete,
}

#[derive(Shape)]
struct GenerateCredentialReport {}

#[derive(Shape)]
struct GenerateCredentialReportOutput {
    state: State,
    description: Option<String>,
}

impl Operation for GenerateCredentialReport {
    type Service = Iam;
    type Access = Read;
    type Output = GenerateCredentialReportOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GenerateCredentialReportOutput, Error> {
        let (account, now) = (cx.caller.account, cx.now);
        let kept = Kept::find(&cx.access().store, account).await?;
        if kept.is_some_and(|kept| kept.is_fresh(now)) {
            return Ok(GenerateCredentialReportOutput { state: State::Complete, description: None });
        }
        let parts = format!("{:016x} ", cx.chance()?);
        let begun = cx.outlive(&task(account), |at| async move {
            if let Err(error) = make(&at, account, Kept { parts, made: now }).await {
                log_inside(&error);
            }
        })?;
        Ok(match begun {
            Begun::Now => GenerateCredentialReportOutput {
                state: State::Started,
                description: Some("No report exists. Starting a new report generation task".into()),
            },
            Begun::Already => GenerateCredentialReportOutput { state: State::Inprogress, description: None },
        })
    }
}

/// Makes a report, part by part, and puts it in the place of the one before.
async fn make(at: &Outliving, account: AccountId, kept: Kept) -> Result<(), StoreError> {
    let (store, partition) = (&at.access.store, account.to_string());
    let before = Kept::find(store, account).await?;
    let mut rows = Rows::new(at, account).await?;
    let mut text = rows.header();
    for number in 0_u32.. {
        while text.len() < PART && rows.more(&mut text).await? {}
        if text.is_empty() {
            break;
        }
        let (key, value) = (format!("{}{number:06}", kept.parts), std::mem::take(&mut text));
        store.put_marks(vec![Mark { kind: KIND, account: partition.clone(), key, value }]).await?;
    }
    let state = serde_json::to_string(&kept).map_err(|error| StoreError::Unreadable(KIND, error))?;
    store.put_marks(vec![Mark { kind: KIND, account: partition.clone(), key: STATE.into(), value: state }]).await?;
    match before {
        Some(before) => store.remove_marks(&Marks { kind: KIND, account: &partition, prefix: &before.parts }).await,
        None => Ok(()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum ReportFormat {
    #[text(rename = "text/csv")]
    Csv,
}

#[derive(Shape)]
struct GetCredentialReport {}

#[derive(Shape)]
struct GetCredentialReportOutput {
    content: Blob,
    report_format: ReportFormat,
    generated_time: Timestamp,
}

impl Operation for GetCredentialReport {
    type Service = Iam;
    type Access = Read;
    type Output = GetCredentialReportOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetCredentialReportOutput, Error> {
        let (store, account) = (&cx.access().store, cx.caller.account);
        for _ in 0..2 {
            let kept = match Kept::find(store, account).await? {
                Some(kept) if kept.is_fresh(cx.now) => kept,
                _ if cx.is_running(&task(account)) => return Err(Error::ReportInProgress),
                Some(_) => return Err(Error::ReportExpired),
                None => return Err(Error::ReportNotPresent),
            };
            if let Some(content) = kept.content(store, account).await? {
                let content = Blob(content);
                return Ok(GetCredentialReportOutput { content, report_format: ReportFormat::Csv, generated_time: Timestamp(kept.made) });
            }
        }
        Err(Error::ReportInProgress)
    }
}
