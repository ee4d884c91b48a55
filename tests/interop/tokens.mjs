// Credentials and presentations as compact JWS, by jose, in the three documented profiles:
//
//   vc-jose-cose     typ vc+jwt or vp+jwt; the payload is the document (W3C VC-JOSE-COSE)
//   open-badges-jwt  typ JWT; the document with iss, jti, sub, nbf, exp beside it (Open Badges 3.0)
//   vcdm-1.1-jwt     typ JWT; claim vc or vp, whose members the registered claims take out (VCDM 1.1)

import {algorithm, jwkOf, methodOf, publicJwk, signing} from './keys.mjs';
import {load, Refused} from './packages.mjs';

const jose = await load('jose');

export const SUITES = ['vc-jose-cose', 'open-badges-jwt', 'vcdm-1.1-jwt'];

const seconds = text => text === undefined ? undefined : Math.floor(Date.parse(text) / 1000);
const isPresentation = document => [document.type].flat().includes('VerifiablePresentation');
const idOf = value => typeof value === 'string' ? value : value?.id;

/** `issuer` makes the key's did:key the issuer; `header` and `claims` are added at the end. */
export async function sign({suite, document, key, method, issuer, header = {}, claims = {}}) {
  const {id: kid, controller} = key.kty === 'RSA' ?
    {id: method, controller: method?.split('#')[0]} : await signing(key, method);
  if(issuer) {
    setIssuer(document, controller);
  }
  const {typ, payload} = PROFILES[suite].write(document);
  const whole = {alg: algorithm(key), typ, ...(header.jwk ? {} : {kid}), ...header};
  return new jose.SignJWT(JSON.parse(JSON.stringify({...payload, ...claims})))
    .setProtectedHeader(whole)
    .sign(await jose.importJWK(key, whole.alg));
}

function setIssuer(document, did) {
  const member = isPresentation(document) ? 'holder' : 'issuer';
  document[member] = typeof document[member] === 'object' ? {...document[member], id: did} : did;
}

/**
 * Whether the token `document` is one of the profile and its signature that of a key of its
 * issuer: out of `controllers` or a did:key by `kid`, or a header `jwk` that is among the `trusted`.
 */
export async function verify({suite, document: token, controllers = [], trusted = [], now}) {
  const report = {verified: false};
  try {
    const header = jose.decodeProtectedHeader(token);
    const jwk = await keyFor(header, controllers, trusted);
    const {payload} = await jose.jwtVerify(token, await jose.importJWK(jwk, algorithm(jwk)), {
      algorithms: [algorithm(jwk)], ...(now ? {currentDate: new Date(now)} : {})
    });
    const document = PROFILES[suite].read(header, payload);
    Object.assign(report, {header, payload, document, issuer: idOf(document.issuer ?? document.holder)});
    if(header.kid && header.kid.split('#')[0] !== report.issuer) {
      throw new Refused(`the key is ${header.kid.split('#')[0]}'s, not the issuer's`);
    }
    report.verified = true;
  } catch(error) {
    report.error = error.code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' ?
      'the signature does not match' : error.message;
  }
  return report;
}

async function keyFor({kid, jwk}, controllers, trusted) {
  if(kid) {
    return jwkOf(methodOf(kid, controllers));
  }
  const print = jwk && await jose.calculateJwkThumbprint(publicJwk(jwk));
  for(const key of trusted) {
    if(await jose.calculateJwkThumbprint(publicJwk(key)) === print) {
      return key;
    }
  }
  throw new Refused('no key of the issuer is named');
}

// --- the profiles -----------------------------------------------------------------------

const PROFILES = {
  'vc-jose-cose': {
    write(document) {
      return {typ: isPresentation(document) ? 'vp+jwt' : 'vc+jwt', payload: document};
    },
    read({typ}, payload) {
      const document = withoutClaims(payload);
      refuseUnless(typ === this.write(document).typ, `typ ${typ}`);
      refuseOther(payload, registered(document));
      return document;
    }
  },
  'open-badges-jwt': {
    write(document) {
      return {typ: 'JWT', payload: {...document, ...registered(document)}};
    },
    read({typ = 'JWT'}, payload) {
      const document = withoutClaims(payload);
      refuseUnless(typ === 'JWT', `typ ${typ}`);
      const claims = JSON.parse(JSON.stringify(registered(document)));
      const absent = Object.keys(claims).filter(name => !(name in payload));
      refuseUnless(absent.length === 0, `no claim ${absent}`);
      refuseOther(payload, claims);
      return document;
    }
  },
  'vcdm-1.1-jwt': {
    write(document) {
      const name = isPresentation(document) ? 'vp' : 'vc';
      return {typ: 'JWT', payload: {...registered(document), [name]: takenOut(document)}};
    },
    read({typ = 'JWT'}, {vc, vp, iss, jti, sub, nbf, exp}) {
      refuseUnless(typ === 'JWT', `typ ${typ}`);
      refuseUnless(vc || vp, 'no claim vc or vp');
      const document = putBack(vc ?? vp, {iss, jti, sub, nbf, exp});
      refuseOther({iss, jti, sub, nbf, exp}, registered(document));
      return document;
    }
  }
};

/** The registered claims that say the same as a document. */
function registered(document) {
  return {
    iss: idOf(document.issuer ?? document.holder),
    jti: document.id,
    sub: document.credentialSubject?.id,
    nbf: seconds(document.validFrom ?? document.issuanceDate),
    exp: seconds(document.validUntil ?? document.expirationDate)
  };
}

const CLAIMS = ['iss', 'jti', 'sub', 'nbf', 'exp', 'iat', 'aud', 'nonce', 'status', 'cnf'];

function withoutClaims(payload) {
  refuseUnless(!('vc' in payload || 'vp' in payload), 'a claim vc or vp');
  return Object.fromEntries(Object.entries(payload).filter(([name]) => !CLAIMS.includes(name)));
}

function refuseOther(payload, claims) {
  for(const [name, value] of Object.entries(claims)) {
    refuseUnless(payload[name] === undefined || payload[name] === value,
      `claim ${name} is ${payload[name]}, the document says ${value}`);
  }
}

function refuseUnless(condition, what) {
  if(!condition) {
    throw new Refused(`not of this profile: ${what}`);
  }
}

/** A VCDM 1.1 document without what the claims say in its place. */
function takenOut({id, issuer, holder, issuanceDate, expirationDate, credentialSubject, ...rest}) {
  const {id: subject, ...claims} = credentialSubject ?? {};
  return {
    ...rest,
    ...(typeof issuer === 'object' ? {issuer} : {}),
    ...(credentialSubject ? {credentialSubject: claims} : {})
  };
}

function putBack(inner, {iss, jti, sub, nbf, exp}) {
  const time = value => value === undefined ? undefined :
    new Date(value * 1000).toISOString().replace('.000Z', 'Z');
  const presentation = isPresentation(inner);
  return JSON.parse(JSON.stringify({
    id: jti,
    ...(presentation ? {holder: iss} : {issuer: iss, issuanceDate: time(nbf), expirationDate: time(exp)}),
    ...inner,
    ...(presentation ? {} : {credentialSubject: {id: sub, ...inner.credentialSubject}})
  }));
}
