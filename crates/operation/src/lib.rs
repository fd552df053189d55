//! What an operation is, and the one way that every request goes: told apart, authenticated, read, judged, run, recorded, answered.
//!
//! In reading order: [`Operation`], what a family of a service writes; [`Judged`] and [`Target`], what a request is judged by; [`Caller`] and
//! [`Allowed`], what a rule may touch; `judge`, where the permit is made; `pipeline`, the order of steps; [`Door`], bytes in and bytes out.

mod accessed;
mod allowed;
mod caller;
mod door;
mod judge;
mod judged;
mod last_used;
mod operation;
mod pipeline;
mod second_factor;
mod slow;
mod system;
mod target;
mod tasks;
mod trail;
mod tries;

pub use accessed::{Access, Accessed, AccessedService, ROOT, TRACKED, When};
pub use allowed::{Allowed, Asking, Preparing};
pub use caller::{Caller, Origin};
pub use door::{Door, Incoming};
pub use judged::Judged;
pub use last_used::{LastUsed, Used};
pub use operation::{Api, ApiOperation, Handler, Input, Operation, Operations, Said, Service, SlowOperation, handler, slow_handler};
pub use pipeline::Runs;
pub use second_factor::{NotShown, SecondFactor};
pub use slow::{Busy, SlowLane};
pub use system::{Limits, System};
pub use target::{PolicyArn, Protected, Resolved, Resource, Target};
pub use tasks::{Begun, Outliving, Tasks};
pub use trail::Seen;
pub use tries::{Tries, Try};
pub use wire::{Failure, Protocol};

/// Tells the log what went wrong inside; the caller is told only that something did.
pub fn log_inside(error: &(dyn std::error::Error + 'static)) {
    tracing::error!(error, "an operation failed inside");
}
