// Whether a credential is by whom it names, as far as a browser can find that out: signatures over JSON as it
// stands (RFC 8785) and JWTs, by keys that the issuer's id holds or that this registry publishes. What needs a
// graph to be made canonical, or a key from elsewhere, is not checked here, and that is said.

import {fromBase64url, idOf, isObject} from './credential.mjs';

/** Cannot be checked here; the word says why. */
class Unchecked extends Error {}
/** Is not genuine. */
class Broken extends Error {}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** Kinds of keys: how a Multikey begins, and by what they sign. Curves with a prime and their constant b. */
const ED25519 = {name: 'Ed25519', prefix: [0xed, 0x01], length: 32, jws: 'EdDSA'};
const P256 = {
  name: 'P-256', prefix: [0x80, 0x24], length: 33, jws: 'ES256', hash: 'SHA-256',
  prime: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
  b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
};
const P384 = {
  name: 'P-384', prefix: [0x81, 0x24], length: 49, jws: 'ES384', hash: 'SHA-384',
  prime: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
  b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
};
const KINDS = [ED25519, P256, P384];
const SUITES = {'eddsa-jcs-2022': [ED25519], 'ecdsa-jcs-2019': [P256, P384]};

/** Says `genuine`: `yes`, `no`, or `unchecked` with the reason; and by whom. `published` finds the keys of an
 *  issuer who is registered here, or says that nobody has asked for them yet. */
export async function check(given, {now, published}) {
  const by = idOf(given.document.issuer);
  try {
    await (given.header ? checkJwt(given, by, {now, published}) : checkProof(given.document, by, {now, published}));
    return {genuine: 'yes', by};
  } catch(error) {
    if(error instanceof Broken) {
      return {genuine: 'no', why: error.message, by};
    }
    return {genuine: 'unchecked', why: error instanceof Unchecked ? error.message : 'form', by};
  }
}

/** How its own dates stand at this moment: `in-force`, `expired`, `not-yet-valid`, or `unclear`. */
export function period({document, payload}, now) {
  const moments = [
    [document.validFrom, document.issuanceDate, payload?.nbf],
    [document.validUntil, document.expirationDate, payload?.exp],
  ].map(named => named.filter(moment => moment !== undefined && moment !== null).map(inMilliseconds));
  const [from, until] = moments;
  if(moments.flat().some(Number.isNaN)) {
    return 'unclear';
  }
  if(until.some(moment => moment <= now)) {
    return 'expired';
  }
  return from.some(moment => moment > now) ? 'not-yet-valid' : 'in-force';
}

/** RFC 3339, or seconds as JWTs count them. */
function inMilliseconds(moment) {
  if(typeof moment === 'number') {
    return moment * 1000;
  }
  const isWritten = typeof moment === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(moment);
  return isWritten ? Date.parse(moment) : NaN;
}

async function checkJwt({header, payload, signed, signature}, by, where) {
  if(header.crit !== undefined || header.b64 !== undefined) {
    throw new Unchecked('form');
  }
  if(typeof header.kid !== 'string') {
    throw new Unchecked('key');
  }
  const speaks = payload.iss ?? by;
  if(speaks !== by) {
    throw new Broken('issuer');
  }
  const method = header.kid.includes(':') ? header.kid : `${by}#${header.kid.replace(/^#/, '')}`;
  const key = await keyOf(method, by, where);
  if(header.alg !== key.kind.jws) {
    throw new Unchecked('suite');
  }
  await holds(key, signature, signed);
}

/** Data Integrity 1.0, section 4.4, with the transformations of the JCS suites. */
async function checkProof(document, by, where) {
  const {proof: proofs, ...unsecured} = document;
  const [proof, ...more] = [proofs ?? []].flat();
  if(!isObject(proof)) {
    throw new Unchecked('none');
  }
  const kinds = Object.hasOwn(SUITES, proof.cryptosuite) ? SUITES[proof.cryptosuite] : [];
  if(proof.type !== 'DataIntegrityProof' || !kinds.length || more.length || proof.previousProof !== undefined) {
    throw new Unchecked('suite');
  }
  if(proof.proofPurpose !== 'assertionMethod' || typeof proof.verificationMethod !== 'string') {
    throw new Unchecked('form');
  }
  if(proof.expires !== undefined && !(inMilliseconds(proof.expires) > where.now)) {
    throw new Broken('expired');
  }
  const {proofValue, ...options} = proof;
  if(options['@context'] !== undefined) {
    // What the proof names has to be what the document begins with, in the same order.
    const [named, stands] = [options['@context'], unsecured['@context']].map(context => [context].flat());
    if(!named.every((context, at) => canonical(context) === canonical(stands[at] ?? null))) {
      throw new Broken('context');
    }
    unsecured['@context'] = options['@context'];
  }
  const key = await keyOf(proof.verificationMethod, by, where);
  if(!kinds.includes(key.kind)) {
    throw new Broken('key');
  }
  const signature = fromMultibase(proofValue);
  const halves = await Promise.all([options, unsecured].map(half =>
    crypto.subtle.digest(key.kind.hash ?? 'SHA-256', new TextEncoder().encode(canonical(half)))));
  await holds(key, signature, new Uint8Array(await new Blob(halves).arrayBuffer()));
}

async function holds({kind, imported}, signature, signed) {
  const by = kind === ED25519 ? {name: 'Ed25519'} : {name: 'ECDSA', hash: kind.hash};
  if(!await crypto.subtle.verify(by, imported, signature, signed)) {
    throw new Broken('signature');
  }
}

/** RFC 8785. Texts and numbers are written there as scripts write them. */
export function canonical(value) {
  if(Array.isArray(value)) {
    return `[${value.map(canonical).join(',')}]`;
  }
  if(isObject(value)) {
    const names = Object.keys(value).sort();
    return `{${names.map(name => `${canonical(name)}:${canonical(value[name])}`).join(',')}}`;
  }
  const isExact = !Number.isInteger(value) || Number.isSafeInteger(value);
  if(!isExact || (typeof value === 'string' && !value.isWellFormed())) {
    throw new Unchecked('form');
  }
  return JSON.stringify(value);
}

/** The key that a proof names, where it is the issuer's. */
async function keyOf(method, by, {now, published}) {
  const did = method.split('#')[0];
  if(by === undefined || did !== by) {
    throw new Unchecked('key');
  }
  if(did.startsWith('did:key:')) {
    const multikey = did.slice('did:key:'.length);
    if(method !== `${did}#${multikey}`) {
      throw new Unchecked('key');
    }
    return ofMultikey(multikey);
  }
  if(did.startsWith('did:jwk:')) {
    if(method !== `${did}#0`) {
      throw new Unchecked('key');
    }
    return ofJwk(JSON.parse(new TextDecoder().decode(fromBase64url(did.slice('did:jwk:'.length)))));
  }
  return ofMethod(await published(did), method, now);
}

/** The key of a controller document that may sign as its owner, unless it may not be trusted any more. */
function ofMethod(controller, method, now) {
  if(!isObject(controller)) {
    throw new Unchecked(controller ?? 'key');
  }
  const {id, verificationMethod = [], assertionMethod = []} = controller;
  const found = verificationMethod.filter(one => one.id === method);
  const isOver = moment => moment !== undefined && !(inMilliseconds(moment) > now);
  const may = id === method.split('#')[0] && found.length === 1 && found[0].controller === id &&
    assertionMethod.includes(method);
  if(!may || isOver(found[0].revoked) || isOver(found[0].expires)) {
    throw new Unchecked('key');
  }
  const {publicKeyMultibase, publicKeyJwk} = found[0];
  return publicKeyMultibase ? ofMultikey(publicKeyMultibase) : ofJwk(publicKeyJwk);
}

function ofMultikey(multikey) {
  const bytes = fromMultibase(multikey);
  const kind = KINDS.find(({prefix, length}) =>
    bytes.length === length + 2 && prefix.every((byte, at) => bytes[at] === byte));
  if(!kind) {
    throw new Unchecked('suite');
  }
  const key = bytes.subarray(2);
  return imported(kind, 'raw', kind === ED25519 ? key : whole(kind, key));
}

function ofJwk(jwk) {
  const kind = KINDS.find(({name}) => name === jwk?.crv);
  if(!kind) {
    throw new Unchecked('suite');
  }
  const {kty, crv, x, y} = jwk;
  return imported(kind, 'jwk', {kty, crv, x, ...(y && {y})});
}

async function imported(kind, form, key) {
  const by = kind === ED25519 ? {name: 'Ed25519'} : {name: 'ECDSA', namedCurve: kind.name};
  try {
    return {kind, imported: await crypto.subtle.importKey(form, key, by, false, ['verify'])};
  } catch {
    // Browsers of some age know no Ed25519.
    throw new Unchecked('browser');
  }
}

/** A point of which only x and the side are given (SEC 1, section 2.3.4), with its y. */
function whole({prime, b}, point) {
  const x = number(point.subarray(1));
  const square = ((x * x % prime) * x - 3n * x + b) % prime;
  let y = power((square + prime) % prime, (prime + 1n) / 4n, prime);
  if(y % 2n !== BigInt(point[0] & 1)) {
    y = prime - y;
  }
  return Uint8Array.from([4, ...point.subarray(1), ...bytesOf(y, point.length - 1)]);
}

function power(base, exponent, prime) {
  let result = 1n;
  for(let square = base; exponent > 0n; exponent /= 2n, square = square * square % prime) {
    if(exponent % 2n) {
      result = result * square % prime;
    }
  }
  return result;
}

function number(bytes) {
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function bytesOf(value, length) {
  const bytes = new Uint8Array(length);
  for(let at = length - 1; at >= 0; at--, value /= 256n) {
    bytes[at] = Number(value % 256n);
  }
  return bytes;
}

/** Multibase, of which signatures and keys use base58 and base64url. */
function fromMultibase(text) {
  if(typeof text !== 'string' || text.length > 512) {
    throw new Unchecked('form');
  }
  if(text.startsWith('u')) {
    return fromBase64url(text.slice(1));
  }
  if(!text.startsWith('z')) {
    throw new Unchecked('form');
  }
  const digits = [...text.slice(1)].map(letter => BASE58.indexOf(letter));
  if(digits.includes(-1)) {
    throw new Unchecked('form');
  }
  const value = digits.reduce((sum, digit) => sum * 58n + BigInt(digit), 0n);
  const zeros = digits.findIndex(digit => digit > 0);
  const length = value === 0n ? 0 : Math.ceil(value.toString(16).length / 2);
  return Uint8Array.from([...new Uint8Array(Math.max(zeros, 0)), ...bytesOf(value, length)]);
}
