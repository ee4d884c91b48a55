//! What a document says, once it was verified: as much of it as the answer needs. The document and
//! its report end where they were made, on the core that verified it.

use std::sync::Arc;

use serde_json::Value;

use super::{Looked, StatusPart};
use crate::badges::Need;
use crate::json::each;
use crate::registry::standing::backing::Question;
use crate::registry::{Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::time::Timestamp;
use crate::verify::StatusReport;

pub(super) struct Told {
    pub(super) credential: Option<String>,
    /// Whether its proof and data model are good.
    pub(super) verified: bool,
    /// How it stands by itself.
    pub(super) own: Outcome,
    /// Until when it holds.
    pub(super) until: Option<Timestamp>,
    pub(super) status: Vec<StatusPart>,
    /// Who issued it, where that is proved: whoever is only said to have issued it stands behind
    /// nothing here.
    pub(super) issuer: Option<String>,
    /// What was achieved, where that is proved.
    pub(super) achievement: Option<String>,
    /// What its issuer has to be endorsed for.
    pub(super) need: Arc<Need>,
    /// The first thing that is wrong with it.
    pub(super) problem: Option<String>,
}

impl Told {
    pub(super) fn by(
        registry: &Registry,
        read: &dyn Read,
        question: &Question,
        looked: Looked<'_>,
    ) -> Result<Self, RegistryError> {
        let Looked { report, claims } = looked;
        let subjects = each(claims.as_object(), "", "credentialSubject");
        let mut achievements =
            subjects.flat_map(|(at, subject)| each(subject.as_object(), &at, "achievement"));
        let achievement = achievements.next().map(|(_, achievement)| achievement);
        let achieved = achievement
            .and_then(|achievement| achievement.get("id").unwrap_or(achievement).as_str());
        let proved = report.verified;
        Ok(Self {
            verified: proved,
            own: report.outcome,
            until: moment(&claims, &["validUntil", "expirationDate"]),
            status: report.status.iter().map(status_part).collect(),
            achievement: achieved.filter(|_| proved).map(str::to_owned),
            need: Arc::new(Need {
                awarded: moment(&claims, &["awardedDate", "validFrom", "issuanceDate"]),
                jurisdiction: question.jurisdiction.clone(),
                ..registry.need_of(read, question.at, achievement)?
            }),
            problem: (report.problems.into_iter().next()).map(|problem| problem.detail),
            credential: report.id,
            issuer: report.issuer.filter(|_| proved),
        })
    }
}

fn status_part(report: &StatusReport) -> StatusPart {
    let text = |member: &str| report.input.get(member)?.as_str();
    let list = ["statusListCredential", "uri"].into_iter().find_map(text);
    let index = ["statusListIndex", "idx"]
        .into_iter()
        .find_map(|member| report.input.get(member));
    StatusPart {
        list: list.map(Arc::from),
        index: index.and_then(|index| index.as_u64().or_else(|| index.as_str()?.parse().ok())),
        purpose: report.purpose.as_deref().map(Arc::from),
        status: report.value,
        outcome: report.outcome,
    }
}

fn moment(claims: &Value, members: &[&str]) -> Option<Timestamp> {
    let text = |member: &&str| claims.get(*member)?.as_str()?.parse().ok();
    members.iter().find_map(text)
}
