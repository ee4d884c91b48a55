//! Time as an argument: moments, lifetimes, and the clock that is passed in.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted. The years 0001
/// to 9999 can be held, since those are the ones that RFC 3339 can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Timestamp(i64);

/// A text is not a moment as RFC 3339 writes it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not an RFC 3339 time such as 2026-01-31T12:00:00Z")]
pub struct TimestampError(String);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The first moment of the year 0001.
    pub const EARLIEST: Self = Self(-62_135_596_800_000);
    /// The last moment of the year 9999.
    pub const LATEST: Self = Self(253_402_300_799_999);

    /// The moment this many milliseconds after the epoch, held within the years 0001 to 9999.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(Self::EARLIEST.0, Self::LATEST.0))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down: what JWT claims and HTTP dates carry.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The same moment without its fraction of a second.
    pub const fn whole_seconds(self) -> Self {
        Self(self.seconds() * 1000)
    }

    /// This moment plus `ttl`, at most the end of the year 9999.
    pub fn plus(self, ttl: Ttl) -> Self {
        Self::from_millis(
            self.0
                .saturating_add(i64::try_from(ttl.millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This moment less `ttl`, at least the beginning of the year 0001.
    pub fn minus(self, ttl: Ttl) -> Self {
        Self::from_millis(
            self.0
                .saturating_sub(i64::try_from(ttl.millis()).unwrap_or(i64::MAX)),
        )
    }

    /// The first whole second from this moment on.
    pub fn next_whole_second(self) -> Self {
        Self::from_millis(self.0.saturating_add(999)).whole_seconds()
    }

    /// The date as HTTP writes it (RFC 9110 section 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub fn http_date(self) -> String {
        let at = self.calendar();
        let weekday = &at.weekday().to_string()[..3];
        let month = &at.month().to_string()[..3];
        let (hour, minute, second) = at.to_hms();
        format!(
            "{weekday}, {:02} {month} {:04} {hour:02}:{minute:02}:{second:02} GMT",
            at.day(),
            at.year()
        )
    }

    fn calendar(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .expect("the constructor keeps to the years 0001 to 9999")
    }
}

/// RFC 3339 in UTC with `Z`; a fraction of three digits only where there is one.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl Timestamp {
    /// As [`Display`](fmt::Display) writes it, without an allocation: every look-up says as of when it is.
    pub fn text(self) -> MomentText {
        let (day, milli) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = date_of(day);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |at: usize, digits: usize, value: i64| {
            let mut left = value;
            for place in text[at..at + digits].iter_mut().rev() {
                *place = b'0' + (left % 10) as u8;
                left /= 10;
            }
        };
        put(0, 4, year);
        put(5, 2, month);
        put(8, 2, day);
        put(11, 2, milli / 3_600_000);
        put(14, 2, milli / 60_000 % 60);
        put(17, 2, milli / 1_000 % 60);
        put(20, 3, milli % 1_000);
        let length = match milli % 1_000 {
            0 => {
                text[19] = b'Z';
                20
            }
            _ => text.len(),
        };
        MomentText { text, length }
    }
}

/// The text of a moment: RFC 3339 in UTC.
#[derive(Debug, Clone, Copy)]
pub struct MomentText {
    text: [u8; 24],
    length: usize,
}

impl MomentText {
    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).expect("digits and marks are ASCII")
    }
}

/// Milliseconds.
const DAY: i64 = 86_400_000;

/// Year, month and day of the Gregorian calendar, of so many days after 1970-01-01. Years begin with
/// March here, so that the day that some have and some have not is the last one of its year.
const fn date_of(days: i64) -> (i64, i64, i64) {
    /// Days from 0000-03-01 to 1970-01-01, and of 400 years.
    const TO_1970: i64 = 719_468;
    const ERA: i64 = 146_097;
    let (era, of_era) = (
        (days + TO_1970).div_euclid(ERA),
        (days + TO_1970).rem_euclid(ERA),
    );
    // Leap days: one in 1,461 days, none in 36,524, and one in 146,097.
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    // March to July, and August to December, have 153 days each.
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    match month < 10 {
        true => (year + era * 400, month + 3, day),
        false => (year + era * 400 + 1, month - 9, day),
    }
}

/// Reads RFC 3339 with any offset, as `xsd:dateTimeStamp` demands; digits beyond the millisecond
/// are cut off.
impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let refused = || TimestampError(text.chars().take(64).collect());
        // RFC 3339 also allows lower case and leap seconds; xsd:dateTimeStamp does not. The parser
        // below takes anything between date and time.
        let upper_case = text.as_bytes().get(10) == Some(&b'T') && !text.contains('z');
        if !upper_case || text.get(16..19) == Some(":60") {
            return Err(refused());
        }
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| refused())?;
        let millis = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000));
        match millis {
            Ok(millis) if (Self::EARLIEST.0..=Self::LATEST.0).contains(&millis) => Ok(Self(millis)),
            _ => Err(refused()),
        }
    }
}

/// How long something stays fresh. Bitstring Status List writes it in milliseconds, Token Status
/// List and HTTP in seconds; the unit is in the name of the method, so that they cannot be mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ttl(u64);

impl Ttl {
    /// A lifetime of this many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// A lifetime of this many seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds: the `ttl` of a Bitstring Status List.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Seconds, rounded down: `max-age`, and the `ttl` of a Token Status List.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }
}

/// Tells the time. Services hold one and never ask the operating system themselves.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A clock that only moves when a test moves it, and never backwards.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `start`.
    pub const fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Ttl) {
        let by = i64::try_from(by.millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moments_are_written_in_utc_and_read_with_any_offset() {
        let at: Timestamp = "2026-01-31T13:00:00.250+01:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-01-31T12:00:00.250Z");
        assert_eq!(at.whole_seconds().to_string(), "2026-01-31T12:00:00Z");
        assert_eq!(at.http_date(), "Sat, 31 Jan 2026 12:00:00 GMT");
        for bad in [
            "",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-02-30T00:00:00Z",
            "2026-01-31t12:00:00z",
            "2026-01-31 12:00:00Z",
            "2026-01-31_12:00:00Z",
            "2026-12-31T23:59:60Z",
            "now",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }

    #[test]
    fn lifetimes_never_mix_their_units() {
        let ttl = Ttl::from_seconds(300);
        assert_eq!((ttl.millis(), ttl.seconds()), (300_000, 300));
        assert_eq!(
            Timestamp::EPOCH.plus(ttl).to_string(),
            "1970-01-01T00:05:00Z"
        );
        assert_eq!(
            Timestamp::EPOCH.plus(Ttl::from_millis(u64::MAX)).millis(),
            Timestamp::LATEST.0
        );
        let longest = Ttl::from_millis(u64::MAX);
        assert_eq!(Timestamp::LATEST.minus(longest), Timestamp::EARLIEST);
        assert_eq!(Timestamp::EPOCH.plus(ttl).minus(ttl), Timestamp::EPOCH);
    }

    #[test]
    fn a_moment_is_in_a_second_and_before_the_next_one() {
        for (millis, next) in [(-1, 0), (0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2)] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(at.next_whole_second().seconds(), next, "{millis}");
        }
        assert!(Timestamp::LATEST.next_whole_second() <= Timestamp::LATEST);
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let mut date = time::Date::MIN;
        let first = time::macros::date!(0001 - 01 - 01);
        if date < first {
            date = first;
        }
        let mut day = Timestamp::EARLIEST.millis() / DAY;
        loop {
            let (year, month, of_month) = date_of(day);
            let expected = (
                date.year().into(),
                u8::from(date.month()).into(),
                date.day().into(),
            );
            assert_eq!((year, month, of_month), expected, "day {day}");
            match date.next_day() {
                Some(next) if next.year() < 10_000 => date = next,
                _ => break,
            }
            day += 1;
        }
        assert_eq!(day, Timestamp::LATEST.millis() / DAY);
    }

    proptest! {
        #[test]
        fn a_text_says_the_moment(millis in Timestamp::EARLIEST.0..=Timestamp::LATEST.0) {
            let at = Timestamp::from_millis(millis);
            let calendar = at.calendar();
            let (hour, minute, second, milli) = calendar.to_hms_milli();
            let date = calendar.date();
            let fraction = match milli {
                0 => String::new(),
                milli => format!(".{milli:03}"),
            };
            let expected = format!(
                "{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z",
                date.year(), u8::from(date.month()), date.day()
            );
            prop_assert_eq!(at.to_string(), expected);
        }

        #[test]
        fn moments_survive_their_text(millis in Timestamp::EARLIEST.0..=Timestamp::LATEST.0) {
            let at = Timestamp::from_millis(millis);
            prop_assert_eq!(at.to_string().parse::<Timestamp>(), Ok(at));
        }
    }
}
