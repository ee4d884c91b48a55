// Status lists: credentials by the field's packages, tokens by jose, cborg and Node's zlib.
//
//   BitstringStatusList, StatusList2021  makes an unsigned list credential: sign it as any other
//   statuslist+jwt, statuslist+cwt       makes and reads a signed token list

import {createPrivateKey, createPublicKey, sign as rawSign, verify as rawVerify} from 'node:crypto';
import {deflateSync, inflateSync} from 'node:zlib';

import {algorithm, jwkOf, methodOf, publicJwk} from './keys.mjs';
import {load, Refused} from './packages.mjs';

const bitstring = await load('@digitalbazaar/vc-bitstring-status-list');
const statusList2021 = await load('@digitalbazaar/vc-status-list');
const jose = await load('jose');
const cbor = await load('cborg', 'cborg.js');

const PACKAGES = {BitstringStatusList: bitstring, StatusList2021: statusList2021};
const DEFLATED = {level: 9};

export const SUITES = [...Object.keys(PACKAGES), 'statuslist+jwt', 'statuslist+cwt'];

/** A list of `length` entries in which each of `entries`, a pair of index and status, is set. */
export async function sign({suite, ...request}) {
  if(suite in PACKAGES) {
    return listCredential(PACKAGES[suite], request);
  }
  const {key, bits = 1, length, entries = [], sub, iat, exp, ttl, kid} = request;
  const lst = deflateSync(packed(bits, length, entries), DEFLATED);
  const times = {sub, iat, exp, ttl};
  return suite === 'statuslist+jwt' ?
    signJwt(key, kid, {...times, status_list: {bits, lst: lst.toString('base64url')}}) :
    signCwt(key, kid, times, {bits, lst}).toString('base64url');
}

async function listCredential(kind, {id, length, entries = [], purpose, issuer, since}) {
  const list = await kind.createList({length});
  entries.forEach(([index, status]) => list.setStatus(index, status !== 0));
  const made = await kind.createCredential({id, list, statusPurpose: purpose});
  const version2 = made['@context'][0].endsWith('/ns/credentials/v2');
  return {...made, issuer, [version2 ? 'validFrom' : 'issuanceDate']: since};
}

/** What a list credential says: its length, how many bits are set, and the statuses at `indexes`. */
export async function read(subject, indexes) {
  const kind = PACKAGES[subject.type];
  if(!kind || (subject.statusSize ?? 1) !== 1) {
    throw new Refused(`no package here reads a ${subject.type} of size ${subject.statusSize}`);
  }
  const list = await kind.decodeList(subject);
  const length = list.length;
  let bitsSet = 0;
  for(let index = 0; index < length; index++) {
    bitsSet += Number(list.getStatus(index));
  }
  return {
    type: subject.type,
    statusPurpose: subject.statusPurpose,
    statusSize: 1,
    length,
    bitsSet,
    statuses: indexes.map(index => ({index, status: Number(list.getStatus(index))}))
  };
}

/** A token list against the key in its `kid`, or else the `trusted` one; and what it says. */
export async function verify({suite, document, controllers = [], trusted = [], indexes = [], now}) {
  const report = {verified: false};
  try {
    const find = async kid => kid ? jwkOf(methodOf(kid, controllers)) : trusted[0];
    const {claims, list} = await (suite === 'statuslist+jwt' ? openJwt : openCwt)(document, find, now);
    const bytes = inflateSync(list.lst);
    Object.assign(report, {verified: true, claims, statusList: statuses(suite, list.bits, bytes, indexes)});
  } catch(error) {
    report.error = error.code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' ?
      'the signature does not match' : error.message;
  }
  return report;
}

// --- bits -------------------------------------------------------------------------------

/** Entries of `bits` each, the first in the least significant bits of the first byte. */
function packed(bits, length, entries) {
  const bytes = Buffer.alloc(Math.ceil(length * bits / 8));
  for(const [index, status] of entries) {
    bytes[Math.floor(index * bits / 8)] |= status << index * bits % 8;
  }
  return bytes;
}

function statuses(type, bits, bytes, indexes) {
  const length = bytes.length * 8 / bits;
  return {
    type,
    statusPurpose: null,
    statusSize: bits,
    length,
    bitsSet: bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0),
    statuses: indexes.map(index => {
      if(!(index < length)) {
        throw new Refused(`index ${index} is outside a list of ${length}`);
      }
      return {index, status: bytes[Math.floor(index * bits / 8)] >> index * bits % 8 & (1 << bits) - 1};
    })
  };
}

// --- JWT --------------------------------------------------------------------------------

async function signJwt(key, kid, claims) {
  return new jose.SignJWT(JSON.parse(JSON.stringify(claims)))
    .setProtectedHeader({alg: algorithm(key), typ: 'statuslist+jwt', ...(kid ? {kid} : {})})
    .sign(await jose.importJWK(key, algorithm(key)));
}

async function openJwt(token, find, now) {
  const jwk = await find(jose.decodeProtectedHeader(token).kid);
  const {payload} = await jose.jwtVerify(token, await jose.importJWK(jwk, algorithm(jwk)), {
    algorithms: [algorithm(jwk)], typ: 'statuslist+jwt', requiredClaims: ['sub', 'iat', 'status_list'],
    ...(now ? {currentDate: new Date(now)} : {})
  });
  const {status_list: {bits, lst}, ...claims} = payload;
  return {claims, list: {bits, lst: Buffer.from(lst, 'base64url')}};
}

// --- CWT (COSE_Sign1, RFC 9052) ---------------------------------------------------------

const SIGN1 = 18;
const LABELS = {sub: 2, exp: 4, iat: 6, ttl: 65534, status_list: 65533};
const COSE_ALGORITHMS = {EdDSA: -8, ES256: -7};
const TYPE = 'application/statuslist+cwt';
const DECODE = {useMaps: true, tags: {[SIGN1]: decode => decode()}};

function signCwt(key, kid, times, list) {
  const claims = new Map(Object.entries({...times, status_list: new Map(Object.entries(list))})
    .filter(([, value]) => value !== undefined).map(([name, value]) => [LABELS[name], value]));
  const header = cbor.encode(new Map([[1, COSE_ALGORITHMS[algorithm(key)]], [16, TYPE]]));
  const payload = cbor.encode(claims);
  const loose = new Map(kid ? [[4, Buffer.from(kid)]] : []);
  const handle = {key: createPrivateKey({key, format: 'jwk'}), dsaEncoding: 'ieee-p1363'};
  const signature = rawSign(digest(key), signed(header, payload), handle);
  return Buffer.concat([Buffer.from([0xc0 | SIGN1]), cbor.encode([header, loose, payload, signature])]);
}

async function openCwt(text, find, now = new Date()) {
  const bytes = Buffer.from(text, 'base64url');
  if(bytes[0] !== (0xc0 | SIGN1)) {
    throw new Refused('not a tagged COSE_Sign1');
  }
  const [header, loose, payload, signature] = cbor.decode(bytes, DECODE);
  const protectedHeader = cbor.decode(header, DECODE);
  const kid = protectedHeader.get(4) ?? loose.get(4);
  const jwk = await find(kid && Buffer.from(kid).toString());
  if(protectedHeader.get(1) !== COSE_ALGORITHMS[algorithm(jwk)] || protectedHeader.get(16) !== TYPE) {
    throw new Refused('another algorithm or type');
  }
  const handle = {key: createPublicKey({key: publicJwk(jwk), format: 'jwk'}), dsaEncoding: 'ieee-p1363'};
  if(!rawVerify(digest(jwk), signed(header, payload), handle, signature)) {
    throw new Refused('the signature does not match');
  }
  const held = cbor.decode(payload, DECODE);
  const claims = Object.fromEntries(Object.entries(LABELS).map(([name, label]) => [name, held.get(label)]));
  const {status_list: list, ...times} = claims;
  if(times.exp !== undefined && times.exp <= new Date(now) / 1000) {
    throw new Refused('the list has expired');
  }
  return {claims: times, list: Object.fromEntries(list)};
}

function signed(header, payload) {
  return cbor.encode(['Signature1', header, new Uint8Array(), payload]);
}

function digest(jwk) {
  return algorithm(jwk) === 'EdDSA' ? null : 'sha256';
}
