//! From format 3 to format 4: the log is also kept by whose affair an event is, tokens and reasons
//! stand under whom they belong to, and what endorses a thing stands with its records under the
//! thing's id.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ROWS_AT_ONCE, Step};
use crate::access::Role;
use crate::ids::{ProfileId, Seq};
use crate::store::engine::{Batch, Row, StoreError};
use crate::store::event::{Event, EventKind, Party, RequestEvent};
use crate::store::format::{self, place_key};
use crate::store::opening::Opening;
use crate::store::staging::Writes;
use crate::store::table::postcard_decode;
use crate::store::tables::{
    ENDORSEMENTS, ENDORSEMENTS_BY_SUBJECT, REASONS, REQUESTS, TOKEN_INDEX, TOKENS, TokenId,
    TokenPlace, TokenRecord,
};
use crate::time::Timestamp;

/// The step.
pub(super) struct ToFormat4;

/// Both tables were keyed by a digest alone.
const OLDER_KEY: usize = 1 + 32;

/// Bulk updates make long events, so few are in memory at a time.
const EVENTS_AT_ONCE: usize = 64;

impl Step for ToFormat4 {
    fn what(&self) -> &'static str {
        "noting whose affair each event is, putting tokens and reasons under whom they belong to, \
         and what is known of endorsements under what they endorse"
    }

    fn run(&self, store: &mut dyn Opening) -> Result<(), StoreError> {
        copy_endorsements(store)?;
        move_tokens(store)?;
        let owners = token_owners(store)?;
        let mut since = Seq(0);
        loop {
            let events = format::changes(store, since, EVENTS_AT_ONCE)?;
            let Some(last) = events.last() else {
                return Ok(());
            };
            since = last.seq;
            let mut writes = Writes::new();
            for logged in &events {
                let event = Event::decode(&logged.body)
                    .map_err(|error| corrupt("events", format!("event {}: {error}", logged.seq)))?;
                let concerned = concerned(store, &event, &owners)?;
                for who in &concerned {
                    writes.insert(place_key(who.0, logged.seq), Some(Vec::new()));
                }
                move_reason(store, &event, &mut writes)?;
            }
            if !writes.is_empty() {
                store.write(writes)?;
            }
        }
    }

    fn validate(&self, store: &dyn Opening) -> Result<(), StoreError> {
        for (table, tag) in [
            (TOKENS.name(), TOKENS.tag()),
            (REASONS.name(), REASONS.tag()),
        ] {
            let left = each(store, tag, |(key, _)| key.len() == OLDER_KEY)?;
            if left > 0 {
                let reason = format!("{left} rows belong to nobody that the log knows");
                return Err(corrupt(table, reason));
            }
        }
        let tokens = each(store, TOKENS.tag(), |_| true)?;
        let indexed = each(store, TOKEN_INDEX.tag(), |_| true)?;
        if tokens != indexed {
            let reason = format!("{tokens} tokens, of which {indexed} can be found");
            return Err(corrupt(TOKEN_INDEX.name(), reason));
        }
        validate_endorsements(store)
    }
}

/// How many rows under a tag are like this.
fn each(store: &dyn Opening, tag: u8, like: impl Fn(&Row) -> bool) -> Result<usize, StoreError> {
    let (mut from, mut count) = (vec![tag], 0);
    loop {
        let rows = store.scan(&from, &[tag + 1], ROWS_AT_ONCE)?;
        let Some((last, _)) = rows.last() else {
            return Ok(count);
        };
        from = [last.as_slice(), &[0]].concat();
        count += rows.iter().filter(|row| like(row)).count();
    }
}

/// What endorses a thing stood under the thing's id without the records.
fn copy_endorsements(store: &mut dyn Opening) -> Result<(), StoreError> {
    let mut from = vec![ENDORSEMENTS_BY_SUBJECT.tag()];
    while let Some(rows) = next_by_subject(store, &mut from)? {
        let other = rows.into_iter().filter(|((_, row), record)| row != record);
        let writes: Writes = other
            .map(|((key, _), record)| (key, Some(record)))
            .collect();
        if !writes.is_empty() {
            store.write(writes)?;
        }
    }
    Ok(())
}

/// Every endorsement stands under what it endorses, with its record.
fn validate_endorsements(store: &dyn Opening) -> Result<(), StoreError> {
    let corrupt = |reason| Err(corrupt(ENDORSEMENTS_BY_SUBJECT.name(), reason));
    let endorsements = each(store, ENDORSEMENTS.tag(), |_| true)?;
    let mut found = 0;
    let mut from = vec![ENDORSEMENTS_BY_SUBJECT.tag()];
    while let Some(rows) = next_by_subject(store, &mut from)? {
        found += rows.len();
        if rows.iter().any(|((_, row), record)| row != record) {
            return corrupt("a row is not the record of its endorsement".to_owned());
        }
    }
    match found == endorsements {
        true => Ok(()),
        false => corrupt(format!(
            "{endorsements} endorsements, of which {found} can be found"
        )),
    }
}

/// A row of endorsements by subject, and the record of its endorsement, as they are stored.
type WithRecord = (Row, Vec<u8>);

/// The next rows of endorsements by subject from `from` on, which is moved behind them; `None` where
/// there are no more.
fn next_by_subject(
    store: &dyn Opening,
    from: &mut Vec<u8>,
) -> Result<Option<Vec<WithRecord>>, StoreError> {
    let (tag, table) = (
        ENDORSEMENTS_BY_SUBJECT.tag(),
        ENDORSEMENTS_BY_SUBJECT.name(),
    );
    let rows = store.scan(from, &[tag + 1], ROWS_AT_ONCE)?;
    let Some((last, _)) = rows.last() else {
        return Ok(None);
    };
    *from = [last.as_slice(), &[0]].concat();
    // The key is the tag, a digest and the endorsement.
    let of = |key: &[u8]| [&[ENDORSEMENTS.tag()], key.get(1 + 32..).unwrap_or(&[])].concat();
    let keys: Vec<_> = rows.iter().map(|(key, _)| of(key)).collect();
    let records = store.multi_get(&keys)?.into_iter();
    let none = || corrupt(table, "a row is of an endorsement that is not there");
    let with = rows.into_iter().zip(records);
    let with = with.map(|(row, record)| Ok((row, record.ok_or_else(none)?)));
    with.collect::<Result<_, _>>().map(Some)
}

/// A token was a row under its digest, and its holder owned the profile or ran the registry.
fn move_tokens(store: &mut dyn Opening) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Older {
        id: TokenId,
        profile: Option<ProfileId>,
        created_at: Timestamp,
        expires_at: Timestamp,
    }
    let tag = TOKENS.tag();
    let mut from = vec![tag];
    loop {
        let rows = store.scan(&from, &[tag + 1], ROWS_AT_ONCE)?;
        let Some((last, _)) = rows.last() else {
            return Ok(());
        };
        from = [last.as_slice(), &[0]].concat();
        let mut batch = Batch::default();
        for (key, value) in rows.iter().filter(|(key, _)| key.len() == OLDER_KEY) {
            let older = match value.as_slice() {
                [1, body @ ..] => postcard_decode::<Older>(body),
                _ => Err("not a token of format 3".to_owned()),
            };
            let older = older.map_err(|reason| corrupt(TOKENS.name(), reason))?;
            let digest = *key.last_chunk().expect("the key ends with a digest");
            let profile = older.profile.unwrap_or(ProfileId::REGISTRY);
            let record = TokenRecord {
                digest,
                role: match older.profile {
                    Some(_) => Role::Owner,
                    None => Role::Operator,
                },
                scope: None,
                created_at: older.created_at,
                expires_at: older.expires_at,
            };
            TOKENS.put(&mut batch, &(profile, older.id), &record);
            let place = TokenPlace {
                profile,
                id: older.id,
            };
            TOKEN_INDEX.put(&mut batch, &digest, &place);
            batch.deletes.push(key.clone());
        }
        write(store, batch)?;
    }
}

fn write(store: &mut dyn Opening, batch: Batch) -> Result<(), StoreError> {
    let puts = batch
        .puts
        .into_iter()
        .map(|(key, value)| (key, Some(value)));
    let deletes = batch.deletes.into_iter().map(|key| (key, None));
    let writes: Writes = puts.chain(deletes).collect();
    match writes.is_empty() {
        true => Ok(()),
        false => store.write(writes),
    }
}

/// Whose each token is that is there.
fn token_owners(store: &dyn Opening) -> Result<BTreeMap<TokenId, ProfileId>, StoreError> {
    let rows = TOKENS.scan(store, &[], None, usize::MAX)?;
    Ok(rows
        .into_iter()
        .map(|((owner, id), _)| (id, owner))
        .collect())
}

/// Whose affair an event is, whose thing it is about first.
fn concerned(
    store: &dyn Opening,
    event: &Event,
    owners: &BTreeMap<TokenId, ProfileId>,
) -> Result<Vec<ProfileId>, StoreError> {
    let mut concerned: Vec<_> = event.concerns().into_iter().map(ProfileId).collect();
    let actor = match event.actor.party {
        Party::Profile(profile) => Some(profile),
        Party::Registry | Party::Development | Party::Anonymous => None,
    };
    match &event.kind {
        // Of a token that is gone, who acted is all that is known.
        EventKind::TokenMade { id } | EventKind::TokenRevoked { id } => {
            concerned.extend(owners.get(id).copied().or(actor));
        }
        // It belongs to nobody here.
        EventKind::EndorsementImported { .. } => concerned.extend(actor),
        EventKind::Request {
            request,
            event: RequestEvent::Step(_),
        } => {
            let record = REQUESTS.get(store, request)?;
            concerned.extend(record.map(|record| record.requester));
        }
        _ => {}
    }
    concerned.retain(|profile| *profile != ProfileId::REGISTRY);
    Ok(concerned)
}

/// A reason was a row under its commitment alone.
fn move_reason(store: &dyn Opening, event: &Event, writes: &mut Writes) -> Result<(), StoreError> {
    let Some(commitment) = event.commitment else {
        return Ok(());
    };
    let key = [&[REASONS.tag()], commitment.as_slice()].concat();
    let Some(value) = store.get(&key)? else {
        return Ok(());
    };
    let owner = event.kind.reason_owner(&event.also);
    let now = [
        &[REASONS.tag()],
        owner.0.to_be_bytes().as_slice(),
        &commitment,
    ]
    .concat();
    writes.insert(now, Some(value));
    writes.insert(key, None);
    Ok(())
}

fn corrupt(table: &'static str, reason: impl ToString) -> StoreError {
    StoreError::Corrupt {
        table,
        reason: reason.to_string(),
    }
}
