//! The union of many documents of one kind.

use std::sync::Arc;

use crate::compiled::Compiled;
use crate::document::Kind;

/// How an explanation names a document: the ARN of a managed policy, or words for an inline one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(Arc<str>);

/// The union of documents of one kind.
#[derive(Debug)]
pub struct PolicySet {
    kind: Kind,
    documents: Box<[(Source, Arc<Compiled>)]>,
}

impl Source {
    /// A source of this name.
    pub fn new(name: impl Into<Arc<str>>) -> Source {
        Source(name.into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PolicySet {
    /// Unites documents.
    pub fn new(kind: Kind, documents: impl IntoIterator<Item = (Source, Arc<Compiled>)>) -> PolicySet {
        PolicySet { kind, documents: documents.into_iter().collect() }
    }

    /// A set of no documents, which allows nothing.
    pub fn empty(kind: Kind) -> PolicySet {
        PolicySet::new(kind, [])
    }

    /// What its documents are used as.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// About how many bytes the set takes, the documents not counted, which may be shared.
    pub fn weight(&self) -> usize {
        size_of::<PolicySet>() + self.documents.len() * size_of::<(Source, Arc<Compiled>)>()
    }
}
