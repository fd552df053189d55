//! Values are parsed once, here; what is wrong with one is said with its source.
use std::{fmt, net::SocketAddr, net::ToSocketAddrs, path::PathBuf};

use super::{
    ConfigError,
    keys::{Key, Kind},
    layers::{Given, Layers, Source},
};

/// HOST:PORT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    text: String,
    source: Source,
}

impl Listen {
    /// The addresses that it means now.
    ///
    /// # Errors
    /// Where the host has no address.
    pub fn resolve(&self) -> Result<Vec<SocketAddr>, ConfigError> {
        let invalid = |why: String| ConfigError::Invalid { by: Box::new(self.source.clone()), value: Some(self.text.clone()), why };
        let addresses: Vec<SocketAddr> =
            self.text.to_socket_addrs().map_err(|error| invalid(format!("the host has no address: {error}")))?.collect();
        if addresses.is_empty() { Err(invalid("the host has no address".to_owned())) } else { Ok(addresses) }
    }

    pub(super) fn parse(text: &str, source: &Source) -> Result<Listen, String> {
        let form = || "it must be HOST:PORT, like 127.0.0.1:7650 or [::1]:7650".to_owned();
        let (host, port) = text.rsplit_once(':').ok_or_else(form)?;
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.is_empty() || port.parse::<u16>().is_err() || (host.contains(':') && !bracketed) {
            return Err(form());
        }
        Ok(Listen { text: text.to_owned(), source: source.clone() })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Takes values out of the layers, and gathers what is wrong with them.
pub(super) struct Values<'a> {
    pub(super) layers: &'a Layers,
    pub(super) errors: &'a mut Vec<ConfigError>,
}

impl Values<'_> {
    /// What a key is set to, parsed; the default where it is not set; nothing where there is none, or it is wrong.
    pub(super) fn parsed<T>(&mut self, key: &'static Key, parse: impl Fn(&str, &Source) -> Result<T, String>) -> Option<T> {
        let default;
        let given = match (self.layers.get(key), key.default) {
            (Some(given), _) => given,
            (None, Some(text)) => {
                default = Given { value: super::Secret::new(text.to_owned()), source: Source::Default };
                &default
            }
            (None, None) => return None,
        };
        let text = given.value.expose();
        let result = if text.is_empty() { Err("it is empty".to_owned()) } else { parse(text, &given.source) };
        match result {
            Ok(value) => Some(value),
            Err(why) => {
                self.errors.push(invalid(key, given, why));
                None
            }
        }
    }

    pub(super) fn text(&mut self, key: &'static Key) -> Option<String> {
        self.parsed(key, |text, _| Ok(text.to_owned()))
    }

    pub(super) fn path(&mut self, key: &'static Key) -> Option<PathBuf> {
        self.parsed(key, |text, _| Ok(PathBuf::from(text)))
    }

    pub(super) fn flag(&mut self, key: &'static Key) -> Option<bool> {
        self.parsed(key, |text, _| match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("it must be true or false".to_owned()),
        })
    }

    pub(super) fn number(&mut self, key: &'static Key, least: u32, most: u32) -> Option<u32> {
        self.parsed(key, |text, _| match text.parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(format!("it must be a whole number from {least} to {most}")),
        })
    }

    pub(super) fn size(&mut self, key: &'static Key, least: u64, most: u64) -> Option<u64> {
        self.parsed(key, |text, _| match bytes(text) {
            Some(size) if (least..=most).contains(&size) => Ok(size),
            _ => Err(format!("it must be a number of bytes from {} to {}, like 64MiB", Bytes(least), Bytes(most))),
        })
    }

    /// One of the words that the key allows.
    pub(super) fn choice<T>(&mut self, key: &'static Key, meanings: &[T]) -> Option<T>
    where
        T: Copy,
    {
        let words = match key.kind {
            Kind::Choice(words) => words,
            Kind::Text | Kind::Path | Kind::Flag | Kind::Number | Kind::Size => &[],
        };
        self.parsed(key, |text, _| {
            let found = words.iter().zip(meanings).find(|(word, _)| **word == text);
            found.map(|(_, meaning)| *meaning).ok_or_else(|| format!("it must be one of {}", words.join(", ")))
        })
    }
}

impl Values<'_> {
    /// `one` is set, and means nothing without `other`.
    pub(super) fn half(&mut self, one: &Key, other: &'static Key) {
        // Where the other one is set but wrong, that has been said.
        if self.layers.get(other).is_none()
            && let Some(one) = self.layers.get(one)
        {
            self.errors.push(ConfigError::Half { given: one.source.to_string(), missing: other });
        }
    }

    /// Both are set, and exclude each other.
    pub(super) fn twice(&mut self, one: &Key, other: &Key) {
        if let (Some(one), Some(other)) = (self.layers.get(one), self.layers.get(other)) {
            self.errors.push(ConfigError::Twice { one: one.source.to_string(), other: other.source.to_string() });
        }
    }
}

/// What is wrong with a value. A secret one is not repeated.
pub(super) fn invalid(key: &Key, given: &Given, why: String) -> ConfigError {
    let value = (!key.secret).then(|| given.value.expose().to_owned());
    ConfigError::Invalid { by: Box::new(given.source.clone()), value, why }
}

const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// A number of bytes, written with its largest fitting unit.
pub(super) struct Bytes(pub(super) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, size)| self.0 >= *size && self.0.is_multiple_of(*size)) {
            Some((unit, size)) => write!(f, "{}{unit}", self.0 / size),
            None => write!(f, "{}", self.0),
        }
    }
}

fn bytes(text: &str) -> Option<u64> {
    let (number, unit) =
        UNITS.iter().find_map(|(unit, size)| text.strip_suffix(unit).map(|number| (number.trim_end(), *size))).unwrap_or((text, 1));
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units_and_no_signs() {
        assert_eq!(bytes("64MiB"), Some(64 << 20));
        assert_eq!(bytes("2 GiB"), Some(2 << 30));
        assert_eq!(bytes("1048576"), Some(1 << 20));
        for wrong in ["", "64MB", "-1", "+1", "1.5GiB", "MiB", "99999999999GiB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
        assert_eq!(Bytes(64 << 20).to_string(), "64MiB");
        assert_eq!(Bytes(1000).to_string(), "1000");
    }

    #[test]
    fn a_listen_address_is_a_host_and_a_port() {
        for right in ["127.0.0.1:7650", "[::1]:0", "localhost:80"] {
            assert!(Listen::parse(right, &Source::Default).is_ok(), "{right}");
        }
        for wrong in ["7650", ":7650", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "::1:7650", "http://localhost"] {
            assert!(Listen::parse(wrong, &Source::Default).is_err(), "{wrong}");
        }
    }
}
