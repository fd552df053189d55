//! What is said about the first account, for starts without a person. It is read only where it is used: while the store is empty.
use std::path::Path;

use arn::{AccessKeyId, AccountId};

use super::{
    ConfigError, Secret,
    keys::{self, Key},
    layers::{Given, Layers, Source, read_bounded},
    values::invalid,
};

/// A file that holds one of these values is no longer than this, in bytes.
const FILE_LIMIT: u64 = 64 * 1024;

/// A value of the first account, and who set it, for the warning that it is ignored once there is an account.
#[derive(Debug, Clone)]
pub struct Named<T> {
    /// The value.
    pub value: T,
    /// The option, variable or line that sets it.
    pub source: Source,
}

/// What is known about the first account beforehand; what is `None` is made up at the first start.
#[derive(Debug, Clone, Default)]
pub struct FirstAccount {
    /// Its 12 digits.
    pub id: Option<Named<AccountId>>,
    /// Its root user's e-mail address.
    pub email: Option<Named<String>>,
    /// Its root user's password.
    pub password: Option<Named<Secret>>,
    /// The id of its root user's access key. With it there is always a secret.
    pub key_id: Option<Named<AccessKeyId>>,
    /// The secret of its root user's access key.
    pub key_secret: Option<Named<Secret>>,
}

/// The five settings, not yet read.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    id: Option<Setting>,
    email: Option<Setting>,
    password: Option<Setting>,
    key_id: Option<Setting>,
    key_secret: Option<Setting>,
}

#[derive(Debug, Clone)]
struct Setting {
    key: &'static Key,
    given: Given,
    in_file: bool,
}

impl Settings {
    pub(super) fn new(layers: &Layers, errors: &mut Vec<ConfigError>) -> Settings {
        let mut setting = |key: &'static Key, file: &'static Key| match (layers.get(key), layers.get(file)) {
            (Some(one), Some(other)) => {
                errors.push(ConfigError::Twice { one: one.source.to_string(), other: other.source.to_string() });
                None
            }
            (Some(given), None) => Some(Setting { key, given: given.clone(), in_file: false }),
            (None, Some(given)) => Some(Setting { key, given: given.clone(), in_file: true }),
            (None, None) => None,
        };
        let settings = Settings {
            id: setting(&keys::ACCOUNT_ID, &keys::ACCOUNT_ID_FILE),
            email: setting(&keys::ROOT_EMAIL, &keys::ROOT_EMAIL_FILE),
            password: setting(&keys::ROOT_PASSWORD, &keys::ROOT_PASSWORD_FILE),
            key_id: setting(&keys::ROOT_ACCESS_KEY_ID, &keys::ROOT_ACCESS_KEY_ID_FILE),
            key_secret: setting(&keys::ROOT_SECRET_ACCESS_KEY, &keys::ROOT_SECRET_ACCESS_KEY_FILE),
        };
        match (&settings.key_id, &settings.key_secret) {
            (Some(one), None) => {
                errors.push(ConfigError::Half { given: one.given.source.to_string(), missing: &keys::ROOT_SECRET_ACCESS_KEY })
            }
            (None, Some(one)) => errors.push(ConfigError::Half { given: one.given.source.to_string(), missing: &keys::ROOT_ACCESS_KEY_ID }),
            (Some(_), Some(_)) | (None, None) => {}
        }
        settings
    }

    pub(super) fn names_key(&self) -> bool {
        self.key_id.is_some()
    }

    pub(super) fn read(&self) -> Result<FirstAccount, ConfigError> {
        Ok(FirstAccount {
            id: read(self.id.as_ref(), |text| text.parse().map_err(|_| "it must be 12 digits".to_owned()))?,
            email: read(self.email.as_ref(), email)?,
            password: read(self.password.as_ref(), |text| {
                let length = text.chars().count();
                if (8..=128).contains(&length) {
                    Ok(Secret::new(text.to_owned()))
                } else {
                    Err("it must have 8 to 128 characters".to_owned())
                }
            })?,
            key_id: read(self.key_id.as_ref(), |text| {
                text.parse().map_err(|_| "it must be 16 to 128 letters of ASCII, digits and underscores".to_owned())
            })?,
            key_secret: read(self.key_secret.as_ref(), |text| {
                if text.chars().count() >= 40 && !text.contains(char::is_whitespace) {
                    Ok(Secret::new(text.to_owned()))
                } else {
                    Err("it must have 40 characters or more, without white space".to_owned())
                }
            })?,
        })
    }
}

fn read<T>(setting: Option<&Setting>, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<Named<T>>, ConfigError> {
    let Some(Setting { key, given, in_file }) = setting else { return Ok(None) };
    let source = given.source.clone();
    if *in_file {
        let file = Path::new(given.value.expose());
        let invalid = |why: String| ConfigError::InvalidFile { by: Box::new(source.clone()), file: file.to_owned(), why };
        let text = read_bounded(file, FILE_LIMIT).map_err(|error| invalid(error.to_string()))?;
        // Editors and `echo` end a file with a line end that nobody means.
        let text = text.expose();
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
        let value = parse(text).map_err(invalid)?;
        return Ok(Some(Named { value, source }));
    }
    let value = parse(given.value.expose()).map_err(|why| invalid(key, given, why))?;
    Ok(Some(Named { value, source }))
}

fn email(text: &str) -> Result<String, String> {
    let fits =
        text.len() <= 254 && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if fits && !text.contains(char::is_whitespace) { Ok(text.to_owned()) } else { Err("it must be an e-mail address".to_owned()) }
}
