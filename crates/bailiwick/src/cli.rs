//! The command line. Options that are configuration come from [`crate::config::keys::KEYS`].
use std::{collections::BTreeMap, path::PathBuf};

use arn::{AccountId, Arn};
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use identities::{ServiceHost, ServiceName};

use crate::config::keys::{KEYS, Key, Kind};
use crate::foresee::{WhatIfOptions, WhoCanOptions};

/// An AWS IAM, STS and policy engine that you run yourself.
#[derive(Debug, Parser)]
#[command(name = "bailiwick", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve AWS's APIs; the first start makes an account and prints its root user's access key
    Serve(ServeOptions),
    /// Look at the configuration
    Config {
        /// Which look.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Make, list and rescue accounts
    Account {
        /// Which of them.
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Register servers that call others for their callers, as AWS's services do
    Service {
        /// Which of them.
        #[command(subcommand)]
        command: ServiceCommand,
    },
    /// Keep policy templates, with which products ask accounts for temporary access
    Template {
        /// Which of them.
        #[command(subcommand)]
        command: TemplateCommand,
    },
    /// Tell why a request was allowed or denied: policies, statements, what was missing
    Explain {
        /// The request's id, from its answer or its error
        #[arg(value_name = "REQUEST-ID")]
        request_id: String,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
    /// Copy the store to a new file, also while a server uses it; the master key is not in it
    Backup {
        /// The file to write; it must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
    /// Read the whole store and say what is wrong with it
    Check(DirOptions),
    /// Try a change of policies on what was decided: who would lose or gain what. Changes nothing
    #[command(after_help = "The exit status is 0 if nobody would lose or gain anything, 2 if somebody would. See docs/foresight.md.")]
    WhatIf {
        /// The change.
        #[command(flatten)]
        what: WhatIfOptions,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
    /// List who can do one thing, now or at some time, and what it depends on
    WhoCan {
        /// What.
        #[command(flatten)]
        what: WhoCanOptions,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
    /// Decide cases offline: JSON Lines in, JSON Lines out
    #[command(after_help = "The exit status is 0 only if every line could be decided. See docs/evaluate.md.")]
    Evaluate {
        /// The file with the cases; - is standard input
        #[arg(value_name = "FILE", default_value = "-")]
        file: PathBuf,
    },
    /// Print the authorized_keys lines of a key or a user, for OpenSSH's AuthorizedKeysCommand; a running server is asked
    #[command(
        after_help = "AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY win over the file. Who signs needs bailiwick:ListSSHKeys. See docs/stores.md."
    )]
    SshKeys(SshKeysOptions),
    /// Test policies offline: files of cases that say what is asked and what must come out
    #[command(
        after_help = "The exit status is 0 if all cases passed, 1 if one failed, 2 if a file cannot be used. See docs/policy-tests.md."
    )]
    Test {
        /// Files of cases, and folders with such files in YAML or JSON
        #[arg(value_name = "DIR", required = true)]
        paths: Vec<PathBuf>,
        /// How to write what came out
        #[arg(long, value_enum, default_value_t = ReportFormat::Human)]
        format: ReportFormat,
    },
    /// Print what a shell reads to complete this command line
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man {
        /// Write a page for each command into this folder instead
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
    },
}

/// `ssh-keys …`
#[derive(Debug, Clone, Default, Args)]
pub struct SshKeysOptions {
    /// A TOML file with endpoint, access_key_id, secret_access_key, ca_file and command; others may not read it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The fingerprint of the key that is offered: sshd's %f
    #[arg(long, value_name = "SHA256:…")]
    pub fingerprint: Option<String>,
    /// The type of the key that is offered: sshd's %t
    #[arg(long = "type", value_name = "TYPE", requires = "key")]
    pub kind: Option<String>,
    /// The key that is offered, in base64: sshd's %k
    #[arg(long, value_name = "BASE64", requires = "kind")]
    pub key: Option<String>,
    /// A user of IAM, whose keys alone count
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The only command that a key may run; {id} in it becomes the key's id
    #[arg(long, value_name = "COMMAND")]
    pub command: Option<String>,
}

/// How `test` writes what came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people: a line a case, and why those failed that did
    Human,
    /// JUnit's XML, which CI systems read
    Junit,
    /// One object of JSON
    Json,
}

/// `config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check the configuration that `serve` would use, and print it without its secrets
    Check(ServeOptions),
}

/// `account …`
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account and print its root user's access key
    Create {
        /// The account's name
        #[arg(long)]
        name: String,
        /// Its root user's e-mail address
        #[arg(long)]
        email: String,
        /// Its 12 digits; made up where not given
        #[arg(long, value_name = "12DIGITS")]
        id: Option<AccountId>,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
    /// List all accounts
    List(DirOptions),
    /// Give an account's root user a new access key, and end the old ones
    ResetRoot {
        /// The account
        #[arg(long, value_name = "12DIGITS")]
        id: AccountId,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
    /// Print an account's new e-mail address and the code that AcceptPrimaryEmailUpdate waits for
    EmailCode {
        /// The account
        #[arg(long, value_name = "12DIGITS")]
        id: AccountId,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
    /// Print the telephone of an account's contact and the code that VerifyPhoneNumber waits for
    PhoneCode {
        /// The account
        #[arg(long, value_name = "12DIGITS")]
        id: AccountId,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
}

/// `service …`
#[derive(Debug, Subcommand)]
pub enum ServiceCommand {
    /// Register a service and print its access key, once
    Add {
        /// What policies call it, such as thumbs.example.internal
        #[arg(value_name = "NAME")]
        name: ServiceName,
        /// Where clients reach it, with its port where that is not the usual one; again for each further one. Its own name, if not said
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<ServiceHost>,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
    /// List all services
    List(DirOptions),
    /// Give a service a new access key, and end the old one with all that was delegated to it
    ResetKey {
        /// The service
        #[arg(value_name = "NAME")]
        name: ServiceName,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
    /// End a service, its key and all that went through it
    Remove {
        /// The service
        #[arg(value_name = "NAME")]
        name: ServiceName,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
}

/// `template …`
#[derive(Debug, Subcommand)]
pub enum TemplateCommand {
    /// Keep a policy template for a product; it is not changed any more
    #[command(after_help = "See docs/delegation.md.")]
    Add {
        /// What requests name it by, such as arn:aws:iam::partner:delegation-template/example.com/Setup
        #[arg(value_name = "ARN")]
        arn: Arn,
        /// The file with the template; - is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The product: the account that may ask with it
        #[arg(long = "for", value_name = "12DIGITS")]
        product: AccountId,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
    /// List all policy templates, and whose they are
    List(DirOptions),
    /// End a policy template: nothing is asked for with it any more
    Remove {
        /// The template
        #[arg(value_name = "ARN")]
        arn: Arn,
        /// Where.
        #[command(flatten)]
        options: DirOptions,
    },
}

/// All options that are configuration, by the names of their keys.
#[derive(Debug, Clone, Default)]
pub struct ServeOptions(pub BTreeMap<&'static str, String>);

/// Those that say where the data directory is and how to open it.
#[derive(Debug, Clone, Default)]
pub struct DirOptions(pub BTreeMap<&'static str, String>);

fn all(_: &Key) -> bool {
    true
}

fn about_the_directory(key: &Key) -> bool {
    key.everywhere
}

/// The options of those keys that are wanted and that have one.
fn augment(command: clap::Command, wanted: fn(&Key) -> bool) -> clap::Command {
    KEYS.iter().filter(|key| wanted(key)).fold(command, |command, key| {
        let Some(option) = key.option() else { return command };
        let help = match key.default {
            Some(default) if key.kind != Kind::Flag => format!("{} [default: {default}]", key.help),
            Some(_) | None => key.help.to_owned(),
        };
        let arg = Arg::new(key.name).long(option).help(help);
        command.arg(match key.kind {
            Kind::Flag => arg.action(ArgAction::SetTrue),
            Kind::Path => arg.value_name("PATH"),
            Kind::Number => arg.value_name("NUMBER"),
            Kind::Size => arg.value_name("SIZE"),
            Kind::Text => arg.value_name("TEXT"),
            Kind::Choice(_) => arg.value_name("WORD"),
        })
    })
}

/// What was said on the command line.
fn collect(matches: &ArgMatches, wanted: fn(&Key) -> bool) -> BTreeMap<&'static str, String> {
    let said = |key: &&'static Key| match key.kind {
        Kind::Flag => matches.get_flag(key.name).then(|| "true".to_owned()),
        Kind::Text | Kind::Path | Kind::Number | Kind::Size | Kind::Choice(_) => matches.get_one::<String>(key.name).cloned(),
    };
    KEYS.iter().filter(|key| wanted(key) && key.option().is_some()).filter_map(|key| Some((key.name, said(key)?))).collect()
}

macro_rules! options {
    ($name:ident, $wanted:path) => {
        impl Args for $name {
            fn augment_args(command: clap::Command) -> clap::Command {
                augment(command, $wanted)
            }

            fn augment_args_for_update(command: clap::Command) -> clap::Command {
                augment(command, $wanted)
            }
        }

        impl FromArgMatches for $name {
            fn from_arg_matches(matches: &ArgMatches) -> Result<$name, clap::Error> {
                Ok($name(collect(matches, $wanted)))
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                self.0 = collect(matches, $wanted);
                Ok(())
            }
        }
    };
}

options!(ServeOptions, all);
options!(DirOptions, about_the_directory);

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_are_the_keys_of_the_configuration() {
        let cli = Cli::try_parse_from(["bailiwick", "serve", "--data-dir", "d", "--plaintext", "--quota-users", "7"]).unwrap();
        let Command::Serve(ServeOptions(said)) = cli.command else { panic!() };
        let expected = [("data_dir", "d"), ("plaintext", "true"), ("quota_users", "7")];
        assert_eq!(said, expected.into_iter().map(|(key, value)| (key, value.to_owned())).collect());
    }

    #[test]
    fn a_secret_is_never_an_option() {
        for option in ["--root-secret-access-key", "--root-password", "--master-key"] {
            assert!(Cli::try_parse_from(["bailiwick", "serve", option, "x"]).is_err(), "{option}");
        }
    }

    #[test]
    fn commands_on_a_directory_take_no_options_of_the_server() {
        assert!(Cli::try_parse_from(["bailiwick", "account", "list", "--data-dir", "d"]).is_ok());
        assert!(Cli::try_parse_from(["bailiwick", "account", "list", "--listen", "127.0.0.1:0"]).is_err());
    }
}
