//! Times as records show them, written without a formatter: an event is written on every request.

/// A moment of the Gregorian calendar in UTC.
struct Civil {
    year: i64,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

/// The last second that four digits of year can show, and the first.
const LAST: i64 = 253_402_300_799;

impl Civil {
    /// From seconds since 1970; what lies outside of the years 1970 to 9999 is moved to the nearest end.
    fn at(seconds: i64) -> Civil {
        let seconds = seconds.clamp(0, LAST);
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        // Years that begin in March put the leap day last, so that a month's first day is a linear function of its number.
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Civil {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month: small(month),
            day: small(day_of_year - (153 * shifted_month + 2) / 5 + 1),
            hour: small(rest / 3_600),
            minute: small(rest / 60 % 60),
            second: small(rest % 60),
        }
    }
}

/// A number that the calendar keeps below 100.
fn small(number: i64) -> u8 {
    u8::try_from(number).unwrap_or(0)
}

fn two(out: &mut Vec<u8>, number: u8) {
    out.extend_from_slice(&[b'0' + number / 10 % 10, b'0' + number % 10]);
}

/// `2026-11-24T10:39:00Z`, from seconds since 1970.
pub(crate) fn write_rfc3339(out: &mut Vec<u8>, seconds: i64) {
    let at = Civil::at(seconds);
    two(out, small(at.year / 100));
    two(out, small(at.year % 100));
    out.push(b'-');
    two(out, at.month);
    out.push(b'-');
    two(out, at.day);
    out.push(b'T');
    two(out, at.hour);
    out.push(b':');
    two(out, at.minute);
    out.push(b':');
    two(out, at.second);
    out.push(b'Z');
}

/// `Nov 24, 2026, 10:39:00 AM`, as CloudTrail shows times in the answers of IAM and STS.
pub(crate) fn write_words(out: &mut Vec<u8>, seconds: i64) {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let at = Civil::at(seconds);
    let month = MONTHS.get(usize::from(at.month).saturating_sub(1)).copied().unwrap_or("Jan");
    let hour = if at.hour.is_multiple_of(12) { 12 } else { at.hour % 12 };
    let half = if at.hour < 12 { "AM" } else { "PM" };
    out.extend_from_slice(format!("{month} {}, {}, {hour}:{:02}:{:02} {half}", at.day, at.year, at.minute, at.second).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(write: fn(&mut Vec<u8>, i64), seconds: i64) -> String {
        let mut out = Vec::new();
        write(&mut out, seconds);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        // Every 97,003 seconds for some 130 years: leap years, both kinds of centuries' ends, all hours.
        for seconds in (0..4_200_000_000).step_by(97_003) {
            let expected = jiff::Timestamp::from_second(seconds).unwrap().to_string();
            assert_eq!(shown(write_rfc3339, seconds), expected);
        }
        assert_eq!(shown(write_rfc3339, 951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(shown(write_rfc3339, LAST), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn a_time_outside_of_four_digit_years_does_not_break_the_record() {
        assert_eq!(shown(write_rfc3339, i64::MAX), "9999-12-31T23:59:59Z");
        assert_eq!(shown(write_rfc3339, i64::MIN), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn times_in_answers_are_in_cloudtrails_words() {
        assert_eq!(shown(write_words, 1_405_699_629), "Jul 18, 2014, 4:07:09 PM");
        assert_eq!(shown(write_words, 1_405_641_600), "Jul 18, 2014, 12:00:00 AM");
        assert_eq!(shown(write_words, 1_405_684_805), "Jul 18, 2014, 12:00:05 PM");
    }
}
