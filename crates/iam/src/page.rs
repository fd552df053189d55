//! Paging with `Marker` and `MaxItems`. A marker says where the next page begins, so writes between pages skip and repeat nothing.
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html>.

use crate::Error;
use store::Marker;
use wire::{Int, Shape, Text};

/// A marker as it comes back; what is in it is ours.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 320, pattern = r"[\u0020-\u00FF]+")]
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
    marker: Option<String>,
}

impl Page {
    /// One of a list whose pages are as long as it likes.
    pub fn after_marker(marker: Option<&MarkerText>) -> Self {
        Page { marker: marker.cloned(), max_items: Int::default() }
    }

    /// Where to begin.
    pub fn after(&self) -> Result<Option<Marker>, Error> {
        let Some(text) = &self.marker else { return Ok(None) };
        let marker: Marker = text.as_str().parse().map_err(|_| Error::InvalidMarker)?;
        let (entry, sum) = marker.entry().split_last_chunk().ok_or(Error::InvalidMarker)?;
        if *sum == sum_of(entry) { Ok(Some(Marker::after(entry.to_vec()))) } else { Err(Error::InvalidMarker) }
    }

    /// How many fit.
    pub fn limit(&self) -> usize {
        usize::try_from(self.max_items.0).unwrap_or(100)
    }

    /// A page of what is all at hand, such as the few things that one entity may have: `key` orders it, and is never empty.
    pub fn of_all<T>(&self, mut all: Vec<T>, key: impl Fn(&T) -> String) -> Result<(Vec<T>, NextPage), Error> {
        all.sort_by_cached_key(&key);
        let mut places = places(all.iter().map(&key));
        if let Some(after) = self.after()? {
            let shown = places.partition_point(|place| place.as_slice() <= after.entry());
            all.drain(..shown);
            places.drain(..shown);
        }
        let next = if all.len() > self.limit() { places.into_iter().nth(self.limit() - 1).map(Marker::after) } else { None };
        all.truncate(self.limit());
        Ok((all, next.into()))
    }
}

/// A sum (FNV-1a) that every marker ends with, so that a text that is none is told so. It need not be hard to make up: a place that a client
/// makes up is only another place in the same list.
fn sum_of(entry: &[u8]) -> [u8; 4] {
    entry.iter().fold(0x811c_9dc5u32, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)).to_be_bytes()
}

/// As much of a key as a marker that comes back in 320 characters, 240 bytes, can hold beside its sum, what [`places`] adds and the number of
/// a list.
const MOST: usize = 234;

/// Where each of these keys, which are in order, stands in it: at itself, or, if it is too long, at its beginning and the how-manieth of
/// those that begin so it is.
fn places(keys: impl Iterator<Item = String>) -> Vec<Vec<u8>> {
    let mut places: Vec<Vec<u8>> = Vec::new();
    for key in keys {
        let mut place = key.into_bytes();
        if place.len() > MOST {
            place.truncate(MOST);
            let before = places.iter().rev().take_while(|earlier| earlier.starts_with(&place)).count();
            place.push(u8::try_from(before).unwrap_or(u8::MAX));
        }
        places.push(place);
    }
    places
}

impl NextPage {
    /// The marker, for a list that ends in words of its own.
    pub fn into_marker(self) -> Option<String> {
        self.marker
    }
}

impl From<Option<Marker>> for NextPage {
    fn from(next: Option<Marker>) -> Self {
        let marker = next.map(|next| Marker::after([next.entry(), &sum_of(next.entry())].concat()).to_string());
        NextPage { is_truncated: marker.is_some(), marker }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(after: Option<String>, limit: i64) -> Page {
        Page { marker: after.map(|marker| marker.parse().expect("a marker that a client may send back")), max_items: Int(limit) }
    }

    fn walk(all: &[String], limit: i64) -> Vec<String> {
        let (mut seen, mut after) = (vec![], None);
        loop {
            let (some, next) = page(after, limit).of_all(all.to_vec(), Clone::clone).unwrap();
            assert_eq!(next.is_truncated, next.marker.is_some());
            seen.extend(some);
            after = next.marker;
            if after.is_none() {
                return seen;
            }
        }
    }

    #[test]
    fn every_page_size_shows_everything_once() {
        let mut all: Vec<String> = ["b", "a", "abc", "c"].map(String::from).to_vec();
        all.extend((0..9).map(|n| format!("{}{n}", "鍵".repeat(127))));
        all.push("鍵".repeat(128));
        let mut sorted = all.clone();
        sorted.sort();
        for limit in 1..16 {
            assert_eq!(walk(&all, limit), sorted, "{limit}");
        }
    }

    #[test]
    fn what_goes_between_two_pages_makes_the_next_skip_nothing() {
        let all = ["a", "b", "c", "d"].map(String::from);
        let (_, next) = page(None, 2).of_all(all.to_vec(), Clone::clone).unwrap();
        let (rest, next) = page(next.marker, 2).of_all(vec!["a".into(), "c".into(), "d".into()], Clone::clone).unwrap();
        assert_eq!(rest, ["c", "d"]);
        assert!(!next.is_truncated);
    }

    #[test]
    fn a_marker_that_is_none_is_told() {
        let good = NextPage::from(Some(Marker::after(b"alice".to_vec()))).marker.unwrap();
        assert_eq!(page(Some(good.clone()), 1).after().unwrap(), Some(Marker::after(b"alice".to_vec())));
        let changed = good.replacen(|c: char| c.is_ascii_alphabetic(), "_", 1);
        for bad in ["no marker!", "nonsense", "AAAA", "AAAAAA", "%%%", "-", changed.as_str()] {
            assert!(matches!(page(Some(bad.into()), 1).after(), Err(Error::InvalidMarker)), "{bad}");
        }
    }
}
