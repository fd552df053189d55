//! Several lists, one after the other, under one marker and one `MaxItems`: the marker says in which list the next page begins, and where.
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html>.

use crate::Error;
use crate::page::{NextPage, Page};
use store::{Marker, Mode, Record, Span, StoreError, Tx};

/// A page that is being filled from several lists.
pub(crate) struct Lists {
    /// The list that the page begins in.
    begin: u8,
    /// Where in it: what the entry of the last one shown has over its span's prefix.
    after: Vec<u8>,
    left: usize,
    next: Option<Marker>,
}

impl Lists {
    /// Begins where `page` says.
    pub fn of(page: &Page) -> Result<Self, Error> {
        let (begin, after) = match page.after()? {
            None => (0, Vec::new()),
            Some(marker) => match marker.entry().split_first() {
                Some((begin, after)) => (*begin, after.to_vec()),
                None => return Err(Error::InvalidMarker),
            },
        };
        Ok(Lists { begin, after, left: page.limit(), next: None })
    }

    /// What of the list `nth`, which is `span`, belongs to the page. `prefix` is what all entries of the span begin with: a marker does not
    /// repeat it, for it may be longer than markers are.
    pub async fn scan<R: Record, M: Mode>(
        &mut self,
        tx: &Tx<M>,
        (nth, span, prefix): (u8, Span<R>, &[u8]),
        keep: impl Fn(&R) -> bool,
    ) -> Result<Vec<R>, StoreError> {
        if self.next.is_some() || nth < self.begin {
            return Ok(Vec::new());
        }
        let after = (nth == self.begin && !self.after.is_empty()).then(|| Marker::after([prefix, &self.after].concat()));
        if self.left == 0 {
            let more = tx.scan(span, None, 1, keep).await?;
            if !more.records.is_empty() || more.next.is_some() {
                self.next = Some(Marker::after(vec![nth]));
            }
            return Ok(Vec::new());
        }
        let page = tx.scan(span, after.as_ref(), self.left, keep).await?;
        self.left = self.left.saturating_sub(page.records.len());
        self.next = page.next.map(|next| Marker::after([&[nth], next.entry().strip_prefix(prefix).unwrap_or_default()].concat()));
        Ok(page.records)
    }

    /// Where the list `nth` goes on, if it is its turn: after this place, which is empty at its beginning.
    pub fn turn(&self, nth: u8) -> Option<Vec<u8>> {
        if self.next.is_some() || nth < self.begin {
            return None;
        }
        Some(if nth == self.begin { self.after.clone() } else { Vec::new() })
    }

    /// Takes room for one more, if there is any.
    pub fn takes_one(&mut self) -> bool {
        let has_room = self.left > 0;
        self.left = self.left.saturating_sub(1);
        has_room
    }

    /// Ends the page: the next one begins after this place in the list `nth`, whatever was to come.
    pub fn end_after(&mut self, nth: u8, place: &[u8]) {
        self.next = Some(Marker::after([&[nth], place].concat()));
    }

    /// How the answer ends.
    pub fn end(self) -> NextPage {
        self.next.into()
    }
}
