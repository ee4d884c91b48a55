//! What is published: the name of each copy, what is known of it, and which of two is the newer one.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::ids::{ListId, Slug};
use crate::time::Timestamp;

/// What is served at a path, in all its forms.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum What {
    /// A status list.
    List(ListId),
    /// The same as a StatusList2021.
    List2021(ListId),
    /// A token list.
    Token(ListId),
    /// The DID document of a profile.
    Document(Slug),
    /// The keys of a profile.
    Keys(Slug),
    /// The DID document of the registry.
    OwnDocument,
    /// The keys of the registry.
    OwnKeys,
}

/// One form of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Form {
    /// With an embedded proof.
    Vc,
    /// As a JWT.
    Jwt,
    /// As a CWT.
    Cwt,
    /// JSON that is not signed.
    Json,
}

/// The name of one copy: `PATH/FORM`, and `.gz` behind it where that is its coding. Every name is made
/// here of ids that were parsed, so that none leads out of the place where copies are put.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) what: What,
    pub(super) form: Form,
    pub(super) gzip: bool,
}

/// What is known of a copy. It stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct About {
    /// `Content-Type`; of documents that have several the first one.
    pub(super) media_type: String,
    /// `ETag` without its quotes, where the service gives one.
    pub(super) etag: Option<String>,
    /// Seconds for which caches may keep it.
    pub(super) max_age: u64,
    /// `Last-Modified`, where the service gives it.
    pub(super) last_modified: Option<String>,
    /// Which publication of a list it is.
    pub(super) edition: Option<Edition>,
    /// SHA-256 of the bytes, in hexadecimal.
    pub(super) sha256: String,
}

/// Which publication of a list a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Edition {
    /// How many there were before it.
    pub(super) generation: u64,
    /// When it was signed, in milliseconds since 1970.
    pub(super) published: i64,
    /// When it ends, in milliseconds since 1970, where it does.
    pub(super) ends: Option<i64>,
}

/// A copy.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) name: Name,
    pub(super) about: About,
    pub(super) body: Bytes,
}

/// What to do with a copy where there is one already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Against {
    /// It takes the other one's place.
    TakesItsPlace,
    /// They are the same.
    IsTheSame,
    /// The other one is newer.
    IsOlder,
}

impl About {
    /// This one held against what stands in its place. A generation is older where the other's is no
    /// less and it was signed no later: after a restore generations begin again and time has gone on,
    /// and where a clock was put back generations have grown.
    pub(super) fn against(&self, there: &Self) -> Against {
        if self == there {
            return Against::IsTheSame;
        }
        match (self.edition, there.edition) {
            (Some(new), Some(old)) if self.sha256 != there.sha256 => {
                let newer = new.generation > old.generation || new.published > old.published;
                match newer {
                    true => Against::TakesItsPlace,
                    false => Against::IsOlder,
                }
            }
            // The same bytes: a `Cache-Control` that differs is no news, unless it is another setting.
            (Some(new), Some(old)) if new == old && self.max_age < there.max_age => {
                Against::IsTheSame
            }
            _ => Against::TakesItsPlace,
        }
    }

    /// Whether it has ended at a moment.
    pub(super) fn has_ended(&self, at: Timestamp) -> bool {
        let ends = self.edition.and_then(|edition| edition.ends);
        ends.is_some_and(|ends| ends <= at.millis())
    }
}

impl What {
    /// Where the service serves it.
    pub(super) fn path(&self) -> String {
        match self {
            Self::List(list) => format!("status-lists/{list}"),
            Self::List2021(list) => format!("status-lists/{list}/2021"),
            Self::Token(list) => format!("token-status-lists/{list}"),
            Self::Document(slug) => format!("profiles/{slug}/did.json"),
            Self::Keys(slug) => format!("profiles/{slug}/jwks.json"),
            Self::OwnDocument => ".well-known/did.json".to_owned(),
            Self::OwnKeys => ".well-known/jwks.json".to_owned(),
        }
    }

    fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        let parsed = match parts[..] {
            ["status-lists", list] => Self::List(list.parse().ok()?),
            ["status-lists", list, "2021"] => Self::List2021(list.parse().ok()?),
            ["token-status-lists", list] => Self::Token(list.parse().ok()?),
            ["profiles", slug, "did.json"] => Self::Document(slug.parse().ok()?),
            ["profiles", slug, "jwks.json"] => Self::Keys(slug.parse().ok()?),
            [".well-known", "did.json"] => Self::OwnDocument,
            [".well-known", "jwks.json"] => Self::OwnKeys,
            _ => return None,
        };
        (parsed.path() == path).then_some(parsed)
    }

    /// The list that it is a form of.
    pub(super) const fn list(&self) -> Option<ListId> {
        match self {
            Self::List(list) | Self::List2021(list) | Self::Token(list) => Some(*list),
            _ => None,
        }
    }

    #[cfg(feature = "s3")]
    /// The form that is served to who does not ask for one.
    const fn usual(&self) -> Form {
        match self {
            Self::List(_) | Self::List2021(_) => Form::Vc,
            Self::Token(_) => Form::Jwt,
            _ => Form::Json,
        }
    }
}

impl Form {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Vc => "vc",
            Self::Jwt => "jwt",
            Self::Cwt => "cwt",
            Self::Json => "json",
        }
    }
}

impl Name {
    /// As it is, or compressed.
    pub(super) const fn of(what: What, form: Form) -> Self {
        Self {
            what,
            form,
            gzip: false,
        }
    }

    /// The compressed form of the same.
    pub(super) fn packed(&self) -> Self {
        Self {
            gzip: true,
            ..self.clone()
        }
    }

    /// The last part of the name.
    pub(super) fn leaf(&self) -> String {
        let coding = if self.gzip { ".gz" } else { "" };
        format!("{}{coding}", self.form.as_str())
    }

    #[cfg(feature = "s3")]
    /// Its name in a bucket: what is served to who asks for nothing stands at the URL's own path, so
    /// that it can be read there through whatever knows nothing of forms.
    pub(super) fn key(&self) -> String {
        match self.form == self.what.usual() && !self.gzip {
            true => self.what.path(),
            false => self.to_string(),
        }
    }

    #[cfg(feature = "s3")]
    /// What has this name in a bucket.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        let usual = What::parse(key).map(|what| {
            let form = what.usual();
            Self::of(what, form)
        });
        usual.or_else(|| key.parse().ok())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.what.path(), self.leaf())
    }
}

/// No copy has such a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoName;

impl FromStr for Name {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        let (path, leaf) = text.rsplit_once('/').ok_or(NoName)?;
        let (form, gzip) = match leaf.strip_suffix(".gz") {
            Some(form) => (form, true),
            None => (leaf, false),
        };
        let form = match form {
            "vc" => Form::Vc,
            "jwt" => Form::Jwt,
            "cwt" => Form::Cwt,
            "json" => Form::Json,
            _ => return Err(NoName),
        };
        let what = What::parse(path).ok_or(NoName)?;
        Ok(Self { what, form, gzip })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn about(etag: &str, generation: u64, published: i64) -> About {
        About {
            media_type: "application/vc".into(),
            etag: Some(etag.into()),
            max_age: 60,
            last_modified: None,
            edition: Some(Edition {
                generation,
                published,
                ends: Some(published + 10),
            }),
            sha256: etag.into(),
        }
    }

    #[test]
    fn nothing_older_takes_the_place_of_what_is_newer() {
        let there = about("b", 7, 1_000);
        for (story, new, expected) in [
            ("the next", about("c", 8, 1_000), Against::TakesItsPlace),
            ("the one before", about("a", 6, 900), Against::IsOlder),
            ("a twin", about("x", 7, 1_000), Against::IsOlder),
            ("the same", about("b", 7, 1_000), Against::IsTheSame),
            (
                "after a restore",
                about("r", 3, 2_000),
                Against::TakesItsPlace,
            ),
            (
                "a clock put back",
                about("k", 8, 400),
                Against::TakesItsPlace,
            ),
        ] {
            assert_eq!(new.against(&there), expected, "{story}");
        }
        let shorter = About {
            max_age: 9,
            ..there.clone()
        };
        assert_eq!(shorter.against(&there), Against::IsTheSame);
        assert_eq!(there.against(&shorter), Against::TakesItsPlace);
        let at = |millis| Timestamp::from_millis(millis);
        assert!(!there.has_ended(at(1_009)) && there.has_ended(at(1_010)));
    }

    proptest! {
        #[test]
        fn a_name_is_read_as_it_is_written(bytes: [u8; 12], which in 0usize..7, form in 0usize..4, gzip: bool) {
            let (list, slug) = (ListId::from_bytes(bytes), "some-slug".parse::<Slug>().unwrap());
            let what = [
                What::List(list), What::List2021(list), What::Token(list), What::Document(slug.clone()),
                What::Keys(slug), What::OwnDocument, What::OwnKeys,
            ][which].clone();
            let form = [Form::Vc, Form::Jwt, Form::Cwt, Form::Json][form];
            let name = Name { what, form, gzip };
            prop_assert_eq!(name.to_string().parse::<Name>(), Ok(name.clone()));
            #[cfg(feature = "s3")]
            prop_assert_eq!(Name::of_key(&name.key()), Some(name));
        }

        #[test]
        fn no_name_leads_elsewhere(text in "[a-z0-9./-]{0,40}") {
            if let Ok(name) = text.parse::<Name>() {
                prop_assert_eq!(name.to_string(), text.clone());
                prop_assert!(!text.split('/').any(|part| matches!(part, "" | "." | "..")));
            }
        }
    }
}
