//! Paging with `NextToken` and `MaxResults`. A token says where the next page begins, so writes between pages skip and repeat nothing.
//! Source: <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html>.

use crate::Error;
use store::Marker;
use wire::{Int, Shape, Text};

/// A token as it comes back; what is in it is ours.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(max = 100_000, pattern = r"[\s\S]*", quiet)]
pub(crate) struct NextToken(Box<str>);

/// What most lists are asked with.
#[derive(Shape)]
pub(crate) struct Page {
    next_token: Option<NextToken>,
    #[shape(default)]
    max_results: Int<1, 20, 20>,
}

/// How a list ends.
#[derive(Shape)]
pub(crate) struct NextPage {
    next_token: Option<String>,
}

impl Page {
    /// Where to begin.
    pub fn after(&self) -> Result<Option<Marker>, Error> {
        after(self.next_token.as_ref())
    }

    /// How many fit.
    pub fn limit(&self) -> usize {
        usize::try_from(self.max_results.0).unwrap_or(20)
    }

    /// A page of what is all at hand: `key` orders it and is unique.
    pub fn of_all<T>(&self, all: Vec<T>, key: impl Fn(&T) -> String) -> Result<(Vec<T>, NextPage), Error> {
        of_all(self.after()?, self.limit(), all, key)
    }
}

/// Where a list begins that was asked with this token.
pub(crate) fn after(token: Option<&NextToken>) -> Result<Option<Marker>, Error> {
    let Some(text) = token else { return Ok(None) };
    let invalid = || Error::InvalidInput {
        reason: "INVALID_NEXT_TOKEN",
        words: "You specified an invalid value for nextToken. You must get the value from the response to a previous call to the API.",
    };
    let marker: Marker = text.as_str().parse().map_err(|_| invalid())?;
    let (entry, sum) = marker.entry().split_last_chunk().ok_or_else(invalid)?;
    if *sum == sum_of(entry) { Ok(Some(Marker::after(entry.to_vec()))) } else { Err(invalid()) }
}

/// A page of what is all at hand: `key` orders it and is unique.
pub(crate) fn of_all<T>(
    after: Option<Marker>,
    limit: usize,
    mut all: Vec<T>,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, NextPage), Error> {
    all.sort_by_cached_key(&key);
    if let Some(after) = after {
        all.retain(|one| key(one).as_bytes() > after.entry());
    }
    let more = all.len() > limit;
    all.truncate(limit);
    let next = all.last().filter(|_| more).map(|last| Marker::after(key(last).into_bytes()));
    Ok((all, next.into()))
}

impl From<Option<Marker>> for NextPage {
    fn from(next: Option<Marker>) -> Self {
        NextPage { next_token: next.map(|next| Marker::after([next.entry(), &sum_of(next.entry())].concat()).to_string()) }
    }
}

/// A sum (FNV-1a) that every token ends with, so that a text that is none is told so. It need not be hard to make up: a place that a client
/// makes up is only another place in the same list.
fn sum_of(entry: &[u8]) -> [u8; 4] {
    entry.iter().fold(0x811c_9dc5u32, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(token: Option<String>, limit: i64) -> Page {
        Page { next_token: token.map(|token| token.parse().unwrap()), max_results: Int(limit) }
    }

    #[test]
    fn every_page_size_shows_everything_once() {
        let all: Vec<String> = ["b", "a", "abc", "c", "z"].map(String::from).to_vec();
        for limit in 1..7 {
            let (mut seen, mut token) = (vec![], None);
            loop {
                let (some, next) = page(token, limit).of_all(all.clone(), Clone::clone).unwrap();
                seen.extend(some);
                token = next.next_token;
                if token.is_none() {
                    break;
                }
            }
            assert_eq!(seen, ["a", "abc", "b", "c", "z"], "{limit}");
        }
    }

    #[test]
    fn a_token_that_is_none_is_told() {
        for bad in ["no token!", "nonsense", "AAAA", "AAAAAA", ""] {
            assert!(matches!(page(Some(bad.into()), 1).after(), Err(Error::InvalidInput { reason: "INVALID_NEXT_TOKEN", .. })), "{bad}");
        }
    }
}
