//! What verification answers: every check by its place, the problems, and the two words that sum
//! them up.

use serde_json::Value;

use crate::badges::Scope;

use super::code::Code;
use super::outcome::Outcome;

/// All that was found out about a credential.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Whether proof and data model are good. It says nothing about whether the credential is in
    /// force; that is the [`outcome`](Self::outcome).
    pub verified: bool,
    /// How the credential stands. [`Outcome::Active`] only if `verified`, and only if everything
    /// that decides was found out and is good.
    pub outcome: Outcome,
    /// The credential's id, by its own word.
    pub id: Option<String>,
    /// The issuer's id. It is by the credential's own word unless `verified`.
    pub issuer: Option<String>,
    /// Every check. What stands within the credential follows with its own path.
    pub checks: Vec<Check>,
    /// What is wrong with the credential itself. Beside a good proof a bad one is no problem, and
    /// neither is what is embedded: both are in `checks` alone, since they do not make the
    /// credential worse.
    pub problems: Vec<Problem>,
    /// Each proof that was looked at.
    pub proofs: Vec<ProofReport>,
    /// Each status entry; empty where no proof was good, since then none is asked for.
    pub status: Vec<StatusReport>,
    /// `validFrom`, where there is one and a proof was good.
    pub valid_from: Option<DateReport>,
    /// `validUntil`, where there is one and a proof was good.
    pub valid_until: Option<DateReport>,
    /// The newer version that the credential's refresh service gave, where all above is of that.
    pub refreshed: Option<Value>,
    /// JSON pointer of the credential in the document that was handed in.
    at: String,
    /// The types, and the id of each subject, by the credential's own word.
    pub(super) types: Vec<String>,
    pub(super) subjects: Vec<Option<String>>,
    /// What an endorsement covers of its subject; why that cannot be told.
    pub(super) scope: Result<Option<Scope>, String>,
}

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckKind {
    /// The envelope, and the rules against members that a reader does not see.
    DataModel,
    /// The key of a proof.
    Key,
    /// A proof.
    Proof,
    /// A status entry.
    Status,
    /// The period of validity.
    Validity,
    /// An embedded endorsement as a whole. It never decides about what carries it.
    Endorsement,
    /// A credential within this credential or presentation, as a whole.
    Credential,
    /// Something that the credential names and that stands elsewhere, such as a schema. It is
    /// told, and decides nothing.
    Reference,
    /// What this registry knows of the issuer, or of what was achieved. It is told, and decides
    /// nothing.
    Registry,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// JSON pointer of what was looked at; empty for the document itself.
    pub pointer: String,
    /// What the check is about.
    pub kind: CheckKind,
    /// What it says: [`Outcome::Active`] if all is well.
    pub outcome: Outcome,
    /// What was found.
    pub code: Code,
    /// The same for people.
    pub detail: String,
    /// What it rests on, by name: the key, the list and the place in it, the endorsement.
    pub evidence: Evidence,
    /// Of an endorsement or credential as a whole: what it is and whose.
    pub of: Option<Whole>,
}

/// Names and values that a finding rests on.
pub type Evidence = Vec<(&'static str, String)>;

/// An embedded credential as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// As [`Report::verified`].
    pub verified: bool,
    /// As [`Report::id`].
    pub id: Option<String>,
    /// As [`Report::issuer`].
    pub issuer: Option<String>,
    /// What it is about: the id of its subject, where there is one subject and it has an id.
    pub subject: Option<String>,
}

/// Something that is wrong (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is; the problem's type and title follow from it.
    pub code: Code,
    /// What is wrong, for people.
    pub detail: String,
    /// JSON pointer of the place.
    pub pointer: String,
}

/// What became of one proof.
#[derive(Debug, Clone, PartialEq)]
pub struct ProofReport {
    /// The proof as it stands.
    pub input: Value,
    /// What is wrong with it; `None` for a good one.
    pub problem: Option<Problem>,
}

/// What became of one status entry.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusReport {
    /// The entry as it stands.
    pub input: Value,
    /// What it says: [`Outcome::Active`] if nothing stands against the credential.
    pub outcome: Outcome,
    /// What was found.
    pub code: Code,
    /// The purpose, where the entry could be read.
    pub purpose: Option<String>,
    /// The status, where it is known.
    pub value: Option<u8>,
    /// What the status means by the entry's messages.
    pub message: Option<String>,
}

/// What became of a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateReport {
    /// The date as it stands.
    pub input: String,
    /// Whether the present is on its right side.
    pub verified: bool,
}

/// What one look found, before it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) outcome: Outcome,
    pub(super) code: Code,
    pub(super) detail: String,
    pub(super) evidence: Evidence,
}

impl Finding {
    pub(super) fn new(outcome: Outcome, code: Code, detail: impl Into<String>) -> Self {
        Self {
            outcome,
            code,
            detail: detail.into(),
            evidence: Vec::new(),
        }
    }

    /// The same, resting on this.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.evidence.push((name, value.to_owned()));
        self
    }

    pub(super) fn good(code: Code, detail: impl Into<String>) -> Self {
        Self::new(Outcome::Active, code, detail)
    }

    pub(super) fn unknown(code: Code, detail: impl Into<String>) -> Self {
        Self::new(Outcome::Unknown, code, detail)
    }
}

impl Report {
    /// The endorsements in the credential, each as a whole, in the order in which they were found.
    pub fn endorsements(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|check| check.kind == CheckKind::Endorsement)
    }
}

/// Writing a report. Pointers are handed in as they are within the credential.
impl Report {
    /// An empty report on what stands at `at`.
    pub(super) fn new(at: &str) -> Self {
        Self {
            verified: false,
            outcome: Outcome::Unknown,
            id: None,
            issuer: None,
            checks: Vec::new(),
            problems: Vec::new(),
            proofs: Vec::new(),
            status: Vec::new(),
            valid_from: None,
            valid_until: None,
            refreshed: None,
            at: at.to_owned(),
            types: Vec::new(),
            subjects: Vec::new(),
            scope: Ok(None),
        }
    }

    /// The pointer in the document that was handed in.
    pub(super) fn place(&self, pointer: &str) -> String {
        format!("{}{pointer}", self.at)
    }

    /// Writes down what was found, as a check alone.
    pub(super) fn note(&mut self, pointer: &str, kind: CheckKind, finding: Finding) {
        let Finding {
            outcome,
            code,
            detail,
            evidence,
        } = finding;
        let pointer = self.place(pointer);
        self.checks.push(Check {
            pointer,
            kind,
            outcome,
            code,
            detail,
            evidence,
            of: None,
        });
    }

    /// Writes down what was found, as a check and, unless it is good, as a problem.
    pub(super) fn found(&mut self, pointer: &str, kind: CheckKind, finding: Finding) {
        if finding.outcome != Outcome::Active {
            self.problems.push(self.problem(pointer, &finding));
        }
        self.note(pointer, kind, finding);
    }

    /// Writes down what was found before everything else.
    pub(super) fn first(&mut self, pointer: &str, kind: CheckKind, finding: Finding) {
        self.note(pointer, kind, finding);
        self.checks.rotate_right(1);
    }

    pub(super) fn problem(&self, pointer: &str, finding: &Finding) -> Problem {
        let (code, detail) = (finding.code, finding.detail.clone());
        Problem {
            code,
            detail,
            pointer: self.place(pointer),
        }
    }

    /// Puts the good word on the data model first, where there is no bad one.
    pub(super) fn data_model_first(&mut self) {
        let is_bad = |check: &Check| check.kind == CheckKind::DataModel;
        if !self.checks.iter().any(is_bad) {
            let finding = Finding::good(Code::WellFormed, "well formed");
            self.first("", CheckKind::DataModel, finding);
        }
    }

    /// Draws the outcome from the checks so far; what is embedded comes after.
    ///
    /// Without a good proof nothing is known; it may be later, where a key could not be had.
    pub(super) fn judge(&mut self) {
        let deciding = self.checks.iter().filter(|check| self.rests_on(check));
        let mut outcomes = deciding.map(|check| check.outcome);
        self.outcome = if self.verified {
            weightiest(outcomes)
        } else if outcomes.any(|outcome| outcome == Outcome::Unreachable) {
            Outcome::Unreachable
        } else {
            Outcome::Unknown
        };
    }

    /// Whether the outcome rests on such a check. Beside a good proof a bad one decides nothing.
    const fn rests_on(&self, check: &Check) -> bool {
        match check.kind {
            CheckKind::DataModel | CheckKind::Key | CheckKind::Proof => !self.verified,
            CheckKind::Status | CheckKind::Validity => self.verified,
            CheckKind::Endorsement
            | CheckKind::Credential
            | CheckKind::Reference
            | CheckKind::Registry => false,
        }
    }

    /// The report in one line: `good` where all is well, else what its outcome rests on.
    pub(super) fn summary(&self, good: Code) -> Finding {
        let decides = |check: &&Check| self.rests_on(check) && check.outcome == self.outcome;
        match self.checks.iter().find(decides) {
            Some(check) if self.outcome != Outcome::Active => {
                Finding::new(self.outcome, check.code, check.detail.clone())
            }
            _ => Finding::new(self.outcome, good, "in force"),
        }
    }

    /// Takes over what was found out about an embedded credential, as a whole and in detail.
    pub(super) fn include(
        &mut self,
        pointer: &str,
        kind: CheckKind,
        finding: Finding,
        inner: &Self,
    ) {
        self.note(pointer, kind, finding);
        if let Some(check) = self.checks.last_mut() {
            check.of = Some(inner.whole());
        }
        self.checks.extend(inner.checks.iter().cloned());
    }

    fn whole(&self) -> Whole {
        Whole {
            verified: self.verified,
            id: self.id.clone(),
            issuer: self.issuer.clone(),
            subject: match self.subjects.as_slice() {
                [one] => one.clone(),
                _ => None,
            },
        }
    }
}

/// The outcome that counts among several. What is surely bad counts before what nobody knows, and
/// what trying again can change comes last before what is good.
pub(crate) fn weightiest(outcomes: impl Iterator<Item = Outcome>) -> Outcome {
    let weight = |outcome: &Outcome| match outcome {
        Outcome::Revoked => 8,
        Outcome::Suspended => 7,
        Outcome::Expired => 6,
        Outcome::NotYetValid => 5,
        Outcome::StaleDigest => 4,
        Outcome::NotEndorsed => 3,
        Outcome::Unknown => 2,
        Outcome::Unreachable => 1,
        Outcome::Active => 0,
    };
    outcomes.max_by_key(weight).unwrap_or(Outcome::Active)
}

impl CheckKind {
    /// The kind as reports write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DataModel => "data-model",
            Self::Key => "key",
            Self::Proof => "proof",
            Self::Status => "status",
            Self::Validity => "validity",
            Self::Endorsement => "endorsement",
            Self::Credential => "credential",
            Self::Reference => "reference",
            Self::Registry => "registry",
        }
    }
}

impl Check {
    /// The place as people write it: `issuer.endorsement[0]`.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.pointer.split('/').skip(1) {
            if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
                path.push_str(&format!("[{step}]"));
                continue;
            }
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&step.replace("~1", "/").replace("~0", "~"));
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_for_people() {
        let path = |pointer: &str| {
            let mut report = Report::new("/issuer/endorsement/0");
            report.note(
                pointer,
                CheckKind::Proof,
                Finding::good(Code::ProofGood, ""),
            );
            report.checks[0].path()
        };
        assert_eq!(path(""), "issuer.endorsement[0]");
        assert_eq!(path("/proof/1/a~1b"), "issuer.endorsement[0].proof[1].a/b");
    }

    #[test]
    fn what_is_surely_bad_counts_before_what_is_not_known() {
        let outcome = |verified, outcomes: &[Outcome]| {
            let mut report = Report::new("");
            report.verified = verified;
            for outcome in outcomes {
                let finding = Finding::new(*outcome, Code::StatusClear, "");
                report.found("", CheckKind::Status, finding);
            }
            report.judge();
            report.outcome
        };
        use Outcome::{Active, Expired, NotYetValid, Revoked, Suspended, Unknown, Unreachable};
        assert_eq!(outcome(true, &[]), Active);
        let mut rest: &[Outcome] = &[
            Revoked,
            Suspended,
            Expired,
            NotYetValid,
            Unknown,
            Unreachable,
            Active,
        ];
        while let [first, less @ ..] = rest {
            let reversed: Vec<Outcome> = rest.iter().rev().copied().collect();
            assert_eq!(outcome(true, &reversed), *first);
            // However good the rest, nothing is active without a good proof.
            assert!(matches!(outcome(false, &reversed), Unknown | Unreachable));
            rest = less;
        }
    }
}
