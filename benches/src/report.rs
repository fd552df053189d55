//! The lines that a run prints.

use std::process::ExitCode;

/// What was measured so far.
#[derive(Default)]
pub struct Report {
    met: usize,
    missed: usize,
    failed: usize,
}

impl Report {
    /// One measure: what it is, what was found, and whether that reaches what it must.
    pub fn line(&mut self, what: &str, found: &str, target: &str, met: bool) {
        println!("{} {what}: {found} (must: {target})", if met { "ok    " } else { "MISSED" });
        if met { self.met += 1 } else { self.missed += 1 }
    }

    /// Something that is printed beside, and must reach nothing.
    pub fn beside(&self, what: &str, found: &str) {
        println!("       {what}: {found}");
    }

    /// A measure that could not be made.
    pub fn failed(&mut self, what: &str, why: &dyn std::fmt::Display) {
        println!("FAILED {what}: {why}");
        self.failed += 1;
    }

    /// The last line, and the status.
    pub fn finish(self) -> ExitCode {
        println!("{} targets met, {} missed, {} not measured", self.met, self.missed, self.failed);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
