//! An error as AWS says it.

use crate::{Members, Name, Node};

/// An error as AWS says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The HTTP status.
    pub status: u16,
    /// The code of the model (`NoSuchEntity`), never the name of a class.
    pub code: Name,
    /// What is wrong, in AWS's words. A Query service says nothing where it is empty.
    pub message: String,
    /// Members beside code and message, of the errors that have some.
    pub extra: Members,
}

/// Who is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The client: every status below 500.
    Sender,
    /// The server.
    Receiver,
}

impl Fault {
    /// As the Query protocol writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Fault::Sender => "Sender",
            Fault::Receiver => "Receiver",
        }
    }
}

impl Failure {
    /// A failure without further members.
    pub fn new(status: u16, code: impl Into<Name>, message: impl Into<String>) -> Self {
        Failure { status, code: code.into(), message: message.into(), extra: vec![] }
    }

    /// The same failure with one more member.
    #[must_use]
    pub fn with(mut self, name: impl Into<Name>, node: Node) -> Self {
        self.extra.push((name.into(), node));
        self
    }

    /// Who is to blame, by the status.
    pub fn fault(&self) -> Fault {
        if self.status < 500 { Fault::Sender } else { Fault::Receiver }
    }
}
