//! What a change of policies would do, before it is made, and who can do something, now or at some time.
//!
//! In reading order: [`wish`], a change as it is asked for; `replay`, the decisions that the trail recorded; `tally`, who would lose or gain
//! what; [`what_if`], all of it together; [`who_can`], the principals that policies let do one thing. Nothing here writes anything.

mod replay;
mod tally;
mod what_if;
mod who_can;
mod wish;

pub use tally::{Effect, Line, Missing};
pub use what_if::{Failed, Forecast, Progress, WhatIf};
pub use who_can::{Abilities, Able, NotAsked, WhoCan};
pub use wish::{NotPossible, Wish, Wished};
