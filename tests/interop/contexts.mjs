// The contexts in contexts/, by URL, and the choices between revisions of one URL.

import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

import {here} from './packages.mjs';

/** URL to its documents, newest revision first, as contexts.json lists them. */
export function loadContexts() {
  const index = JSON.parse(readFileSync(join(here, 'contexts.json'), 'utf8'));
  const folder = process.env.GOODSTANDING_CONTEXTS || join(here, '..', '..', 'contexts');
  return new Map(Object.entries(index).map(([url, names]) => [
    url,
    names.filter(name => existsSync(join(folder, name))).map(name => ({
      name,
      document: JSON.parse(readFileSync(join(folder, name), 'utf8'))
    }))
  ]));
}

/** Every choice of one revision per URL named in `document`, the newest first. */
export function* revisions(contexts, document) {
  const urls = namedContexts(document).filter(url => (contexts.get(url) ?? []).length > 1);
  const choices = urls.reduce(
    (rows, url) => rows.flatMap(row => contexts.get(url).map(one => [...row, [url, one]])), [[]]);
  for(const choice of choices) {
    const picked = new Map(choice);
    const documents = new Map();
    for(const [url, held] of contexts) {
      const one = picked.get(url) ?? held[0];
      if(one) {
        documents.set(url, one.document);
      }
    }
    yield {documents, chosen: choice.map(([, one]) => one.name).sort()};
  }
}

/** The URLs of every @context at any depth, each once, in order. */
function namedContexts(value, found = []) {
  if(Array.isArray(value)) {
    value.forEach(item => namedContexts(item, found));
  } else if(value !== null && typeof value === 'object') {
    for(const item of [value['@context'] ?? []].flat()) {
      if(typeof item === 'string' && !found.includes(item)) {
        found.push(item);
      }
    }
    Object.values(value).forEach(item => namedContexts(item, found));
  }
  return found;
}
