//! Paging with `Marker` and `MaxItems`. A marker says where the next page begins, so writes between pages skip and repeat nothing.
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html>.

use crate::Error;
use store::Marker;
use wire::{Int, Shape, Text};

/// A marker as it crosses the wire; what is in it is ours.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, pattern = r"[\u0020-\u00FF]+")]
pub(crate) struct MarkerText(Box<str>);

/// What a list is asked with.
#[derive(Shape)]
pub(crate) struct Page {
    marker: Option<MarkerText>,
    #[shape(default)]
    max_items: Int<1, 1000, 100>,
}

/// How a list ends.
#[derive(Shape)]
pub(crate) struct NextPage {
    is_truncated: bool,
    marker: Option<MarkerText>,
}

impl Page {
    /// Where to begin.
    pub fn after(&self) -> Result<Option<Marker>, Error> {
        self.marker.as_ref().map(|marker| marker.as_str().parse().map_err(|_| Error::InvalidMarker)).transpose()
    }

    /// How many fit.
    pub fn limit(&self) -> usize {
        usize::try_from(self.max_items.0).unwrap_or(100)
    }

    /// A page of what is all at hand, such as the few things that one entity may have: `key` orders it, and is never empty.
    pub fn of_all<T>(&self, mut all: Vec<T>, key: impl Fn(&T) -> String) -> Result<(Vec<T>, NextPage), Error> {
        all.sort_by_cached_key(&key);
        if let Some(after) = self.after()? {
            all.retain(|item| key(item).as_bytes() > after.entry());
        }
        let more = all.len() > self.limit();
        all.truncate(self.limit());
        let next = all.last().filter(|_| more).map(|last| Marker::after(key(last).into_bytes()));
        Ok((all, next.into()))
    }
}

impl From<Option<Marker>> for NextPage {
    fn from(next: Option<Marker>) -> Self {
        let marker = next.and_then(|next| next.to_string().parse().ok());
        NextPage { is_truncated: marker.is_some(), marker }
    }
}
