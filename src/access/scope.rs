//! Scopes of tokens (RFC 6749 section 3.3): by action, by path as VCALM has them, and those of the
//! Open Badges 3.0 service API.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{Action, Actions};

/// Below which path the scopes of Open Badges count.
pub const OPEN_BADGES_PATH: &str = "/ims/ob/v3p0";

const OPEN_BADGES: &str = "https://purl.imsglobal.org/spec/ob/v3p0/scope/";

/// The most characters of a list of scopes, and the most scopes in it.
const LONGEST: usize = 2_048;
const MOST: usize = 64;

/// What is needed, in all, to do all that a scope is about. Only the table of routes knows it of
/// scopes by path.
pub type Reach = fn(&Scope) -> Actions;

/// Something that a token is good for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// An action, wherever it is done.
    Action(Action),
    /// Whatever is read (`read:/path`) or done (`write:/path`) at a path and below it (VCALM 1.0,
    /// authorization).
    Path {
        /// Whether it is about changes, and not about reading.
        writes: bool,
        /// The path, by whole segments, without a slash at its end; `/` itself is everything.
        path: String,
    },
    /// One of the Open Badges 3.0 service API (section 6.2), which counts below
    /// [`OPEN_BADGES_PATH`] alone.
    OpenBadges(OpenBadgesScope),
}

/// The scopes of the Open Badges 3.0 service API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OpenBadgesScope {
    /// `credential.readonly`.
    ReadCredentials,
    /// `credential.upsert`.
    WriteCredentials,
    /// `profile.readonly`.
    ReadProfile,
    /// `profile.update`.
    WriteProfile,
}

/// A text that is not a list of scopes. It is not repeated: it can be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ScopeError {
    /// Not a scope that is known here.
    #[error(
        "scope {0} of the list is not known here; known are actions such as status:write, \
         read:/path, write:/path, and those of the Open Badges API"
    )]
    Unknown(usize),
    /// Too long a list.
    #[error(
        "a list of scopes has at most {MOST} scopes in {LONGEST} characters, with one space between them"
    )]
    Long,
}

/// A set of scopes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<Scope>);

/// What a request is, as far as scopes are about it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whether it is a change, and not a read.
    pub writes: bool,
    /// Its path.
    pub path: &'a str,
    /// What its route needs.
    pub needs: Action,
}

impl OpenBadgesScope {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::ReadCredentials,
        Self::WriteCredentials,
        Self::ReadProfile,
        Self::WriteProfile,
    ];

    /// What it is for, in a line.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ReadCredentials => "To read the endorsements that the profile holds",
            Self::WriteCredentials => "To hand in endorsements of the profile",
            Self::ReadProfile => "To read the profile",
            Self::WriteProfile => "To change the profile",
        }
    }

    /// The last part of its URL.
    const fn name(self) -> &'static str {
        match self {
            Self::ReadCredentials => "credential.readonly",
            Self::WriteCredentials => "credential.upsert",
            Self::ReadProfile => "profile.readonly",
            Self::WriteProfile => "profile.update",
        }
    }

    const fn covers(self, asked: Asked<'_>) -> bool {
        match self {
            Self::ReadCredentials | Self::ReadProfile => !asked.writes,
            Self::WriteCredentials => asked.writes && !matches!(asked.needs, Action::WriteProfile),
            Self::WriteProfile => asked.writes && matches!(asked.needs, Action::WriteProfile),
        }
    }

    /// The part of the API that it is about.
    const fn resource(self) -> &'static str {
        match self {
            Self::ReadCredentials | Self::WriteCredentials => "/credentials",
            Self::ReadProfile | Self::WriteProfile => "/profile",
        }
    }
}

impl Scope {
    /// The one that a token needs for this, in the words of the API that the route is of.
    pub fn needed(asked: Asked<'_>) -> Self {
        let mut all = OpenBadgesScope::ALL.into_iter().map(Self::OpenBadges);
        all.find(|scope| scope.allows(asked).contains(asked.needs))
            .unwrap_or(Self::Action(asked.needs))
    }

    /// Whether whoever has this has `other` with it.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Path { writes, path },
                Self::Path {
                    writes: other_writes,
                    path: other,
                },
            ) => writes == other_writes && is_at_or_below(path, other),
            _ => self == other,
        }
    }

    /// What it is for, in a line for whoever is asked to agree to it.
    pub fn meaning(&self) -> String {
        match self {
            Self::Action(action) => action.meaning().to_owned(),
            Self::Path { writes: true, path } => format!("Make changes at {path} and below"),
            Self::Path { path, .. } => format!("Read what is private at {path} and below"),
            Self::OpenBadges(scope) => scope.meaning().to_owned(),
        }
    }

    /// What this allows whoever asks that.
    pub fn allows(&self, asked: Asked<'_>) -> Actions {
        let whole = match self {
            Self::Action(action) => return Actions::of(&[*action]),
            Self::Path { writes, path } => {
                *writes == asked.writes && is_at_or_below(path, asked.path)
            }
            Self::OpenBadges(scope) => {
                let below = asked.path.strip_prefix(OPEN_BADGES_PATH);
                scope.covers(asked) && below.is_some_and(|at| is_at_or_below(scope.resource(), at))
            }
        };
        match whole {
            true => Actions::of(&[asked.needs]),
            false => Actions::NONE,
        }
    }
}

/// By whole segments.
fn is_at_or_below(path: &str, other: &str) -> bool {
    let rest = match path {
        "/" => return true,
        _ => other.strip_prefix(path),
    };
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path that a scope can name: segments of usual characters, none of them empty, `.` or `..`.
fn is_path(path: &str) -> bool {
    let usual = |c: u8| c.is_ascii_alphanumeric() || b"-._~".contains(&c);
    let segment = |part: &str| {
        !part.is_empty() && part.bytes().all(usual) && !part.bytes().all(|c| c == b'.')
    };
    path == "/"
        || path
            .strip_prefix('/')
            .is_some_and(|rest| rest.split('/').all(segment))
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some(name) = text.strip_prefix(OPEN_BADGES) {
            let named = OpenBadgesScope::ALL.into_iter().find(|s| s.name() == name);
            return named.map(Self::OpenBadges).ok_or(());
        }
        for (prefix, writes) in [("read:", false), ("write:", true)] {
            if let Some(path) = text.strip_prefix(prefix) {
                let path = path.to_owned();
                return is_path(&path)
                    .then_some(Self::Path { writes, path })
                    .ok_or(());
            }
        }
        let named = Action::ALL.into_iter().find(|a| a.scope() == text);
        named.map(Self::Action).ok_or(())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action(action) => f.write_str(action.scope()),
            Self::Path { writes, path } => {
                let verb = if *writes { "write" } else { "read" };
                write!(f, "{verb}:{path}")
            }
            Self::OpenBadges(scope) => write!(f, "{OPEN_BADGES}{}", scope.name()),
        }
    }
}

impl Scopes {
    /// The scopes of these actions.
    pub fn of_actions(actions: Actions) -> Self {
        Self(actions.iter().map(Scope::Action).collect())
    }

    /// Reads a list with spaces between its scopes. An empty text is an empty list, which allows
    /// nothing.
    ///
    /// # Errors
    /// Scopes that are not known here, and more than a list can hold.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.len() > LONGEST || text.split(' ').count() > MOST {
            return Err(ScopeError::Long);
        }
        if text.is_empty() {
            return Ok(Self::default());
        }
        let read = |(place, part): (usize, &str)| {
            part.parse().map_err(|()| ScopeError::Unknown(place + 1))
        };
        let scopes = text.split(' ').enumerate().map(read);
        scopes.collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One by one, in one order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// What they allow whoever asks this: the actions that they name, and what the route needs
    /// where a scope by path covers it.
    pub fn allow(&self, asked: Asked<'_>) -> Actions {
        let each = self.0.iter().map(|scope| scope.allows(asked));
        each.fold(Actions::NONE, Actions::or)
    }

    /// Whether whoever has these has `other` with them.
    pub fn cover(&self, other: &Self) -> bool {
        let covered = |wanted: &Scope| self.0.iter().any(|scope| scope.covers(wanted));
        other.0.iter().all(covered)
    }

    /// Whether whoever has these may have `wanted`, which is one of them, part of one, or asks for
    /// nothing that the actions among these do not allow (RFC 6749 section 3.3).
    pub fn leave_room_for(&self, wanted: &Scope, reach: Reach) -> bool {
        let actions = self.0.iter().filter_map(|scope| match scope {
            Scope::Action(action) => Some(Actions::of(&[*action])),
            Scope::Path { .. } | Scope::OpenBadges(_) => None,
        });
        let actions = actions.fold(Actions::NONE, Actions::or);
        let needed = reach(wanted);
        self.0.iter().any(|scope| scope.covers(wanted))
            || (needed != Actions::NONE && needed.and(actions) == needed)
    }

    /// Those that are of any use to who may do `actions`.
    #[must_use]
    pub fn of_use_to(&self, actions: Actions, reach: Reach) -> Self {
        let of_use = |scope: &&Scope| {
            let needed = reach(scope);
            needed == Actions::NONE || needed.and(actions) != Actions::NONE
        };
        Self(self.0.iter().filter(of_use).cloned().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.0.iter().enumerate() {
            let space = if place > 0 { " " } else { "" };
            write!(f, "{space}{scope}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(writes: bool, path: &str) -> Asked<'_> {
        Asked {
            writes,
            path,
            needs: Action::Issue,
        }
    }

    fn allows(scopes: &str, asked: Asked<'_>) -> bool {
        let scopes = Scopes::parse(scopes).unwrap();
        scopes.allow(asked).contains(asked.needs)
    }

    #[test]
    fn a_path_is_whole_segments_for_one_way_of_asking() {
        let issue = asked(true, "/credentials/issue");
        for (scopes, good) in [
            ("write:/credentials/issue", true),
            ("write:/credentials", true),
            ("write:/", true),
            ("write:/cred", false),
            ("write:/credentials/issue/more", false),
            ("read:/credentials/issue", false),
            ("credentials:write", true),
            ("status:write", false),
            ("status:write credentials:write", true),
            ("", false),
        ] {
            assert_eq!(allows(scopes, issue), good, "{scopes:?}");
        }
        assert!(allows("read:/credentials", asked(false, "/credentials/x")));
    }

    #[test]
    fn scopes_of_open_badges_count_for_its_api_alone() {
        let read = format!("{OPEN_BADGES}credential.readonly");
        assert!(allows(&read, asked(false, "/ims/ob/v3p0/credentials")));
        for (writes, path) in [
            (true, "/ims/ob/v3p0/credentials"),
            (false, "/ims/ob/v3p0/profile"),
            (false, "/ims/ob/v3p01/credentials"),
            (false, "/profiles/x/keys"),
        ] {
            assert!(!allows(&read, asked(writes, path)), "{path}");
        }
        let update = format!("{OPEN_BADGES}profile.update");
        let put = |path| Asked {
            writes: true,
            path,
            needs: Action::WriteProfile,
        };
        assert!(allows(&update, put("/ims/ob/v3p0/profile")));
        assert!(!allows(&update, put("/ims/ob/v3p0/credentials")));
        assert!(!allows(&update, put("/profiles/x")));
    }

    #[test]
    fn what_is_needed_is_named_in_the_words_of_the_api() {
        for (writes, path, needs, name) in [
            (false, "/credentials", Action::Read, "credential.readonly"),
            (
                true,
                "/credentials",
                Action::WriteEndorsements,
                "credential.upsert",
            ),
            (false, "/profile", Action::Read, "profile.readonly"),
            (true, "/profile", Action::WriteProfile, "profile.update"),
        ] {
            let of_open_badges = format!("{OPEN_BADGES_PATH}{path}");
            let needed = |path| {
                Scope::needed(Asked {
                    writes,
                    path,
                    needs,
                })
            };
            assert_eq!(
                needed(&of_open_badges).to_string(),
                format!("{OPEN_BADGES}{name}")
            );
            assert_eq!(needed(path), Scope::Action(needs));
        }
    }

    #[test]
    fn what_is_not_a_scope_is_refused() {
        for text in [
            "admin",
            "Status:write",
            "read:",
            "read:x",
            "write:/a//b",
            "write:/a/../b",
            "write:/a/",
            "write:/%2e",
            " read",
            "read  read",
            "read\tread",
            "https://purl.imsglobal.org/spec/ob/v3p0/scope/all",
        ] {
            assert!(Scopes::parse(text).is_err(), "{text:?}");
        }
        let most = vec!["read"; MOST].join(" ");
        assert!(Scopes::parse(&most).is_ok());
        assert_eq!(
            Scopes::parse(&format!("{most} read")),
            Err(ScopeError::Long)
        );
    }

    fn scope() -> impl Strategy<Value = Scope> {
        let path = prop::collection::vec("[a-c]{1,2}", 0..3);
        prop_oneof![
            prop::sample::select(Action::ALL.to_vec()).prop_map(Scope::Action),
            prop::sample::select(OpenBadgesScope::ALL.to_vec()).prop_map(Scope::OpenBadges),
            (any::<bool>(), path).prop_map(|(writes, parts)| Scope::Path {
                writes,
                path: format!("/{}", parts.join("/")),
            }),
        ]
    }

    proptest! {
        #[test]
        fn scopes_survive(scopes in prop::collection::btree_set(scope(), 0..8)) {
            let scopes = Scopes(scopes);
            prop_assert_eq!(Scopes::parse(&scopes.to_string()), Ok(scopes));
        }

        /// Whoever has scopes that cover others may do whatever those allow.
        #[test]
        fn what_is_covered_is_allowed(
            wide in prop::collection::btree_set(scope(), 0..6),
            narrow in prop::collection::btree_set(scope(), 0..6),
            writes: bool,
            path in prop::collection::vec("[a-c]{1,2}", 0..4),
        ) {
            let (wide, narrow) = (Scopes(wide), Scopes(narrow));
            let covered = |wanted: &&Scope| wide.iter().any(|scope| scope.covers(wanted));
            let within = Scopes(narrow.iter().filter(covered).cloned().collect());
            prop_assert!(wide.cover(&within) && narrow.cover(&within));
            prop_assert_eq!(wide.cover(&narrow), within == narrow);
            let path = format!("/{}", path.join("/"));
            for needs in Action::ALL {
                let asked = Asked { writes, path: &path, needs };
                let allowed = within.allow(asked);
                prop_assert_eq!(allowed.and(wide.allow(asked)), allowed);
            }
        }
    }
}
