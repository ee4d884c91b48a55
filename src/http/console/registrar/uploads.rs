//! Tables of changes: handed in, tried out, made, reported on.

use std::fmt::Write as _;

use super::{purpose_words, trouble_of};
use crate::access::Action;
use crate::csv;
use crate::http::bulk::Kind;
use crate::http::console::door::leads_to;
use crate::http::console::visit::{Sent, Visit};
use crate::http::edge::Edge;
use crate::http::multipart::Part;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::http::uploads::{HandedIn, Report, Stage, UploadId, UploadState, UploadView};
use crate::ids::{ListId, ProfileId};
use crate::registry::RegistryError;
use crate::web::Link;
use crate::web::charts::count;
use crate::web::console::{
    Done, NewUploadPage, RefusedLine, Room, Trouble, UploadPage, UploadStands,
};

/// So many refused lines stand on the page; the report has more.
const MOST_SHOWN: usize = 50;

/// A form for a table.
pub(in crate::http) fn form(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    new_page(&Visit::of(edge, request)?, 200, "", None)
}

/// Takes a table in, to be tried out.
pub(in crate::http) fn hand_in(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let (sent, files) = Sent::with_files(edge, request)?;
    let visit = &sent.visit;
    let list: ListId = request.param("list")?;
    edge.registry.list_overview(visit.actor(), list)?;
    let reason = match sent.needed_reason() {
        Ok(reason) => reason,
        Err(trouble) => return new_page(visit, 400, "", Some(trouble)),
    };
    let file = files
        .into_iter()
        .find(|file| file.name == "file" && !file.body.is_empty());
    let Some(file) = file else {
        let words = visit.language.console("upload.file-needed");
        return new_page(visit, 400, &reason, Some(Trouble::said(words, "file")));
    };
    let given = HandedIn {
        actor: visit.actor(),
        list,
        name: name_of(&file),
        kind: kind_of(&file),
        table: file.body,
        reason: Some(reason.clone()),
    };
    let taken = edge
        .uploads
        .take_in(&edge.registry, given, edge.limits.bulk_lines);
    match taken {
        Ok(id) => Ok(leads_to(&path(&id))),
        Err(problem) => {
            let (code, trouble) = trouble_of(visit.language, problem)?;
            new_page(visit, code, &reason, Some(trouble))
        }
    }
}

/// How far a table is.
pub(in crate::http) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let (id, owner) = own(&visit)?;
    let upload = edge.uploads.view(&id, owner).ok_or_else(|| gone(request))?;
    let apart = super::apart(visit.language);
    let (stands, report, broken) = stands(&upload);
    let shown = report.lines.iter().take(MOST_SHOWN);
    let shown = shown.map(|(line, reason)| RefusedLine {
        line: *line,
        reason: reason.clone(),
    });
    let page = UploadPage {
        frame: visit.frame(Room::Lists),
        id: text_of(&id),
        name: upload.name,
        list: list_link(upload.list),
        reason: upload.reason,
        stands,
        applied: count(report.applied as u64, apart),
        refused: count(report.refused as u64, apart),
        lines: shown.collect(),
        more: report.refused > MOST_SHOWN,
        trouble: broken,
        keys: visit.keys(),
    };
    Ok(visit.page(200, page.html()))
}

/// Has a table made that was tried.
pub(in crate::http) fn make(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let (id, owner) = own(&sent.visit)?;
    edge.uploads
        .make(&edge.registry, (&id, owner), edge.limits.bulk_lines)?;
    Ok(leads_to(&path(&id)))
}

/// Throws a table away.
pub(in crate::http) fn throw_away(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let (id, owner) = own(&sent.visit)?;
    let upload = edge.uploads.view(&id, owner).ok_or_else(|| gone(request))?;
    edge.uploads.drop(&id, owner);
    Ok(sent.done(
        &format!("/console/lists/{}", upload.list),
        Done::UploadDropped,
    ))
}

/// The refused lines, as a table for spreadsheets.
pub(in crate::http) fn report(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let (id, owner) = own(&visit)?;
    let upload = edge.uploads.view(&id, owner).ok_or_else(|| gone(request))?;
    let (_, report, _) = stands(&upload);
    let mut table = String::from("line,reason\r\n");
    for (line, reason) in &report.lines {
        write!(table, "{line},{}\r\n", csv::field_for_people(reason))
            .expect("writing to a String fails only where a Display does");
    }
    let name = format!("refused-{}.csv", text_of(&id));
    Ok(
        Reply::bytes(200, "text/csv; charset=utf-8; header=present", table)
            .header(
                "Content-Disposition",
                format!("attachment; filename=\"{name}\""),
            )
            .header(
                "Content-Security-Policy",
                "sandbox; default-src 'none'; frame-ancestors 'none'",
            )
            .not_kept(),
    )
}

fn new_page(
    visit: &Visit<'_>,
    code: u16,
    reason: &str,
    trouble: Option<Trouble>,
) -> Result<Reply, Problem> {
    let list: ListId = visit.request.param("list")?;
    let overview = visit.edge.registry.list_overview(visit.actor(), list)?;
    let page = NewUploadPage {
        frame: visit.frame(Room::Lists),
        list: list_link(list),
        id: list.to_string(),
        purpose: purpose_words(&overview.purpose),
        reason: reason.to_owned(),
        keys: visit.keys(),
        trouble,
    };
    Ok(visit.page(code, page.html()))
}

/// How an upload stands, what came of it so far, and why it broke off.
fn stands(upload: &UploadView) -> (UploadStands, Report, Option<String>) {
    let under_way = |stage: Stage, part: u8| match stage {
        Stage::Trying => UploadStands::Trying(part),
        Stage::Making => UploadStands::Making(part),
    };
    match &upload.state {
        UploadState::Waiting(stage) => (under_way(*stage, 0), Report::default(), None),
        UploadState::UnderWay(stage, seen_to) => {
            let part = seen_to.saturating_mul(100) / upload.bytes.max(1);
            let part = u8::try_from(part.min(100)).unwrap_or(100);
            (under_way(*stage, part), Report::default(), None)
        }
        UploadState::Tried(report) => (
            UploadStands::Tried(report.applied > 0),
            report.clone(),
            None,
        ),
        UploadState::Made(report) => (UploadStands::Made, report.clone(), None),
        UploadState::BrokenOff(stage, report, why) => {
            let stands = match stage {
                Stage::Trying => UploadStands::NotRead,
                Stage::Making => UploadStands::BrokenOff,
            };
            (stands, report.clone(), Some(why.clone()))
        }
    }
}

/// The upload that a path names, where the visitor acts for whose it is. Another's is told of like one that
/// is not there.
fn own(visit: &Visit<'_>) -> Result<(UploadId, ProfileId), Problem> {
    let none = || gone(visit.request);
    let text: String = visit.request.param("upload")?;
    let id = id_of(&text).ok_or_else(none)?;
    let owner = visit.edge.uploads.owner(&id).ok_or_else(none)?;
    if !visit.actor().may(Action::Read, owner) {
        return Err(none());
    }
    match visit.actor().may(Action::WriteStatus, owner) {
        true => Ok((id, owner)),
        false => Err(RegistryError::NotAllowed(Action::WriteStatus).into()),
    }
}

fn gone(request: &Request) -> Problem {
    Problem::no_route(&request.path)
}

/// What a file is called, without the folders that it lies in.
fn name_of(file: &Part) -> String {
    let name = file.file.as_deref().unwrap_or_default();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    name.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// How a table is written: by its name, and where that does not say by its first letter.
fn kind_of(file: &Part) -> Kind {
    let name = file
        .file
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let named = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    match file.body.trim_ascii_start().first() {
        _ if named(&[".ndjson", ".jsonl"]) => Kind::Ndjson,
        Some(b'{') if !named(&[".csv"]) => Kind::Ndjson,
        _ => Kind::Csv,
    }
}

fn list_link(list: ListId) -> Link {
    Link::here(&format!("/console/lists/{list}"), &list.to_string())
}

fn path(id: &UploadId) -> String {
    format!("/console/uploads/{}", text_of(id))
}

fn text_of(id: &UploadId) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn id_of(text: &str) -> Option<UploadId> {
    let is_one = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| is_one)?;
    Some(number.to_be_bytes())
}
