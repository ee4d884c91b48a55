// What signing and verifying share: contexts, canonical hashes, keys and base58.
//
// Independent of the registry's own code: JSON-LD is jsonld.js's, canonicalization
// rdf-canonize's, JCS canonicalize's, Ed25519 Node's own. Contexts come from a folder, never
// from the network. The packages are taken from GOODSTANDING_INTEROP_NODE_MODULES, or from
// a node_modules folder beside this file.

import {createHash} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const packages = process.env.GOODSTANDING_INTEROP_NODE_MODULES || join(here, 'node_modules');
const load = createRequire(join(packages, 'interop.cjs'));
const jsonld = load('jsonld');
const canonize = load('rdf-canonize');
const canonicalJson = load('canonicalize');

export const RDFC = 'eddsa-rdfc-2022';
export const JCS = 'eddsa-jcs-2022';
export const SUITES = [RDFC, JCS];
export const CONTEXTS = join(here, '..', '..', 'contexts');

/** A document that cannot be signed or does not verify, with the reason. */
export class Refused extends Error {}

// --- contexts ---------------------------------------------------------------------------

/** URL to its documents in `folder`, newest revision first, as contexts.json lists them. */
export function loadContexts(folder) {
  const index = JSON.parse(readFileSync(join(here, 'contexts.json'), 'utf8'));
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

/** A document loader that knows `documents` and nothing else. */
function loader(documents) {
  return async url => {
    if(!documents.has(url)) {
      throw new Refused(`context ${url} is not in the contexts folder`);
    }
    return {contextUrl: null, documentUrl: url, document: documents.get(url)};
  };
}

// --- hashes -----------------------------------------------------------------------------

/** The 64 bytes that are signed: hash of the configuration, then of the document. */
export async function hashData(suite, unsecured, config, documents) {
  const transform = suite === RDFC ? canonicalRdf : canonicalJson;
  const hashes = [];
  for(const part of [config, unsecured]) {
    hashes.push(createHash('sha256').update(await transform(part, documents)).digest());
  }
  return Buffer.concat(hashes);
}

/** Canonical N-Quads; safe mode refuses a document of which anything would be lost. */
async function canonicalRdf(document, documents) {
  // Each run resolves contexts anew, since revisions share a URL.
  const contextResolver = new (load('jsonld/lib/ContextResolver'))({sharedCache: new Map()});
  try {
    const dataset = await jsonld.toRDF(document, {
      documentLoader: loader(documents), contextResolver, safe: true, produceGeneralizedRdf: false
    });
    return await canonize.canonize(dataset, {
      algorithm: 'RDFC-1.0', format: 'application/n-quads', maxWorkFactor: 2
    });
  } catch(error) {
    throw new Refused(`JSON-LD: ${rootCause(error)}`);
  }
}

function rootCause(error) {
  const event = error.details?.event;
  const cause = error.details?.cause ?? error.cause;
  if(cause) {
    return rootCause(cause);
  }
  return event ? `${event.message} ${JSON.stringify(event.details)}` : error.message;
}

// --- keys -------------------------------------------------------------------------------

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const ED25519_PUBLIC = Buffer.from([0xed, 0x01]);

/** An Ed25519 public key as a Multikey string. */
export function multikey(raw) {
  return 'z' + base58Encode(Buffer.concat([ED25519_PUBLIC, raw]));
}

export function publicFromMultikey(text) {
  const raw = multibaseDecode(text);
  if(raw.length !== 34 || !raw.subarray(0, 2).equals(ED25519_PUBLIC)) {
    throw new Refused(`${text} is not an Ed25519 Multikey`);
  }
  return raw.subarray(2);
}

export function multibaseDecode(text) {
  if(typeof text !== 'string' || !text.startsWith('z')) {
    throw new Refused('expected multibase base58btc (a string that begins with z)');
  }
  let number = 0n;
  for(const letter of text.slice(1)) {
    const digit = ALPHABET.indexOf(letter);
    if(digit < 0) {
      throw new Refused(`'${letter}' is no base58 digit`);
    }
    number = number * 58n + BigInt(digit);
  }
  const zeros = text.slice(1).match(/^1*/)[0].length;
  const hex = number === 0n ? '' : number.toString(16);
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(hex.padStart(hex.length + hex.length % 2, '0'), 'hex')]);
}

export function base58Encode(raw) {
  let number = BigInt('0x0' + raw.toString('hex'));
  let text = '';
  for(; number > 0n; number /= 58n) {
    text = ALPHABET[Number(number % 58n)] + text;
  }
  const zeros = raw.findIndex(byte => byte !== 0);
  return '1'.repeat(zeros < 0 ? raw.length : zeros) + text;
}
