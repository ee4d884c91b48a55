//! Changes to compact JWS that keep them JWS: those of [`mutate::document`] to a header or a
//! payload, under the same signature, in the text itself or wherever a document carries one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::mutate;

/// The JWS or JSON in `data[..size]` with changes, written into `data`; its length there. Nothing,
/// where it is neither, or where the outcome is too long.
pub fn secured(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> Option<usize> {
    let text = std::str::from_utf8(&data[..size]).ok()?.trim_ascii();
    let changed = match serde_json::from_str::<Value>(text) {
        Err(_) => jws(text, max_size, seed)?,
        Ok(mut document) => {
            let mut carried = Vec::new();
            find(&mut document, &mut carried);
            if carried.is_empty() || seed & 0x30 == 0 {
                return mutate::document(data, size, max_size, seed);
            }
            let one = (seed >> 6) as usize % carried.len();
            let text = carried.swap_remove(one);
            let (head, token) = text.rsplit_once(',').unwrap_or(("", text));
            let token = jws(token, max_size, seed)?;
            *text = match head {
                "" => token,
                head => format!("{head},{token}"),
            };
            document.to_string()
        }
    };
    let room = data
        .get_mut(..changed.len())
        .filter(|room| room.len() <= max_size)?;
    room.copy_from_slice(changed.as_bytes());
    Some(changed.len())
}

fn jws(text: &str, max_size: usize, seed: u32) -> Option<String> {
    let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    if parts.len() != 3 {
        return None;
    }
    let part = &mut parts[usize::from(seed & 0xc != 0)];
    let mut json = URL_SAFE_NO_PAD.decode(&*part).ok()?;
    let size = json.len();
    json.resize(max_size.max(size), 0);
    let size = mutate::document(&mut json, size, max_size, seed)?;
    *part = URL_SAFE_NO_PAD.encode(&json[..size]);
    Some(parts.join("."))
}

/// The texts in a document that are a JWS, or an envelope's data: URL with one.
fn find<'v>(value: &'v mut Value, found: &mut Vec<&'v mut String>) {
    match value {
        Value::String(text) => {
            let token = text.rsplit_once(',').map_or(&**text, |(_, token)| token);
            if token.starts_with("ey") && token.split('.').count() == 3 {
                found.push(text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| find(item, found)),
        Value::Object(members) => members.values_mut().for_each(|item| find(item, found)),
        _ => {}
    }
}
