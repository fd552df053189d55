//! The place where a page ended, as a client is given it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::str::FromStr;

/// The place after a record in an order. It stays good whatever is written meanwhile, also when that record goes. Its text is opaque.
///
/// A marker that a client made up is only another place in the same list: a scan never leaves its span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker(pub(crate) Vec<u8>);

/// A text that is not a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a marker")]
pub struct NotAMarker;

impl Marker {
    /// The place after `entry`, given as the bytes of its [`crate::KeyPart`].
    pub fn after(entry: Vec<u8>) -> Marker {
        Marker(entry)
    }

    /// What [`Marker::after`] was given.
    pub fn entry(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl FromStr for Marker {
    type Err = NotAMarker;
    fn from_str(text: &str) -> Result<Marker, NotAMarker> {
        URL_SAFE_NO_PAD.decode(text).map(Marker).map_err(|_| NotAMarker)
    }
}
