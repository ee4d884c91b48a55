// Signs a credential, for the registry's verifier to check.
//
//   sign.mjs [--contexts DIR] [--suite NAME] [--created TIME] [--method ID] [--issuer]
//            SEED_HEX FILE
//
// SEED_HEX is the 32-byte Ed25519 seed. The verification method is the key's did:key unless
// --method names another; --issuer makes the method's DID the issuer. A proof that FILE holds
// already is kept beside the new one. The signed credential goes to standard output.

import {createPrivateKey, createPublicKey, sign as ed25519} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {parseArgs} from 'node:util';

import * as proofs from './proofs.mjs';

// The DER wrapping of a bare Ed25519 seed (RFC 8410).
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

async function main() {
  const {values, positionals} = parseArgs({
    options: {
      contexts: {type: 'string', default: proofs.CONTEXTS},
      suite: {type: 'string', default: proofs.RDFC},
      created: {type: 'string', default: new Date().toISOString().replace(/\.\d+Z$/, 'Z')},
      method: {type: 'string'},
      issuer: {type: 'boolean', default: false}
    },
    allowPositionals: true
  });
  const [seed, file] = positionals;
  if(!/^[0-9a-f]{64}$/i.test(seed ?? '') || !file || !proofs.SUITES.includes(values.suite)) {
    console.error('usage: sign.mjs [--suite NAME] … SEED_HEX FILE; SEED_HEX has 64 digits');
    return 2;
  }
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8, Buffer.from(seed, 'hex')]), format: 'der', type: 'pkcs8'
  });
  const signed = await sign(JSON.parse(readFileSync(file, 'utf8')), key, values);
  console.log(JSON.stringify(signed, null, 2));
  return 0;
}

async function sign(document, key, options) {
  const {x} = createPublicKey(key).export({format: 'jwk'});
  const name = proofs.multikey(Buffer.from(x, 'base64url'));
  const method = options.method ?? `did:key:${name}#${name}`;
  if(options.issuer) {
    setIssuer(document, method.split('#')[0]);
  }
  const {proof: held = [], ...unsecured} = document;
  const config = {
    '@context': unsecured['@context'],
    type: 'DataIntegrityProof',
    cryptosuite: options.suite,
    created: options.created,
    verificationMethod: method,
    proofPurpose: 'assertionMethod'
  };
  const [{documents}] = proofs.revisions(proofs.loadContexts(options.contexts), unsecured);
  const data = await proofs.hashData(options.suite, unsecured, config, documents);
  if(options.suite === proofs.RDFC) {
    // The document's contexts are the proof's; a JCS proof states them itself.
    delete config['@context'];
  }
  const made = {...config, proofValue: 'z' + proofs.base58Encode(ed25519(null, data, key))};
  const all = [held].flat();
  return {...unsecured, proof: all.length ? [...all, made] : made};
}

function setIssuer(document, did) {
  if(document.issuer !== null && typeof document.issuer === 'object') {
    document.issuer.id = did;
  } else {
    document.issuer = did;
  }
}

try {
  process.exitCode = await main();
} catch(error) {
  console.error(`sign.mjs: ${error.message}`);
  process.exitCode = error instanceof proofs.Refused ? 1 : 2;
}
