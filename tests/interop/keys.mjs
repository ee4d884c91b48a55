// Keys: private ones come as JWK; public ones out of a did:key, a controller document, or a JWK.

import {createPublicKey, generateKeyPairSync} from 'node:crypto';

import {load, Refused} from './packages.mjs';

const Ed25519Multikey = await load('@digitalbazaar/ed25519-multikey');
const EcdsaMultikey = await load('@digitalbazaar/ecdsa-multikey');

const DID_CONTEXTS = ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'];
const RELATIONSHIPS = ['assertionMethod', 'authentication'];
const ALGORITHMS = {Ed25519: 'EdDSA', 'P-256': 'ES256', RSA: 'RS256'};

/** A new private key as JWK: Ed25519, P-256 or RSA. */
export function generate(kind) {
  const [type, options] = {
    Ed25519: ['ed25519', {}],
    'P-256': ['ec', {namedCurve: 'P-256'}],
    RSA: ['rsa', {modulusLength: 2048}]
  }[kind];
  return generateKeyPairSync(type, options).privateKey.export({format: 'jwk'});
}

/** The JWS algorithm that a JWK is for: the key fixes it, not the header. */
export function algorithm(jwk) {
  const name = ALGORITHMS[jwk.crv ?? jwk.kty];
  if(!name) {
    throw new Refused(`no algorithm for a key of ${jwk.crv ?? jwk.kty}`);
  }
  return name;
}

/** The public members of a JWK. */
export function publicJwk(jwk) {
  return createPublicKey({key: jwk, format: 'jwk'}).export({format: 'jwk'});
}

/** A key of a JWK as the Data Integrity packages hold it, which signs as `method`. */
export async function signing(jwk, method) {
  const kinds = {Ed25519: Ed25519Multikey, 'P-256': EcdsaMultikey};
  const kind = kinds[jwk.crv];
  if(!kind) {
    throw new Refused(`a key of ${jwk.kty} makes no Data Integrity proofs`);
  }
  // The P-256 package takes a key without `key_ops` for one of key agreement.
  const key = await kind.fromJwk({jwk: {...jwk, key_ops: ['sign']}, secretKey: true});
  const did = `did:key:${key.publicKeyMultibase}`;
  key.id = method ?? `${did}#${key.publicKeyMultibase}`;
  key.controller = key.id.split('#')[0];
  return key;
}

/** The controller document of `did`: of a did:key its own, or one of `controllers`. */
export function controllerOf(did, controllers) {
  const given = controllers.find(document => document.id === did);
  if(given || !did.startsWith('did:key:')) {
    return given;
  }
  const publicKeyMultibase = did.slice('did:key:'.length);
  const id = `${did}#${publicKeyMultibase}`;
  return {
    '@context': DID_CONTEXTS,
    id: did,
    verificationMethod: [{id, type: 'Multikey', controller: did, publicKeyMultibase}],
    assertionMethod: [id],
    authentication: [id]
  };
}

/** The verification method `url` out of its controller document. */
export function methodOf(url, controllers) {
  const did = url.split('#')[0];
  const document = controllerOf(did, controllers);
  const embedded = RELATIONSHIPS.flatMap(name => document?.[name] ?? []);
  const method = [...(document?.verificationMethod ?? []), ...embedded]
    .find(one => one.id === url || did + one.id === url);
  if(!method) {
    throw new Refused(`${url} is in no controller document`);
  }
  if('revoked' in method) {
    throw new Refused(`${url} was revoked at ${method.revoked}`);
  }
  return {'@context': DID_CONTEXTS[1], ...method, id: url};
}

/** The public JWK of a verification method. */
export async function jwkOf(method) {
  if(method.publicKeyJwk) {
    return method.publicKeyJwk;
  }
  const kind = method.publicKeyMultibase?.startsWith('z6Mk') ? Ed25519Multikey : EcdsaMultikey;
  return kind.toJwk({keyPair: await kind.from(method)});
}
