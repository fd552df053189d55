//! Values of conditions that are more than text: numbers, times, booleans, bytes, networks. Reading one from a request allocates nothing.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use jiff::civil::Date;

/// A decimal number of any size, compared exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal(Box<str>);

/// A decimal number taken apart. Zero is never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DecimalParts<'a> {
    negative: bool,
    /// Without leading zeros.
    whole: &'a str,
    /// Without trailing zeros.
    fraction: &'a str,
}

impl Decimal {
    pub(crate) fn read(text: &str) -> Option<Decimal> {
        Decimal::parts(text).map(|_| Decimal(text.into()))
    }

    /// `-12.50`: digits, at most one sign and one point with digits on both its sides.
    pub(crate) fn parts(text: &str) -> Option<DecimalParts<'_>> {
        let (negative, digits) = match text.strip_prefix(['-', '+']) {
            Some(digits) => (text.starts_with('-'), digits),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || fraction.is_some_and(|fraction| !is_number(fraction)) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.unwrap_or_default().trim_end_matches('0');
        Some(DecimalParts { negative: negative && !(whole.is_empty() && fraction.is_empty()), whole, fraction })
    }

    pub(crate) fn as_parts(&self) -> DecimalParts<'_> {
        Decimal::parts(&self.0).unwrap_or(DecimalParts { negative: false, whole: "", fraction: "" })
    }
}

impl Ord for DecimalParts<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |one: &Self, other: &Self| {
            let whole = one.whole.len().cmp(&other.whole.len()).then_with(|| one.whole.cmp(other.whole));
            whole.then_with(|| one.fraction.cmp(other.fraction))
        };
        match (self.negative, other.negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for DecimalParts<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A point in time, exact to the nanosecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant {
    /// Since 1970.
    seconds: i64,
    nanos: u32,
}

impl Instant {
    /// A date of <https://www.w3.org/TR/NOTE-datetime> (year, month, day, or a time with its zone), or seconds since 1970. Four digits are a year.
    pub(crate) fn read(text: &str) -> Option<Instant> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && text.len() != 4 {
            return text.parse().ok().map(|seconds| Instant { seconds, nanos: 0 });
        }
        let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
        let mut fields = date.split('-');
        let year = number(fields.next()?, 4)?;
        let month = fields.next().map(|text| number(text, 2));
        let day = fields.next().map(|text| number(text, 2));
        if fields.next().is_some() || (time.is_some() && day.is_none()) {
            return None;
        }
        let (month, day) = (month.unwrap_or(Some(1))?, day.unwrap_or(Some(1))?);
        let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        let days = i64::from(date.since(Date::constant(1970, 1, 1)).ok()?.get_days());
        let Some(time) = time else { return Some(Instant { seconds: days * 86_400, nanos: 0 }) };
        let (time, zone) = zone(time)?;
        let mut fields = time.split(':');
        let (hour, minute) = (number(fields.next()?, 2)?, number(fields.next()?, 2)?);
        let (second, nanos) = match fields.next() {
            None => (0, 0),
            Some(text) => {
                let (second, fraction) = text.split_once('.').map_or((text, None), |(second, fraction)| (second, Some(fraction)));
                (number(second, 2)?, fraction.map_or(Some(0), nanos)?)
            }
        };
        if fields.next().is_some() || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = days * 86_400 + i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second) - zone;
        Some(Instant { seconds, nanos })
    }
}

/// What AWS saves as a date, which is more than [`Instant::read`] makes sense of: parts may be left out at the end, years may be as far off as
/// a signed count of milliseconds reaches, `t` and `z` may be small, and a zone may be hours alone.
pub(crate) fn is_date(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    if !text.contains(['t', '-']) {
        return between(&text, 0..=i64::MAX);
    }
    let (date, time) = text.split_once('t').unwrap_or((&text, ""));
    let (is_before, digits) = date.strip_prefix('-').map_or((false, date), |digits| (true, digits));
    let mut fields = digits.split('-');
    let years = if is_before { 0..=292_275_054 } else { 0..=292_278_993 };
    let is_day = fields.next().is_some_and(|year| between(year, years))
        && fields.next().is_none_or(|month| between(month, 1..=12))
        && fields.next().is_none_or(|day| between(day, 1..=31))
        && fields.next().is_none();
    is_day && (time.is_empty() || is_time_of_day(time))
}

fn is_time_of_day(time: &str) -> bool {
    let mut fields = time.splitn(3, ':');
    let is_hour = fields.next().is_some_and(|hour| between(hour, 0..=23)) && fields.next().is_none_or(|minute| between(minute, 0..=59));
    let Some(rest) = fields.next() else { return is_hour };
    let (seconds, is_zone) = match rest.split_once(['z', '+', '-']) {
        None => (rest, true),
        Some((seconds, "")) => (seconds, rest.ends_with('z')),
        Some((seconds, zone)) => {
            let (hours, minutes) = zone.split_once(':').map_or((zone, None), |(hours, minutes)| (hours, Some(minutes)));
            let is_two = |text: &str, most: i64| text.len() == 2 && between(text, 0..=most);
            (seconds, is_two(hours, 23) && minutes.is_none_or(|minutes| is_two(minutes, 59)))
        }
    };
    let (whole, fraction) = seconds.split_once('.').map_or((seconds, None), |(whole, fraction)| (whole, Some(fraction)));
    is_hour && is_zone && between(whole, 0..=59) && fraction.is_none_or(|fraction| between(fraction, 0..=999_999_999))
}

/// Digits, and nothing else, of a number in this range.
fn between(text: &str, range: std::ops::RangeInclusive<i64>) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse().is_ok_and(|number| range.contains(&number))
}

/// Exactly so many digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let right = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if right { text.parse().ok() } else { None }
}

/// The digits behind a point; those behind the ninth are not looked at.
fn nanos(fraction: &str) -> Option<u32> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(digits.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

/// Splits a time from its zone, which it must have: `Z` or `+hh:mm`. The zone in seconds.
fn zone(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let (time, zone) = time.split_at_checked(time.len().checked_sub(6)?)?;
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours < 24 && minutes < 60).then(|| (time, sign * i64::from(hours * 3_600 + minutes * 60)))
}

/// `true` or `false`, in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match () {
        () if text.eq_ignore_ascii_case("true") => Some(true),
        () if text.eq_ignore_ascii_case("false") => Some(false),
        () => None,
    }
}

/// `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits behind the mask do not count.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

pub(crate) fn base64(text: &str) -> Option<Box<[u8]>> {
    STANDARD.decode(text).ok().map(Into::into)
}

/// Whether `text` is base64 of these bytes; none if it is no base64.
pub(crate) fn is_base64_of(text: &str, bytes: &[u8]) -> Option<bool> {
    let mut rest = bytes;
    let mut equal = true;
    let chunks = text.as_bytes().chunks(4);
    let last = chunks.len().saturating_sub(1);
    for (at, chunk) in chunks.enumerate() {
        let mut buffer = [0; 3];
        let length = STANDARD.decode_slice(chunk, &mut buffer).ok()?;
        // Padding ends a text.
        if chunk.len() < 4 || (length < 3 && at != last) {
            return None;
        }
        let decoded = buffer.get(..length)?;
        match rest.strip_prefix(decoded) {
            Some(after) => rest = after,
            None => equal = false,
        }
    }
    Some(equal && rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_compare_exactly() {
        let ordered = [
            "-100",
            "-10.5",
            "-10.49",
            "-1",
            "0",
            "0.01",
            "0.1",
            "1",
            "1.5",
            "9",
            "10",
            "100000000000000000000000000",
            "100000000000000000000000001",
        ];
        for (at, one) in ordered.iter().enumerate() {
            for (beside, other) in ordered.iter().enumerate() {
                assert_eq!(Decimal::parts(one).unwrap().cmp(&Decimal::parts(other).unwrap()), at.cmp(&beside), "{one} {other}");
            }
        }
        for (one, other) in [("1", "1.0"), ("01", "1"), ("-0", "0"), ("+5", "5"), ("0.50", "0.5"), ("-0.0", "0")] {
            assert_eq!(Decimal::parts(one).unwrap(), Decimal::parts(other).unwrap(), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_decimal_is_none() {
        for text in ["", "-", ".5", "5.", "1e3", " 1", "1 ", "1,5", "0x10", "--1", "1.2.3", "٣", "NaN"] {
            assert_eq!(Decimal::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn times_are_read_in_every_form_of_the_note() {
        let at = |text: &str| Instant::read(text).map(|instant| (instant.seconds, instant.nanos));
        assert_eq!(at("1970"), Some((0, 0)));
        assert_eq!(at("1970-02"), Some((31 * 86_400, 0)));
        assert_eq!(at("2000-03-01"), Some((951_868_800, 0)));
        assert_eq!(at("1997-07-16T19:20+01:00"), Some((869_077_200, 0)));
        assert_eq!(at("1997-07-16T19:20:30Z"), Some((869_080_830, 0)));
        assert_eq!(at("1997-07-16T19:20:30.45-01:30"), Some((869_086_230, 450_000_000)));
        assert_eq!(at("869080830"), Some((869_080_830, 0)));
        assert_eq!(at("-1"), Some((-1, 0)));
        assert_eq!(at("1969-12-31T23:59:59Z"), Some((-1, 0)));
        assert_eq!(at("2024"), at("2024-01-01T00:00:00Z"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        let texts = [
            "",
            "T",
            "2024-13",
            "2024-02-30",
            "2024-2-3",
            "2024-01-01T",
            "2024-01-01T10:00:00",
            "2024-01-01T24:00:00Z",
            "2024-01-01T10Z",
            "2024-01T10:00Z",
            "2024-01-01 10:00:00Z",
            "2024-01-01T10:00:00.Z",
            "2024-01-01T10:00:60Z",
            "20240101T100000Z",
            "2024-01-01T10:00:00+0100",
            "1.5",
            "-2024-01-01",
            "99999999999999999999",
        ];
        for text in texts {
            assert_eq!(Instant::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn base64_is_compared_by_its_bytes() {
        assert_eq!(is_base64_of("QmluYXJ5", b"Binary"), Some(true));
        assert_eq!(is_base64_of("QmluYXI=", b"Binar"), Some(true));
        assert_eq!(is_base64_of("QmluYXJ5", b"Binarx"), Some(false));
        assert_eq!(is_base64_of("", b""), Some(true));
        assert_eq!(is_base64_of("QmluYXJ5", b"Binary!"), Some(false));
        for text in ["Q", "QmluYXI", "QQ==QmluYXJ5", "QmluYX J5", "!!!!"] {
            assert_eq!(is_base64_of(text, b"Binar"), None, "{text}");
        }
    }

    #[test]
    fn networks_ignore_bits_behind_the_mask() {
        assert!(network("10.1.2.3/8").unwrap().contains(&"10.200.0.1".parse::<IpAddr>().unwrap()));
        assert!(network("203.0.113.9").unwrap().contains(&"203.0.113.9".parse::<IpAddr>().unwrap()));
        assert!(!network("0.0.0.0/0").unwrap().contains(&"::1".parse::<IpAddr>().unwrap()));
        assert_eq!(network("10.0.0.0/33"), None);
        assert_eq!(network("010.0.0.1"), None);
    }
}
