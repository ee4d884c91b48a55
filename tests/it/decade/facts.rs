//! What happened in a decade: facts in the order in which they came about.

use std::collections::BTreeMap;

use goodstanding::time::Timestamp;

pub(super) type Id = String;
pub(super) type Word = &'static str;

/// Something that happened.
#[derive(Debug, Clone)]
pub(super) enum Fact {
    Registered {
        profile: Id,
        slug: String,
        https: bool,
    },
    /// A profile may issue from now on, or no longer.
    Issuer {
        profile: Id,
        may: bool,
    },
    /// A profile is an accreditor (`active`), suspended as one, or one no longer (`revoked`).
    Accreditor {
        profile: Id,
        standing: Word,
    },
    Defined {
        achievement: Id,
        owner: Id,
    },
    /// A profile or an achievement has this content from now on.
    Written {
        thing: Id,
        content: usize,
    },
    KeyMade {
        profile: Id,
        key: u32,
        signs_from: Timestamp,
    },
    KeyRetired {
        profile: Id,
        key: u32,
    },
    /// A key was in wrong hands, and has been since then.
    KeyLost {
        profile: Id,
        key: u32,
        since: Timestamp,
    },
    Endorsed(Endorsement),
    Issued(Credential),
    /// A status of an endorsement or a credential is set or cleared. Ids are chosen by issuers, so
    /// that it takes both to tell which.
    Status {
        of: (Id, Id),
        purpose: Word,
        set: bool,
    },
}

/// What every signed document has.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) id: Id,
    pub(super) issuer: Id,
    pub(super) key: u32,
    pub(super) securing: Word,
    pub(super) purposes: Vec<Word>,
    pub(super) valid_from: Timestamp,
    pub(super) valid_until: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(super) struct Endorsement {
    pub(super) signed: Signed,
    pub(super) subject: Id,
    pub(super) kind: Word,
    pub(super) scope: Option<Scope>,
    /// The version of the subject that it is bound to.
    pub(super) version: Option<Version>,
    /// The roles that its subject held here, and that it covers.
    pub(super) roles: Vec<Word>,
}

#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub(super) signed: Signed,
    pub(super) awarded: Timestamp,
    /// The achievement, where it is for one, and what the credential itself says of it.
    pub(super) achievement: Option<(Id, Said)>,
}

/// What is known of an achievement; `None` is what is not said, or not known.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) types: Option<Vec<Word>>,
    pub(super) tags: Option<Vec<Word>>,
    pub(super) alignments: Option<Vec<Word>>,
}

impl Signed {
    /// Its id and its issuer.
    pub(super) fn which(&self) -> (Id, Id) {
        (self.id.clone(), self.issuer.clone())
    }
}

impl Said {
    /// What both say, where both say anything of it.
    pub(super) fn and(self, other: &Self) -> Self {
        let both = |own: Option<Vec<Word>>, other: &Option<Vec<Word>>| match (own, other) {
            (Some(own), Some(other)) => {
                Some(own.into_iter().filter(|one| other.contains(one)).collect())
            }
            (own, _) => own,
        };
        Self {
            types: both(self.types, &other.types),
            tags: both(self.tags, &other.tags),
            alignments: both(self.alignments, &other.alignments),
        }
    }

    /// This, and the other for what is not said here.
    pub(super) fn or(self, other: &Self) -> Self {
        Self {
            types: self.types.or(other.types.clone()),
            tags: self.tags.or(other.tags.clone()),
            alignments: self.alignments.or(other.alignments.clone()),
        }
    }
}

/// What an endorsement is limited to; a member without values limits nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) roles: Vec<Word>,
    pub(super) types: Vec<Word>,
    pub(super) tags: Vec<Word>,
    pub(super) alignments: Vec<Word>,
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) places: Vec<Word>,
}

/// For what an endorsement is wanted. Of the achievement and the date, `None` is not known.
#[derive(Debug, Clone, Default)]
pub(super) struct Need {
    pub(super) role: Option<Word>,
    pub(super) of: Said,
    pub(super) awarded: Option<Timestamp>,
    pub(super) place: Option<Word>,
}

/// All that shows in a document.
pub(super) type Version = Vec<String>;

/// Whom the asker trusts; every accreditor here where nobody is named.
pub(super) type Anchors = Option<Vec<Id>>;

/// Everything that happened.
#[derive(Default, Clone)]
pub(super) struct Model {
    pub(super) facts: Vec<(Timestamp, Fact)>,
}

impl Model {
    pub(super) fn endorsements(&self) -> impl DoubleEndedIterator<Item = &Endorsement> {
        self.facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Endorsed(endorsement) => Some(endorsement),
            _ => None,
        })
    }

    pub(super) fn credentials(&self) -> impl Iterator<Item = (Timestamp, &Credential)> {
        self.facts.iter().filter_map(|(at, fact)| match fact {
            Fact::Issued(credential) => Some((*at, credential)),
            _ => None,
        })
    }

    pub(super) fn profiles(&self) -> impl Iterator<Item = (&Id, &String, bool)> {
        self.facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Registered {
                profile,
                slug,
                https,
            } => Some((profile, slug, *https)),
            _ => None,
        })
    }

    pub(super) fn achievements(&self) -> impl Iterator<Item = (&Id, &Id)> {
        self.facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Defined { achievement, owner } => Some((achievement, owner)),
            _ => None,
        })
    }

    pub(super) fn is_profile(&self, id: &str) -> bool {
        self.profiles().any(|(profile, ..)| profile == id)
    }

    pub(super) fn owner_of(&self, achievement: &str) -> Option<&Id> {
        let mut found = self.achievements().filter(|(id, _)| *id == achievement);
        found.next().map(|(_, owner)| owner)
    }

    pub(super) fn content(&self, thing: &str) -> usize {
        let written = self.facts.iter().rev().find_map(|(_, fact)| match fact {
            Fact::Written {
                thing: one,
                content,
            } if one == thing => Some(*content),
            _ => None,
        });
        written.unwrap_or_else(|| panic!("{thing} was written"))
    }

    /// What the document of a profile or an achievement shows now. An achievement names who made
    /// it, and a profile that is its own controller document lists its keys.
    pub(super) fn version(&self, thing: &str) -> Version {
        let mut shown = vec![format!("content {}", self.content(thing))];
        if let Some(owner) = self.owner_of(thing) {
            shown.push(format!("by content {}", self.content(owner)));
        }
        if self.profiles().any(|(id, _, https)| https && id == thing) {
            shown.extend(self.facts.iter().filter_map(|(_, fact)| match fact {
                Fact::KeyMade { profile, key, .. } if profile == thing => {
                    Some(format!("key {key}"))
                }
                _ => None,
            }));
            shown.extend(
                self.lost(thing)
                    .map(|(key, since)| format!("{key} lost {since}")),
            );
        }
        shown
    }

    /// When something was last said of an achievement.
    pub(super) fn last_said(&self, achievement: &str) -> Timestamp {
        let mut written = self.facts.iter().rev().filter(
            |(_, fact)| matches!(fact, Fact::Written { thing, .. } if thing == achievement),
        );
        let last = written.next().map(|(at, _)| *at);
        last.unwrap_or_else(|| panic!("{achievement} was written"))
    }

    /// When the document was last written anew, be it the same as before.
    pub(super) fn last_written(&self, thing: &str) -> Timestamp {
        let https = self.profiles().any(|(id, _, https)| https && id == thing);
        let owner = self.owner_of(thing).map(|owner| self.last_written(owner));
        let own = self.facts.iter().filter(|(_, fact)| match fact {
            Fact::Written { thing: one, .. } => one == thing,
            Fact::Accreditor { profile, standing } => profile == thing && *standing == "revoked",
            Fact::KeyMade { profile, .. } | Fact::KeyLost { profile, .. } => {
                https && profile == thing
            }
            _ => false,
        });
        let own = own.map(|(at, _)| *at).max();
        own.max(owner)
            .unwrap_or_else(|| panic!("{thing} was written"))
    }

    /// The keys of a profile that were in wrong hands, since when: the earliest moment counts.
    pub(super) fn lost(&self, of: &str) -> impl Iterator<Item = (u32, Timestamp)> {
        let mut lost = BTreeMap::new();
        for (_, fact) in &self.facts {
            if let Fact::KeyLost {
                profile,
                key,
                since,
            } = fact
                && profile == of
            {
                let known = lost.entry(*key).or_insert(*since);
                *known = (*known).min(*since);
            }
        }
        lost.into_iter()
    }
}
