//! What a denial by another server meant, for those who may know it.
//! Rules: <https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html>. A message opens only in the account of
//! whoever was denied.

use crate::{Error, Sts};
use operation::{Allowed, Caller, Judged, Operation, Operations, Target, handler};
use store::Read;
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Sts> = &[handler::<DecodeAuthorizationMessage>()];

/// A sealed message.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 10240)]
struct EncodedMessage(Box<str>);

#[derive(Shape)]
struct DecodeAuthorizationMessage {
    encoded_message: EncodedMessage,
}

#[derive(Shape)]
struct DecodeAuthorizationMessageOutput {
    decoded_message: String,
}

impl Operation for DecodeAuthorizationMessage {
    type Service = Sts;
    type Access = Read;
    type Output = DecodeAuthorizationMessageOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<DecodeAuthorizationMessageOutput, Error> {
        let decoded_message =
            cx.access().open_message(cx.caller.account, self.encoded_message.as_str()).map_err(|_| Error::InvalidMessage)?;
        Ok(DecodeAuthorizationMessageOutput { decoded_message })
    }
}
