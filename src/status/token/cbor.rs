//! CBOR (RFC 8949) from outside, within bounds: looked through once before anything is built of
//! it, so that few bytes can become neither deep nor large.

use coset::CborSerializable as _;
use coset::cbor::Value;

/// How many arrays, maps and tags may stand in one another.
const MAX_DEPTH: usize = 16;

/// How many items are read in all. A token has some twenty.
const MAX_ITEMS: usize = 1024;

/// The tags of integers beyond 64 bits. Some readers take them for integers and others for bytes.
const BIGNUMS: [u64; 2] = [2, 3];

/// Why bytes are not one CBOR item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CborError {
    /// The bytes end within the item.
    End,
    /// Not CBOR.
    Malformed,
    /// Bytes follow the item.
    Trailing,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// More items than [`MAX_ITEMS`].
    TooMany,
    /// An integer beyond 64 bits.
    Bignum,
}

impl CborError {
    /// What should stand there instead.
    pub(super) const fn expected(self) -> &'static str {
        match self {
            Self::End => "CBOR that does not end too early",
            Self::Malformed => "well-formed CBOR",
            Self::Trailing => "one CBOR item and nothing behind it",
            Self::TooDeep => "CBOR of at most 16 levels",
            Self::TooMany => "CBOR of at most 1,024 items",
            Self::Bignum => "CBOR without integers beyond 64 bits",
        }
    }
}

/// Reads one item, with nothing behind it. Encodings that are not the shortest, and indefinite
/// lengths, are CBOR as well and are read; they are one value to every reader.
pub(super) fn read(bytes: &[u8]) -> Result<Value, CborError> {
    let mut scan = Scan {
        rest: bytes,
        items: MAX_ITEMS,
    };
    scan.item(MAX_DEPTH)?;
    match scan.rest.len() {
        0 => Value::from_slice(bytes).map_err(|_| CborError::Malformed),
        _ => Err(CborError::Trailing),
    }
}

/// Goes over the bytes without keeping anything.
struct Scan<'a> {
    rest: &'a [u8],
    /// How many more items are read.
    items: usize,
}

/// What stands behind the first byte of an item.
enum Argument {
    /// A number: a value, a length or a count.
    Number(u64),
    /// No length is given; a break ends the item.
    Indefinite,
}

impl Scan<'_> {
    /// Passes one item, which may be `depth` levels deep.
    fn item(&mut self, depth: usize) -> Result<(), CborError> {
        self.items = self.items.checked_sub(1).ok_or(CborError::TooMany)?;
        let (major, argument) = self.head()?;
        let within = || depth.checked_sub(1).ok_or(CborError::TooDeep);
        match (major, argument) {
            (0 | 1, Argument::Number(_)) => Ok(()),
            (2 | 3, Argument::Number(length)) => self.skip(length),
            (2 | 3, Argument::Indefinite) => self.chunks(major),
            (4, Argument::Number(count)) => self.repeat(count, within()?),
            (5, Argument::Number(count)) => {
                let count = count.checked_mul(2).ok_or(CborError::TooMany)?;
                self.repeat(count, within()?)
            }
            (4, Argument::Indefinite) => self.until_break(1, within()?),
            (5, Argument::Indefinite) => self.until_break(2, within()?),
            (6, Argument::Number(tag)) if BIGNUMS.contains(&tag) => Err(CborError::Bignum),
            (6, Argument::Number(_)) => self.item(within()?),
            (7, Argument::Number(_)) => Ok(()),
            // A break where nothing is open, and integers and tags without a number.
            _ => Err(CborError::Malformed),
        }
    }

    fn head(&mut self) -> Result<(u8, Argument), CborError> {
        let initial = self.take(1)?[0];
        let bytes = match initial & 0x1f {
            small @ 0..24 => return Ok((initial >> 5, Argument::Number(small.into()))),
            size @ 24..28 => 1 << (size - 24),
            31 => return Ok((initial >> 5, Argument::Indefinite)),
            _ => return Err(CborError::Malformed),
        };
        let number = self.take(bytes)?.iter();
        let number = number.fold(0, |number, byte| number << 8 | u64::from(*byte));
        Ok((initial >> 5, Argument::Number(number)))
    }

    /// Passes `count` items. However many are announced, the limit or the end comes first.
    fn repeat(&mut self, count: u64, depth: usize) -> Result<(), CborError> {
        (0..count).try_for_each(|_| self.item(depth))
    }

    /// Passes groups of `size` items up to a break.
    fn until_break(&mut self, size: u64, depth: usize) -> Result<(), CborError> {
        while !self.at_break()? {
            self.repeat(size, depth)?;
        }
        Ok(())
    }

    /// Passes the pieces of a string without a length, each one a string with one.
    fn chunks(&mut self, of: u8) -> Result<(), CborError> {
        while !self.at_break()? {
            self.items = self.items.checked_sub(1).ok_or(CborError::TooMany)?;
            match self.head()? {
                (major, Argument::Number(length)) if major == of => self.skip(length)?,
                _ => return Err(CborError::Malformed),
            }
        }
        Ok(())
    }

    /// Whether a break comes next, which is then passed.
    fn at_break(&mut self) -> Result<bool, CborError> {
        match self.rest.split_first() {
            Some((0xff, rest)) => {
                self.rest = rest;
                Ok(true)
            }
            Some(_) => Ok(false),
            None => Err(CborError::End),
        }
    }

    fn skip(&mut self, length: u64) -> Result<(), CborError> {
        let length = usize::try_from(length).map_err(|_| CborError::End)?;
        self.take(length).map(drop)
    }

    fn take(&mut self, length: usize) -> Result<&[u8], CborError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(CborError::End)?;
        self.rest = rest;
        Ok(taken)
    }
}
