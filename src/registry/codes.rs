//! Verification codes: short words printed on paper, by which whoever holds the paper finds the one
//! credential, and nobody finds any other.
//!
//! A code is made from a random seed by a key of the vault, and of it a digest under that key is kept
//! ([`CodeKey`](crate::codes::CodeKey)). So nothing stored tells a code, neither in its own rows nor in the answer
//! that is kept for an `Idempotency-Key`, which holds the seeds; and its issuer is told the same code as often as
//! it asks, for a second print as for a request that is sent again. What is withdrawn leaves no row, so that an
//! unknown code and a withdrawn one are the same question to the store; and since each seed is random, no code
//! that was withdrawn comes back, also where a store is restored to before it was.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::change::Tx;
use super::profiles::id_digest;
use super::vault::CodeKeys;
use super::{
    Actor, Asked, Change, MaySee, Question, Refused, Registry, RegistryError, StandingAnswer,
};
use crate::access::Action;
use crate::codes::VerificationCode;
use crate::entropy::random;
use crate::ids::ProfileId;
use crate::store::engine::Read;
use crate::store::event::{CodesStep, EventKind};
use crate::store::tables::{
    CODES_OF_CREDENTIALS, CREDENTIALS, CodeOfCredential, CodePlace, Digest, VERIFICATION_CODES,
};
use crate::time::Timestamp;
use crate::verify::{Options, Outside};

/// At most so many credentials in one request.
const MOST_CODES: usize = 5_000;

/// The credentials whose codes are meant.
#[derive(Debug, Clone)]
pub struct CodesOf {
    /// Their ids.
    pub credentials: Vec<String>,
    /// Their issuer, by `issuer.id` or slug, where the caller speaks for several.
    pub issuer: Option<String>,
}

/// Codes that were handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOut {
    /// The codes, in the order of the credentials.
    pub codes: Vec<CredentialCode>,
    /// Credentials that have none.
    pub refused: Vec<Refused>,
}

/// A credential and its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialCode {
    /// The credential's id.
    pub credential: String,
    /// Its code.
    pub code: VerificationCode,
}

/// Codes that were withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodesWithdrawn {
    /// The ids of the credentials that had them.
    pub credentials: Vec<String>,
    /// Credentials that had none.
    pub refused: Vec<Refused>,
}

/// The one credential that a code is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodedCredential {
    /// Its id. It may tell something of its holder, so that it is not for whoever has the code alone.
    pub id: String,
    /// Its issuer.
    pub issuer: ProfileId,
}

/// How the credential of a code stands.
#[derive(Debug, Clone)]
pub struct CodedStanding {
    /// The answer, as of a credential by its id.
    pub answer: StandingAnswer,
    /// Since when it is revoked, suspended or expired, where it is and that is known: also where how the
    /// issuer's lists were is withheld, since whoever has the code asks about this credential alone.
    pub since: Option<Timestamp>,
}

/// What is kept of a code for a request that is sent again: from it the code is made, with a key of the vault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptCode {
    credential: String,
    issuer: ProfileId,
    made: CodeOfCredential,
}

/// The same of many.
#[derive(Serialize, Deserialize)]
struct Kept {
    codes: Vec<KeptCode>,
    refused: Vec<Refused>,
}

impl Registry {
    /// Hands out the code of each credential: the one that it has, or a new one; with `replace` always a new
    /// one, so that the one before is good no longer.
    ///
    /// # Errors
    /// [`RegistryError::AllRefused`] where no credential has one.
    pub fn hand_out_codes(
        &self,
        change: &Change,
        of: &CodesOf,
        replace: bool,
    ) -> Result<HandedOut, RegistryError> {
        let issuer = self.codes_asked(change.actor, of)?;
        let keys = self.vault().code_keys()?;
        let kept = self.transact(change, |tx| {
            let mut kept = Kept {
                codes: Vec::new(),
                refused: Vec::new(),
            };
            let mut new = Vec::new();
            for (item, owner) in meant(tx.read, change.actor, of, issuer)?
                .into_iter()
                .enumerate()
            {
                let credential = of.credentials[item].clone();
                let issuer = match owner {
                    Ok(issuer) => issuer,
                    Err(reason) => {
                        let reason = reason.to_owned();
                        kept.refused.push(Refused { item, reason });
                        continue;
                    }
                };
                let (made, is_new) = self.stage_code(tx, &keys, (issuer, &credential), replace)?;
                if is_new {
                    new.push((issuer, id_digest(&credential)));
                }
                kept.codes.push(KeptCode {
                    credential,
                    issuer,
                    made,
                });
            }
            if kept.codes.is_empty() {
                return Err(RegistryError::AllRefused(kept.refused));
            }
            log(tx, new, CodesStep::HandedOut);
            Ok(kept)
        })?;
        // What is kept may be from before, and so of another key.
        let keys = self.vault().code_keys()?;
        let codes = kept.codes.into_iter().map(|kept| kept.code(&keys));
        Ok(HandedOut {
            codes: codes.collect::<Result<_, _>>()?,
            refused: kept.refused,
        })
    }

    /// Withdraws the codes of credentials: nobody finds them by these any more.
    ///
    /// # Errors
    /// [`RegistryError::AllRefused`] where no credential had one.
    pub fn withdraw_codes(
        &self,
        change: &Change,
        of: &CodesOf,
    ) -> Result<CodesWithdrawn, RegistryError> {
        let issuer = self.codes_asked(change.actor, of)?;
        let keys = self.vault().code_keys()?;
        self.transact(change, |tx| {
            let mut withdrawn = CodesWithdrawn {
                credentials: Vec::new(),
                refused: Vec::new(),
            };
            let mut gone = Vec::new();
            for (item, owner) in meant(tx.read, change.actor, of, issuer)?
                .into_iter()
                .enumerate()
            {
                let credential = &of.credentials[item];
                let taken = match owner {
                    Ok(issuer) => {
                        let place = (issuer, id_digest(credential));
                        let had = take_back(tx, &keys, place)?;
                        had.then_some(place).ok_or("it has no code")
                    }
                    Err(reason) => Err(reason),
                };
                match taken {
                    Ok(place) => {
                        CODES_OF_CREDENTIALS.delete(&mut tx.batch, &place);
                        gone.push(place);
                        withdrawn.credentials.push(credential.clone());
                    }
                    Err(reason) => {
                        let reason = reason.to_owned();
                        withdrawn.refused.push(Refused { item, reason });
                    }
                }
            }
            if gone.is_empty() {
                return Err(RegistryError::AllRefused(withdrawn.refused));
            }
            log(tx, gone, CodesStep::Withdrawn);
            Ok(withdrawn)
        })
    }

    /// The credential that a code is of, in two point reads of the store, and one more for each time that the
    /// master key was rotated. `None` for a code that was never handed out, as for one that was withdrawn.
    ///
    /// # Errors
    /// [`RegistryError::ReadOnly`] where the vault is locked: then nobody knows which code is good.
    pub fn by_code(
        &self,
        code: &VerificationCode,
    ) -> Result<Option<CodedCredential>, RegistryError> {
        let keys = self.vault().code_keys()?;
        find(&*self.engine.snapshot(), &keys, code)
    }

    /// How the credential of a code stands, and who stands behind it, by what its issuer said of it.
    ///
    /// # Errors
    /// As [`Registry::by_code`].
    pub fn standing_by_code(
        &self,
        code: &VerificationCode,
        question: &Question,
        options: Options<'_>,
        outside: &dyn Outside,
    ) -> Result<Option<CodedStanding>, RegistryError> {
        let Some(coded) = self.by_code(code)? else {
            return Ok(None);
        };
        let (asked, may_see) = (vec![Asked::Id(coded.id)], MaySee::SaidBy(coded.issuer));
        let mut answers = self.standing(asked, question, may_see, options, outside)?;
        let Some(answer) = answers.pop() else {
            return Ok(None);
        };
        let since = self.since(&answer)?;
        Ok(Some(CodedStanding { answer, since }))
    }

    /// Stages the code of a credential that is known, or becomes so with this change: the one that it has,
    /// or a new one, and whether it is new.
    fn stage_code(
        &self,
        tx: &mut Tx<'_>,
        keys: &CodeKeys,
        (issuer, credential): (ProfileId, &str),
        replace: bool,
    ) -> Result<(CodeOfCredential, bool), RegistryError> {
        let place = (issuer, id_digest(credential));
        if !replace && let Some(present) = CODES_OF_CREDENTIALS.get(tx.read, &place)? {
            return Ok((present, false));
        }
        take_back(tx, keys, place)?;
        let (generation, key) = keys.newest();
        let (seed, digest) = loop {
            let seed = random(&*self.entropy);
            let digest = key.digest(&key.code(issuer, &place.1, &seed));
            // Of a nation's codes no two are equal but once in 2¹⁶ nations.
            if VERIFICATION_CODES.get(tx.read, &digest)?.is_none() {
                break (seed, digest);
            }
        };
        let made = CodeOfCredential {
            seed,
            generation,
            made_at: tx.now,
        };
        VERIFICATION_CODES.expect(&mut tx.batch, &digest, None);
        let of = CodePlace {
            credential: place.1,
            profile: issuer,
        };
        VERIFICATION_CODES.put(&mut tx.batch, &digest, &of);
        CODES_OF_CREDENTIALS.put(&mut tx.batch, &place, &made);
        Ok((made, true))
    }
    /// Stages the code of a credential that is being issued.
    pub(super) fn stage_code_of_issued(
        &self,
        tx: &mut Tx<'_>,
        keys: &CodeKeys,
        issuer: ProfileId,
        credential: &str,
    ) -> Result<KeptCode, RegistryError> {
        let (made, is_new) = self.stage_code(tx, keys, (issuer, credential), false)?;
        if is_new {
            let new = vec![(issuer, id_digest(credential))];
            log(tx, new, CodesStep::HandedOut);
        }
        Ok(KeptCode {
            credential: credential.to_owned(),
            issuer,
            made,
        })
    }

    /// Checks what is asked before anything is read for it; gives the issuer that was named.
    fn codes_asked(&self, actor: Actor, of: &CodesOf) -> Result<Option<ProfileId>, RegistryError> {
        actor.must_be_able(Action::Issue)?;
        if !(1..=MOST_CODES).contains(&of.credentials.len()) {
            let detail = format!("1 to {MOST_CODES} ids are needed");
            return Err(RegistryError::invalid("/credentialIds", detail));
        }
        let mut seen = HashSet::new();
        let twice = of.credentials.iter().position(|id| !seen.insert(id));
        if let Some(place) = twice {
            let pointer = format!("/credentialIds/{place}");
            let detail = "this id stands twice in the request";
            return Err(RegistryError::invalid(pointer, detail));
        }
        let Some(name) = &of.issuer else {
            return Ok(None);
        };
        let issuer = self.profile_named(name, "/issuer")?.id;
        actor.must(Action::Issue, issuer)?;
        Ok(Some(issuer))
    }
}

impl KeptCode {
    pub(super) fn code(self, keys: &CodeKeys) -> Result<CredentialCode, RegistryError> {
        let Self {
            credential,
            issuer,
            made,
        } = self;
        let key = keys.of(made.generation)?;
        let code = key.code(issuer, &id_digest(&credential), &made.seed);
        Ok(CredentialCode { credential, code })
    }
}

const UNKNOWN: &str = "no credential with this id was issued, or given an entry by its id, here by you: issue it, \
                       or give it an entry first";
const AMBIGUOUS: &str = "several issuers here have a credential with this id: name the issuer";

/// Whose each credential is, or why that is not told: that others have one is theirs to know.
fn meant(
    read: &dyn Read,
    actor: Actor,
    of: &CodesOf,
    issuer: Option<ProfileId>,
) -> Result<Vec<Result<ProfileId, &'static str>>, RegistryError> {
    let digests: Vec<Digest> = of.credentials.iter().map(|id| id_digest(id)).collect();
    let claims = CREDENTIALS.scan_each(read, &digests, usize::MAX)?;
    let owner = |rows: Vec<((Digest, ProfileId), _)>| {
        let owners = rows.into_iter().map(|((_, owner), _)| owner);
        let is_meant = |owner: &ProfileId| issuer.is_none_or(|issuer| issuer == *owner);
        let mut own = owners.filter(|owner| is_meant(owner) && actor.may(Action::Issue, *owner));
        match (own.next(), own.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(UNKNOWN),
            (Some(_), Some(_)) => Err(AMBIGUOUS),
        }
    };
    Ok(claims.into_iter().map(owner).collect())
}

/// The credential that a code is of. What the store is asked is the same for every code that finds nothing.
fn find(
    read: &dyn Read,
    keys: &CodeKeys,
    code: &VerificationCode,
) -> Result<Option<CodedCredential>, RegistryError> {
    for key in keys.all() {
        let Some(place) = VERIFICATION_CODES.get(read, &key.digest(code))? else {
            continue;
        };
        let CodePlace {
            credential,
            profile: issuer,
        } = place;
        let record = CREDENTIALS.get(read, &(credential, issuer))?;
        return Ok(record.map(|record| CodedCredential {
            id: record.id,
            issuer,
        }));
    }
    Ok(None)
}

/// Stages that the code of a credential is found no more, where it has one. Its own row is for the caller to
/// write or remove; that nobody does so meanwhile is staged here.
fn take_back(
    tx: &mut Tx<'_>,
    keys: &CodeKeys,
    place: (ProfileId, Digest),
) -> Result<bool, RegistryError> {
    let previous = CODES_OF_CREDENTIALS.get(tx.read, &place)?;
    CODES_OF_CREDENTIALS.expect(&mut tx.batch, &place, previous.as_ref());
    let Some(previous) = previous else {
        return Ok(false);
    };
    let key = keys.of(previous.generation)?;
    let code = key.code(place.0, &place.1, &previous.seed);
    VERIFICATION_CODES.delete(&mut tx.batch, &key.digest(&code));
    Ok(true)
}

/// Says in the log what was done with the codes of credentials, an event for each issuer.
fn log(tx: &mut Tx<'_>, mut of: Vec<(ProfileId, Digest)>, step: CodesStep) {
    of.sort_by_key(|(profile, _)| *profile);
    for of in of.chunk_by(|one, next| one.0 == next.0) {
        tx.log(EventKind::Codes {
            profile: of[0].0,
            credentials: of.iter().map(|(_, credential)| *credential).collect(),
            step,
        });
    }
}

#[cfg(test)]
mod tests;
