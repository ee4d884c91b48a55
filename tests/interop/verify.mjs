// Verifies what the registry signed: lists, badges, endorsements.
//
//   verify.mjs [--contexts DIR] [--controller FILE]… [--index N]… [--purpose NAME] FILE…
//
// The key comes from a did:key, or from a controller document (a DID document) given by
// --controller. Each FILE is a credential with one or more proofs, all of which must verify.
// For a status list the statuses at each --index are read out of it. Prints one JSON object;
// exits with 0 if every file verified, 1 if one did not, 2 where the question was wrong.

import {createPublicKey, verify as ed25519} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {basename} from 'node:path';
import {parseArgs} from 'node:util';
import {gunzipSync} from 'node:zlib';

import * as proofs from './proofs.mjs';

const {Refused} = proofs;

async function main() {
  const {values, positionals} = parseArgs({
    options: {
      contexts: {type: 'string', default: proofs.CONTEXTS},
      controller: {type: 'string', multiple: true, default: []},
      index: {type: 'string', multiple: true, default: []},
      purpose: {type: 'string', default: 'assertionMethod'}
    },
    allowPositionals: true
  });
  if(positionals.length === 0) {
    throw new Error('name the files to verify');
  }
  const read = file => JSON.parse(readFileSync(file, 'utf8'));
  const contexts = proofs.loadContexts(values.contexts);
  const controllers = values.controller.map(read);
  const documents = [];
  for(const file of positionals) {
    const document = read(file);
    const report = await verify(document, contexts, controllers, values.purpose);
    if(document.credentialSubject?.encodedList !== undefined) {
      report.statusList = readList(document.credentialSubject, values.index.map(Number));
    }
    documents.push({file: basename(file), ...report});
  }
  const verified = documents.every(report => report.verified);
  console.log(JSON.stringify({verified, documents}, null, 2));
  return verified ? 0 : 1;
}

// --- proofs -----------------------------------------------------------------------------

async function verify(document, contexts, controllers, purpose) {
  const {proof: held = [], ...unsecured} = document;
  const answers = [];
  for(const proof of [held].flat()) {
    answers.push(await verifyProof(unsecured, proof, contexts, controllers, purpose));
  }
  return {
    verified: answers.length > 0 && answers.every(answer => answer.verified),
    issuer: document.issuer?.id ?? document.issuer,
    proofs: answers
  };
}

async function verifyProof(unsecured, proof, contexts, controllers, purpose) {
  const {cryptosuite, verificationMethod, created} = proof;
  const answer = {verified: false, cryptosuite, verificationMethod, created};
  try {
    refuseWrongShape(proof, purpose);
    const key = resolve(verificationMethod, controllers, purpose);
    answer.contexts = await checkSignature(unsecured, proof, key, contexts);
    answer.verified = true;
  } catch(error) {
    if(!(error instanceof Refused)) {
      throw error;
    }
    answer.error = error.message;
  }
  return answer;
}

function refuseWrongShape(proof, purpose) {
  if(proof.type !== 'DataIntegrityProof') {
    throw new Refused(`proof of type ${proof.type}`);
  }
  if(!proofs.SUITES.includes(proof.cryptosuite)) {
    throw new Refused(`cryptosuite ${proof.cryptosuite} is not checked here`);
  }
  if(proof.proofPurpose !== purpose) {
    throw new Refused(`proof is for ${proof.proofPurpose}, not for ${purpose}`);
  }
  if('previousProof' in proof) {
    throw new Refused('proof chains are not checked here');
  }
  // Not "<=": a date that cannot be read compares false, and must refuse.
  if('expires' in proof && !(Date.parse(proof.expires) > Date.now())) {
    throw new Refused('proof has expired');
  }
}

/** The revisions of contexts under which the signature holds, where there is a choice. */
async function checkSignature(document, {proofValue, ...proof}, key, contexts) {
  const signature = proofs.multibaseDecode(proofValue);
  const {unsecured, config} = withContexts(document, proof);
  for(const {documents, chosen} of proofs.revisions(contexts, unsecured)) {
    const data = await proofs.hashData(proof.cryptosuite, unsecured, config, documents);
    if(ed25519(null, data, key, signature)) {
      return proof.cryptosuite === proofs.RDFC ? chosen : [];
    }
  }
  throw new Refused('the signature does not match');
}

/** The proof's own @context must begin the document's, and then stands for it. */
function withContexts(unsecured, config) {
  if('@context' in config) {
    const [own, whole] = [config, unsecured].map(one => [one['@context'] ?? []].flat());
    if(JSON.stringify(whole.slice(0, own.length)) !== JSON.stringify(own)) {
      throw new Refused('the proof\'s @context does not begin the document\'s');
    }
    return {unsecured: {...unsecured, '@context': config['@context']}, config};
  }
  if(config.cryptosuite === proofs.RDFC) {
    config = {...config, '@context': unsecured['@context']};
  }
  return {unsecured, config};
}

// --- keys -------------------------------------------------------------------------------

function resolve(method, controllers, purpose) {
  const [did, fragment] = method.split('#');
  if(did.startsWith('did:key:')) {
    if(did !== `did:key:${fragment}`) {
      throw new Refused('the fragment of a did:key repeats its key');
    }
    return fromRaw(proofs.publicFromMultikey(fragment));
  }
  const controller = controllers.find(document => document.id === did);
  if(!controller) {
    throw new Refused(`no controller document for ${did}: give it by --controller`);
  }
  return fromController(controller, method, purpose);
}

function fromController(controller, method, purpose) {
  const full = name => name.startsWith('#') ? controller.id + name : name;
  const allowed = controller[purpose] ?? [];
  if(!allowed.some(item => full(item.id ?? item) === method)) {
    throw new Refused(`${method} is not a key for ${purpose}`);
  }
  const given = [...controller.verificationMethod ?? [], ...allowed.filter(item => item.id)];
  const key = given.find(item => full(item.id) === method);
  if(!key) {
    throw new Refused(`${method} is named but not given`);
  }
  return publicKey(key);
}

function publicKey(key) {
  if('revoked' in key) {
    throw new Refused(`${key.id} was revoked at ${key.revoked}`);
  }
  if(key.publicKeyMultibase) {
    return fromRaw(proofs.publicFromMultikey(key.publicKeyMultibase));
  }
  if(key.publicKeyJwk?.crv === 'Ed25519') {
    return createPublicKey({key: key.publicKeyJwk, format: 'jwk'});
  }
  throw new Refused(`${key.id} is not an Ed25519 key`);
}

function fromRaw(raw) {
  const jwk = {kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url')};
  return createPublicKey({key: jwk, format: 'jwk'});
}

// --- status lists -----------------------------------------------------------------------

/** Bitstring Status List v1.0, and StatusList2021: index 0 is the most significant bit. */
function readList(subject, indexes) {
  let encoded = subject.encodedList;
  if(subject.type === 'BitstringStatusList') {
    if(!encoded.startsWith('u')) {
      throw new Refused('encodedList is not multibase base64url (begins with u)');
    }
    encoded = encoded.slice(1);
  }
  const bits = gunzipSync(Buffer.from(encoded, 'base64url'));
  const size = subject.statusSize ?? 1;
  const length = Math.floor(bits.length * 8 / size);
  const status = index => {
    if(!Number.isInteger(index) || index < 0 || index >= length) {
      throw new Refused(`index ${index} is outside a list of ${length}`);
    }
    let value = 0;
    for(let bit = index * size; bit < (index + 1) * size; bit++) {
      value = value << 1 | bits[bit >> 3] >> 7 - (bit & 7) & 1;
    }
    return value;
  };
  return {
    type: subject.type,
    statusPurpose: subject.statusPurpose,
    statusSize: size,
    length,
    bitsSet: bits.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0),
    statuses: indexes.map(index => ({index, status: status(index)}))
  };
}

try {
  process.exitCode = await main();
} catch(error) {
  console.error(`verify.mjs: ${error.message}`);
  process.exitCode = 2;
}
