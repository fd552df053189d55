//! Are these the chunks that were signed? For servers that verify bodies signed chunk by chunk and are not given the key for it.

use crate::asked::{AskedRequest, Claimed, sha256};
use crate::authorize::{judged, not_for_us, read};
use crate::error::refused;
use crate::said::{self, Said, map, text};
use crate::{Decisions, Error};
use access::Unanswered;
use operation::{Allowed, Caller, Failure, Input, Judged, Operation, Operations, Said as Request, handler};
use serde::Deserialize;
use sigv4::chunks::Chain;
use store::Read;
use wire::{Member, Node};

pub(super) const OPERATIONS: Operations<Decisions> = &[handler::<AuthorizeChunks>()];

/// Chunks of a body, and the request that they came with.
struct AuthorizeChunks {
    asked: Asked,
    claimed: Claimed,
}

/// The chunks of a captured request's body, in their order.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    request: AskedRequest,
    /// The signature that the first of them goes on from; the request's own, if it is not said.
    #[serde(default)]
    after: Option<String>,
    chunks: Vec<Hashed>,
    #[serde(default)]
    trailer: Option<Hashed>,
}

/// The hash of a chunk, or of the trailer, and the signature that came with it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Hashed {
    sha256: String,
    signature: String,
}

/// Chunks of one question.
const MOST_CHUNKS: usize = 10_000;

impl Input for AuthorizeChunks {
    const NAME: &'static str = "AuthorizeChunks";
    const MEMBERS: &'static [Member] = &[];
    const HTTP: Option<&'static str> = Some("POST /authorize/chunks");

    fn read(said: Request<'_>) -> Result<Self, Failure> {
        let asked: Asked = read(said.body)?;
        if asked.chunks.len() > MOST_CHUNKS {
            return Err(Error::Invalid(format!("chunks: more than {MOST_CHUNKS}")).into());
        }
        let claimed = asked.request.read()?.claimed();
        Ok(AuthorizeChunks { asked, claimed })
    }
}

impl Operation for AuthorizeChunks {
    type Service = Decisions;
    type Access = Read;
    type Output = Said;

    fn judged_by(&self, caller: &Caller) -> Judged {
        judged(&self.claimed, [caller.account].into())
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<Said, Error> {
        let read = self.asked.request.read()?;
        not_for_us(cx, &self.claimed)?;
        let captured = read.captured();
        let (caller, presented) = match cx.access().identify(&captured).await {
            Ok(Some(found)) => found,
            Ok(None) => return Err(Error::Invalid("request: it is not signed".into())),
            Err(error) => {
                let said = refused(Unanswered::Refused(error))?.said(read.dialect());
                return Ok(said::error(said));
            }
        };
        let key = caller.signing_key(&presented.scope);
        let seed = self.asked.after.as_deref().unwrap_or(caller.verified.signature);
        let mut chain = Chain::new(&key, presented.timestamp(), presented.scope, seed, caller.verified.payload)
            .map_err(|broken| Error::Invalid(format!("request: {broken}")))?;
        let mut verdicts = Vec::with_capacity(self.asked.chunks.len());
        for (nth, chunk) in self.asked.chunks.iter().enumerate() {
            let hash = sha256(&format!("chunks.{nth}.sha256"), &chunk.sha256)?;
            verdicts.push(Node::Bool(chain.chunk(hash, &chunk.signature).is_ok()));
        }
        let trailer = match &self.asked.trailer {
            Some(trailer) => Node::Bool(chain.trailer_hashed(sha256("trailer.sha256", &trailer.sha256)?, &trailer.signature).is_ok()),
            None => Node::Absent,
        };
        Ok(Said(map([
            ("chunks", Node::List(verdicts)),
            ("trailer", trailer),
            ("whole", Node::Bool(chain.is_whole())),
            ("after", text(Some(chain.previous()))),
        ])))
    }
}
