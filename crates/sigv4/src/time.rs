//! Times as signatures write them: `20150830T123600Z`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::Offset;

/// The sixteen characters that a string to sign holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp([u8; 16]);

impl Stamp {
    /// Reads the basic format of ISO 8601, UTC, to the second. Returns it with its epoch second.
    pub(crate) fn read(text: &str) -> Option<(Stamp, i64)> {
        let stamp: [u8; 16] = text.as_bytes().try_into().ok()?;
        let [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'] = stamp else { return None };
        let two = |tens: u8, ones: u8| {
            (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| ((tens - b'0') * 10 + (ones - b'0')).cast_signed())
        };
        let year = i16::from(two(y1, y2)?) * 100 + i16::from(two(y3, y4)?);
        let time = DateTime::new(year, two(mo1, mo2)?, two(d1, d2)?, two(h1, h2)?, two(mi1, mi2)?, two(s1, s2)?, 0).ok()?;
        Some((Stamp(stamp), Offset::UTC.to_timestamp(time).ok()?.as_second()))
    }

    /// Reads the value of a `Date` header: as above, or as HTTP writes dates.
    pub(crate) fn read_date_header(text: &str) -> Option<(Stamp, i64)> {
        Stamp::read(text).or_else(|| {
            let at = DateTimeParser::new().parse_timestamp(text).ok()?.as_second();
            Some((Stamp::read(&basic(at))?.0, at))
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The first eight characters: the day.
    pub(crate) fn day(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }
}

/// `20150830T123600Z`.
pub(crate) fn basic(at: i64) -> String {
    written(at, "%Y%m%dT%H%M%SZ")
}

/// `2015-08-30T12:36:00Z`, as S3's error elements write it.
pub(crate) fn extended(at: i64) -> String {
    written(at, "%Y-%m-%dT%H:%M:%SZ")
}

fn written(at: i64, form: &str) -> String {
    let at = Timestamp::from_second(at).unwrap_or(if at < 0 { Timestamp::MIN } else { Timestamp::MAX });
    at.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_basic_format_is_read() {
        assert_eq!(Stamp::read("20150830T123600Z").map(|(_, at)| at), Some(1_440_938_160));
        assert_eq!(Stamp::read("19700101T000000Z").map(|(_, at)| at), Some(0));
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "2015-08-30T12:36:00Z",
            "20150830t123600z",
            "20151330T123600Z",
            "20150229T123600Z",
            "20150830T243600Z",
            "20150830T12360+Z",
            "２0150830T1236Z",
        ] {
            assert!(Stamp::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_date_header_is_read_as_http_writes_it() {
        let (stamp, at) = Stamp::read_date_header("Sun, 30 Aug 2015 12:36:00 GMT").unwrap();
        assert_eq!((stamp.as_str(), at), ("20150830T123600Z", 1_440_938_160));
        assert_eq!(stamp.day(), "20150830");
        assert!(Stamp::read_date_header("yesterday").is_none());
    }

    #[test]
    fn times_beyond_the_calendar_do_not_panic() {
        assert_eq!(basic(1_440_938_160), "20150830T123600Z");
        assert_eq!(extended(1_440_938_160), "2015-08-30T12:36:00Z");
        let _ = (basic(i64::MAX), basic(i64::MIN));
    }
}
