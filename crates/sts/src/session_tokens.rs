//! A user, for a while. Rules: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>.
//! With a second factor it may call IAM, and policies that ask for one are met.
//! The session ends with its user, and with the key that asked for it: AWS lets it live, ours is the safer.

use crate::session::{Credentials, MinimumTokenSize, SerialNumber, TokenCode, TokenSize, issue, second_factor, whole_factor};
use crate::{Error, Sts};
use access::{Session, SessionOf};
use operation::{Allowed, Caller, Judged, Operation, Operations, SecondFactor, handler};
use store::Read;
use wire::{Int, Shape};

pub(super) const OPERATIONS: Operations<Sts> = &[handler::<GetSessionToken>()];

#[derive(Shape)]
struct GetSessionToken {
    duration_seconds: Option<Int<900, 129_600>>,
    serial_number: Option<SerialNumber>,
    token_code: Option<TokenCode>,
    #[shape(default)]
    minimum_session_token_size: MinimumTokenSize,
}

#[derive(Shape)]
struct GetSessionTokenOutput {
    credentials: Credentials,
    #[shape(flatten)]
    size: TokenSize,
}

/// Seconds that a session of a user, and one of root, lasts if nothing is said; root's is never longer.
const USER: i64 = 43_200;
const ROOT: i64 = 3_600;

/// How long a session lasts that a caller asks for itself.
pub(crate) fn seconds(caller: &Caller, asked: Option<Int<900, 129_600>>) -> i64 {
    if caller.is_root() { asked.map_or(ROOT, |asked| asked.0.min(ROOT)) } else { asked.map_or(USER, |asked| asked.0) }
}

impl Operation for GetSessionToken {
    type Service = Sts;
    type Access = Read;
    type Output = GetSessionTokenOutput;

    fn well_formed(&self) -> Result<(), Error> {
        whole_factor(self.serial_number.as_ref(), self.token_code.as_ref())
    }

    fn second_factor(&self) -> Option<SecondFactor<'_, Error>> {
        second_factor(self.serial_number.as_ref(), self.token_code.as_ref())
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::by_nothing("API_GetSessionToken: no permissions are required")
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<GetSessionTokenOutput, Error> {
        let session = Session {
            of: SessionOf::User { id: cx.caller.standing.grants.as_ref().and_then(|grants| grants.id()).cloned() },
            issued: cx.now,
            expires: cx.now + seconds(cx.caller, self.duration_seconds),
            policy: None,
            managed: Vec::new(),
            tags: Vec::new(),
            source_identity: None,
            mfa: cx.caller.second_factor,
            asked_with: Some(cx.caller.credential.id.clone()),
            provider: None,
            via: None,
            delegate: None,
        };
        let (credentials, size) = issue(cx, cx.caller.account, &session, self.minimum_session_token_size)?;
        Ok(GetSessionTokenOutput { credentials, size })
    }
}
