//! Credentials in PNG images (Open Badges 3.0, section 5.3.1; PNG, Third Edition, sections 5
//! and 11.3.3).
//!
//! ```text
//! signature (8) | chunk … chunk
//! chunk: length u32 | kind (4) | data | CRC-32 of kind and data u32      all big-endian
//! iTXt:  keyword 0 | compressed? u8 | method u8 | language 0 | keyword in it 0 | text in UTF-8
//! ```

use flate2::Crc;

use super::{Baked, BakedError, Image};

/// What every PNG begins with.
pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

const KEYWORD: &[u8] = b"openbadgecredential";

/// The keyword of Open Badges 1.1 to 2.1.
const OLDER_KEYWORD: &[u8] = b"openbadges";

/// How many chunks an image may have: 16 MiB in the pieces of a stingy encoder.
const MAX_CHUNKS: usize = 16_384;

/// The bytes of length, kind and CRC around the data of a chunk.
const AROUND: usize = 12;

/// The bytes of data of the first chunk, which gives size and colours.
const HEADER: usize = 13;

/// Reads an image that begins with [`SIGNATURE`] through to its last chunk. Bytes after that are
/// not part of it, and carry nothing.
pub(super) fn unbake(image: &[u8]) -> Result<Baked, BakedError> {
    let mut found = None;
    let mut older = false;
    let mut chunks = Chunks::of(image);
    while let Some(chunk) = chunks.next()? {
        match (&chunk.kind, chunk.keyword()) {
            (b"iTXt", KEYWORD) => {
                if found.is_some() {
                    return Err(BakedError::Twice(Image::Png));
                }
                found = Some(Baked::of(chunk.text()?)?);
            }
            (b"tEXt" | b"zTXt", KEYWORD) => {
                return Err(chunk.wrong("the credential has to stand in an iTXt chunk"));
            }
            (b"iTXt" | b"tEXt" | b"zTXt", OLDER_KEYWORD) => older = true,
            _ => {}
        }
    }
    found.ok_or(match older {
        true => BakedError::OpenBadges2(Image::Png),
        false => BakedError::NoCredential(Image::Png),
    })
}

/// Puts a text into a sound image, right behind the header, where readers find it first.
pub(super) fn bake(image: &[u8], text: &str) -> Vec<u8> {
    let data = [KEYWORD, b"\0\0\0\0\0", text.as_bytes()].concat();
    let at = SIGNATURE.len() + AROUND + HEADER;
    [&image[..at], &chunk(*b"iTXt", &data), &image[at..]].concat()
}

/// The bytes of one chunk.
pub(super) fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    // A length that is cut short here belongs to an image that is refused as too large.
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes();
    let sum = crc(kind, data).to_be_bytes();
    [&length, &kind[..], data, &sum].concat()
}

/// The chunks of an image, each of them checked.
struct Chunks<'a> {
    image: &'a [u8],
    /// Where the next one begins.
    at: usize,
    count: usize,
    done: bool,
}

impl<'a> Chunks<'a> {
    const fn of(image: &'a [u8]) -> Self {
        Self {
            image,
            at: SIGNATURE.len(),
            count: 0,
            done: false,
        }
    }

    /// The next chunk; `None` after `IEND`.
    fn next(&mut self) -> Result<Option<Chunk<'a>>, BakedError> {
        if self.done {
            return Ok(None);
        }
        let chunk = Chunk::read(self.image, self.at)?;
        match (self.count, &chunk.kind, chunk.data.len()) {
            (0, b"IHDR", HEADER) => {}
            (0, _, _) => return Err(chunk.wrong("the first chunk has to be a header (IHDR)")),
            (MAX_CHUNKS.., _, _) => {
                return Err(chunk.wrong("more chunks than are read here (16384)"));
            }
            (_, b"IHDR", _) => return Err(chunk.wrong("a second header (IHDR)")),
            (_, b"IEND", 0) => self.done = true,
            (_, b"IEND", _) => return Err(chunk.wrong("the last chunk (IEND) has to be empty")),
            _ => {}
        }
        self.count += 1;
        self.at += AROUND + chunk.data.len();
        Ok(Some(chunk))
    }
}

struct Chunk<'a> {
    at: usize,
    kind: [u8; 4],
    data: &'a [u8],
}

impl<'a> Chunk<'a> {
    fn read(image: &'a [u8], at: usize) -> Result<Self, BakedError> {
        let wrong = |reason| BakedError::Png { at, reason };
        let cut = || wrong("the image is cut off before its last chunk (IEND)");
        let (length, rest) = image[at..].split_first_chunk::<4>().ok_or_else(cut)?;
        let (kind, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        if !kind.iter().all(u8::is_ascii_alphabetic) {
            return Err(wrong("the kind of a chunk has to be four letters"));
        }
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| cut())?;
        let (data, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        let sum = rest.first_chunk::<4>().ok_or_else(cut)?;
        if u32::from_be_bytes(*sum) != crc(*kind, data) {
            return Err(wrong(
                "the chunk is damaged: its checksum (CRC) does not match",
            ));
        }
        Ok(Self {
            at,
            kind: *kind,
            data,
        })
    }

    /// What stands before the first zero byte: the keyword, in a chunk of text.
    fn keyword(&self) -> &'a [u8] {
        let end = self.data.iter().position(|byte| *byte == 0);
        &self.data[..end.unwrap_or(self.data.len())]
    }

    /// The text of an `iTXt` chunk. A compressed one is refused: the standard forbids it, readers
    /// that keep to the standard do not see it, and nothing has to be expanded here.
    fn text(&self) -> Result<&'a str, BakedError> {
        let short = || self.wrong("the iTXt chunk ends before its text");
        let rest = &self.data[self.keyword().len()..];
        let rest = match rest {
            [0, 0, 0, rest @ ..] => rest,
            [0, 1, _, ..] => {
                let reason = "the credential is compressed, which baking forbids; bake it again";
                return Err(self.wrong(reason));
            }
            [0, _, _, ..] => return Err(self.wrong("the iTXt chunk is of an unknown compression")),
            _ => return Err(short()),
        };
        // Language and the keyword in that language mean nothing in baking.
        let mut parts = rest.splitn(3, |byte| *byte == 0).skip(2);
        let text = parts.next().ok_or_else(short)?;
        std::str::from_utf8(text).map_err(|_| self.wrong("the baked text is not UTF-8"))
    }

    const fn wrong(&self, reason: &'static str) -> BakedError {
        let at = self.at;
        BakedError::Png { at, reason }
    }
}

fn crc(kind: [u8; 4], data: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(data);
    crc.sum()
}
