//! The keywords of JSON-LD 1.1 (Syntax, section 1.7).

macro_rules! keywords {
    ($($name:ident $text:literal)+) => {
        /// A keyword; the order has no meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(super) enum Keyword { $($name),+ }

        impl Keyword {
            /// The keyword that `text` spells out.
            pub(super) fn parse(text: &str) -> Option<Self> {
                if !text.starts_with('@') {
                    return None;
                }
                match text {
                    $($text => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// The keyword as documents write it.
            pub(super) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text),+
                }
            }
        }
    };
}

keywords! {
    Base "@base"
    Container "@container"
    Context "@context"
    Direction "@direction"
    Graph "@graph"
    Id "@id"
    Import "@import"
    Included "@included"
    Index "@index"
    Json "@json"
    Language "@language"
    List "@list"
    Nest "@nest"
    None "@none"
    Prefix "@prefix"
    Propagate "@propagate"
    Protected "@protected"
    Reverse "@reverse"
    Set "@set"
    Type "@type"
    Value "@value"
    Version "@version"
    Vocab "@vocab"
}

impl Keyword {
    /// A bit of its own, for sets of keywords.
    pub(super) const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Whether `text` looks like a keyword of a later version: `@` and letters only. Such names are
/// reserved and mean nothing.
pub(super) fn is_reserved(text: &str) -> bool {
    text.strip_prefix('@').is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|letter| letter.is_ascii_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_exact_and_lookalikes_are_reserved() {
        assert_eq!(Keyword::parse("@type"), Some(Keyword::Type));
        assert_eq!(Keyword::Type.as_str(), "@type");
        for other in ["type", "@Type", "@types", "@", ""] {
            assert_eq!(Keyword::parse(other), None, "{other:?}");
        }
        assert!(is_reserved("@future") && is_reserved("@type"));
        for free in ["@", "@foo.bar", "foo", "@1", ""] {
            assert!(!is_reserved(free), "{free:?}");
        }
    }
}
