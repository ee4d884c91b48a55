//! What an endorsement has to cover for a credential, by what its issuer wrote and by what is
//! registered here.

use serde_json::Value;

use crate::badges::Need;
use crate::registry::{Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::ACHIEVEMENTS;
use crate::time::Timestamp;

impl Registry {
    /// What is known of an achievement, as a credential writes it: what the issuer signed, and where
    /// that says nothing of it, what is registered here.
    pub(in crate::registry) fn need_of(
        &self,
        read: &dyn Read,
        at: Option<Timestamp>,
        achievement: Option<&Value>,
    ) -> Result<Need, RegistryError> {
        let Some(written) = achievement else {
            return Ok(Need::default());
        };
        let id = written.get("id").unwrap_or(written).as_str();
        let registered = match id {
            Some(id) => self.registered_achievement(read, at, id)?,
            None => Registered::Elsewhere,
        };
        let said = written.as_object().map(|_| Need::of_achievement(written));
        Ok(match (said, registered) {
            (None, Registered::Elsewhere | Registered::NotHeld) => Need::default(),
            (Some(said), Registered::Elsewhere) => said,
            (None, Registered::So(members)) => Need::of_achievement(&members),
            // What it was then, where the issuer does not say it, nobody knows.
            (Some(said), Registered::NotHeld) => combined(written, said, None),
            (Some(said), Registered::So(members)) => combined(written, said, Some(&members)),
        })
    }

    fn registered_achievement(
        &self,
        read: &dyn Read,
        at: Option<Timestamp>,
        id: &str,
    ) -> Result<Registered, RegistryError> {
        let url = self.urls().spelled(id);
        let Some(Ok(id)) = self.urls().within("achievements", &url).map(str::parse) else {
            return Ok(Registered::Elsewhere);
        };
        let Some(record) = ACHIEVEMENTS.get(read, &id)? else {
            return Ok(Registered::Elsewhere);
        };
        // Its own words alone count, not those of who defined it, which stand in its document too.
        match at.is_some_and(|at| at < record.changed_at) {
            true => Ok(Registered::NotHeld),
            false => Ok(Registered::So(record.said())),
        }
    }
}

/// What an issuer says of an achievement, and what is registered of it: where both speak of a thing,
/// what both say, since nobody makes one thing of another by calling it so.
fn combined(written: &Value, said: Need, registered: Option<&Value>) -> Need {
    let known = registered.map(Need::of_achievement).unwrap_or_default();
    let both = |member: &str, said: Option<Vec<String>>, known: Option<Vec<String>>| match (
        written.get(member),
        registered.and_then(|it| it.get(member)),
    ) {
        (Some(_), Some(_)) => {
            let mut said = said.unwrap_or_default();
            said.retain(|value| known.iter().flatten().any(|other| other == value));
            Some(said)
        }
        (Some(_), None) => said,
        (None, _) => known,
    };
    Need {
        achievement_types: both(
            "achievementType",
            said.achievement_types,
            known.achievement_types,
        ),
        tags: both("tag", said.tags, known.tags),
        alignments: both("alignment", said.alignments, known.alignments),
        ..Need::default()
    }
}

/// What is registered here of an achievement.
enum Registered {
    /// Nothing.
    Elsewhere,
    /// It was changed after the moment that is asked about, and only the present version is kept.
    NotHeld,
    /// What was said of it.
    So(Value),
}
