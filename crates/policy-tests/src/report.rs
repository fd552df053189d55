//! What came out, for people, for programs, and for what reads JUnit's XML.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use policy::{Explanation, Outcome};
use quick_xml::escape::escape;
use serde::Serialize;

use crate::case::{Case, Found};
use crate::file::Bad;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: a line a case, and the explanation of those that fail.
    Human,
    /// JUnit's XML.
    Junit,
    /// One object of JSON.
    Json,
}

/// All that came out.
#[derive(Debug, Default)]
pub struct Report {
    /// Of each file with cases, and of each that cannot be used.
    pub files: Vec<OfFile>,
}

/// What came out of one file.
#[derive(Debug)]
pub struct OfFile {
    /// Its path.
    pub file: String,
    /// Its cases, or what is wrong with it.
    pub cases: Result<Vec<Judged>, Bad>,
}

/// A case that was judged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// Where it begins in its file.
    pub line: u32,
    /// Where it begins in its line.
    pub column: u32,
    /// What was found is what was expected.
    pub passed: bool,
    /// What was expected.
    pub expected: Wish,
    /// The decision.
    pub decision: Outcome,
    /// The kind of policy that it came from.
    pub because: &'static str,
    /// The `Sid` of the statement that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// What was asked.
    pub request: Asked,
    /// Of a case that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}

/// What was expected of a case.
#[derive(Debug, Serialize)]
pub struct Wish {
    /// `Allowed`, `Denied`, `ImplicitlyDenied` or `ExplicitlyDenied`.
    pub decision: Option<String>,
    /// The kind of policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The `Sid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    #[serde(skip)]
    words: String,
}

/// What a case asks.
#[derive(Debug, Serialize)]
pub struct Asked {
    /// Its ARN or name.
    pub principal: String,
    /// Such as `s3:GetObject`.
    pub action: String,
    /// Its ARN, or `*`.
    pub resource: String,
}

impl Judged {
    fn of(case: &Case, found: Found) -> Judged {
        let Found { passed, explanation, statement } = found;
        Judged {
            name: case.name.clone(),
            line: case.place.line,
            column: case.place.column,
            passed,
            expected: Wish {
                decision: case.expected.decision.map(|decision| decision.to_string()),
                because: case.expected.because.clone(),
                statement: case.expected.statement.clone(),
                words: case.expected.to_string(),
            },
            decision: explanation.outcome,
            because: explanation.because.as_str(),
            statement,
            request: Asked {
                principal: case.asked.principal.name().into(),
                action: case.asked.action.clone(),
                resource: case.asked.resource.clone(),
            },
            explanation: (!passed).then_some(explanation),
        }
    }

    /// What was expected and what was found, and why, in lines.
    fn why(&self) -> String {
        let Some(explanation) = &self.explanation else { return String::new() };
        let level = |level: Option<usize>| level.map(|level| format!(" level {level}")).unwrap_or_default();
        let mut text = format!("expected {}, got {} because of {}", self.expected.words, self.decision.as_str(), self.because);
        if let Some(sid) = &self.statement {
            let _ = write!(text, " by statement {sid}");
        }
        let _ = write!(text, "\nasked:     {} on {} by {}", self.request.action, self.request.resource, self.request.principal);
        for said in &explanation.kinds {
            let _ = write!(text, "\nsaid:      {}{}: {}", said.kind.as_str(), level(said.level), said.result.as_str());
        }
        for statement in &explanation.statements {
            let sid = statement.sid.as_ref().map(|sid| format!(" {sid}")).unwrap_or_default();
            let _ = write!(
                text,
                "\nmatched:   {}{sid}, {}{}, {} line {} column {}",
                statement.effect.as_str(),
                statement.kind.as_str(),
                level(statement.level),
                statement.source,
                statement.line,
                statement.column
            );
        }
        for suggestion in &explanation.suggestions {
            let _ = write!(text, "\nlacking:   {}{}", suggestion.kind.as_str(), level(suggestion.level));
            if let Some(statement) = &suggestion.statement {
                let _ = write!(text, ", such as {statement}");
            }
        }
        if !explanation.missing_keys.is_empty() {
            let keys: Vec<&str> = explanation.missing_keys.iter().map(String::as_str).collect();
            let _ = write!(text, "\nnot given: {}", keys.join(", "));
        }
        text
    }
}

impl Report {
    pub(crate) fn add(&mut self, path: &Path, cases: &[Case]) {
        let cases = cases.iter().map(|case| Judged::of(case, case.judge())).collect();
        self.files.push(OfFile { file: path.display().to_string(), cases: Ok(cases) });
    }

    fn cases(&self) -> impl Iterator<Item = &Judged> {
        self.files.iter().flat_map(|file| file.cases.iter().flatten())
    }

    /// How many cases passed.
    pub fn passed(&self) -> usize {
        self.cases().filter(|case| case.passed).count()
    }

    /// How many cases failed.
    pub fn failed(&self) -> usize {
        self.cases().filter(|case| !case.passed).count()
    }

    /// How many files cannot be used.
    pub fn bad(&self) -> usize {
        self.files.iter().filter(|file| file.cases.is_err()).count()
    }

    /// The exit status: 0 if all passed, 1 if a case failed, 2 if a file cannot be used.
    pub fn status(&self) -> u8 {
        match (self.bad(), self.failed()) {
            (0, 0) => 0,
            (0, _) => 1,
            _ => 2,
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn write(&self, format: Format, out: &mut dyn io::Write) -> io::Result<()> {
        match format {
            Format::Human => self.human(out),
            Format::Junit => self.junit(out),
            Format::Json => self.json(out),
        }
    }

    fn human(&self, out: &mut dyn io::Write) -> io::Result<()> {
        for OfFile { file, cases } in &self.files {
            match cases {
                Err(bad) => writeln!(out, "BAD   {bad}")?,
                Ok(cases) => {
                    for case in cases {
                        writeln!(out, "{} {file}:{} {}", if case.passed { "ok   " } else { "FAIL " }, case.line, case.name)?;
                        for line in case.why().lines() {
                            writeln!(out, "      {line}")?;
                        }
                    }
                }
            }
        }
        write!(out, "{} passed, {} failed", self.passed(), self.failed())?;
        match self.bad() {
            0 => writeln!(out),
            1 => writeln!(out, ", 1 bad file"),
            many => writeln!(out, ", {many} bad files"),
        }
    }

    fn junit(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let (tests, failures, errors) = (self.passed() + self.failed() + self.bad(), self.failed(), self.bad());
        writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
        writeln!(out, r#"<testsuites name="bailiwick test" tests="{tests}" failures="{failures}" errors="{errors}">"#)?;
        for OfFile { file, cases } in &self.files {
            let name = xml(file);
            match cases {
                Err(bad) => {
                    writeln!(out, r#"  <testsuite name="{name}" tests="1" failures="0" errors="1">"#)?;
                    writeln!(out, r#"    <testcase name="{name}" classname="{name}" file="{name}">"#)?;
                    writeln!(out, r#"      <error type="bad file" message="{}"/>"#, xml(&bad.to_string()))?;
                    writeln!(out, "    </testcase>")?;
                }
                Ok(cases) => {
                    let failures = cases.iter().filter(|case| !case.passed).count();
                    writeln!(out, r#"  <testsuite name="{name}" tests="{}" failures="{failures}" errors="0">"#, cases.len())?;
                    for case in cases {
                        write!(out, r#"    <testcase name="{}" classname="{name}" file="{name}" line="{}""#, xml(&case.name), case.line)?;
                        if case.passed {
                            writeln!(out, "/>")?;
                            continue;
                        }
                        let why = case.why();
                        let first = why.lines().next().unwrap_or_default();
                        writeln!(out, ">")?;
                        writeln!(
                            out,
                            r#"      <failure type="{}" message="{}">{}</failure>"#,
                            case.decision.as_str(),
                            xml(first),
                            xml(&why)
                        )?;
                        writeln!(out, "    </testcase>")?;
                    }
                }
            }
            writeln!(out, "  </testsuite>")?;
        }
        writeln!(out, "</testsuites>")
    }

    fn json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Whole<'r> {
            passed: usize,
            failed: usize,
            bad: usize,
            files: Vec<One<'r>>,
        }
        #[derive(Serialize)]
        struct One<'r> {
            file: &'r str,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<Error<'r>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            cases: Option<&'r [Judged]>,
        }
        #[derive(Serialize)]
        struct Error<'r> {
            file: &'r str,
            line: Option<u32>,
            column: Option<u32>,
            what: &'r str,
        }
        let error = |bad: &'_ Bad| bad.place.map(|place| (place.line, place.column)).unzip();
        let files = self.files.iter().map(|OfFile { file, cases }| {
            let error = cases.as_ref().err().map(|bad| {
                let (line, column) = error(bad);
                Error { file: &bad.file, line, column, what: &bad.what }
            });
            One { file, error, cases: cases.as_deref().ok() }
        });
        let whole = Whole { passed: self.passed(), failed: self.failed(), bad: self.bad(), files: files.collect() };
        serde_json::to_writer_pretty(&mut *out, &whole)?;
        writeln!(out)
    }
}

/// Text for XML, in which some characters cannot stand at all.
fn xml(text: &str) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let text: String = text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect();
    escape(&text).replace('\n', "&#10;")
}
