//! What an endorsement is wanted for.

use serde_json::Value;

use super::{Jurisdiction, Role};
use crate::json::each;
use crate::time::Timestamp;

/// For what an endorsement is wanted. `None` is what is not known; of jurisdiction and role it is
/// what was not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Need {
    /// The types of the achievement. One that is known to have none is `Some` of nothing, here and
    /// below.
    pub achievement_types: Option<Vec<String>>,
    /// Its tags.
    pub tags: Option<Vec<String>>,
    /// The `targetUrl` of each of its alignments.
    pub alignments: Option<Vec<String>>,
    /// When it was awarded.
    pub awarded: Option<Timestamp>,
    /// Where it is to count.
    pub jurisdiction: Option<Jurisdiction>,
    /// As what the subject acts.
    pub role: Option<Role>,
}

/// On which members of a [`Need`] it depends whether that is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    pub(super) achievement_types: bool,
    pub(super) tags: bool,
    pub(super) alignments: bool,
    pub(super) awarded: bool,
    pub(super) jurisdiction: bool,
    pub(super) role: bool,
}

impl Limits {
    /// On those of both.
    pub const fn and(self, other: Self) -> Self {
        Self {
            achievement_types: self.achievement_types || other.achievement_types,
            tags: self.tags || other.tags,
            alignments: self.alignments || other.alignments,
            awarded: self.awarded || other.awarded,
            jurisdiction: self.jurisdiction || other.jurisdiction,
            role: self.role || other.role,
        }
    }

    /// Whether it depends on any.
    pub fn any(self) -> bool {
        self != Self::default()
    }
}

impl Need {
    /// Whether both are one in all on which it depends, so that what covers one covers the other.
    pub fn agrees(&self, other: &Self, on: Limits) -> bool {
        (!on.achievement_types || self.achievement_types == other.achievement_types)
            && (!on.tags || self.tags == other.tags)
            && (!on.alignments || self.alignments == other.alignments)
            && (!on.awarded || self.awarded == other.awarded)
            && (!on.jurisdiction || self.jurisdiction == other.jurisdiction)
            && (!on.role || self.role == other.role)
    }

    /// What an achievement says of itself, where it is one and not its id alone. The rest is not
    /// known.
    pub fn of_achievement(achievement: &Value) -> Self {
        let members = achievement.as_object();
        let texts = |member: &str, of: fn(&Value) -> Option<&str>| {
            let items = each(members, "", member).filter_map(|(_, item)| of(item));
            members.map(|_| items.map(str::to_owned).collect())
        };
        Self {
            achievement_types: texts("achievementType", Value::as_str),
            tags: texts("tag", Value::as_str),
            alignments: texts("alignment", |alignment| {
                alignment.get("targetUrl")?.as_str()
            }),
            ..Self::default()
        }
    }

    /// What a badge says of its achievement and of its award, which was when it became valid where
    /// it has no `awardedDate` (Open Badges 3.0, AchievementCredential). Of a credential with no
    /// achievement, or with several, only the award is known.
    pub fn of_credential(credential: &Value) -> Self {
        let members = credential.as_object();
        let mut achievements = each(members, "", "credentialSubject")
            .flat_map(|(at, subject)| each(subject.as_object(), &at, "achievement"));
        let one = match (achievements.next(), achievements.next()) {
            (Some((_, one)), None) => Self::of_achievement(one),
            _ => Self::default(),
        };
        let dates = ["awardedDate", "validFrom", "issuanceDate"];
        let date = dates.iter().find_map(|name| credential.get(name));
        Self {
            awarded: date.and_then(|date| date.as_str()?.parse().ok()),
            ..one
        }
    }
}
