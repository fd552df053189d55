//! `bailiwick completions` and `bailiwick man`: made from the definition of the command line itself, so they say what it takes.
use std::{fs, io, path::Path};

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use crate::cli::Cli;

/// The command line, with what clap adds by itself but for `help`, which has no page of its own.
fn command() -> clap::Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

/// Writes what a shell reads to complete the command line.
///
/// # Errors
/// Where writing fails.
pub fn completions(shell: Shell, out: &mut dyn io::Write) -> io::Result<()> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "bailiwick", &mut script);
    out.write_all(&script)
}

/// Writes one page about all commands, in roff.
///
/// # Errors
/// Where writing fails.
pub fn man(out: &mut dyn io::Write) -> io::Result<()> {
    Man::new(command()).render(out)
}

/// Writes a page about each command to a folder, `bailiwick.1`, `bailiwick-serve.1` and so on; it is made where it does not exist.
///
/// # Errors
/// Where writing fails.
pub fn man_pages(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)
}
