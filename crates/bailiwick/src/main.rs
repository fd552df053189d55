//! The `bailiwick` command: reads the command line, does what it says, and turns the outcome into an exit status.
use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use arn::AccessKeyId;
use bailiwick::{
    cli::{
        AccountCommand, Cli, Command, ConfigCommand, DirOptions, ReportFormat, ServeOptions, ServiceCommand, SshKeysOptions,
        TemplateCommand,
    },
    config::{Config, Secret},
    evaluate,
    foresee::{self, Form},
    local::{self, LocalAnswer, LocalCommand, OneTimeCode, RootKey, ServiceKey, Tell},
    logs, manual, serve, ssh_keys,
};
use clap::Parser as _;
use identities::ServiceHost;

/// Why a command failed, in words.
struct Failed(String);

impl<E: fmt::Display> From<E> for Failed {
    fn from(error: E) -> Failed {
        Failed(error.to_string())
    }
}

fn main() -> ExitCode {
    // Whatever dependencies switch on: this process has one source of cryptography. Nobody can have named another before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(Failed(why)) => {
            // Standard error is where it is said; if that is closed, the status says it.
            let _ = writeln!(io::stderr(), "bailiwick: {}", why.replace('\n', "\nbailiwick: "));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Failed> {
    match command {
        Command::Serve(ServeOptions(options)) => {
            let config = configured(&options)?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let served = runtime.block_on(serve::serve(&config));
            runtime.shutdown_timeout(serve::RUNTIME_STOP);
            served?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Config { command: ConfigCommand::Check(ServeOptions(options)) } => {
            let config = configured(&options)?;
            serve::check(&config)?;
            write!(io::stdout(), "{config}")?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Account { command } => match command {
            AccountCommand::Create { name, email, id, options } => local(options, LocalCommand::AccountCreate { name, email, id }),
            AccountCommand::List(options) => local(options, LocalCommand::AccountList),
            AccountCommand::ResetRoot { id, options } => local(options, LocalCommand::AccountResetRoot { id }),
            AccountCommand::EmailCode { id, options } => local(options, LocalCommand::AccountEmailCode { id }),
            AccountCommand::PhoneCode { id, options } => local(options, LocalCommand::AccountPhoneCode { id }),
        },
        Command::Service { command } => match command {
            ServiceCommand::Add { name, hosts, options } => local(options, LocalCommand::ServiceAdd { name, hosts }),
            ServiceCommand::List(options) => local(options, LocalCommand::ServiceList),
            ServiceCommand::ResetKey { name, options } => local(options, LocalCommand::ServiceResetKey { name }),
            ServiceCommand::Remove { name, options } => local(options, LocalCommand::ServiceRemove { name }),
        },
        Command::Template { command } => match command {
            TemplateCommand::Add { arn, file, product, options } => {
                local(options, LocalCommand::TemplateAdd { arn, document: text_of(&file)?, product })
            }
            TemplateCommand::List(options) => local(options, LocalCommand::TemplateList),
            TemplateCommand::Remove { arn, options } => local(options, LocalCommand::TemplateRemove { arn }),
        },
        Command::Explain { request_id, options } => local(options, LocalCommand::Explain { request_id }),
        Command::Backup { file, options } => local(options, LocalCommand::Backup { file: absolute(file)? }),
        Command::Check(options) => local(options, LocalCommand::Check),
        Command::WhatIf { what, options } => {
            let form = what.format;
            say(answered(options, what.command()?, foresee::bar())?, form)
        }
        Command::WhoCan { what, options } => {
            let form = what.format;
            say(answered(options, what.command()?, foresee::bar())?, form)
        }
        Command::Evaluate { file } => judge(&file),
        Command::SshKeys(options) => authorized_keys(&options),
        Command::Test { paths, format } => test(&paths, format),
        Command::Completions { shell } => Ok(manual::completions(shell, &mut io::stdout().lock()).map(|()| ExitCode::SUCCESS)?),
        Command::Man { dir: None } => Ok(manual::man(&mut io::stdout().lock()).map(|()| ExitCode::SUCCESS)?),
        Command::Man { dir: Some(folder) } => Ok(manual::man_pages(&folder).map(|()| ExitCode::SUCCESS)?),
    }
}

/// Prints what a server says of a key, or of a user's keys.
fn authorized_keys(options: &SshKeysOptions) -> Result<ExitCode, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut out = io::stdout().lock();
    for line in runtime.block_on(ssh_keys::lines(options, environment()))? {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Judges the cases of a file, or of standard input.
fn judge(file: &Path) -> Result<ExitCode, Failed> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let sound = if file == Path::new("-") {
        evaluate::run(io::stdin().lock(), &mut out)?
    } else {
        let cases = std::fs::File::open(file).map_err(|error| Failed(format!("{}: {error}", file.display())))?;
        evaluate::run(cases, &mut out)?
    };
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs tests of policies. AWS's own policies are known by their ARNs.
fn test(paths: &[PathBuf], format: ReportFormat) -> Result<ExitCode, Failed> {
    let of_aws = |arn: &str| identities::managed_policy(&arn.parse().ok()?).map(|policy| policy.document);
    let report = policy_tests::run(paths, of_aws);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let format = match format {
        ReportFormat::Human => policy_tests::Format::Human,
        ReportFormat::Junit => policy_tests::Format::Junit,
        ReportFormat::Json => policy_tests::Format::Json,
    };
    report.write(format, &mut out)?;
    out.flush()?;
    Ok(ExitCode::from(report.status()))
}

/// The configuration, with its logging begun.
fn configured(options: &BTreeMap<&'static str, String>) -> Result<Config, Failed> {
    let config = Config::read(options, environment())?;
    logs::init(config.log_format, config.log_level);
    Ok(config)
}

/// The one place where the environment is read.
fn environment() -> std::env::VarsOs {
    std::env::vars_os()
}

/// The text of a file, or of standard input.
fn text_of(file: &Path) -> Result<String, Failed> {
    let named = |error: io::Error| Failed(format!("{}: {error}", file.display()));
    if file == Path::new("-") {
        io::read_to_string(io::stdin().lock()).map_err(named)
    } else {
        std::fs::read_to_string(file).map_err(named)
    }
}

/// A server that takes the command may have another working directory.
fn absolute(file: PathBuf) -> io::Result<PathBuf> {
    std::path::absolute(file)
}

fn local(options: DirOptions, command: LocalCommand) -> Result<ExitCode, Failed> {
    say(answered(options, command, Arc::new(|_| {}))?, Form::Table)
}

fn answered(DirOptions(options): DirOptions, command: LocalCommand, tell: Tell) -> Result<LocalAnswer, Failed> {
    let config = configured(&options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    Ok(runtime.block_on(local::run(&config.data_dir, command, tell, async |dir| serve::open(&config, dir).await))?)
}

fn say(answer: LocalAnswer, form: Form) -> Result<ExitCode, Failed> {
    let mut out = io::stdout().lock();
    let mut code = ExitCode::SUCCESS;
    match answer {
        LocalAnswer::AccountCreated(RootKey { account, access_key_id, secret_access_key })
        | LocalAnswer::RootReset(RootKey { account, access_key_id, secret_access_key }) => {
            show_key(&mut out, &account, &access_key_id, &secret_access_key)?;
        }
        LocalAnswer::OneTimeCode(OneTimeCode { to, code }) => writeln!(out, "{to}\t{}", code.expose())?,
        LocalAnswer::ServiceKeyed(ServiceKey { service, access_key_id, secret_access_key }) => {
            show_key(&mut out, &service, &access_key_id, &secret_access_key)?;
        }
        LocalAnswer::Services(services) => {
            for service in services {
                let hosts: Vec<&str> = service.hosts.iter().map(ServiceHost::as_str).collect();
                writeln!(out, "{}\t{}", service.name, hosts.join(" "))?;
            }
        }
        LocalAnswer::Templates(templates) => {
            for template in templates {
                writeln!(out, "{}\t{}", template.arn, template.product)?;
            }
        }
        LocalAnswer::ServiceRemoved | LocalAnswer::TemplateKept | LocalAnswer::TemplateRemoved => {}
        LocalAnswer::Accounts(accounts) => {
            for account in accounts {
                writeln!(out, "{}\t{}\t{}", account.id, account.name, account.email)?;
            }
        }
        LocalAnswer::Explained(explanation) => writeln!(out, "{explanation:#}")?,
        LocalAnswer::BackedUp { bytes, revision } => writeln!(out, "{bytes} bytes, revision {revision}")?,
        LocalAnswer::Checked { records, problems } => {
            for problem in &problems {
                writeln!(out, "{problem}")?;
            }
            if problems.is_empty() {
                writeln!(out, "{records} records, no problems")?;
            } else {
                writeln!(out, "{records} records, {} problems", problems.len())?;
                code = ExitCode::FAILURE;
            }
        }
        LocalAnswer::Foreseen(forecast) => {
            foresee::show_forecast(&forecast, form, &mut out)?;
            if forecast.lost > 0 || forecast.gained > 0 {
                code = ExitCode::from(2);
            }
        }
        LocalAnswer::Able(able) => foresee::show_abilities(&able, form, &mut out)?,
    }
    out.flush()?;
    Ok(code)
}

/// Whose key it is, and the lines that a shell takes.
fn show_key(out: &mut impl io::Write, whose: &impl fmt::Display, id: &AccessKeyId, secret: &Secret) -> io::Result<()> {
    writeln!(out, "{whose}")?;
    writeln!(out, "export AWS_ACCESS_KEY_ID={id}")?;
    writeln!(out, "export AWS_SECRET_ACCESS_KEY={}", quoted(secret.expose()))
}

/// A word as every POSIX shell reads it: bare where it can be, else between single quotes.
fn quoted(word: &str) -> String {
    if word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-.".contains(&byte)) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
