//! `bailiwick what-if` and `bailiwick who-can`: what is asked, in options, and what is answered, as a table or as JSON.
use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arn::AccountId;
use clap::{ArgGroup, Args, ValueEnum};
use foresight::{Abilities, Able, Effect, Forecast, Line, Progress, Wish};

use crate::local::{LocalCommand, Tell};

/// Lines of a table; JSON has all of them.
const SHOWN: usize = 40;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people
    Table,
    /// One object of JSON, with everything
    Json,
}

/// The options of `what-if`: exactly one change.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).args(
    ["attach", "detach", "policy", "put", "delete", "boundary", "no_boundary", "trust", "resource"]))]
pub struct WhatIfOptions {
    /// Attach a policy: its ARN, its id in the organization, or a file with its text
    #[arg(long, value_name = "POLICY", requires = "to")]
    attach: Option<String>,
    /// To a user, group or role by its ARN, or to a root, unit or account of an organization by its id
    #[arg(long, value_name = "TARGET", requires = "attach")]
    to: Option<String>,
    /// Detach a policy
    #[arg(long, value_name = "POLICY", requires = "from")]
    detach: Option<String>,
    /// From what
    #[arg(long, value_name = "TARGET", requires = "detach")]
    from: Option<String>,
    /// Give a policy another text
    #[arg(long, value_name = "POLICY", requires = "document")]
    policy: Option<String>,
    /// Put an inline policy
    #[arg(long, value_name = "NAME", requires_all = ["of", "document"])]
    put: Option<String>,
    /// Delete an inline policy
    #[arg(long, value_name = "NAME", requires = "of")]
    delete: Option<String>,
    /// Set a permissions boundary: its ARN, or a file with its text
    #[arg(long, value_name = "POLICY", requires = "of")]
    boundary: Option<String>,
    /// Take a permissions boundary away
    #[arg(long, requires = "of")]
    no_boundary: bool,
    /// Whose inline policy or boundary: the ARN of a user, group or role
    #[arg(long, value_name = "ARN")]
    of: Option<String>,
    /// Give a role another trust policy
    #[arg(long, value_name = "ROLE-ARN", requires = "document")]
    trust: Option<String>,
    /// Give a resource, and all under it, another policy; without --document, none
    #[arg(long, value_name = "ARN")]
    resource: Option<String>,
    /// The file with the policy's text
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// How far back: 7d, 12h, 30m
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = seconds)]
    since: i64,
    /// Only decisions of this account's trail
    #[arg(long, value_name = "12DIGITS")]
    account: Option<AccountId>,
    /// How to write what came out
    #[arg(long, value_enum, default_value_t = Form::Table)]
    pub format: Form,
}

/// The options of `who-can`.
#[derive(Debug, Args)]
pub struct WhoCanOptions {
    /// The action: s3:GetObject
    #[arg(value_name = "ACTION")]
    action: String,
    /// The resource's ARN, or *
    #[arg(value_name = "RESOURCE")]
    resource: String,
    /// Who owns the resource, where its ARN does not say it
    #[arg(long, value_name = "12DIGITS")]
    resource_account: Option<AccountId>,
    /// The file with the resource's policy; a role's trust policy is known
    #[arg(long, value_name = "FILE")]
    resource_policy: Option<PathBuf>,
    /// As of when: a time as in 2026-11-24T10:00:00Z; now, where it is not said
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<i64>,
    /// Only principals of this account
    #[arg(long, value_name = "12DIGITS")]
    account: Option<AccountId>,
    /// How to write what came out
    #[arg(long, value_enum, default_value_t = Form::Table)]
    pub format: Form,
}

fn seconds(text: &str) -> Result<i64, String> {
    let span: jiff::Span = text.parse().map_err(|error| format!("{error}"))?;
    let total = span.total((jiff::Unit::Second, jiff::SpanRelativeTo::days_are_24_hours())).map_err(|error| error.to_string())?;
    // Whole seconds: a fraction of one says nothing here.
    #[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest whole number that fits")]
    let whole = total as i64;
    if whole > 0 { Ok(whole) } else { Err("it lies in the past: 7d, 12h, 30m".to_owned()) }
}

fn moment(text: &str) -> Result<i64, String> {
    text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second).map_err(|error| error.to_string())
}

/// A policy that is named is passed on; any other word is a file.
fn policy(word: String) -> io::Result<String> {
    if word.starts_with("arn:") || word.starts_with("p-") { Ok(word) } else { text(Path::new(&word)) }
}

fn text(file: &Path) -> io::Result<String> {
    std::fs::read_to_string(file).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))
}

impl WhatIfOptions {
    /// The command that they mean.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn command(self) -> io::Result<LocalCommand> {
        let (since_seconds, account) = (self.since, self.account);
        Ok(LocalCommand::WhatIf { change: self.wish()?, since_seconds, account })
    }

    fn wish(self) -> io::Result<Wish> {
        let document = self.document.as_deref().map(text).transpose()?;
        let given = || document.clone().unwrap_or_default();
        let of = self.of.unwrap_or_default();
        Ok(match (self.attach, self.detach, self.policy, self.put, self.delete, self.boundary, self.trust, self.resource) {
            (Some(attached), ..) => Wish::Attach { policy: policy(attached)?, to: self.to.unwrap_or_default() },
            (_, Some(detached), ..) => Wish::Detach { policy: policy(detached)?, from: self.from.unwrap_or_default() },
            (_, _, Some(policy), ..) => Wish::Document { policy, document: given() },
            (_, _, _, Some(name), ..) => Wish::Inline { of, name, document: Some(given()) },
            (_, _, _, _, Some(name), ..) => Wish::Inline { of, name, document: None },
            (_, _, _, _, _, Some(boundary), ..) => Wish::Boundary { of, policy: Some(policy(boundary)?) },
            (_, _, _, _, _, _, Some(role), _) => Wish::Trust { role, document: given() },
            (.., Some(resource)) => Wish::Resource { resource, document },
            // Only --no-boundary is left: the command line asks for one change.
            _ => Wish::Boundary { of, policy: None },
        })
    }
}

impl WhoCanOptions {
    /// The command that they mean.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn command(self) -> io::Result<LocalCommand> {
        Ok(LocalCommand::WhoCan {
            action: self.action,
            resource: self.resource,
            resource_account: self.resource_account,
            resource_policy: self.resource_policy.as_deref().map(text).transpose()?,
            at: self.at,
            account: self.account,
        })
    }
}

/// A progress bar on standard error, where that is a terminal.
pub fn bar() -> Tell {
    if !io::stderr().is_terminal() {
        return Arc::new(|_| {});
    }
    let bar = indicatif::ProgressBar::no_length().with_style(indicatif::ProgressStyle::default_bar());
    Arc::new(move |Progress { done, of }| {
        bar.set_length(of);
        bar.set_position(done);
        if done >= of {
            bar.finish_and_clear();
        }
    })
}

/// Columns of equal width, but for the last.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = head.iter().enumerate().map(|(column, name)| width(column).max(name.len())).collect();
    let mut out = String::new();
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    for row in std::iter::once(&head).chain(rows) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}", cells.join("  ").trim_end());
    }
    out
}

/// Writes what would come of a change.
///
/// # Errors
/// What `out` says.
pub fn show_forecast(forecast: &Forecast, form: Form, out: &mut impl Write) -> io::Result<()> {
    if form == Form::Json {
        return writeln!(out, "{}", serde_json::to_string_pretty(forecast)?);
    }
    writeln!(
        out,
        "{} recorded checks since {}; the change concerns {}: {} would be lost, {} gained",
        forecast.checks, forecast.since, forecast.concerned, forecast.lost, forecast.gained
    )?;
    if !forecast.lines.is_empty() {
        let row = |line: &Line| {
            let by =
                line.by.as_ref().map_or_else(|| line.because.clone(), |by| format!("{}, {}, line {}", line.because, by.source, by.line));
            let effect = match line.effect {
                Effect::Lost => "lost",
                Effect::Gained => "gained",
            };
            vec![
                effect.to_owned(),
                line.count.to_string(),
                line.principal.clone(),
                line.action.clone(),
                line.resource.clone(),
                line.request_id.clone(),
                by,
            ]
        };
        let rows: Vec<Vec<String>> = forecast.lines.iter().take(SHOWN).map(row).collect();
        write!(out, "{}", table(&["", "requests", "principal", "action", "resource", "for example", "because of"], &rows))?;
        if forecast.lines.len() > SHOWN {
            writeln!(out, "… and {} lines more; --format json has all", forecast.lines.len() - SHOWN)?;
        }
    }
    for missing in &forecast.missing_keys {
        writeln!(
            out,
            "{} requests that the change concerns were recorded without {}: for them it counts as absent",
            missing.requests, missing.key
        )?;
    }
    if forecast.otherwise_already > 0 {
        writeln!(out, "{} checks come out otherwise today than when they were recorded, without this change", forecast.otherwise_already)?;
    }
    if forecast.without_principal > 0 {
        writeln!(out, "{} checks were of principals that are gone", forecast.without_principal)?;
    }
    Ok(())
}

/// Writes who can.
///
/// # Errors
/// What `out` says.
pub fn show_abilities(found: &Abilities, form: Form, out: &mut impl Write) -> io::Result<()> {
    if form == Form::Json {
        return writeln!(out, "{}", serde_json::to_string_pretty(found)?);
    }
    writeln!(out, "{} of {} principals can, at revision {}", found.able.len(), found.principals, found.revision)?;
    let row = |able: &Able| {
        let when = if able.always { "always".to_owned() } else { format!("depends on {}", able.depends_on.join(", ")) };
        let source = able.source.as_ref().map(|source| format!("{source}, line {}", able.line.unwrap_or_default()));
        vec![able.principal.clone(), when, source.unwrap_or_else(|| able.because.clone())]
    };
    let rows: Vec<Vec<String>> = found.able.iter().map(row).collect();
    if rows.is_empty() { Ok(()) } else { write!(out, "{}", table(&["principal", "when", "because of"], &rows)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        assert_eq!(seconds("7d"), Ok(604_800));
        assert_eq!(seconds("1d 12h"), Ok(129_600));
        assert_eq!(seconds("30m"), Ok(1_800));
        assert!(seconds("soon").is_err() && seconds("-1d").is_err() && seconds("0s").is_err());
        assert_eq!(moment("1970-01-01T00:01:00Z"), Ok(60));
    }

    #[test]
    fn columns_stand_under_each_other() {
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["longer".to_owned(), "2".to_owned()]];
        assert_eq!(table(&["x", "y"], &rows), "x       y\na       1\nlonger  2\n");
    }
}
