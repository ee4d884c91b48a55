//! Whole lists as text, in each of the standards: how a list of another system comes in, and how
//! one of ours goes out. Inside, a list is always a [`Bitstring`], most significant bit first.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use super::bits::{Bitstring, Lsb};
use super::codec::{
    CodecError, decode, decode_2021, decode_zlib, encode, encode_2021, encode_zlib,
};
use super::length::{ListLength, StatusSize};

/// The standard by which a list is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListEncoding {
    /// `encodedList` of Bitstring Status List 1.0.
    Bitstring,
    /// `encodedList` of StatusList2021, whose entries have one bit.
    StatusList2021,
    /// `lst` of Token Status List, as JSON carries it.
    Token,
}

/// A list that was read from its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The statuses, as many as were declared.
    pub bits: Bitstring,
    /// How many entries the text holds. Those from here on to the end of the list are 0.
    pub entries: u64,
}

/// Why a text is not a list of the length that was declared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Not a compressed list of this standard, or longer than declared.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// StatusList2021 with entries of several bits.
    #[error("a StatusList2021 has entries of one bit, not of {0}")]
    Size(StatusSize),
    /// The list cannot be held.
    #[error("{entries} entries of {size} bits are more than a list holds")]
    TooLong {
        /// The number of entries declared.
        entries: u64,
        /// Their size.
        size: StatusSize,
    },
}

impl ListEncoding {
    /// The list as text. The same statuses give the same text. A StatusList2021 is meant to have
    /// entries of one bit; [`crate::status::build_list_2021`] sees to that.
    pub fn encode(self, bits: &Bitstring) -> String {
        match self {
            Self::Bitstring => encode(bits.as_bytes()),
            Self::StatusList2021 => encode_2021(bits.as_bytes()),
            Self::Token => URL_SAFE_NO_PAD.encode(encode_zlib(bits.to_lsb().as_bytes())),
        }
    }

    /// Reads a list that is declared to have `length` entries of `size`. It is expanded to no more
    /// bytes than that takes. A text may hold fewer entries, since other systems publish shorter
    /// lists than this one does; the rest is 0, and [`Decoded::entries`] says where it begins.
    ///
    /// # Errors
    /// [`DecodeError`]: a list that is longer than declared is never cut off.
    pub fn decode(
        self,
        text: &str,
        length: ListLength,
        size: StatusSize,
    ) -> Result<Decoded, DecodeError> {
        let entries = length.entries();
        if ListLength::of_size(entries, size).is_err() {
            return Err(DecodeError::TooLong { entries, size });
        }
        let cap = length.bytes(size);
        let mut bytes = match self {
            Self::Bitstring => decode(text, cap)?,
            Self::StatusList2021 if size != StatusSize::One => return Err(DecodeError::Size(size)),
            Self::StatusList2021 => decode_2021(text, cap)?,
            Self::Token => {
                let compressed = URL_SAFE_NO_PAD
                    .decode(text)
                    .map_err(|error| CodecError::Text(error.to_string()))?;
                decode_zlib(&compressed, cap)?
            }
        };
        let entries = bytes.len() as u64 * 8 / size.bits();
        bytes.resize(cap, 0);
        let bits = match self {
            Self::Bitstring | Self::StatusList2021 => Bitstring::from_bytes(bytes, size),
            Self::Token => Bitstring::<Lsb>::from_bytes(bytes, size).to_msb(),
        };
        Ok(Decoded { bits, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [ListEncoding; 3] = [
        ListEncoding::Bitstring,
        ListEncoding::StatusList2021,
        ListEncoding::Token,
    ];

    fn read(encoding: ListEncoding, text: &str) -> Result<Decoded, DecodeError> {
        encoding.decode(text, ListLength::MINIMUM, StatusSize::One)
    }

    #[test]
    fn a_shorter_list_is_filled_up_and_says_so() {
        // 16 entries as the Token Status List text shows them.
        let decoded = read(ListEncoding::Token, "eNrbuRgAAhcBXQ").unwrap();
        assert_eq!(decoded.entries, 16);
        assert_eq!(decoded.bits.entries(), 131_072);
        assert_eq!(decoded.bits.as_bytes()[..3], [0b1001_1101, 0b1100_0101, 0]);
        assert_eq!(decoded.bits.count_ones(), 9);
    }

    #[test]
    fn a_longer_list_is_never_cut_off() {
        let long = ListLength::new(131_080).unwrap();
        let long = Bitstring::zeroed(long, StatusSize::One);
        for encoding in ALL {
            let cap = 16_384;
            let refused = read(encoding, &encoding.encode(&long));
            assert_eq!(refused, Err(CodecError::TooLarge { cap }.into()));
        }
        let most = ListLength::new(1 << 26).unwrap();
        let refused = ListEncoding::Bitstring.decode("u", most, StatusSize::Two);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "67108864 entries of 2 bits are more than a list holds"
        );
    }

    #[test]
    fn one_standard_is_never_read_as_another() {
        let bits = Bitstring::zeroed(ListLength::MINIMUM, StatusSize::One);
        for written in ALL {
            for asked in ALL {
                let read = read(asked, &written.encode(&bits));
                assert_eq!(read.is_ok(), written == asked, "{written:?} as {asked:?}");
            }
        }
        let wide = ListEncoding::StatusList2021.decode("", ListLength::MINIMUM, StatusSize::Two);
        assert_eq!(
            wide.unwrap_err().to_string(),
            "a StatusList2021 has entries of one bit, not of 2"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_list_comes_back_as_it_went(
            changes in prop::collection::vec((0u64..131_072, any::<u8>()), 0..40),
            size in prop::sample::select(vec![
                StatusSize::One, StatusSize::Two, StatusSize::Four, StatusSize::Eight,
            ]),
            encoding in prop::sample::select(ALL.to_vec()),
        ) {
            let size = match encoding {
                ListEncoding::StatusList2021 => StatusSize::One,
                _ => size,
            };
            let length = ListLength::MINIMUM;
            let mut bits = Bitstring::zeroed(length, size);
            for (index, value) in changes {
                bits.set(length.index(index).unwrap(), value & size.maximum()).unwrap();
            }
            let decoded = encoding.decode(&encoding.encode(&bits), length, size).unwrap();
            prop_assert_eq!((decoded.bits, decoded.entries), (bits, 131_072));
        }

        #[test]
        fn no_text_makes_the_reader_panic(
            text in "(u|uH4sI|H4sI|eN)?[-_A-Za-z0-9=]{0,80}",
            encoding in prop::sample::select(ALL.to_vec()),
        ) {
            let decoded = encoding.decode(&text, ListLength::MINIMUM, StatusSize::Four);
            if let Ok(decoded) = decoded {
                prop_assert_eq!(decoded.bits.entries(), 131_072);
                prop_assert!(decoded.entries <= 131_072);
            }
        }
    }
}
