//! Options, variables and the file, laid over each other: what each key is set to, and by whom.
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{
    ConfigError, Secret,
    keys::{self, KEYS, Key, Kind, PREFIX},
};

/// A configuration file is no longer than this, in bytes.
const FILE_LIMIT: u64 = 1024 * 1024;

/// Who set a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An option of the command line, with its dashes.
    Option(String),
    /// A variable of the environment.
    Variable(String),
    /// A line of the file.
    File {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: &'static str,
    },
    /// Nobody.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Option(name) | Source::Variable(name) => f.write_str(name),
            Source::File { file, line, key } => write!(f, "{}, line {line}: {key}", file.display()),
            Source::Default => f.write_str("default"),
        }
    }
}

/// A value, as it was written, and who set it.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) value: Secret,
    pub(super) source: Source,
}

/// What every key is set to.
#[derive(Debug, Default)]
pub(super) struct Layers {
    given: BTreeMap<&'static str, Given>,
}

impl Layers {
    /// Lays options over variables over the file. All that is wrong with the names is gathered in `errors`.
    pub(super) fn read(
        options: &BTreeMap<&'static str, String>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        errors: &mut Vec<ConfigError>,
    ) -> Layers {
        let mut above = Layers::default();
        for (name, value) in environment {
            above.variable(&name, value, errors);
        }
        for (&name, value) in options {
            above.option(name, value);
        }
        let mut layers = Layers::default();
        if let Some(file) = above.given.get(keys::CONFIG.name) {
            layers.file(Path::new(file.value.expose()), errors);
        }
        layers.given.extend(above.given);
        layers
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Given> {
        self.given.get(key.name)
    }

    fn option(&mut self, name: &str, value: &str) {
        if let Some(key) = KEYS.iter().find(|key| key.name == name)
            && let Some(option) = key.option()
        {
            self.given.insert(key.name, Given { value: Secret::new(value.to_owned()), source: Source::Option(format!("--{option}")) });
        }
    }

    fn variable(&mut self, name: &OsString, value: OsString, errors: &mut Vec<ConfigError>) {
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) {
            return;
        }
        let source = Source::Variable(name.to_string());
        let Some(key) = KEYS.iter().find(|key| key.variable() == name) else {
            return errors.push(ConfigError::UnknownVariable { name: name.into_owned() });
        };
        match value.into_string() {
            Ok(value) => drop(self.given.insert(key.name, Given { value: Secret::new(value), source })),
            Err(_) => errors.push(ConfigError::Invalid { by: Box::new(source), value: None, why: "it is not UTF-8".to_owned() }),
        }
    }

    fn file(&mut self, file: &Path, errors: &mut Vec<ConfigError>) {
        let text = match read_bounded(file, FILE_LIMIT) {
            Ok(text) => text,
            Err(error) => return errors.push(ConfigError::Unreadable { file: file.to_owned(), error }),
        };
        let line_of = |at: usize| text.expose().bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        let table = match DeTable::parse(text.expose()) {
            Ok(table) => table,
            Err(error) => {
                // Its Display would show the line, which may hold a secret.
                let line = error.span().map_or(1, |span| line_of(span.start));
                return errors.push(ConfigError::NotToml { file: file.to_owned(), line, why: error.message().to_owned() });
            }
        };
        for (name, value) in table.get_ref() {
            let line = line_of(name.span().start);
            let Some(key) = KEYS.iter().find(|key| key.name == name.get_ref().as_ref() && key.in_file()) else {
                errors.push(ConfigError::UnknownKey { file: file.to_owned(), line, key: name.get_ref().to_string() });
                continue;
            };
            let source = Source::File { file: file.to_owned(), line, key: key.name };
            match text_of(key, value.get_ref()) {
                Some(value) => drop(self.given.insert(key.name, Given { value: Secret::new(value), source })),
                None => {
                    let why = format!("it must be {}", expected(key.kind));
                    errors.push(ConfigError::Invalid { by: Box::new(source), value: None, why });
                }
            }
        }
    }
}

/// The value of a key in the file, where it has the type that the key wants.
fn text_of(key: &Key, value: &DeValue<'_>) -> Option<String> {
    match (key.kind, value) {
        (Kind::Text | Kind::Path | Kind::Choice(_) | Kind::Size, DeValue::String(text)) => Some(text.to_string()),
        (Kind::Number | Kind::Size, DeValue::Integer(number)) if number.radix() == 10 => Some(number.as_str().replace('_', "")),
        (Kind::Flag, DeValue::Boolean(flag)) => Some(flag.to_string()),
        _ => None,
    }
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Path | Kind::Choice(_) => "a string",
        Kind::Flag => "true or false",
        Kind::Number => "a whole number",
        Kind::Size => "a whole number of bytes, or a string like \"64MiB\"",
    }
}

/// The text of a file that is no longer than `limit` bytes.
pub(super) fn read_bounded(file: &Path, limit: u64) -> io::Result<Secret> {
    use std::io::Read as _;
    let mut text = Secret::new(String::new());
    let read = fs::File::open(file)?.take(limit + 1).read_to_string(text.buffer())?;
    if read as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is longer than {limit} bytes")));
    }
    Ok(text)
}
