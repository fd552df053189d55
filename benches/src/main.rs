//! How fast Bailiwick is, beside its peers, in one run: `make bench`. Each measure prints what it found, what it was compared with, the ratio and
//! what it must reach. A missed target is a line; a measure that could not be made is a line and a status other than 0.

mod alone;
mod client;
mod decide;
mod emulator;
mod foresight;
mod load;
mod organizations;
mod report;
mod reports;
mod rounds;
mod scale;
mod server;
mod sign;
mod signature;
mod storm;
mod traffic;
mod writes;

use report::Report;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::process::ExitCode;

/// Counts allocations, so that a decision can be shown to make none.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Why a measure could not be made.
pub type Problem = Box<dyn std::error::Error + Send + Sync>;

/// One group of measures.
type Measure = fn(&mut Report) -> Result<(), Problem>;

fn main() -> ExitCode {
    let only = std::env::args().nth(1);
    let mut report = Report::default();
    let measures: [(&str, Measure); 11] = [
        ("decide", decide::measure),
        ("signature", signature::measure),
        ("traffic", traffic::measure),
        ("writes", writes::measure),
        ("storm", storm::measure),
        ("organizations", organizations::measure),
        ("emulator", emulator::measure),
        ("reports", reports::measure),
        ("foresight", foresight::measure),
        ("memory", scale::memory),
        ("scale", scale::million),
    ];
    if let Some(unknown) = only.as_ref().filter(|only| measures.iter().all(|(name, _)| name != only)) {
        report.failed(unknown, &"there is no such measure");
    }
    for (name, measure) in measures {
        if only.as_ref().is_none_or(|only| only == name) {
            println!("-- {name}");
            if let Err(problem) = measure(&mut report) {
                report.failed(name, &problem);
            }
        }
    }
    report.finish()
}
