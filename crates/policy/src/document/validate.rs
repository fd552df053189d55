//! The strict door: what AWS accepts on saving, and what it says otherwise.

use super::{Document, Kind, ParseError, Place};

/// AWS would not save it: the message of `MalformedPolicyDocument`, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Malformed {
    message: String,
    place: Place,
}

impl Malformed {
    /// Where in the document.
    pub fn place(&self) -> Place {
        self.place
    }
}

/// On saving, what could not be read is malformed too.
impl From<ParseError> for Malformed {
    fn from(error: ParseError) -> Malformed {
        Malformed { message: error.words.into(), place: error.place }
    }
}

pub(super) fn document(_document: &Document, _kind: Kind) -> Result<(), Malformed> {
    Ok(())
}
