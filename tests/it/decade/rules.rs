//! What the model would refuse, and why. Where several things are wrong, the registry may name any
//! of them.

use goodstanding::time::Timestamp;

use super::facts::{Endorsement, Fact, Id, Model, Scope, Signed, Word};
use super::model::Then;

impl Then<'_> {
    /// Everything that is wrong with an endorsement, by the words of the problems and, for members
    /// of the request, their places.
    pub(super) fn refuses(&self, wanted: &Endorsement) -> Vec<Word> {
        let endorser = &wanted.signed.issuer;
        let mut reasons = Vec::new();
        match self.accreditor(endorser) {
            "active" => {}
            "suspended" => reasons.push("accreditor-suspended"),
            _ => reasons.push("role-missing"),
        }
        if self
            .kind(&wanted.subject)
            .is_some_and(|kind| kind != wanted.kind)
        {
            reasons.push("wrong-subject");
        }
        if self.maker(&wanted.subject).as_ref() == Some(endorser) {
            reasons.push("self-endorsement");
        }
        if let Some(bound) = &wanted.version
            && *bound != self.model.version(&wanted.subject)
        {
            reasons.push("/subject/digestMultibase");
        }
        let mut roles = wanted.scope.iter().flat_map(|scope| &scope.roles);
        let here = self.kind(&wanted.subject).is_some();
        let held = self.roles(&wanted.subject);
        if roles.any(|role| wanted.kind != "profile" || here && !held.contains(role)) {
            reasons.push("/scope/role");
        }
        let Signed {
            valid_from,
            valid_until,
            ..
        } = &wanted.signed;
        if valid_until.is_some_and(|until| until <= *valid_from) {
            reasons.push("/validUntil");
        }
        reasons.extend(self.is_too_wide(wanted).then_some("scope-too-wide"));
        reasons
    }

    /// What kind of thing has this id, where it lives here.
    fn kind(&self, id: &str) -> Option<Word> {
        match () {
            () if self.model.is_profile(id) => Some("profile"),
            () if self.model.owner_of(id).is_some() => Some("achievement"),
            () if self.model.endorsements().any(|one| one.signed.id == id) => Some("credential"),
            () => None,
        }
    }

    /// Who made something, where that is known.
    fn maker(&self, id: &str) -> Option<Id> {
        let endorsers = self.model.endorsements().filter(|one| one.signed.id == id);
        let issuers = self
            .model
            .credentials()
            .filter(|(_, one)| one.signed.id == id);
        let issuers: Vec<Id> = issuers.map(|(_, one)| one.signed.issuer.clone()).collect();
        match (self.kind(id), issuers.as_slice()) {
            (Some("profile"), _) => Some(id.to_owned()),
            (Some("achievement"), _) => self.model.owner_of(id).cloned(),
            (None, [issuer]) => Some(issuer.clone()),
            _ => endorsers.map(|one| one.signed.issuer.clone()).next(),
        }
    }

    /// The roles that somebody holds here; who is suspended holds the role.
    pub(super) fn roles(&self, profile: &str) -> Vec<Word> {
        let mut roles = Vec::new();
        roles.extend(self.is_issuer(profile).then_some("issuer"));
        let accredits = matches!(self.accreditor(profile), "active" | "suspended");
        roles.extend(accredits.then_some("accreditor"));
        roles
    }

    /// Nobody passes on more than was given: who was limited as an accreditor, by one who is still
    /// an accreditor, endorses within what an endorsement in force covers, and does not get rid of
    /// the limits by their end.
    fn is_too_wide(&self, wanted: &Endorsement) -> bool {
        let given = self.endorsements().filter(|(_, one)| {
            one.subject == wanted.signed.issuer
                && one.roles.contains(&"accreditor")
                && self.accreditor(&one.signed.issuer) == "active"
        });
        let given: Vec<_> = given
            .map(|(place, one)| (self.outcome(place, one) == "active", &one.scope))
            .collect();
        let everything = Scope::default();
        let asked = wanted.scope.as_ref().unwrap_or(&everything);
        let allows = |(in_force, given): &(bool, &Option<Scope>)| {
            *in_force && given.as_ref().is_none_or(|given| lies_within(asked, given))
        };
        given.iter().any(|(_, scope)| scope.is_some()) && !given.iter().any(allows)
    }

    /// The key that signs for somebody: the newest that has stood long enough.
    pub(super) fn signing_key(&self, profile: &str) -> Option<u32> {
        self.keys(profile)
            .rev()
            .find(|key| self.signs(profile, *key))
    }

    fn keys(&self, of: &str) -> impl DoubleEndedIterator<Item = u32> {
        self.facts().filter_map(move |(_, fact)| match fact {
            Fact::KeyMade { profile, key, .. } if profile == of => Some(*key),
            _ => None,
        })
    }

    fn signs(&self, of: &str, wanted: u32) -> bool {
        let noticed = |from: Timestamp| from <= self.moment;
        self.facts().any(|(_, fact)| {
            matches!(fact, Fact::KeyMade { profile, key, signs_from }
                if profile == of && *key == wanted && noticed(*signs_from))
        }) && !self.is_out_of_use(of, wanted)
    }

    /// Whether a key was retired or lost.
    pub(super) fn is_out_of_use(&self, of: &str, wanted: u32) -> bool {
        self.facts().any(|(_, fact)| match fact {
            Fact::KeyRetired { profile, key } | Fact::KeyLost { profile, key, .. } => {
                profile == of && *key == wanted
            }
            _ => false,
        })
    }

    /// Whether anybody else's signature would do: a key beside this one that signs.
    pub(super) fn has_another(&self, of: &str, than: u32) -> bool {
        self.keys(of).any(|key| key != than && self.signs(of, key))
    }
}

impl Model {
    /// How many keys somebody has had.
    pub(super) fn keys_made(&self, of: &str) -> u32 {
        let made = self
            .facts
            .iter()
            .filter(|(_, fact)| matches!(fact, Fact::KeyMade { profile, .. } if profile == of));
        made.count() as u32
    }
}

/// Whether all that one scope covers is covered by the other; roles are left aside.
fn lies_within(asked: &Scope, given: &Scope) -> bool {
    let among = |asked: &[Word], given: &[Word]| {
        given.is_empty() || !asked.is_empty() && asked.iter().all(|one| given.contains(one))
    };
    let in_places = asked
        .places
        .iter()
        .all(|place| super::model::lies_in(place, &given.places));
    let from = given
        .from
        .is_none_or(|from| asked.from.is_some_and(|own| own >= from));
    let until = given
        .until
        .is_none_or(|until| asked.until.is_some_and(|own| own <= until));
    among(&asked.types, &given.types)
        && among(&asked.tags, &given.tags)
        && among(&asked.alignments, &given.alignments)
        && (given.places.is_empty() || !asked.places.is_empty() && in_places)
        && from
        && until
}
