//! What was found out about a credential, and the few words for it.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::registry::{Anchors, Endorsed, Half, Outcome, Party, StandingAnswer, SubjectAnswer};
use crate::time::Timestamp;
use crate::verify::{Check, CheckKind, Code, Report};
use crate::web::{Frame, Moment, Standing};

/// By what it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// By the document itself.
    Document,
    /// By its id.
    Id,
    /// By its code.
    Code,
    /// By an entry of a list.
    Entry,
    /// It is no credential but what credentials are of, or by: something that is endorsed here.
    Party,
}

/// What was found out.
pub(super) struct Found {
    pub(super) how: How,
    pub(super) answer: StandingAnswer,
    /// Whom this was asked by.
    pub(super) anchors: Anchors,
    pub(super) since: Option<Timestamp>,
    /// The report, what the document says, and whether it is a JWT.
    pub(super) document: Option<(Report, Value, bool)>,
    /// Whether the document was sent here by whoever asks.
    pub(super) sent: bool,
    pub(super) link: Option<String>,
}

/// What the answer comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    /// Nothing stands against an entry; there was no document.
    EntryClear,
    NotGenuine,
    NotProved,
    /// The credential itself decides.
    OfCredential(Outcome),
    /// Who stands behind its issuer decides.
    OfIssuer(Outcome),
    /// No credential.
    OfParty(Outcome),
}

/// What a proof that is surely bad is found by, rather than one that could not be looked at.
const SURELY_BAD: &[Code] = &[
    Code::SignatureBad,
    Code::PreviousProofBad,
    Code::KeyOfAnother,
    Code::JwtHeaderKey,
    Code::HiddenMember,
    Code::JwtIss,
    Code::JwtJti,
    Code::JwtSub,
    Code::JwtNbf,
    Code::JwtExp,
];

impl Found {
    pub(super) const fn new(how: How, answer: StandingAnswer, anchors: Anchors) -> Self {
        Self {
            how,
            answer,
            anchors,
            since: None,
            document: None,
            sent: false,
            link: None,
        }
    }

    /// Of something that is endorsed here.
    pub(super) fn of_party(known: SubjectAnswer, anchors: Anchors) -> Self {
        let endorsed = known.endorsements.iter().map(|view| Endorsed {
            id: view.id,
            endorser: view.endorser.clone(),
            name: view.endorser_name.clone(),
            outcome: view.outcome,
        });
        let party = Party {
            id: known.subject,
            name: None,
            endorsements: endorsed.collect(),
            more: known.more,
            until: None,
            profile: None,
            made_by: None,
            written: OnceLock::new(),
            backing: known.backing,
        };
        let answer = StandingAnswer {
            credential: None,
            outcome: party.backing.outcome,
            decided_by: Half::Issuer,
            detail: party.backing.detail.clone().into(),
            verified: None,
            status: Vec::new(),
            issuer: Some(Arc::new(party)),
            achievement: None,
            until: None,
            ended: None,
            nested: Vec::new(),
        };
        Self::new(How::Party, answer, anchors)
    }

    /// What it says, where that is proved.
    pub(super) fn claims(&self) -> Option<&Value> {
        let (report, claims, _) = self.document.as_ref()?;
        report.verified.then_some(claims)
    }

    pub(super) fn verdict(&self) -> Verdict {
        let answer = &self.answer;
        if self.how == How::Party {
            return Verdict::OfParty(answer.outcome);
        }
        if let Some((report, ..)) = &self.document
            && !report.verified
        {
            return of_unproved(report);
        }
        match (answer.outcome, answer.decided_by) {
            (Outcome::Active, _) if self.how == How::Entry => Verdict::EntryClear,
            (Outcome::Active, _) => Verdict::Good,
            (outcome, Half::Credential) => Verdict::OfCredential(outcome),
            (outcome, Half::Issuer | Half::Achievement) => Verdict::OfIssuer(outcome),
        }
    }
}

fn of_unproved(report: &Report) -> Verdict {
    let of_proof = |check: &&Check| {
        matches!(
            check.kind,
            CheckKind::DataModel | CheckKind::Key | CheckKind::Proof
        ) && check.of.is_none()
    };
    let mut checks = report.checks.iter().filter(of_proof);
    if checks.any(|check| SURELY_BAD.contains(&check.code)) {
        return Verdict::NotGenuine;
    }
    match report.outcome {
        Outcome::Unreachable => Verdict::OfCredential(Outcome::Unreachable),
        _ => Verdict::NotProved,
    }
}

impl Verdict {
    fn key(self) -> String {
        match self {
            Self::Good => "active".to_owned(),
            Self::EntryClear => "entry".to_owned(),
            Self::NotGenuine => "not-genuine".to_owned(),
            Self::NotProved => "not-proved".to_owned(),
            // A credential that is good stands as its issuer does.
            Self::OfCredential(Outcome::Active) | Self::OfIssuer(Outcome::Active) => {
                "active".to_owned()
            }
            Self::OfCredential(outcome) => format!("credential.{}", outcome.as_str()),
            Self::OfIssuer(outcome) => format!("issuer.{}", outcome.as_str()),
            Self::OfParty(outcome) => format!("party.{}", outcome.as_str()),
        }
    }

    /// In a few words, with the day where it is known.
    pub(super) fn words(self, frame: &Frame, since: Option<Timestamp>) -> String {
        if let Self::OfParty(outcome) = self {
            return Standing(outcome).words(frame);
        }
        let dated = |outcome| {
            let decided = [Outcome::Revoked, Outcome::Suspended, Outcome::Expired];
            decided.contains(&outcome)
        };
        match (self, since) {
            (Self::OfCredential(outcome), Some(since)) if dated(outcome) => {
                let date = Moment(since).day(frame);
                let key = format!("check.verdict.{}.on", self.key());
                frame.fill(&key, &[("date", &date)])
            }
            _ => frame.one_of("check.verdict", &self.key()),
        }
    }

    /// What it means, and what to do.
    pub(super) fn why(self, frame: &Frame) -> String {
        match self {
            Self::OfParty(outcome) => Standing(outcome).meaning(frame),
            _ => frame.one_of("check.why", &self.key()),
        }
    }

    /// How it looks. Only what is in good standing looks good.
    pub(super) const fn tone(self) -> Standing {
        Standing(match self {
            Self::Good => Outcome::Active,
            Self::EntryClear | Self::NotProved => Outcome::Unknown,
            Self::NotGenuine => Outcome::Revoked,
            Self::OfCredential(outcome) | Self::OfIssuer(outcome) | Self::OfParty(outcome) => {
                outcome
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::web::Language;

    #[test]
    fn every_verdict_has_words_of_its_own_and_one_alone_says_good() {
        let of = |make: fn(Outcome) -> Verdict| {
            let outcomes = Outcome::ALL.into_iter();
            outcomes
                .filter(|outcome| *outcome != Outcome::Active)
                .map(make)
        };
        let mut verdicts = vec![
            Verdict::Good,
            Verdict::EntryClear,
            Verdict::NotGenuine,
            Verdict::NotProved,
        ];
        verdicts.extend(of(Verdict::OfCredential));
        verdicts.extend(of(Verdict::OfIssuer));
        let at = "2026-05-03T10:00:00Z".parse().unwrap();
        for language in Language::ALL {
            let frame = Frame::of_answer(language);
            let mut seen = HashSet::new();
            for verdict in &verdicts {
                let words = verdict.words(&frame, None);
                assert!(!words.contains("check."), "{words}");
                assert!(verdict.why(&frame).ends_with('.'), "{verdict:?}");
                let good = words.contains("good standing") || words.contains("gutem Stand");
                assert_eq!(good, *verdict == Verdict::Good);
                assert_eq!(verdict.tone().0 == Outcome::Active, good);
                assert!(!verdict.words(&frame, Some(at)).contains("check."));
                assert!(seen.insert(words), "{verdict:?}");
            }
        }
        let revoked = Verdict::OfCredential(Outcome::Revoked);
        let words = |language| revoked.words(&Frame::of_answer(language), Some(at));
        assert_eq!(words(Language::English), "Revoked on 3 May 2026");
        assert_eq!(words(Language::German), "Widerrufen am 3. Mai 2026");
    }
}
