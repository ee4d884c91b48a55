//! Reports as JSON, in the shape of VCALM 1.0 (answers of `/credentials/verify` and
//! `/presentations/verify`), with `outcome` and `report` beside what the standard names.

use serde_json::{Map, Value, json};

use super::outcome::Outcome;
use super::presentation::{Expected, PresentationReport};
use super::report::{Check, DateReport, Problem, ProofReport, Report, StatusReport};

impl Report {
    /// The answer as VCALM 1.0 shapes it: `verified`, `problemDetails` and `results`, and beside
    /// them `outcome` and `report` with every check.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut answer = answer(self.verified, self.outcome, &self.problems);
        let checks = checks_json(&self.checks);
        let report = json!({"id": self.id, "issuer": self.issuer, "checks": checks});
        answer.insert("report".to_owned(), report);
        if let Some(newer) = &self.refreshed {
            answer.insert("refreshed".to_owned(), newer.clone());
        }
        answer.insert("results".to_owned(), self.results());
        answer
    }

    fn results(&self) -> Value {
        let mut results = Map::new();
        for (member, date) in [
            ("validFrom", &self.valid_from),
            ("validUntil", &self.valid_until),
        ] {
            if let Some(DateReport { input, verified }) = date {
                let result = json!({"verified": verified, "input": input});
                results.insert(member.to_owned(), result);
            }
        }
        let status = self.status.iter().map(StatusReport::to_json).collect();
        results.insert("credentialStatus".to_owned(), status);
        results.insert("proof".to_owned(), proofs_json(&self.proofs));
        Value::Object(results)
    }
}

impl PresentationReport {
    /// The answer as VCALM 1.0 shapes it: `verified`, `problemDetails` and `results`, and beside
    /// them `outcome` and `report` with every check. `expected` is what was asked with.
    pub fn to_json(&self, expected: Expected<'_>) -> Map<String, Value> {
        let mut answer = answer(self.verified, self.outcome, &self.problems);
        let checks = checks_json(&self.checks);
        answer.insert(
            "report".to_owned(),
            json!({"holder": self.holder, "checks": checks}),
        );
        let mut own = Map::new();
        let inputs = [
            ("challenge", expected.challenge),
            ("domain", expected.domain),
            ("holder", self.holder.as_deref()),
        ];
        for (member, input) in inputs {
            if let Some(input) = input {
                let result = json!({"verified": self.presented, "input": input});
                own.insert(member.to_owned(), result);
            }
        }
        own.insert("proof".to_owned(), proofs_json(&self.proofs));
        let credentials: Vec<Map<String, Value>> =
            self.credentials.iter().map(Report::to_json).collect();
        let results = json!({"presentation": own, "credentials": credentials});
        answer.insert("results".to_owned(), results);
        answer
    }
}

impl Check {
    fn to_json(&self) -> Value {
        let mut check = json!({
            "path": self.path(),
            "kind": self.kind.as_str(),
            "outcome": self.outcome,
            "code": self.code.as_str(),
            "detail": self.detail,
        });
        if !self.evidence.is_empty() {
            let evidence = self.evidence.iter();
            let evidence = evidence.map(|(name, value)| json!({"name": name, "value": value}));
            check["evidence"] = evidence.collect();
        }
        if let Some(whole) = &self.of {
            check["verified"] = json!(whole.verified);
            for (member, value) in [
                ("id", &whole.id),
                ("issuer", &whole.issuer),
                ("subject", &whole.subject),
            ] {
                if let Some(value) = value {
                    check[member] = json!(value);
                }
            }
        }
        check
    }
}

impl Problem {
    fn to_json(&self) -> Value {
        json!({
            "type": self.code.problem_type(),
            "title": self.code.title(),
            "detail": self.detail,
            "code": self.code.as_str(),
            "pointer": self.pointer,
        })
    }
}

impl StatusReport {
    /// `verified` says that the status is known and nothing stands against the credential, so
    /// that who reads nothing else errs on the safe side.
    fn to_json(&self) -> Value {
        let mut status = json!({
            "verified": self.outcome == Outcome::Active,
            "input": self.input,
            "outcome": self.outcome,
            "code": self.code.as_str(),
        });
        if let Some(value) = self.value {
            status["value"] = json!(value);
        }
        if let Some(message) = &self.message {
            status["message"] = json!(message);
        }
        status
    }
}

/// What answers about credentials and about presentations have in common.
fn answer(verified: bool, outcome: Outcome, problems: &[Problem]) -> Map<String, Value> {
    let problems: Value = problems.iter().map(Problem::to_json).collect();
    let mut answer = Map::new();
    answer.insert("verified".to_owned(), json!(verified));
    answer.insert("outcome".to_owned(), json!(outcome));
    answer.insert("problemDetails".to_owned(), problems);
    answer
}

fn checks_json(checks: &[Check]) -> Value {
    checks.iter().map(Check::to_json).collect()
}

/// The proofs as VCALM's `results` show them.
fn proofs_json(proofs: &[ProofReport]) -> Value {
    let proof = |proof: &ProofReport| {
        let problems: Vec<Value> = proof.problem.iter().map(Problem::to_json).collect();
        json!({"verified": problems.is_empty(), "input": proof.input, "problemDetails": problems})
    };
    proofs.iter().map(proof).collect()
}
