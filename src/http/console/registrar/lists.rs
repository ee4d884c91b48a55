//! Status lists: how full they are, how fresh, and new ones.

use super::{apart, issuer, path_with, purpose_words, trouble_of};
use crate::access::Action;
use crate::bitstring::ListLength;
use crate::http::console::visit::{Sent, Visit};
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::ListId;
use crate::registry::{AlsoPublished, ListOverview, NewList};
use crate::status::StatusPurpose;
use crate::time::Timestamp;
use crate::web::charts::{
    Fill, FillWords, Freshness, FreshnessWords, Publication, fill, freshness,
};
use crate::web::console::{Done, ListBlock, ListPage, ListsPage, NewListPage, Room, Trouble};
use crate::web::{Link, Moment};

/// So many lists stand on a page.
const MOST: usize = 20;

/// A list that changes is signed within the publish delay, and a little later where many do.
const SIGNED_WITHIN: u64 = 5_000;

/// The lists of an issuer.
pub(in crate::http) fn all(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let (profile, profiles) = issuer(&visit)?;
    let mut page = ListsPage {
        frame: visit.frame(Room::Lists),
        profile: profile.as_ref().map(|profile| profile.slug.to_string()),
        profiles,
        fill: String::new(),
        fresh: String::new(),
        lists: Vec::new(),
        opens: visit.can(Action::WriteLists),
        next: None,
    };
    if let Some(profile) = &profile {
        let after = request.query_as::<ListId>("cursor", "a cursor from a page before")?;
        let registry = &edge.registry;
        let found = registry.lists_overview(visit.actor(), profile.id, after, MOST)?;
        [page.fill, page.fresh] = charts(&visit, &found.lists);
        page.lists = found.lists.iter().map(block).collect();
        page.next = found.next.map(|next| {
            let next = next.to_string();
            path_with(
                "/console/lists",
                &[("profile", profile.slug.as_str()), ("cursor", &next)],
            )
        });
    }
    Ok(visit.page(200, page.html()))
}

/// One list.
pub(in crate::http) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let list: ListId = request.param("list")?;
    let overview = edge.registry.list_overview(visit.actor(), list)?;
    let url = edge.registry.urls().list(list);
    let page = ListPage {
        frame: visit.frame(Room::Lists),
        url: Link::here(&format!("/status-lists/{list}"), &url),
        id: list.to_string(),
        purpose: purpose_words(&overview.purpose),
        charts: charts(&visit, std::slice::from_ref(&overview)),
        created_at: Moment(overview.created_at),
        revision: (overview.revision.0, Moment(overview.changed_at)),
        published: overview.published.map(|published| {
            let until = published.valid_until.map(Moment);
            (published.revision.0, Moment(published.at), until)
        }),
        changes: visit.can(Action::WriteStatus),
    };
    Ok(visit.page(200, page.html()))
}

/// A form for a new list.
pub(in crate::http) fn form(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let (profile, _) = issuer(&visit)?;
    let profile = profile.ok_or_else(|| Problem::no_route(&request.path))?;
    let asked = Asked {
        profile: profile.slug.to_string(),
        purpose: "revocation".to_owned(),
        length: ListLength::MINIMUM.entries().to_string(),
        token: false,
    };
    new_page(&visit, 200, asked, None)
}

/// Opens a list.
pub(in crate::http) fn open(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let visit = &sent.visit;
    let asked = Asked {
        profile: sent.field("profile").to_owned(),
        purpose: sent.field("purpose").to_owned(),
        length: sent.field("length").to_owned(),
        token: sent.given("token").is_some(),
    };
    let profile = visit.own_profile(&asked.profile)?;
    let purpose = match asked.purpose.as_str() {
        "revocation" => StatusPurpose::Revocation,
        "suspension" => StatusPurpose::Suspension,
        _ => {
            let words = visit.language.console("list.purpose");
            return new_page(visit, 400, asked, Some(Trouble::said(words, "purpose")));
        }
    };
    let length = asked.length.parse::<u64>().ok().map(ListLength::new);
    let Some(Ok(length)) = length else {
        let words = visit.language.console("new-list.length-hint");
        return new_page(visit, 400, asked, Some(Trouble::said(words, "length")));
    };
    let new = NewList {
        length,
        also: AlsoPublished {
            token: asked.token,
            ..AlsoPublished::default()
        },
        ..NewList::usual(profile.id, purpose)
    };
    let opened = sent
        .change()
        .and_then(|change| Ok(edge.registry.create_list(&change, &new)?));
    match opened {
        Ok(list) => Ok(sent.done(&format!("/console/lists/{}", list.id), Done::ListOpened)),
        Err(problem) => {
            let (code, trouble) = trouble_of(visit.language, problem)?;
            new_page(visit, code, asked, Some(trouble))
        }
    }
}

/// A new list as it is asked for.
struct Asked {
    profile: String,
    purpose: String,
    length: String,
    token: bool,
}

fn new_page(
    visit: &Visit<'_>,
    code: u16,
    asked: Asked,
    trouble: Option<Trouble>,
) -> Result<Reply, Problem> {
    let page = NewListPage {
        frame: visit.frame(Room::Lists),
        profile: asked.profile,
        purpose: asked.purpose,
        length: asked.length,
        token: asked.token,
        keys: visit.keys(),
        trouble,
    };
    Ok(visit.page(code, page.html()))
}

fn block(list: &ListOverview) -> ListBlock {
    ListBlock {
        page: Link::here(&format!("/console/lists/{}", list.id), &list.id.to_string()),
        purpose: purpose_words(&list.purpose),
        changed_at: Moment(list.changed_at),
    }
}

/// How full lists are, and how fresh.
fn charts(visit: &Visit<'_>, lists: &[ListOverview]) -> [String; 2] {
    let t = |key| visit.language.console(key);
    let name = |list: &ListOverview| {
        let (key, word) = purpose_words(&list.purpose);
        let purpose = if key == "purpose.other" {
            word
        } else {
            t(key).to_owned()
        };
        format!("{} · {purpose}", list.id)
    };
    let full: Vec<Fill> = lists
        .iter()
        .map(|list| Fill {
            name: name(list),
            capacity: list.capacity,
            used: list.used,
            set: list.set,
        })
        .collect();
    let now = visit.edge.registry.now();
    let fresh: Vec<Freshness> = lists
        .iter()
        .map(|list| Freshness {
            name: name(list),
            published: list.published.map(|published| Publication {
                age: between(published.at, now),
                holds: published
                    .valid_until
                    .map(|until| between(published.at, until)),
            }),
            behind: list.behind_since.map(|since| between(since, now)),
            ttl: list.ttl.millis(),
        })
        .collect();
    let apart = apart(visit.language);
    let fill_words = FillWords {
        title: t("chart.fill"),
        table: t("chart.table"),
        list: t("chart.list"),
        used: t("chart.used"),
        set: t("chart.set"),
        free: t("chart.free"),
        capacity: t("chart.capacity"),
        of: t("chart.of"),
        unknown: t("chart.unknown"),
        none: t("chart.none"),
        lists: t("chart.lists"),
        apart,
    };
    let fresh_words = FreshnessWords {
        title: t("chart.fresh"),
        table: t("chart.table"),
        list: t("chart.list"),
        age: t("fresh.age"),
        left: t("fresh.left"),
        ttl: t("fresh.ttl"),
        current: t("fresh.current"),
        due: t("fresh.due"),
        behind: t("fresh.behind"),
        ended: t("fresh.ended"),
        never: t("fresh.never"),
        none: t("chart.none"),
        lists: t("chart.lists"),
        apart,
    };
    [
        fill("fill", &full, &fill_words),
        freshness("fresh", &fresh, SIGNED_WITHIN, &fresh_words),
    ]
}

/// Milliseconds from one moment to a later one.
fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.millis().saturating_sub(from.millis())).unwrap_or(0)
}
