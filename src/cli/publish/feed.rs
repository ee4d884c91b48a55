//! The registry's change feed (server-sent events), as far as it is read here.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read};
use std::time::Duration;

use serde::Deserialize;

use crate::cli::context::Context;
use crate::cli::error::{CliError, Problem};
use crate::cli::remote::agent;
use crate::cli::transport::{Answer, Call};
use crate::ids::ListId;

/// A connection to the feed. It is not kept for long: one that died without a word is noticed by that.
pub(super) struct Feed {
    lines: BufReader<Box<dyn Read>>,
    server: String,
    id: u64,
    ended: bool,
}

/// What the feed told, up to a place in the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// The place.
    pub(super) id: u64,
    /// The lists that were published before it; none where it is only said that the feed is alive.
    pub(super) lists: BTreeSet<ListId>,
}

const PATH: &str = "/events/published";
/// A connection is kept for so long.
const LIFE: Duration = Duration::from_secs(30);
const LONGEST_LINE: u64 = 64 << 10;

impl Feed {
    /// Opens the feed behind an event.
    pub(super) fn open(context: &Context<'_>, behind: u64) -> Result<Self, CliError> {
        let Some(server) = &context.server else {
            let words = "there is no feed without a server";
            return Err(CliError::Usage(words.to_owned()));
        };
        let agent = agent(server, LIFE, context.ca_file.as_deref())?;
        let url = format!("{}{PATH}", server.as_str().trim_end_matches('/'));
        let asked = agent
            .get(url)
            .header("Accept", "text/event-stream")
            .header("Last-Event-ID", behind.to_string())
            .call();
        let mut answer = asked.map_err(|failed| lost(server.as_str(), &failed.to_string()))?;
        if answer.status().as_u16() != 200 {
            let body = answer
                .body_mut()
                .with_config()
                .limit(LONGEST_LINE)
                .read_to_vec();
            let answer = Answer {
                status: answer.status().as_u16(),
                headers: answer.headers().clone(),
                body: body.unwrap_or_default(),
            };
            return Err(CliError::Problem(Box::new(Problem::of(
                &Call::get(PATH),
                &answer,
            ))));
        }
        Ok(Self {
            lines: BufReader::new(Box::new(answer.into_body().into_reader())),
            server: server.to_string(),
            id: behind,
            ended: false,
        })
    }

    /// The next event, or `None` at the end.
    fn heard(&mut self) -> Result<Option<Heard>, CliError> {
        let mut lists = BTreeSet::new();
        loop {
            let mut line = Vec::new();
            let read = self
                .lines
                .by_ref()
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line);
            match read {
                // Its time is up, or it was cut off: who comes back misses nothing.
                Ok(0) | Err(_) => return Ok(None),
                Ok(_) => {}
            }
            let text = std::str::from_utf8(&line)
                .ok()
                .and_then(|line| line.strip_suffix('\n'));
            let text = text.ok_or_else(|| self.no_feed("a line without an end"))?;
            let text = text.strip_suffix('\r').unwrap_or(text);
            let (field, value) = text.split_once(':').unwrap_or((text, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "" if text.is_empty() => return Ok(Some(Heard { id: self.id, lists })),
                "id" => {
                    self.id = value
                        .parse()
                        .map_err(|_| self.no_feed("an id is no number"))?
                }
                "data" => lists
                    .extend(named(value).ok_or_else(|| self.no_feed("an event of another kind"))?),
                _ => {}
            }
        }
    }

    fn no_feed(&self, reason: &str) -> CliError {
        CliError::NotTheContract {
            method: "GET",
            path: PATH.to_owned(),
            reason: format!("{reason} in the feed of {}", self.server),
        }
    }
}

impl Iterator for Feed {
    type Item = Result<Heard, CliError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let heard = self.heard().transpose();
        self.ended = !matches!(heard, Some(Ok(_)));
        heard
    }
}

fn lost(server: &str, reason: &str) -> CliError {
    CliError::Lost {
        method: "GET",
        path: PATH.to_owned(),
        server: server.to_owned(),
        reason: reason.to_owned(),
        idempotency_key: None,
    }
}

#[derive(Deserialize)]
struct Published {
    list: String,
    formats: Vec<String>,
}

/// The lists that an event is of: the one that was published, and the one whose id its token list has.
fn named(data: &str) -> Option<BTreeSet<ListId>> {
    let published: Published = serde_json::from_str(data).ok()?;
    let all = std::iter::once(&published.list).chain(&published.formats);
    let id = |url: &String| -> Option<ListId> {
        let url = url.strip_suffix("/2021").unwrap_or(url);
        url.rsplit('/').next()?.parse().ok()
    };
    all.map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "000000g123456789abc0";

    fn feed(text: &str) -> Vec<Result<Heard, String>> {
        let feed = Feed {
            lines: BufReader::new(Box::new(std::io::Cursor::new(text.as_bytes().to_vec()))),
            server: "http://h/".into(),
            id: 3,
            ended: false,
        };
        feed.map(|heard| heard.map_err(|failed| failed.to_string()))
            .collect()
    }

    #[test]
    fn events_name_lists_and_comments_nothing() {
        let data = format!(
            "{{\"list\":\"http://h/status-lists/{LIST}\",\"formats\":[\"http://h/status-lists/{LIST}/2021\",\
             \"http://h/token-status-lists/000000h123456789abc0\"]}}"
        );
        let heard = feed(&format!(
            "retry: 3000\nid: 7\n\n:\n\nid: 9\nevent: published\ndata: {data}\n\nid: 10"
        ));
        let lists = [LIST, "000000h123456789abc0"].map(|id| id.parse().unwrap());
        let nothing = |id| {
            Ok(Heard {
                id,
                lists: BTreeSet::new(),
            })
        };
        assert_eq!(heard[..2], [nothing(7), nothing(7)]);
        assert_eq!(
            heard[2],
            Ok(Heard {
                id: 9,
                lists: lists.into()
            })
        );
        assert!(heard[3].is_err() && heard.len() == 4, "{heard:?}");
    }

    #[test]
    fn what_is_no_feed_is_refused() {
        for text in [
            "id: x\n\n",
            "data: {}\n\n",
            "data: {\"list\":\"/../x\",\"formats\":[]}\n\n",
        ] {
            assert!(feed(text)[0].is_err(), "{text}");
        }
        let endless = "x".repeat(70_000);
        assert!(feed(&endless)[0].is_err());
    }
}
