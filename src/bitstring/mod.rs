//! Status lists as bits: how long a list is, where an entry stands in it, how the bits are
//! stored in pages and published as text, how a whole list moves from one text to another, and in
//! which order indexes are given out.
//!
//! Nothing here knows what a status means; that is the matter of [`crate::status`].

mod allocation;
mod bits;
mod codec;
mod deflate;
mod encoding;
mod length;
mod pages;

pub use allocation::{KeyedPermutation, Permutation, ROUNDS};
pub use bits::{BitOrder, Bitstring, BitstringError, Lsb, Msb, ValueTooLarge, spread, status_at};
pub use codec::{
    CodecError, DEFAULT_CAP_BYTES, decode, decode_2021, decode_zlib, encode, encode_2021,
    encode_zlib,
};
pub use encoding::{DecodeError, Decoded, ListEncoding};
pub use length::{
    IndexOutOfRange, LengthError, ListLength, MAXIMUM_BITS, MINIMUM_ENTRIES, StatusIndex,
    StatusSize, UnsupportedSize,
};
pub use pages::{
    PAGE_BYTES, Page, PageError, byte_in_page, get_in_byte, get_in_page, page_count, page_of,
    set_in_page,
};
