//! What `verify` prints: the outcome in a sentence, who is who, and every check in order.

use serde_json::Value;

use super::error::headline;
use super::report::{Exit, Report, text};
use crate::verify::Input;

/// The report on `asked`, from an answer in the shape of VCALM with what this registry adds to it.
pub(super) fn said(asked: &Input, answer: Value) -> Report {
    let mut report = Report::new();
    let verdict = Verdict::of(asked, &answer);
    report.worse(exit(verdict.verified, verdict.outcome));
    let (outcome, meaning) = verdict.sentence();
    report.outcome("", outcome, format_args!(": {meaning}"));
    report.rows(&verdict.who());
    let lines = Line::all(&answer);
    if lines.is_empty() {
        problems(&answer, &mut report);
    } else {
        report.line("checks");
        Line::write(&lines, &mut report);
    }
    report.json(answer);
    report
}

/// The outcome decides; but a proof that is not said to be good is never good standing.
fn exit(verified: Option<bool>, outcome: Option<&str>) -> Exit {
    let standing = Exit::of(outcome);
    match verified {
        Some(true) => standing,
        Some(false) => standing.max(Exit::Not),
        None => standing.max(Exit::Unknown),
    }
}

/// The answer as a whole.
struct Verdict<'a> {
    asked: &'a Input,
    answer: &'a Value,
    verified: Option<bool>,
    outcome: Option<&'a str>,
}

impl<'a> Verdict<'a> {
    fn of(asked: &'a Input, answer: &'a Value) -> Self {
        Self {
            asked,
            answer,
            verified: answer.get("verified").and_then(Value::as_bool),
            outcome: text(answer, "outcome"),
        }
    }

    /// The outcome's word, and what it means for somebody who has to rely on the credential.
    fn sentence(&self) -> (&'a str, &'static str) {
        let outcome = match (self.verified, self.outcome) {
            (Some(true), Some(outcome)) => outcome,
            // Whatever an answer says beside it, without a good proof nothing is in force.
            (_, Some("active") | None) => "unknown",
            (_, Some(outcome)) => outcome,
        };
        let meaning = match (self.verified, outcome) {
            (None, _) => "whether it is genuine is not said: do not rely on it",
            (Some(false), "unreachable") => {
                "whether it is genuine could not be found out: do not rely on it yet"
            }
            (Some(false), _) if self.has_problem("signature-bad") => {
                "its signature does not match, so it was changed or forged: do not rely on it"
            }
            (Some(false), _) => "it is not shown to be genuine: do not rely on it",
            (Some(true), "active") if !self.bundled_is_in_force() => {
                "it is genuine and in force, but not all that it bundles is"
            }
            (Some(true), "active") => match self.standing_of_issuer() {
                Some("active") | None => "it is genuine and in force",
                Some("unknown") => {
                    "it is genuine and in force, but nothing is known here of its issuer"
                }
                Some(_) => "it is genuine and in force, but nobody here stands behind its issuer",
            },
            (Some(true), "unreachable") => {
                "it is genuine, but whether it is still in force could not be found out"
            }
            (Some(true), "unknown") => "it is genuine, but whether it is in force cannot be told",
            (Some(true), _) if matches!(self.asked, Input::Presentation(_)) => {
                "it is genuine, but what it presents is not all in force"
            }
            (Some(true), "revoked") => "it is genuine, but its issuer has revoked it",
            (Some(true), "suspended") => {
                "it is genuine, but its issuer has suspended it for the time being"
            }
            (Some(true), "expired") => "it is genuine, but its time is over",
            (Some(true), "not-yet-valid") => "it is genuine, but its time has not come yet",
            (Some(true), _) => "it is genuine, but not in force",
        };
        (outcome, meaning)
    }

    fn has_problem(&self, code: &str) -> bool {
        let problems = self.answer.get("problemDetails").and_then(Value::as_array);
        let mut problems = problems.into_iter().flatten();
        problems.any(|problem| text(problem, "code") == Some(code))
    }

    /// Whether every credential within it is in force, as far as any is told of.
    fn bundled_is_in_force(&self) -> bool {
        let mut bundled =
            checks(self.answer).filter(|check| text(check, "kind") == Some("credential"));
        bundled.all(|check| text(check, "outcome") == Some("active"))
    }

    /// What the registry says of the issuer, where it was asked.
    fn standing_of_issuer(&self) -> Option<&str> {
        let mut known = checks(self.answer).filter(|check| text(check, "kind") == Some("registry"));
        let of_issuer = known.find(|check| text(check, "path") == Some("issuer"));
        of_issuer.and_then(|check| text(check, "outcome"))
    }

    /// What it is, whose it is, and who stands behind them.
    fn who(&self) -> Vec<(&'static str, Option<String>)> {
        let seen = self.answer.get("report").unwrap_or(&Value::Null);
        let (Input::Credential(asked) | Input::Presentation(asked)) = self.asked;
        let id = |member: &str| {
            let id = text(seen, member).or_else(|| {
                let of_asked = asked.get(member)?;
                of_asked.as_str().or_else(|| text(of_asked, "id"))
            });
            id.filter(|id| !id.starts_with("data:")).map(str::to_owned)
        };
        let proof = match self.verified {
            Some(true) => "verified",
            Some(false) => "not verified",
            None => "not told",
        };
        let mut rows = vec![
            ("  id", id("id")),
            ("  issuer", id("issuer").map(|issuer| self.named(issuer))),
            ("  holder", id("holder")),
            ("  proof", Some(proof.to_owned())),
        ];
        let mut label = "  backing";
        for known in self.known() {
            rows.push((label, Some(known)));
            label = "";
        }
        rows
    }

    /// The issuer with the name that is registered for it. A name that it gives itself is told as
    /// such, and so is an issuer whom no good proof shows.
    fn named(&self, issuer: String) -> String {
        let (Input::Credential(asked) | Input::Presentation(asked)) = self.asked;
        let registered = checks(self.answer)
            .filter(|check| text(check, "path") == Some("issuer"))
            .flat_map(evidence)
            .find(|(name, _)| *name == "registered name");
        let own = asked.pointer("/issuer/name").and_then(Value::as_str);
        match (self.verified, registered, own) {
            (Some(true), Some((_, name)), _) => format!("{issuer} ({name})"),
            (Some(true), None, Some(name)) => format!("{issuer} (calls itself {name:?})"),
            (Some(true), None, None) => issuer,
            (Some(false) | None, _, _) => format!("{issuer} (by its own word)"),
        }
    }

    /// What the registry knows of the issuer and of what was achieved; not of whoever issued
    /// something within it.
    fn known(&self) -> Vec<String> {
        let whole = checks(self.answer).filter(|check| check.get("verified").is_some());
        let inner: Vec<&str> = whole.filter_map(|check| text(check, "path")).collect();
        let of_registry =
            checks(self.answer).filter(|check| text(check, "kind") == Some("registry"));
        let told = |check| {
            let path = text(check, "path")?;
            let whom = match path {
                _ if inner.iter().any(|outer| within(path, outer)) => return None,
                "issuer" => "issuer",
                _ if path.starts_with("credentialSubject") => "achievement",
                _ => return None,
            };
            Some(format!("{whom}: {}", text(check, "detail")?))
        };
        of_registry.filter_map(told).collect()
    }
}

/// The problems of an answer that has no checks, as those of other services.
fn problems(answer: &Value, report: &mut Report) {
    let problems = answer.get("problemDetails").and_then(Value::as_array);
    let problems: Vec<&Value> = problems.into_iter().flatten().collect();
    if !problems.is_empty() {
        report.line("problems");
    }
    for problem in problems {
        let at = text(problem, "pointer").filter(|at| !at.is_empty());
        let at = at.map_or(String::new(), |at| format!(" (at {at})"));
        report.table("  ", &[vec![format!("{}{at}", headline(problem))]]);
    }
}

/// One check: what it says, what it is about, where that stands, why, and what that rests on.
struct Line<'a> {
    /// Within how many other credentials it stands.
    depth: usize,
    outcome: &'a str,
    kind: &'a str,
    path: &'a str,
    reason: String,
    evidence: Vec<Vec<String>>,
}

impl<'a> Line<'a> {
    fn all(answer: &'a Value) -> Vec<Self> {
        // The paths of the credentials around the check that is read.
        let mut around: Vec<&str> = Vec::new();
        let line = |check| {
            let path = text(check, "path").unwrap_or_default();
            let whole = check.get("verified").is_some();
            around.retain(|outer| within(path, outer) && !(whole && path == *outer));
            let depth = around.len();
            if whole {
                around.push(path);
            }
            Self::of(check, path, depth)
        };
        checks(answer).map(line).collect()
    }

    fn of(check: &'a Value, path: &'a str, depth: usize) -> Self {
        let by = text(check, "issuer").map(|issuer| format!("by {issuer}"));
        let said = [by.as_deref(), text(check, "detail")];
        let reason = said.into_iter().flatten().collect::<Vec<_>>().join(": ");
        // What the reason says already is not said again.
        let is_told = |value: &str| {
            let mut words = reason.split_whitespace();
            words.any(|word| word.trim_end_matches([',', ':', ';']) == value)
        };
        let new = evidence(check).filter(|(_, value)| !is_told(value));
        let rows = new.map(|(name, value)| vec![name.to_owned(), value.to_owned()]);
        let evidence = rows.collect();
        Self {
            depth,
            outcome: text(check, "outcome").unwrap_or("unknown"),
            kind: text(check, "kind").unwrap_or_default(),
            path: if path.is_empty() { "(document)" } else { path },
            evidence,
            reason,
        }
    }

    fn write(lines: &[Self], report: &mut Report) {
        let longest =
            |part: fn(&Self) -> &str| lines.iter().map(|line| part(line).chars().count()).max();
        let outcome = longest(|line| line.outcome).unwrap_or(0);
        let kind = longest(|line| line.kind).unwrap_or(0);
        for line in lines {
            let indent = "  ".repeat(line.depth + 1);
            let gap = " ".repeat(outcome - line.outcome.chars().count());
            let after = format!("{gap}  {:kind$}  {}: {}", line.kind, line.path, line.reason);
            report.outcome(&indent, line.outcome, after.trim_end());
            let below = indent + &" ".repeat(outcome + kind + 4);
            report.table(&below, &line.evidence);
        }
    }
}

/// Whether what stands at `path` belongs to what stands at `outer`.
fn within(path: &str, outer: &str) -> bool {
    let rest = path.strip_prefix(outer);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn checks(answer: &Value) -> impl Iterator<Item = &Value> {
    let checks = answer.pointer("/report/checks").and_then(Value::as_array);
    checks.into_iter().flatten()
}

fn evidence(check: &Value) -> impl Iterator<Item = (&str, &str)> {
    let evidence = check.get("evidence").and_then(Value::as_array);
    let named = |one| Some((text(one, "name")?, text(one, "value")?));
    evidence.into_iter().flatten().filter_map(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn told(answer: Value) -> String {
        let asked = json!({
            "id": "urn:uuid:a", "issuer": {"id": "did:web:h:profiles:a", "name": "Acme"},
        });
        said(&Input::Credential(asked), answer).text
    }

    #[test]
    fn each_check_stands_with_what_it_belongs_to() {
        let answer = json!({
            "verified": true, "outcome": "revoked",
            "problemDetails": [{"type": "t", "title": "Revoked", "detail": "it is listed as revoked"}],
            "report": {"id": "urn:uuid:a", "issuer": "did:web:h:profiles:a", "checks": [
                {"path": "", "kind": "data-model", "outcome": "active", "detail": "well formed"},
                {"path": "proof.verificationMethod", "kind": "key", "outcome": "active",
                 "detail": "did:x#k is a key of did:x", "evidence": [
                    {"name": "method", "value": "did:x#k"}, {"name": "key", "value": "abc"}]},
                {"path": "credentialStatus", "kind": "status", "outcome": "revoked",
                 "detail": "it is listed\nas revoked", "evidence": [
                    {"name": "list", "value": "https://h/l"}, {"name": "index", "value": "4"}]},
                {"path": "issuer.endorsement[1]", "kind": "endorsement", "outcome": "active",
                 "verified": true, "issuer": "did:web:board", "detail": "in force"},
                {"path": "issuer.endorsement[1]", "kind": "data-model", "outcome": "active",
                 "detail": "well formed"},
                {"path": "issuer.endorsement[1].issuer.endorsement[0]", "kind": "endorsement",
                 "outcome": "unknown", "verified": false, "detail": "no proof"},
                {"path": "issuer.endorsement[1].issuer.endorsement[0].proof", "kind": "proof",
                 "outcome": "unknown", "detail": "there is none"},
                {"path": "issuer.endorsement[10]", "kind": "endorsement", "outcome": "suspended",
                 "verified": true, "detail": "for now"},
                {"path": "issuer", "kind": "registry", "outcome": "active",
                 "detail": "endorsed by Board", "evidence": [
                    {"name": "registered name", "value": "Acme Ltd"}]},
                {"path": "credentialSubject.achievement.endorsement[0]", "kind": "endorsement",
                 "outcome": "active", "verified": true, "detail": "in force"},
                {"path": "credentialSubject.achievement.endorsement[0].issuer",
                 "kind": "registry", "outcome": "active", "detail": "endorsed by Ministry"},
            ]},
        });
        insta::assert_snapshot!(told(answer), @r#"
        revoked: it is genuine, but its issuer has revoked it
          id       urn:uuid:a
          issuer   did:web:h:profiles:a (Acme Ltd)
          proof    verified
          backing  issuer: endorsed by Board
        checks
          active     data-model   (document): well formed
          active     key          proof.verificationMethod: did:x#k is a key of did:x
                                  key  abc
          revoked    status       credentialStatus: it is listed as revoked
                                  list   https://h/l
                                  index  4
          active     endorsement  issuer.endorsement[1]: by did:web:board: in force
            active     data-model   issuer.endorsement[1]: well formed
            unknown    endorsement  issuer.endorsement[1].issuer.endorsement[0]: no proof
              unknown    proof        issuer.endorsement[1].issuer.endorsement[0].proof: there is none
          suspended  endorsement  issuer.endorsement[10]: for now
          active     registry     issuer: endorsed by Board
                                  registered name  Acme Ltd
          active     endorsement  credentialSubject.achievement.endorsement[0]: in force
            active     registry     credentialSubject.achievement.endorsement[0].issuer: endorsed by Ministry
        "#);
    }

    #[test]
    fn a_name_counts_from_the_registry_and_an_issuer_by_a_good_proof() {
        let issuer = |verified: bool, registered: Option<&str>| {
            let evidence: Vec<Value> = registered
                .iter()
                .map(|name| json!({"name": "registered name", "value": name}))
                .collect();
            let check = json!({"kind": "registry", "path": "issuer", "evidence": evidence});
            let answer = json!({"verified": verified, "report": {"checks": [check]}});
            let told = told(answer);
            let line = told.lines().find(|line| line.starts_with("  issuer"));
            line.unwrap_or_default().trim_start().to_owned()
        };
        let id = "issuer  did:web:h:profiles:a";
        assert_eq!(issuer(true, Some("Acme Ltd")), format!("{id} (Acme Ltd)"));
        assert_eq!(issuer(true, None), format!("{id} (calls itself \"Acme\")"));
        for registered in [Some("Acme Ltd"), None] {
            assert_eq!(issuer(false, registered), format!("{id} (by its own word)"));
        }
    }

    #[test]
    fn the_sentence_says_what_it_means_for_who_relies_on_it() {
        let sentence = |verified: Option<bool>, outcome: &str, code: &str, issuer: Option<&str>| {
            let mut answer = json!({"outcome": outcome, "problemDetails": [{"code": code}]});
            if let Some(verified) = verified {
                answer["verified"] = json!(verified);
            }
            if let Some(standing) = issuer {
                let check = json!({"kind": "registry", "path": "issuer", "outcome": standing});
                answer["report"] = json!({ "checks": [check] });
            }
            told(answer).lines().next().unwrap_or_default().to_owned()
        };
        let sentences = [
            sentence(Some(true), "active", "", Some("active")),
            sentence(Some(true), "active", "", Some("not-endorsed")),
            sentence(Some(true), "active", "", Some("unknown")),
            sentence(Some(true), "active", "", None),
            sentence(Some(true), "revoked", "revoked", None),
            sentence(Some(true), "suspended", "suspended", None),
            sentence(Some(true), "expired", "expired", None),
            sentence(Some(true), "not-yet-valid", "not-yet-valid", None),
            sentence(Some(true), "unreachable", "status-retrieval", None),
            sentence(Some(true), "unknown", "status-malformed", None),
            sentence(Some(true), "stale-digest", "", None),
            sentence(Some(false), "unknown", "signature-bad", None),
            sentence(Some(false), "unknown", "no-proof", None),
            sentence(Some(false), "unreachable", "key-document-refused", None),
            sentence(Some(false), "active", "", None),
            sentence(None, "active", "", None),
        ];
        insta::assert_snapshot!(sentences.join("\n"), @r#"
        active: it is genuine and in force
        active: it is genuine and in force, but nobody here stands behind its issuer
        active: it is genuine and in force, but nothing is known here of its issuer
        active: it is genuine and in force
        revoked: it is genuine, but its issuer has revoked it
        suspended: it is genuine, but its issuer has suspended it for the time being
        expired: it is genuine, but its time is over
        not-yet-valid: it is genuine, but its time has not come yet
        unreachable: it is genuine, but whether it is still in force could not be found out
        unknown: it is genuine, but whether it is in force cannot be told
        stale-digest: it is genuine, but not in force
        unknown: its signature does not match, so it was changed or forged: do not rely on it
        unknown: it is not shown to be genuine: do not rely on it
        unreachable: whether it is genuine could not be found out: do not rely on it yet
        unknown: it is not shown to be genuine: do not rely on it
        unknown: whether it is genuine is not said: do not rely on it
        "#);
    }

    #[test]
    fn a_record_is_as_it_is_and_what_it_bundles_is_told_beside_it() {
        let sentence = |outcome: &str| {
            let of_bundled = |outcome| json!({"kind": "credential", "outcome": outcome});
            let checks = [of_bundled("active"), of_bundled(outcome)];
            let answer =
                json!({"verified": true, "outcome": "active", "report": {"checks": checks}});
            told(answer).lines().next().unwrap_or_default().to_owned()
        };
        assert_eq!(sentence("active"), "active: it is genuine and in force");
        let worse = "active: it is genuine and in force, but not all that it bundles is";
        assert_eq!(sentence("revoked"), worse);
        assert_eq!(sentence("unknown"), worse);
    }

    #[test]
    fn the_problems_of_other_services_are_told_where_there_are_no_checks() {
        let answer = json!({
            "verified": false,
            "problemDetails": [{"title": "Bad", "detail": "not\ngood", "pointer": "/proof"}],
        });
        insta::assert_snapshot!(told(answer), @r#"
        unknown: it is not shown to be genuine: do not rely on it
          id      urn:uuid:a
          issuer  did:web:h:profiles:a (by its own word)
          proof   not verified
        problems
          Bad: not good (at /proof)
        "#);
    }

    #[test]
    fn the_exit_status_follows_the_outcome_but_never_trusts_a_bad_proof() {
        let exit = |answer: Value| said(&Input::Credential(json!({})), answer).exit;
        for (answer, expected) in [
            (json!({"verified": true, "outcome": "active"}), Exit::Good),
            (json!({"verified": true, "outcome": "suspended"}), Exit::Not),
            (
                json!({"verified": true, "outcome": "unreachable"}),
                Exit::Unknown,
            ),
            (json!({"verified": true}), Exit::Unknown),
            (json!({"verified": false, "outcome": "active"}), Exit::Not),
            (
                json!({"verified": false, "outcome": "unknown"}),
                Exit::Unknown,
            ),
            (json!({"outcome": "active"}), Exit::Unknown),
        ] {
            assert_eq!(exit(answer.clone()), expected, "{answer}");
        }
    }

    proptest! {
        #[test]
        fn good_standing_takes_both_a_good_proof_and_an_active_outcome(
            verified: Option<bool>, outcome in proptest::option::of("active|revoked|unknown|[a-z]{0,9}"),
        ) {
            let good = verified == Some(true) && outcome.as_deref() == Some("active");
            prop_assert_eq!(exit(verified, outcome.as_deref()) == Exit::Good, good);
        }
    }
}
