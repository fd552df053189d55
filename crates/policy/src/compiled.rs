//! One document, made ready to decide.

use crate::document::{Document, Kind};

/// One document, made ready to decide. Cheap to share.
#[derive(Debug)]
pub struct Compiled {}

impl Compiled {
    /// Compiles a document as a policy of this kind. Compiled as [`Kind::Identity`] it serves in sets of boundaries and session policies too.
    pub fn new(_document: &Document, _kind: Kind) -> Compiled {
        Compiled {}
    }

    /// About how many bytes it takes.
    pub fn weight(&self) -> usize {
        size_of::<Compiled>()
    }
}
