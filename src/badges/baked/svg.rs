//! Credentials in SVG images (Open Badges 3.0, section 5.3.2; XML 1.0; Namespaces in XML 1.0).
//!
//! Nothing is expanded but the five entities of XML and character references, and nothing is
//! fetched. A document type may be named, as many drawing programs do, but declare nothing.

use quick_xml::NsReader;
use quick_xml::errors::Error as XmlError;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, NamespaceError, QName, ResolveResult};

use super::{Baked, BakedError, Image};
use crate::badges::shape::is_compact_jws;

/// The namespace of baked credentials.
const BAKING: &str = "https://purl.imsglobal.org/ob/v3p0";

/// The namespace of baked assertions of Open Badges 1.1 to 2.1.
const OLDER_BAKING: &str = "http://openbadges.org";

const SVG: &str = "http://www.w3.org/2000/svg";

/// How many elements may stand in one another.
const MAX_DEPTH: usize = 256;

/// How many attributes an element may have; the check for duplicates takes their square.
const MAX_ATTRIBUTES: usize = 128;

/// How many elements may be called `credential`, in whatever namespace; each is looked up.
const MAX_CANDIDATES: usize = 16;

/// Whether the first element of an XML document is an `svg`.
pub(super) fn is_svg(bytes: &[u8]) -> bool {
    let Some(text) = utf8(bytes) else {
        return false;
    };
    if !text.trim_ascii_start().starts_with('<') {
        return false;
    }
    let mut reader = NsReader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(root) | Event::Empty(root)) => {
                return root.local_name().as_ref() == "svg";
            }
            Ok(Event::Text(text)) if text.trim_ascii().is_empty() => {}
            Ok(Event::Decl(_) | Event::DocType(_) | Event::Comment(_) | Event::PI(_)) => {}
            _ => return false,
        }
    }
}

/// Reads an image through to its end.
pub(super) fn unbake(image: &[u8]) -> Result<Baked, BakedError> {
    let walk = Walk::through(image)?;
    walk.credential.ok_or(match walk.older {
        true => BakedError::OpenBadges2(Image::Svg),
        false => BakedError::NoCredential(Image::Svg),
    })
}

/// Puts a credential into a sound image, as the first child of its root.
pub(super) fn bake(image: &[u8], credential: &Baked) -> Result<Vec<u8>, BakedError> {
    let walk = Walk::through(image)?;
    let root = walk.root.ok_or(BakedError::NotAnImage)?;
    let declaration = format!(" xmlns:openbadges=\"{BAKING}\"");
    let (at_root, at_element) = match root.prefix {
        Prefix::Free => (declaration.as_str(), ""),
        Prefix::Declared => ("", ""),
        Prefix::Taken => ("", declaration.as_str()),
    };
    let element = match credential {
        // A JWS has no letter that means something in XML.
        Baked::Jwt(jws) => format!("<openbadges:credential{at_element} verify=\"{jws}\"/>"),
        Baked::Json(json) => {
            // A section ends at its first `]]>`, so one in the text is shared out over two.
            let json = json.replace("]]>", "]]]]><![CDATA[>");
            format!("<openbadges:credential{at_element}><![CDATA[{json}]]></openbadges:credential>")
        }
    };
    let (before, rest) = walk.text.split_at(root.name_end);
    let (attributes, after) = rest.split_at(root.tag_end - root.name_end);
    let name = &before[root.start + 1..];
    let baked = match attributes.strip_suffix("/>") {
        Some(attributes) => {
            format!("{before}{at_root}{attributes}>{element}</{name}>{after}")
        }
        None => format!("{before}{at_root}{attributes}{element}{after}"),
    };
    Ok(baked.into_bytes())
}

/// What one reading of the whole document brings up.
struct Walk<'a> {
    text: &'a str,
    reader: NsReader<&'a [u8]>,
    depth: usize,
    root: Option<Root>,
    credential: Option<Baked>,
    /// Whether there is an assertion of Open Badges 2.0.
    older: bool,
    candidates: usize,
}

/// Where the first tag stands: `<`, the end of its name, and behind its `>`.
struct Root {
    start: usize,
    name_end: usize,
    tag_end: usize,
    prefix: Prefix,
}

fn declares(element: &BytesStart<'_>, name: &str) -> bool {
    let mut attributes = element.attributes().flatten();
    attributes.any(|attribute| attribute.key.as_ref() == name)
}

/// What `openbadges` stands for at the root.
enum Prefix {
    Free,
    /// The namespace of baking.
    Declared,
    /// Another one, such as that of Open Badges 2.0.
    Taken,
}

impl<'a> Walk<'a> {
    fn through(image: &'a [u8]) -> Result<Self, BakedError> {
        let text = utf8(image).ok_or(BakedError::NotAnImage)?;
        let mut reader = NsReader::from_str(text);
        let config = reader.config_mut();
        config.enable_all_checks(true);
        config.expand_empty_elements = true;
        let mut walk = Self {
            text,
            reader,
            depth: 0,
            root: None,
            credential: None,
            older: false,
            candidates: 0,
        };
        while walk.step()? {}
        Ok(walk)
    }

    /// Reads one piece of markup; `false` at the end of the document.
    fn step(&mut self) -> Result<bool, BakedError> {
        let at = self.at();
        match self.event(at)? {
            Event::Start(element) => self.start(&element, at)?,
            Event::End(_) => self.depth -= 1,
            Event::Decl(declaration) => check_declaration(&declaration, at)?,
            Event::DocType(_) if self.root.is_some() => {
                return Err(wrong(at, "the document type has to stand before the root"));
            }
            Event::DocType(named) if named.contains('[') => {
                return Err(wrong(at, "declarations in a document type are not read"));
            }
            Event::Text(text) if self.depth == 0 && !text.trim_ascii().is_empty() => {
                return Err(wrong(at, "there is text outside the root"));
            }
            Event::CData(_) | Event::GeneralRef(_) if self.depth == 0 => {
                return Err(wrong(at, "there is text outside the root"));
            }
            Event::Eof if self.depth > 0 || self.root.is_none() => {
                return Err(wrong(at, "the document ends before its root does"));
            }
            Event::Eof => return Ok(false),
            _ => {}
        }
        Ok(true)
    }

    fn start(&mut self, element: &BytesStart<'a>, at: usize) -> Result<(), BakedError> {
        check_attributes(element, at)?;
        match self.depth {
            0 => self.root(element, at)?,
            MAX_DEPTH => return Err(wrong(at, "elements stand in one another too deep (256)")),
            _ => {}
        }
        self.depth += 1;
        match element.local_name().as_ref() {
            "credential" => self.candidate(element, at),
            "assertion" if self.depth == 2 && self.is_in(element, OLDER_BAKING) => {
                self.older = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn root(&mut self, element: &BytesStart<'a>, at: usize) -> Result<(), BakedError> {
        if self.root.is_some() {
            return Err(wrong(at, "there is a second root"));
        }
        let drawn = match self.resolve(element.name()) {
            ResolveResult::Bound(Namespace(name)) => name == SVG,
            // A document type of SVG 1.1 gives the namespace without its being written.
            ResolveResult::Unbound => true,
            ResolveResult::Unknown(_) => false,
        };
        if element.local_name().as_ref() != "svg" || !drawn {
            return Err(wrong(at, "the root has to be an svg element"));
        }
        let prefix = match self.resolve(QName("openbadges:credential")) {
            ResolveResult::Bound(Namespace(BAKING)) => Prefix::Declared,
            ResolveResult::Bound(_) => Prefix::Taken,
            // Bound to nothing, which XML forbids and readers take in several ways.
            _ if declares(element, "xmlns:openbadges") => Prefix::Taken,
            ResolveResult::Unbound | ResolveResult::Unknown(_) => Prefix::Free,
        };
        self.root = Some(Root {
            start: at,
            name_end: at + 1 + element.name().as_ref().len(),
            tag_end: self.at(),
            prefix,
        });
        Ok(())
    }

    /// An element called `credential`: the baked one, or one that some readers take for it.
    fn candidate(&mut self, element: &BytesStart<'a>, at: usize) -> Result<(), BakedError> {
        self.candidates += 1;
        if self.candidates > MAX_CANDIDATES {
            return Err(wrong(
                at,
                "more elements called credential than are read here (16)",
            ));
        }
        let like_ours = match self.resolve(element.name()) {
            ResolveResult::Bound(Namespace(BAKING)) => None,
            // Written with references, a namespace is another one to some readers.
            ResolveResult::Bound(Namespace(name)) => Some(name.contains('&')),
            ResolveResult::Unbound | ResolveResult::Unknown(_) => Some(false),
        };
        if let Some(like_ours) = like_ours {
            let prefix = element.name().prefix();
            if like_ours || prefix.is_some_and(|prefix| prefix.as_ref() == "openbadges") {
                let reason = format!("openbadges:credential has to be in the namespace {BAKING}");
                return Err(wrong(at, reason));
            }
            return Ok(());
        }
        if self.depth != 2 {
            return Err(wrong(at, "the credential has to be a child of the root"));
        }
        if self.credential.is_some() {
            return Err(BakedError::Twice(Image::Svg));
        }
        let verify = verify(element);
        let body = self.content()?;
        let blank = body.trim_ascii().is_empty();
        self.credential = Some(match verify {
            Some(_) if !blank => {
                let reason = "the credential is there twice: as the attribute verify and as text";
                return Err(wrong(at, reason));
            }
            Some(jws) if is_compact_jws(&jws) => Baked::Jwt(jws),
            Some(_) => return Err(wrong(at, "the attribute verify has to be a compact JWS")),
            None => Baked::of(&body)?,
        });
        Ok(())
    }

    /// The text of the element whose start has just been read, to its end.
    fn content(&mut self) -> Result<String, BakedError> {
        let mut content = String::new();
        loop {
            let at = self.at();
            match self.event(at)? {
                Event::Text(text) => content.push_str(&text.xml10_content()),
                Event::CData(text) => content.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => content.push_str(&resolved(&reference, at)?),
                Event::Comment(_) | Event::PI(_) => {}
                Event::End(_) => {
                    self.depth -= 1;
                    return Ok(content);
                }
                _ => return Err(wrong(at, "the credential has to be text")),
            }
        }
    }

    fn is_in(&self, element: &BytesStart<'a>, namespace: &str) -> bool {
        match self.resolve(element.name()) {
            ResolveResult::Bound(Namespace(name)) => name == namespace,
            ResolveResult::Unbound | ResolveResult::Unknown(_) => false,
        }
    }

    fn resolve(&self, name: QName<'_>) -> ResolveResult<'_> {
        self.reader.resolver().resolve_element(name).0
    }

    fn event(&mut self, at: usize) -> Result<Event<'a>, BakedError> {
        let event = self.reader.read_event();
        event.map_err(|error| match error {
            XmlError::Namespace(NamespaceError::TooManyBindings(cap)) => {
                wrong(at, format!("more namespaces than are read here ({cap})"))
            }
            error => wrong(at, error.to_string()),
        })
    }

    fn at(&self) -> usize {
        // An image is far smaller than a pointer can tell.
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }
}

/// The document without its byte order mark, if it is UTF-8.
fn utf8(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()
}

/// A document that says it is in another encoding is another document to some readers.
fn check_declaration(declaration: &BytesDecl<'_>, at: usize) -> Result<(), BakedError> {
    if at != 0 {
        return Err(wrong(at, "the XML declaration has to stand first"));
    }
    let known = |name: &str| ["utf-8", "us-ascii"].contains(&name.to_ascii_lowercase().as_str());
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) if known(&name) => Ok(()),
        Some(_) => Err(wrong(at, "the document has to be in UTF-8, and to say so")),
    }
}

/// An attribute that stands twice is read in one way here and in another one there.
fn check_attributes(element: &BytesStart<'_>, at: usize) -> Result<(), BakedError> {
    for (count, attribute) in element.attributes().enumerate() {
        if count == MAX_ATTRIBUTES {
            return Err(wrong(at, "more attributes than are read here (128)"));
        }
        attribute.map_err(|error| match error {
            AttrError::Duplicated(..) => wrong(at, "an attribute stands twice"),
            error => wrong(at, format!("in its attributes, {error}")),
        })?;
    }
    Ok(())
}

/// The attribute `verify`. A JWS is written without references, so there is nothing to resolve.
fn verify(element: &BytesStart<'_>) -> Option<String> {
    let mut attributes = element.attributes().flatten();
    let verify = attributes.find(|attribute| attribute.key == QName("verify"))?;
    Some(verify.value.trim_ascii().to_owned())
}

/// What a reference stands for: one of the five entities of XML, or a character.
fn resolved(reference: &BytesRef<'_>, at: usize) -> Result<String, BakedError> {
    if let Some(text) = resolve_predefined_entity(reference) {
        return Ok(text.to_owned());
    }
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.into()),
        _ => Err(wrong(at, "only the entities of XML itself are read")),
    }
}

fn wrong(at: usize, reason: impl Into<String>) -> BakedError {
    let reason = reason.into();
    BakedError::Svg { at, reason }
}
