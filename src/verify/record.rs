//! What a learner record says beside the credentials in it (CLR 2.0). It is told, and decides
//! nothing.

use std::collections::HashSet;

use serde_json::Value;

use crate::badges::{achievements, association_ends, described_in, is_clr};

use super::code::Code;
use super::report::{CheckKind, Finding, Report};

/// How many such things are told of one record; the first ones say what kind of record it is.
const MAX_TOLD: usize = 64;

/// Tells which achievements stand in the record without a credential, and which associations lead
/// out of it. `proved` has the ids of the achievements for which it bundles a proved credential.
pub(super) fn tell(document: &Value, proved: &HashSet<String>, report: &mut Report) {
    if !is_clr(document) {
        return;
    }
    let id = |achievement: &Value| {
        achievement
            .get("id")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let bare = achievements(document)
        .filter(|(_, one)| id(one).is_none_or(|id| !proved.contains(&id)))
        .map(|(at, _)| {
            let detail = "no proved credential in the record is for this achievement: it is there \
                          by the word of the record's issuer alone";
            (at, Finding::unknown(Code::NoCredential, detail))
        });
    let ids = described_in(document);
    let open = association_ends(document)
        .filter(|(_, id)| !ids.contains(*id))
        .map(|(at, id)| {
            let detail = format!("{id:?} is the id of no achievement in the record");
            (at, Finding::unknown(Code::AssociationOpen, detail))
        });
    for (number, (at, finding)) in bare.chain(open).enumerate() {
        if number == MAX_TOLD {
            let detail = format!("{MAX_TOLD} such things were told; from here on none is");
            let finding = Finding::unknown(Code::NotLookedAt, detail);
            return report.note(&at, CheckKind::Reference, finding);
        }
        report.note(&at, CheckKind::Reference, finding);
    }
}
