// The part of the check page that runs in browsers, against other software: what others signed is genuine, what was
// changed is not, and what cannot be told is said to be unchecked. Says how many cases held.

import assert from 'node:assert/strict';
import {createHash, createPrivateKey, generateKeyPairSync, sign as signs} from 'node:crypto';
import {crc32, deflateSync} from 'node:zlib';

import * as keys from './keys.mjs';
import {load} from './packages.mjs';
import * as proofs from './proofs.mjs';
import * as tokens from './tokens.mjs';
import {asks, isDocument, othersThan, readFile, readText} from '../../src/web/assets/credential.mjs';
import {canonical, check, period} from '../../src/web/assets/proof.mjs';

const {default: canonicalize} = await load('canonicalize');
const EcdsaMultikey = await load('@digitalbazaar/ecdsa-multikey');

const NOW = Date.parse('2026-06-01T00:00:00Z');
const ENTRY = {
  id: 'https://registry.example/status-lists/1#7', type: 'BitstringStatusListEntry', statusPurpose: 'revocation',
  statusListIndex: '7', statusListCredential: 'https://registry.example/status-lists/1',
};
const CREDENTIAL = {
  '@context': ['https://www.w3.org/ns/credentials/v2'],
  id: 'urn:uuid:1', type: ['VerifiableCredential'], issuer: 'did:example:none',
  validFrom: '2020-01-01T00:00:00Z', validUntil: '2030-01-01T00:00:00Z',
  credentialSubject: {id: 'did:example:holder'}, credentialStatus: ENTRY,
};
const JCS = 'eddsa-jcs-2022';

let held = 0;
const found = async (given, published = () => 'key') => {
  const {genuine, why} = await check(given, {now: NOW, published});
  held++;
  return why ? `${genuine}: ${why}` : genuine;
};
const signed = async (suite, {kind = 'Ed25519', document = CREDENTIAL, key = keys.generate(kind), ...how} = {}) => {
  const by = proofs.SUITES.includes(suite) ? proofs : tokens;
  const made = await by.sign({suite, document: structuredClone(document), key, issuer: true, ...how});
  return typeof made === 'string' ? made : JSON.stringify(made);
};
const changed = (text, change) => {
  const document = JSON.parse(text);
  change(document);
  return readText(JSON.stringify(document));
};

// What others sign, and what becomes of it where one letter is another.
for(const [suite, kind] of [
  [JCS, 'Ed25519'], ['vc-jose-cose', 'Ed25519'], ['vc-jose-cose', 'P-256'], ['open-badges-jwt', 'Ed25519'],
  ['vcdm-1.1-jwt', 'P-256'],
]) {
  const text = await signed(suite, {kind});
  assert(isDocument(text), suite);
  const given = readText(text);
  assert.equal(await found(given), 'yes', suite);
  const {entries, issuer} = asks(given);
  assert.deepEqual(entries, [{list: ENTRY.statusListCredential, index: '7'}], suite);
  assert(issuer.startsWith('did:key:'));
  const forged = suite === JCS ? changed(text, document => document.credentialSubject.name = 'Mallory') :
    readText(text.replace(/\.[\w-]+\./, body => `.${Buffer.from(Buffer.from(body.slice(1, -1), 'base64url')
      .toString().replace('holder', 'mallet')).toString('base64url')}.`));
  assert.equal(await found(forged), 'no: signature', suite);
}

// What browsers do not check is told apart from what is forged.
assert.equal(await found(readText(await signed('eddsa-rdfc-2022'))), 'unchecked: suite');
assert.equal(await found(readText(await signed('ecdsa-rdfc-2019', {kind: 'P-256'}))), 'unchecked: suite');
assert.equal(await found(readText(JSON.stringify(CREDENTIAL))), 'unchecked: none');
const text = await signed(JCS);
assert.equal(await found(changed(text, document => document.issuer = 'did:example:other')), 'unchecked: key');
assert.equal(await found(changed(text, document => document.proof.proofPurpose = 'authentication')), 'unchecked: form');
assert.equal(await found(changed(text, document => document.proof = [document.proof, document.proof])), 'unchecked: suite');
assert.equal(await found(changed(text, document => document.proof.proofValue = 'm!')), 'unchecked: form');
assert.equal(await found(changed(text, document => document.proof.created = '2020-01-01T00:00:00Z')), 'no: signature');
assert.equal(await found(changed(text, document => document['@context'] = [])), 'no: context');
assert.equal(await found(changed(text, document => document.credentialSubject.big = 2 ** 60)), 'unchecked: form');
const [head, body] = (await signed('vc-jose-cose')).split('.');
assert.equal(await found(readText(`${head}.${body}.AAAA`)), 'no: signature');
const other = {...JSON.parse(Buffer.from(head, 'base64url')), alg: 'ES256'};
const confused = Buffer.from(JSON.stringify(other)).toString('base64url');
assert.equal(await found(readText(`${confused}.${body}.AAAA`)), 'unchecked: suite');
assert.equal(await found(readText(await signed(JCS, {expires: '2026-05-01T00:00:00Z'}))), 'no: expired');

// Keys that are published where the issuer lives.
const method = 'did:web:registry.example:profiles:school#key-1';
const key = keys.generate('Ed25519');
const byMethod = readText(await signed(JCS, {key, method}));
const {publicKeyMultibase} = await keys.signing(key);
const controller = (more = {}, may = [method]) => {
  const id = method.split('#')[0];
  const one = {id: method, type: 'Multikey', controller: id, publicKeyMultibase, ...more};
  return async asked => (assert.equal(asked, id), {id, verificationMethod: [one], assertionMethod: may});
};
assert.equal(await found(byMethod, () => 'ask'), 'unchecked: ask');
assert.equal(await found(byMethod, controller()), 'yes');
assert.equal(await found(byMethod, controller({revoked: '2030-01-01T00:00:00Z'})), 'yes');
assert.equal(await found(byMethod, controller({revoked: '2026-01-01T00:00:00Z'})), 'unchecked: key');
assert.equal(await found(byMethod, controller({}, [])), 'unchecked: key');
assert.equal(await found(byMethod, controller({controller: 'did:example:x'})), 'unchecked: key');
const {publicKeyMultibase: another} = await keys.signing(keys.generate('Ed25519'));
assert.equal(await found(byMethod, controller({publicKeyMultibase: another})), 'no: signature');

// ecdsa-jcs-2019 and did:jwk, put together here by the standards' steps over others' parts.
for(const [curve, hash] of [['P-256', 'sha256'], ['P-384', 'sha384']]) {
  for(const form of ['key', 'jwk']) {
    const jwk = generateKeyPairSync('ec', {namedCurve: curve}).privateKey.export({format: 'jwk'});
    const {d, ...open} = jwk;
    const multikey = (await EcdsaMultikey.fromJwk({jwk: {...open, key_ops: ['verify']}})).publicKeyMultibase;
    const did = form === 'key' ? `did:key:${multikey}` : `did:jwk:${Buffer.from(JSON.stringify(open)).toString('base64url')}`;
    const document = {...CREDENTIAL, issuer: {id: did}};
    const options = {
      type: 'DataIntegrityProof', cryptosuite: 'ecdsa-jcs-2019', created: '2026-01-01T00:00:00Z',
      verificationMethod: `${did}#${form === 'key' ? multikey : 0}`, proofPurpose: 'assertionMethod',
      '@context': document['@context'],
    };
    const digests = [options, document].map(half => createHash(hash).update(canonicalize(half)).digest());
    const by = {key: createPrivateKey({key: jwk, format: 'jwk'}), dsaEncoding: 'ieee-p1363'};
    const value = signs(hash, Buffer.concat(digests), by).toString('base64url');
    const proof = {...options, proofValue: `u${value}`};
    assert.equal(await found(readText(JSON.stringify({...document, proof}))), 'yes', `${curve} ${form}`);
    const forged = readText(JSON.stringify({...document, id: 'urn:uuid:2', proof}));
    assert.equal(await found(forged), 'no: signature', `${curve} ${form}`);
  }
}

// RFC 8785 as another writes it.
for(const value of [
  [1e-7, 0.1, -0, 333333333.33333329, 4.5, 2e-3, 1e-27], {'\u20ac': 1, '\r': 2, '\ud83d\ude00': 3, '1': 4, '\ufb33': 5},
  {literals: [null, true, false], text: '\u20ac$\u000f\nA\'B"\\\\"/\u2028'}, [], {}, {a: {b: [{}]}},
]) {
  assert.equal(canonical(value), canonicalize(value));
  held++;
}

// Pictures: with the text as it is, and compressed.
const chunk = (kind, data) => {
  const named = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
  const [length, sum] = [data.length, crc32 ? crc32(named) : 0].map(number => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    return bytes;
  });
  return Buffer.concat([length, named, sum]);
};
const picture = (...texts) => Buffer.concat([
  Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', Buffer.alloc(13)), ...texts, chunk('IEND', Buffer.alloc(0)),
]);
const plain = content => chunk('iTXt', Buffer.concat([Buffer.from('openbadgecredential\0\0\0en\0\0'), Buffer.from(content)]));
const packed = content => chunk('iTXt', Buffer.concat([Buffer.from('openbadgecredential\0\x01\0\0\0'), deflateSync(content)]));
const jwt = await signed('vc-jose-cose');
for(const baked of [plain(text), packed(text), plain(jwt), packed(jwt)]) {
  assert.equal(await found(await readFile(picture(baked))), 'yes');
}
for(const wrong of [
  picture(), picture(plain(text), plain(text)), picture(plain(text)).subarray(0, 400),
  picture(packed(Buffer.alloc(5 * 1024 * 1024, ' '))), picture(chunk('iTXt', Buffer.from('openbadgecredential\0\x01\0\0\0xx'))),
  Buffer.from('{"type": "VerifiableCredential", "type": "VerifiableCredential"}'), Buffer.from([0xff, 0xfe]),
  Buffer.from('{"type": "VerifiableCredential", "a": {"\\u0062": 1, "b": 2}}'), Buffer.alloc(5 * 1024 * 1024, ' '),
  Buffer.from('[]'), Buffer.from('null'), Buffer.from('{"type": "VerifiablePresentation"}'), Buffer.from('ey.a.b'),
]) {
  await assert.rejects(readFile(wrong), {name: 'Error'});
  held++;
}

const enveloped = {type: 'EnvelopedVerifiableCredential', id: `data:application/vc+jwt,${jwt}`};
assert.equal(await found(readText(JSON.stringify(enveloped))), 'yes');

// Dates, and what is asked.
const dated = dates => period({document: {...CREDENTIAL, ...dates}}, NOW);
assert.equal(dated({}), 'in-force');
assert.equal(dated({validUntil: '2026-06-01T00:00:00Z'}), 'expired');
assert.equal(dated({validFrom: '2026-06-01T00:00:01+00:00'}), 'not-yet-valid');
assert.equal(dated({validUntil: 'soon'}), 'unclear');
assert.equal(period({document: CREDENTIAL, payload: {exp: NOW / 1000 - 1}}, NOW), 'expired');
const elsewhere = {document: {...CREDENTIAL, credentialStatus: [ENTRY, {type: '1EdTechRevocationList', id: 'https://a.example/'}]}};
assert.equal(asks(elsewhere).entries.length, 1);
assert(othersThan(elsewhere, asks(elsewhere)) && !othersThan({document: CREDENTIAL}, asks({document: CREDENTIAL})));
for(const typed of ['7K3D-Q9XB-2MFA-T5HW', 'https://a.example/', 'did:web:a.example', 'eyebrow', '']) {
  assert(!isDocument(typed), typed);
}
console.log(held);
