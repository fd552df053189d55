//! Times as signatures write them: `20150830T123600Z`.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// The sixteen characters that a string to sign holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp([u8; 16]);

impl Stamp {
    /// Reads the basic format of ISO 8601, UTC, to the second. Returns it with its epoch second.
    pub(crate) fn read(text: &str) -> Option<(Stamp, i64)> {
        let stamp: [u8; 16] = text.as_bytes().try_into().ok()?;
        let [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'] = stamp else { return None };
        let digits = [y1, y2, y3, y4, mo1, mo2, d1, d2, h1, h2, mi1, mi2, s1, s2];
        if !digits.iter().fold(true, |all, digit| all & digit.is_ascii_digit()) {
            return None;
        }
        let two = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
        let (year, month, day) = (two(y1, y2) * 100 + two(y3, y4), two(mo1, mo2), two(d1, d2));
        let (hour, minute, second) = (two(h1, h2), two(mi1, mi2), two(s1, s2));
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let (before, length) = match month {
            1 => (0, 31),
            2 => (31, 28 + i64::from(leap)),
            3 => (59, 31),
            4 => (90, 30),
            5 => (120, 31),
            6 => (151, 30),
            7 => (181, 31),
            8 => (212, 31),
            9 => (243, 30),
            10 => (273, 31),
            11 => (304, 30),
            12 => (334, 31),
            _ => return None,
        };
        if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        // Days before the year by the Gregorian calendar, 719,162 of them before 1970.
        let past = year - 1;
        let years = past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400) - 719_162;
        let days = years + before + i64::from(leap && month > 2) + day - 1;
        Some((Stamp(stamp), days * 86_400 + hour * 3_600 + minute * 60 + second))
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
    fn every_day_of_four_centuries_is_counted_as_the_calendar_does() {
        let mut at = 0;
        for _ in 0..146_100 {
            let (stamp, read) = Stamp::read(&basic(at)).unwrap();
            assert_eq!(read, at, "{}", stamp.as_str());
            at += 86_400 + 1;
        }
        assert!(basic(at).as_str() > "2369");
        assert_eq!(Stamp::read("00010101T000000Z").map(|(_, at)| at), Some(-62_135_596_800));
        assert_eq!(Stamp::read("20240229T235959Z").map(|(_, at)| at), Some(1_709_251_199));
        assert!(Stamp::read("21000229T000000Z").is_none());
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
