// Data Integrity proofs by the packages that most issuers of the field run: @digitalbazaar/vc,
// data-integrity and the cryptosuites over it, with jsonld.js below them.
//
// Contexts come from a folder, never from the network. Two things are done here that the packages
// leave out: proof chains (previousProof), and the `expires` of a proof.

import {loadContexts, revisions} from './contexts.mjs';
import {controllerOf, methodOf, signing} from './keys.mjs';
import {load, Refused, rootCause} from './packages.mjs';

const vc = await load('@digitalbazaar/vc');
const {DataIntegrityProof} = await load('@digitalbazaar/data-integrity');
const {Ed25519Signature2020} = await load('@digitalbazaar/ed25519-signature-2020');
const jcs = await load('@digitalbazaar/eddsa-jcs-2022-cryptosuite');
const bitstring = await load('@digitalbazaar/vc-bitstring-status-list');
const statusList2021 = await load('@digitalbazaar/vc-status-list');

const over = (sign, verify = sign) => ({
  signer: options => new DataIntegrityProof({...options, cryptosuite: sign}),
  verifier: () => new DataIntegrityProof({cryptosuite: verify})
});
const cryptosuite = async name => (await load(`@digitalbazaar/${name}-cryptosuite`)).cryptosuite;
const KINDS = {
  'eddsa-rdfc-2022': over(await cryptosuite('eddsa-rdfc-2022')),
  'eddsa-jcs-2022': over(jcs.createSignCryptosuite(), jcs.createVerifyCryptosuite()),
  'ecdsa-rdfc-2019': over(await cryptosuite('ecdsa-rdfc-2019')),
  'eddsa-2022': over(await cryptosuite('eddsa-2022')),
  Ed25519Signature2020: {
    signer: options => new Ed25519Signature2020(options),
    verifier: () => new Ed25519Signature2020()
  }
};

export const SUITES = Object.keys(KINDS);

// --- signing ----------------------------------------------------------------------------

/** The document with one more proof; the newest revision of each context is signed with. */
export async function sign({suite, document, key, method, issuer, ...options}) {
  const signer = await signing(key, method);
  if(issuer) {
    setIssuer(document, signer.controller);
  }
  const {created, challenge, domain, expires, id, previousProof} = options;
  const made = KINDS[suite].signer({signer: signer.signer(), date: created});
  made.proof = withoutAbsent({id, expires, previousProof});
  resting(made, document.proof);
  const [{documents}] = revisions(loadContexts(), document);
  const documentLoader = loader({contexts: documents});
  try {
    return await (isPresentation(document) ?
      vc.signPresentation({presentation: document, suite: made, challenge, domain, documentLoader}) :
      vc.issue({credential: document, suite: made, documentLoader, now: options.now}));
  } catch(error) {
    throw new Refused(rootCause(error));
  }
}

function setIssuer(document, did) {
  if(isPresentation(document)) {
    document.holder = did;
  } else if(document.issuer !== null && typeof document.issuer === 'object') {
    document.issuer.id = did;
  } else {
    document.issuer = did;
  }
}

function isPresentation(document) {
  return [document.type].flat().includes('VerifiablePresentation');
}

function withoutAbsent(members) {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => (value ?? null) !== null));
}

// --- verifying --------------------------------------------------------------------------

/** What the packages say of a document, under each revision of its contexts until one is good. */
export async function verify({document, controllers = [], lists = [], ...options}) {
  let report;
  for(const {documents, chosen} of revisions(loadContexts(), document)) {
    const documentLoader = loader({contexts: documents, controllers, lists});
    report = await verifyUnder({document, documentLoader, chosen, lists, ...options});
    if(report.verified) {
      break;
    }
  }
  return report;
}

async function verifyUnder({document, documentLoader, chosen, lists, challenge, domain, now}) {
  const copy = structuredClone(document);
  const suite = SUITES.map(name => resting(KINDS[name].verifier(), document.proof));
  const checkStatus = lists.length ? checkStatuses : async () => ({verified: true});
  const common = {suite, documentLoader, checkStatus, now, includeCredentials: true};
  const whole = isPresentation(copy) ?
    await vc.verify({...common, presentation: copy, challenge, domain}) :
    await vc.verifyCredential({...common, credential: copy});
  const results = (whole.presentationResult ?? whole).results ?? [];
  const proofs = [document.proof ?? []].flat().map(proof => answer(proof, results, chosen, whole));
  return withoutAbsent({
    verified: whole.verified && proofs.length > 0 && proofs.every(proof => proof.verified),
    issuer: document.issuer?.id ?? document.issuer ?? document.holder,
    proofs,
    error: whole.verified ? undefined : reason(whole),
    credentials: whole.credentialResults?.map(result => result.verified),
    statuses: whole.statusResult?.results?.map(({credentialStatus, status}) => ({
      purpose: credentialStatus.statusPurpose, status: Number(status)
    }))
  });
}

/** The answer to one proof: the set as a whole may be good where this one is not. */
function answer(proof, results, chosen, whole) {
  const {cryptosuite, verificationMethod, created, proofValue} = proof;
  const result = results.find(one => one.proof?.proofValue === proofValue);
  const expired = 'expires' in proof && !(Date.parse(proof.expires) > Date.now());
  const verified = result?.verified === true && !expired;
  return {
    verified,
    suite: cryptosuite ?? proof.type,
    verificationMethod,
    created,
    contexts: verified ? (cryptosuite === 'eddsa-jcs-2022' ? [] : chosen) : undefined,
    error: verified ? undefined :
      expired ? 'proof has expired' : reason(result ?? whole) ?? 'no suite for this proof'
  };
}

function reason({error, statusResult, credentialResults = []}) {
  const inner = [error].flat().find(Boolean) ?? statusResult?.error ??
    credentialResults.find(one => one.error)?.error;
  return inner && rootCause(inner);
}

/** The status of every entry, by the package for its type. Whether one is set is not judged here. */
async function checkStatuses(options) {
  const [first] = [options.credential.credentialStatus].flat();
  if(first.type !== 'StatusList2021Entry') {
    return bitstring.checkStatus(options);
  }
  // This package says "not verified" of a status that is set, and nothing else.
  const {error, results} = await statusList2021.checkStatus(options);
  return {
    verified: error === undefined, error,
    results: results?.map(({verified, credentialStatus}) => ({credentialStatus, status: !verified}))
  };
}

/**
 * Makes a suite take proof chains: what a proof with previousProof signs is the document with
 * exactly those proofs in it (VC Data Integrity 1.0, section 4.3 and 4.5).
 */
function resting(suite, held = []) {
  for(const name of ['createProof', 'verifyProof']) {
    const plain = suite[name].bind(suite);
    suite[name] = options => {
      const {previousProof = []} = options.proof ?? suite.proof ?? {};
      const ids = [previousProof].flat();
      const proof = [held].flat().filter(one => ids.includes(one.id));
      if(proof.length !== ids.length) {
        throw new Refused('a previousProof is missing, or there twice');
      }
      return ids.length ? plain({...options, document: {...options.document, proof}}) : plain(options);
    };
  }
  return suite;
}

// --- what is loaded ---------------------------------------------------------------------

/** A loader of what it is given and of did:key; anything else is refused. */
function loader({contexts, controllers = [], lists = []}) {
  const list = url => lists.find(({id}) => id === url);
  return async url => {
    const document = contexts.get(url) ?? list(url) ??
      (url.includes('#') ? methodOf(url, controllers) : controllerOf(url, controllers));
    if(!document) {
      throw new Refused(`${url} is neither in the contexts folder nor among what was given`);
    }
    return {contextUrl: null, documentUrl: url, document};
  };
}
