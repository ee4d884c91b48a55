//! The model's answers about credentials: whether they are in good standing, and who stands behind
//! their issuers and achievements.

use goodstanding::time::Timestamp;

use super::facts::{Anchors, Credential, Fact, Id, Need, Said, Signed, Word};
use super::history::CONTENTS;
use super::model::{Backing, Then};

/// What is said of one credential.
pub(super) struct Told {
    pub(super) outcome: Word,
    pub(super) decided_by: Word,
    /// Each status: its purpose, its value where it is known, and what it makes of the credential.
    pub(super) statuses: Vec<StatusTold>,
    /// Nobody is told of a credential about which nothing is known.
    pub(super) parties: Option<(Party, Option<Party>)>,
    pub(super) verified: Option<bool>,
}

/// A status: its purpose, its value where it is known, and what it makes of the credential.
type StatusTold = (Word, Option<bool>, Word);

/// An issuer or an achievement.
pub(super) struct Party {
    pub(super) id: Id,
    pub(super) backing: Backing,
    pub(super) need: Need,
}

/// Of what is said of one credential, what counts before what; later ones count first.
const ORDER: [Word; 7] = [
    "active",
    "unreachable",
    "unknown",
    "not-yet-valid",
    "expired",
    "suspended",
    "revoked",
];

fn weightiest(words: impl IntoIterator<Item = Word>) -> Word {
    let weight = |word: &Word| ORDER.iter().position(|known| known == word);
    words.into_iter().max_by_key(weight).unwrap_or("active")
}

/// What the asker wants to know beside the credential.
#[derive(Debug, Clone, Default)]
pub(super) struct Asker {
    pub(super) anchors: Anchors,
    pub(super) place: Option<Word>,
}

impl Then<'_> {
    /// Of a credential by its id, which is known here alone.
    pub(super) fn by_id(&self, id: &str, asker: &Asker) -> Told {
        // Of several who mean something by it, who was registered first comes first.
        let issuers = self.model.profiles().map(|(issuer, ..)| issuer);
        let meant: Vec<(Timestamp, &Credential)> = issuers
            .flat_map(|issuer| {
                let of = |one: &Credential| one.signed.issuer == *issuer && one.signed.id == id;
                self.model.credentials().filter(move |(_, one)| of(one))
            })
            .collect();
        let by_then = meant
            .iter()
            .filter(|(issued, _)| self.at.is_none_or(|at| *issued <= at));
        let statuses: Vec<_> = by_then
            .clone()
            .flat_map(|(_, one)| self.statuses(&one.signed))
            .filter(|(_, value, _)| value.is_some())
            .collect();
        let by_then: Vec<_> = by_then.collect();
        let [(_, credential)] = by_then.as_slice() else {
            // Nobody, or two who mean different credentials by it.
            return Told {
                outcome: "unknown",
                decided_by: "credential",
                statuses,
                parties: None,
                verified: None,
            };
        };
        let own = match statuses.is_empty() {
            true => "unknown",
            false => weightiest(statuses.iter().map(|status| status.2)),
        };
        let own = weightiest([own, self.period(&credential.signed)]);
        // The credential itself is not kept, so what it says of the achievement is not known.
        let achievement = credential.achievement.clone().map(|(id, _)| (id, None));
        self.told(credential, achievement, (own, statuses, None), asker)
    }

    /// Of a credential that is handed in, and was signed at this moment.
    pub(super) fn by_document(
        &self,
        credential: &Credential,
        signed_at: Timestamp,
        asker: &Asker,
    ) -> Told {
        let signed = &credential.signed;
        let mut lost = self.model.lost(&signed.issuer);
        let lost = lost.find(|(key, _)| *key == signed.key);
        // A thief dates back as he likes: what the lost key signed is good where it is known to
        // have been signed before.
        let verified = lost
            .is_none_or(|(_, since)| signed_at < since && self.at.is_none_or(|at| signed_at < at));
        let statuses = match verified {
            true => self.statuses(signed).collect(),
            false => Vec::new(),
        };
        let own = match verified {
            true => weightiest(
                statuses
                    .iter()
                    .map(|one| one.2)
                    .chain([self.period(signed), self.period_of_jwt(signed)]),
            ),
            false => "unknown",
        };
        let achievement = credential.achievement.clone();
        let achievement = achievement.map(|(id, said)| (id, Some(said)));
        self.told(
            credential,
            achievement,
            (own, statuses, Some(verified)),
            asker,
        )
    }

    /// Each status by its list: what a list said before it was opened, nobody knows.
    fn statuses(&self, signed: &Signed) -> impl Iterator<Item = (Word, Option<bool>, Word)> {
        signed.purposes.iter().map(|purpose| {
            let opened = self.facts().any(|(_, fact)| {
                let (Fact::Endorsed(super::facts::Endorsement { signed: one, .. })
                | Fact::Issued(Credential { signed: one, .. })) = fact
                else {
                    return false;
                };
                one.issuer == signed.issuer && one.purposes.contains(purpose)
            });
            if !opened {
                return (*purpose, None, "unreachable");
            }
            match (self.is_set(signed, purpose), *purpose) {
                (false, _) => (*purpose, Some(false), "active"),
                (true, "revocation") => (*purpose, Some(true), "revoked"),
                (true, _) => (*purpose, Some(true), "suspended"),
            }
        })
    }

    fn told(
        &self,
        credential: &Credential,
        achievement: Option<(Id, Option<Said>)>,
        (own, statuses, verified): (Word, Vec<StatusTold>, Option<bool>),
        asker: &Asker,
    ) -> Told {
        let issuer = &credential.signed.issuer;
        let known = achievement
            .as_ref()
            .map(|(id, said)| self.known_of(id, said.clone()))
            .unwrap_or_default();
        let needs = |role| Need {
            role,
            of: known.clone(),
            awarded: Some(credential.awarded),
            place: asker.place,
        };
        let party = |id: &Id, role| Party {
            id: id.clone(),
            backing: self.backing(id, &asker.anchors, Some(&needs(role))),
            need: needs(role),
        };
        let by = party(issuer, Some("issuer"));
        let of = achievement.as_ref().map(|(id, _)| party(id, None));
        // Somebody else's achievement lends nothing.
        let helps = of.as_ref().is_some_and(|of| {
            of.backing.outcome == "active" && self.model.owner_of(&of.id) == Some(issuer)
        });
        let (outcome, decided_by) = match own {
            "active" if by.backing.outcome == "active" => ("active", "issuer"),
            "active" if helps => ("active", "achievement"),
            "active" => (by.backing.outcome, "issuer"),
            bad => (bad, "credential"),
        };
        Told {
            outcome,
            decided_by,
            statuses,
            // Whoever is only said to have issued it is asked about in vain.
            parties: (verified != Some(false)).then_some((by, of)),
            verified,
        }
    }

    /// What is known of an achievement: what both the credential and the registry say, and of what
    /// one leaves out, what the other says. Of that only the present version is kept.
    fn known_of(&self, achievement: &str, said: Option<Said>) -> Said {
        let here = self.model.owner_of(achievement).is_some();
        let nothing = Said {
            types: Some(Vec::new()),
            tags: Some(Vec::new()),
            alignments: Some(Vec::new()),
        };
        let changed = |at| at < self.model.last_said(achievement);
        let registered = match here {
            true if self.at.is_some_and(changed) => None,
            true => Some(CONTENTS[self.model.content(achievement)].said()),
            false => None,
        };
        match (said, registered) {
            (Some(said), Some(registered)) => said.and(&registered).or(&registered).or(&nothing),
            (None, Some(registered)) => registered.or(&nothing),
            (Some(said), None) if here => said,
            (Some(said), None) => said.or(&nothing),
            (None, None) => Said::default(),
        }
    }
}
