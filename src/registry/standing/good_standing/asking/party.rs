//! Who stands behind one issuer or achievement: from what is kept, or else by a search.

use std::sync::{Arc, OnceLock};

use super::{Asking, MOST_NEEDS, Met, Needed};
use crate::badges::{Role, SubjectKind};
use crate::ids::{AchievementId, ProfileId};
use crate::registry::RegistryError;
use crate::registry::standing::backing::{Backing, Wanted};
use crate::registry::standing::good_standing::{Endorsed, MOST_SHOWN, Party};
use crate::registry::standing::kept::{Holds, KeptParty, Named};
use crate::registry::standing::links::Link;
use crate::registry::standing::parties::Who;
use crate::store::tables::ACHIEVEMENTS;

impl Asking<'_> {
    /// Who stands behind an issuer or an achievement, for what is needed.
    pub(super) fn party(
        &self,
        party: (Named, SubjectKind),
        who: &dyn Fn() -> Result<Who, RegistryError>,
        need: &Needed,
    ) -> Result<Arc<Party>, RegistryError> {
        if let Some(known) = self.known_party(party, need) {
            return Ok(known);
        }
        let (who, need, kind) = (who()?, self.whole(need), party.1);
        let wanted = Wanted {
            kind: Some(kind),
            role: (kind == SubjectKind::Profile).then_some(Role::Issuer),
            need: Some(need),
        };
        let (links, question) = (&self.links, self.question);
        let (backing, limits) = self.registry.backing_for(links, &who, question, wanted)?;
        let told = Arc::new(self.told(&who, kind, backing)?);
        let holds = Holds {
            from: self.now,
            until: self.links.next_moment(),
        };
        let new = KeptParty::new(told.clone(), need.clone(), limits, holds);
        if self.trust.kept_to_them() {
            self.kept.keep_party(party, &new);
        }
        let mut parties = self.parties.borrow_mut();
        let met = &mut parties.entry(party).or_default().new;
        met.truncate(MOST_NEEDS - 1);
        met.insert(0, new);
        Ok(told)
    }

    /// The same, where it was worked out before.
    fn known_party(&self, party: (Named, SubjectKind), need: &Needed) -> Option<Arc<Party>> {
        let mut parties = self.parties.borrow_mut();
        let met = parties.entry(party).or_insert_with(|| self.met(party));
        let kept = met.kept.iter().flat_map(|kept| &**kept);
        let kept = kept.filter(|kept| self.kept.holds(kept));
        let mut known = met.new.iter().chain(kept);
        let found = known.find(|known| known.serves_all() || known.serves(self.whole(need)));
        self.kept.note(found.is_some());
        found.map(|found| found.party.clone())
    }

    pub(super) fn met(&self, party: (Named, SubjectKind)) -> Met {
        Met {
            kept: self.kept.parties(party),
            new: Vec::new(),
        }
    }

    /// What is told of an issuer or an achievement that stands like this.
    fn told(&self, who: &Who, kind: SubjectKind, backing: Backing) -> Result<Party, RegistryError> {
        let known = self.links.of(who)?;
        let here = self.links.parties.here(who)?;
        let mut shown: Vec<(_, &Link)> = known.links.iter().map(|it| (it.rank(), it)).collect();
        shown.sort_by_key(|(rank, _)| *rank);
        let endorsements = shown.iter().take(MOST_SHOWN).map(|(_, link)| Endorsed {
            id: link.id,
            endorser: link.endorser.id().to_owned(),
            name: link.endorser_name().map(str::to_owned),
            outcome: link.outcome(),
        });
        Ok(Party {
            until: self.links.end_of(&backing.path)?,
            profile: here.map(|here| here.profile),
            made_by: match kind {
                SubjectKind::Achievement => self.maker(who.id())?,
                SubjectKind::Profile | SubjectKind::Credential => None,
            },
            name: match here {
                Some(here) => Some(here.name.clone()),
                None => self.registry.achievement_name(self.links.read, who.id())?,
            },
            backing,
            endorsements: endorsements.collect(),
            more: known.more || known.links.len() > MOST_SHOWN,
            id: who.id().to_owned(),
            written: OnceLock::new(),
        })
    }

    /// Who made an achievement that is registered here.
    fn maker(&self, achievement: &str) -> Result<Option<ProfileId>, RegistryError> {
        let id = self.registry.urls().within("achievements", achievement);
        let Some(Ok(id)) = id.map(str::parse::<AchievementId>) else {
            return Ok(None);
        };
        let found = ACHIEVEMENTS.get(self.links.read, &id)?;
        Ok(found.map(|_| id.owner()))
    }
}
