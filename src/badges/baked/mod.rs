//! Baked images: a credential carried inside the picture of its badge (Open Badges 3.0, section
//! 5.3). What comes out is text, not yet read, and nothing is believed of it.
//!
//! | image | where the credential stands |
//! |---|---|
//! | PNG | one uncompressed `iTXt` chunk with the keyword `openbadgecredential` |
//! | SVG | one `credential` element of the namespace `https://purl.imsglobal.org/ob/v3p0`, child of the root: JSON inside it, or a compact JWS as its attribute `verify` |
//!
//! The standard has readers stop at the first credential. Here the whole image is read, and what
//! other readers could take for another credential is an error, so that nobody is shown one badge
//! and has another one verified.

mod png;
mod svg;

use thiserror::Error;

use super::shape::is_compact_jws;

/// How many bytes an image may have. Nothing in it is ever expanded, so this bounds the work too.
pub const MAX_IMAGE_BYTES: usize = 16 << 20;

/// The formats that a credential is baked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// Portable Network Graphics.
    Png,
    /// Scalable Vector Graphics, in UTF-8.
    Svg,
}

impl Image {
    /// The format of a file, told by its first bytes: the signature of a PNG, or an XML document
    /// whose root is an `svg`. `None` for everything else; what is told is not yet well formed.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(png::SIGNATURE) {
            return Some(Self::Png);
        }
        svg::is_svg(bytes).then_some(Self::Svg)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Svg => "SVG",
        }
    }
}

/// What an image carries, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baked {
    /// The JSON of a credential with an embedded proof. It begins like an object; whether it is
    /// JSON is for the parser to say.
    Json(String),
    /// A credential as compact JWS: three parts of base64url, none of them read yet.
    Jwt(String),
}

impl Baked {
    /// The text as it goes into an image.
    pub fn text(&self) -> &str {
        match self {
            Self::Json(text) | Self::Jwt(text) => text,
        }
    }

    /// Tells JSON from a compact JWS. White space around either is dropped, and a byte order
    /// mark, which some editors leave.
    fn of(text: &str) -> Result<Self, BakedError> {
        const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];
        let text = text.trim_matches(BLANK);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = text.trim_start_matches(BLANK);
        if text.starts_with('{') {
            Ok(Self::Json(text.to_owned()))
        } else if is_compact_jws(text) {
            Ok(Self::Jwt(text.to_owned()))
        } else {
            Err(BakedError::NotACredential)
        }
    }
}

/// Why no credential comes out of an image, or none goes in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BakedError {
    /// Another format, or none.
    #[error("this is neither a PNG nor an SVG image in UTF-8; credentials are baked into those")]
    NotAnImage,
    /// Longer than [`MAX_IMAGE_BYTES`].
    #[error("a baked image may have {MAX_IMAGE_BYTES} bytes; make the picture smaller")]
    TooLarge,
    /// A sound image, but only an image.
    #[error("this {} carries no credential; ask for the image as the issuer baked it", .0.name())]
    NoCredential(Image),
    /// What is baked in is an assertion of Open Badges 2.0 or older, which is no credential.
    #[error(
        "this {} carries an assertion of Open Badges 2.0, which is not a verifiable credential; \
         ask the issuer for the badge in Open Badges 3.0", .0.name()
    )]
    OpenBadges2(Image),
    /// There are two, and readers differ in which one they take.
    #[error("this {} carries two credentials, and readers differ in which one they take", .0.name())]
    Twice(Image),
    /// An image that is to be baked carries a credential already.
    #[error("this {} carries a credential already; bake into the unbaked image", .0.name())]
    AlreadyBaked(Image),
    /// The text is neither JSON nor a compact JWS.
    #[error("what is baked in is neither a JSON object nor a compact JWS")]
    NotACredential,
    /// The PNG breaks the rules of the format or of baking.
    #[error("the PNG, byte {at}: {reason}")]
    Png {
        /// Offset of the chunk, from 0.
        at: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// The SVG breaks the rules of XML or of baking.
    #[error("the SVG, byte {at}: {reason}")]
    Svg {
        /// Offset of the markup, from 0.
        at: usize,
        /// What is wrong.
        reason: String,
    },
}

/// Takes the credential out of an image.
///
/// # Errors
/// [`BakedError`]: the image is of another format, damaged or too large, carries no credential or
/// more than one, or carries it in a way that readers understand differently.
pub fn unbake(image: &[u8]) -> Result<Baked, BakedError> {
    if image.len() > MAX_IMAGE_BYTES {
        return Err(BakedError::TooLarge);
    }
    match Image::of(image) {
        Some(Image::Png) => png::unbake(image),
        Some(Image::Svg) => svg::unbake(image),
        None => Err(BakedError::NotAnImage),
    }
}

/// Puts a credential into an image of either format that carries none yet. The picture stays as
/// it is; an assertion of Open Badges 2.0 in it stays beside the credential.
///
/// # Errors
/// [`BakedError`]: the image is not sound, carries a credential already, or would grow too large.
pub fn bake(image: &[u8], credential: &Baked) -> Result<Vec<u8>, BakedError> {
    let format = Image::of(image).ok_or(BakedError::NotAnImage)?;
    match unbake(image) {
        Ok(_) => return Err(BakedError::AlreadyBaked(format)),
        Err(BakedError::NoCredential(_) | BakedError::OpenBadges2(_)) => {}
        Err(error) => return Err(error),
    }
    let baked = match format {
        Image::Png => png::bake(image, credential.text()),
        Image::Svg => svg::bake(image, credential)?,
    };
    if baked.len() > MAX_IMAGE_BYTES {
        return Err(BakedError::TooLarge);
    }
    Ok(baked)
}

#[cfg(test)]
mod tests;
