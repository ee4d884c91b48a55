//! One credential that a person asks about, with all that can be said of it: why, since when, and what was
//! looked at.

use serde_json::Value;

use super::asking::Asking;
use super::told::Told;
use super::{Half, Looked, StandingAnswer, StatusPart};
use crate::registry::lists::queries::StatusUnknown;
use crate::registry::standing::backing::{Anchors, Question};
use crate::registry::standing::kept::OwnDocuments;
use crate::registry::{Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::remembered::Remembered;
use crate::time::Timestamp;
use crate::verify::{Options, Outside, Report};

/// A document that was looked at.
#[derive(Debug, Clone)]
pub struct Examined {
    /// How it stands, and who stands behind it.
    pub answer: StandingAnswer,
    /// Every check that was made of it.
    pub report: Report,
    /// What it says. It is nobody's word unless the report says that it is proved.
    pub claims: Value,
}

impl Registry {
    /// As [`Registry::standing`] of one document, with the report that the answer rests on.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn examine(
        &self,
        document: &Value,
        question: &Question,
        options: Options<'_>,
        outside: &dyn Outside,
    ) -> Result<Examined, RegistryError> {
        let life = self.kept.life();
        let snapshot = self.engine.snapshot();
        let remembered = Remembered::new(&*snapshot);
        let read = &remembered;
        let session = outside.session();
        let made = OwnDocuments::new(self.kept.documents(life, read, question.at));
        let report_on = |document: &Value| {
            self.report_on(read, &made, document, question.at, options, &*session)
        };
        let looked = Looked::at(document, report_on(document));
        let nested = self.nested(read, question, &looked, &report_on)?;
        let (report, claims) = (looked.report.clone(), looked.claims.clone().into_owned());
        let told = Told::by(self, read, question, looked)?;
        let trust = Asking::trust(read);
        let asking = Asking::new(self, &trust, question, life)?;
        let answer = asking.by_document_with(&told, &nested)?;
        Ok(Examined {
            answer,
            report,
            claims,
        })
    }

    /// How a credential stands by one entry of a list here, and who stands behind whom it is said to be by. The
    /// document was not seen: whether there is one, and by whom it is, nobody knows. By nobody's word it is by
    /// the list's owner, so that is who is asked about where no `issuer` is named, and what an entry of somebody
    /// else's list says of a credential of theirs is not known.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn standing_of_entry(
        &self,
        (list, index): (&str, u64),
        issuer: Option<&str>,
        question: &Question,
    ) -> Result<Result<StandingAnswer, StatusUnknown>, RegistryError> {
        let life = self.kept.life();
        let entry = match self.status_at(list, index, question.at, None)? {
            Ok(entry) => entry,
            Err(unknown) => return Ok(Err(unknown)),
        };
        let snapshot = self.engine.snapshot();
        let remembered = Remembered::new(&*snapshot);
        let owner = self.list_named(list).ok().map(|list| list.owner());
        let named = match issuer {
            Some(issuer) => self.profile_with_id(&remembered, issuer)?,
            None => owner,
        };
        let is_theirs = owner.is_some() && named == owner;
        let part = StatusPart {
            list: Some(list.into()),
            index: Some(index),
            purpose: Some(entry.purpose.as_str().into()),
            status: Some(entry.status),
            outcome: match is_theirs {
                true => entry.outcome,
                false => Outcome::Unknown,
            },
        };
        let trust = Asking::trust(&remembered);
        let asking = Asking::new(self, &trust, question, life)?;
        Ok(Ok(asking.by_entry(owner.filter(|_| is_theirs), part)?))
    }

    /// Since when a credential is revoked, suspended or expired, where it is and that is known. This tells when
    /// somebody decided, so it is for those who have the credential or may see how its list was.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn since(&self, answer: &StandingAnswer) -> Result<Option<Timestamp>, RegistryError> {
        match (answer.decided_by, answer.outcome) {
            (Half::Credential, Outcome::Expired) => Ok(answer.ended),
            (Half::Credential, decided) => {
                self.decided_since(&*self.engine.snapshot(), answer, decided)
            }
            (Half::Issuer | Half::Achievement, _) => Ok(None),
        }
    }

    /// Since when the first of the entries says what was decided.
    fn decided_since(
        &self,
        read: &dyn Read,
        answer: &StandingAnswer,
        decided: Outcome,
    ) -> Result<Option<Timestamp>, RegistryError> {
        let mut since = None;
        for part in answer.status.iter().filter(|part| part.outcome == decided) {
            if let (Some(list), Some(index)) = (&part.list, part.index) {
                let of_part = self.entry_since(read, list, index)?;
                since = since.into_iter().chain(of_part).min();
            }
        }
        Ok(since)
    }

    /// Whether an id is that of somebody who is trusted by these anchors, and stands as an accreditor where it
    /// is one here.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn is_trusted(&self, anchors: &Anchors, id: &str) -> Result<bool, RegistryError> {
        let snapshot = self.engine.snapshot();
        let here = self.profile_with_id(&*snapshot, id)?;
        let stands = match here {
            Some(profile) => Some(self.accreditor(&*snapshot, profile)?.standing(None)),
            None => None,
        };
        let stands_here = stands == Some(Outcome::Active);
        Ok(match anchors {
            Anchors::Registered => stands_here,
            Anchors::These(ids) => ids.contains(id) && (stands_here || here.is_none()),
        })
    }
}
