//! Moments as text.

use goodstanding::time::Timestamp;

use super::Reached;

/// What is read is the moment that a second reader computes, and it survives being written; the
/// second reader takes nothing else.
pub fn run(data: &[u8]) -> Reached {
    let Ok(text) = std::str::from_utf8(data) else {
        return Reached::Refused;
    };
    let read = text.parse::<Timestamp>().ok();
    assert_eq!(read.map(Timestamp::millis), millis(text), "{text:?}");
    let Some(at) = read else {
        return Reached::Refused;
    };
    assert_eq!(at.to_string().parse(), Ok(at), "{text:?}");
    assert!(at.whole_seconds() <= at && at.seconds() == at.whole_seconds().seconds());
    assert!(at.http_date().ends_with(" GMT"));
    Reached::Read
}

/// RFC 3339 as the grammar has it, in upper case and without leap seconds; milliseconds since the
/// epoch, for the years 1 to 9999 in UTC.
fn millis(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let digits = |from: usize, count: usize| -> Option<i64> {
        let digits = bytes.get(from..from + count)?;
        digits.iter().try_fold(0, |value, digit| {
            digit
                .is_ascii_digit()
                .then(|| value * 10 + i64::from(digit - b'0'))
        })
    };
    let is = |at: usize, byte: u8| (bytes.get(at) == Some(&byte)).then_some(());
    let (year, month, day) = (digits(0, 4)?, digits(5, 2)?, digits(8, 2)?);
    let (hour, minute, second) = (digits(11, 2)?, digits(14, 2)?, digits(17, 2)?);
    [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
        .into_iter()
        .try_for_each(|(at, byte)| is(at, byte))?;
    let (mut at, mut fraction) = (19, 0);
    if bytes.get(at) == Some(&b'.') {
        let count = bytes[20..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let kept: String = text[20..20 + count]
            .chars()
            .chain("00".chars())
            .take(3)
            .collect();
        fraction = (count > 0).then(|| kept.parse().ok())??;
        at = 20 + count;
    }
    let offset = match bytes.get(at)? {
        b'Z' => {
            at += 1;
            0
        }
        sign @ (b'+' | b'-') => {
            let (hours, minutes) = (digits(at + 1, 2)?, digits(at + 4, 2)?);
            is(at + 3, b':')?;
            at += 6;
            let sign = if *sign == b'+' { 1 } else { -1 };
            (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))?
        }
        _ => return None,
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [
        31,
        28 + i64::from(leap),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let length = *lengths.get(usize::try_from(month - 1).ok()?)?;
    let fits = (1..=length).contains(&day) && hour < 24 && minute < 60 && second < 60;
    if !fits || at != bytes.len() {
        return None;
    }
    // Days before the year, from the year 1 on, then within it.
    let years = year - 1;
    let days = years * 365 + years.div_euclid(4) - years.div_euclid(100)
        + years.div_euclid(400)
        + lengths
            .iter()
            .take(usize::try_from(month - 1).ok()?)
            .sum::<i64>()
        + day
        - 1;
    let seconds = (days * 24 + hour) * 3600 + (minute - offset) * 60 + second;
    let whole = 253_402_300_800_000 + 62_135_596_800_000;
    let since_year_1 = seconds * 1000 + fraction;
    (0..whole)
        .contains(&since_year_1)
        .then_some(since_year_1 - 62_135_596_800_000)
}
