//! `bailiwick test`: unit tests of policies. Files of cases say who asks for what under which policies, and what must come out; the engine that decides
//! requests answers, and says why where the answer is another. The form of the files is in `docs/policy-tests.md`.

mod account;
mod case;
mod document;
mod file;
mod find;
#[cfg(test)]
mod fuzz;
mod node;
mod report;
mod yaml;

use std::path::PathBuf;

pub use file::Bad;
pub use report::{Format, Judged, OfFile, Report};

/// Judges every case in the files and under the folders that are named. `managed` knows the documents of AWS's own policies by ARN.
#[must_use]
pub fn run(paths: &[PathBuf], managed: fn(&str) -> Option<&'static str>) -> Report {
    let mut files = file::Files::new(managed);
    let mut report = Report::default();
    for path in paths {
        match find::files(path) {
            Err(bad) => report.files.push(OfFile { file: path.display().to_string(), cases: Err(bad) }),
            Ok(found) => {
                let before = report.files.len();
                for found in found {
                    match files.content(&found) {
                        Ok(file::Content::Material) => {}
                        Ok(file::Content::Cases(cases)) => report.add(&found, &cases),
                        Err(bad) => report.files.push(OfFile { file: found.display().to_string(), cases: Err(bad) }),
                    }
                }
                if report.files.len() == before {
                    let bad = Bad { file: path.display().to_string(), place: None, what: "there are no files with cases".into() };
                    report.files.push(OfFile { file: path.display().to_string(), cases: Err(bad) });
                }
            }
        }
    }
    report
}
