// How fast the npm stack verifies one credential: @digitalbazaar/vc with data-integrity and
// eddsa-rdfc-2022, contexts, issuer and status list at hand.
//
//   verify.mjs < REQUESTS        one request on each line, one answer on each
//   verify.mjs FILE [SECONDS]    the first request, then as many verifications as fit
//
// The first request is {"credential", "documents": […]}: what the credential's issuer and its
// status entries name, DID documents and signed lists, by their ids. Its answer is
// {"name", "verified", "status", "refusesAChange"}. Each further request is a number, of
// verifications to do one after the other; its answer {"count", "nanoseconds",
// "cpuNanoseconds"}: the time that passed, and what all threads of the program spent.
//
// The list is verified and unpacked once, before anything is timed, and every entry is looked up
// in it each time. Resolved contexts are kept by jsonld.js, as its document loaders can allow.

import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';

import {loadContexts} from '../../../tests/interop/contexts.mjs';
import {here, load} from '../../../tests/interop/packages.mjs';

const vc = await load('@digitalbazaar/vc');
const {DataIntegrityProof} = await load('@digitalbazaar/data-integrity');
const {cryptosuite} = await load('@digitalbazaar/eddsa-rdfc-2022-cryptosuite');
const {decodeList} = await load('@digitalbazaar/vc-bitstring-status-list');

const {dependencies} = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
const NAME = ['@digitalbazaar/vc', '@digitalbazaar/data-integrity']
  .map(name => `${name} ${dependencies[name]}`).join(', ');

/** One credential, with all that its verification asks for at hand. */
class Subject {
  static async of({credential, documents}) {
    const subject = new Subject();
    subject.credential = credential;
    subject.loaded = new Map(loadedFrom(documents));
    subject.lists = new Map();
    for(const {statusListCredential} of [credential.credentialStatus ?? []].flat()) {
      const list = documents.find(({id}) => id === statusListCredential);
      const {verified, error} = await subject.check(list);
      if(!verified) {
        throw new Error(`the list ${statusListCredential} does not verify: ${error}`);
      }
      subject.lists.set(statusListCredential, await decodeList(list.credentialSubject));
    }
    return subject;
  }

  check(credential) {
    return vc.verifyCredential({
      credential,
      suite: new DataIntegrityProof({cryptosuite}),
      documentLoader: async url => {
        if(!this.loaded.has(url)) {
          throw new Error(`${url} was not handed over`);
        }
        return this.loaded.get(url);
      },
      checkStatus: async ({credential}) => this.statuses(credential)
    });
  }

  statuses({credentialStatus}) {
    const statuses = [credentialStatus].flat().map(({statusListCredential, statusListIndex}) =>
      this.lists.get(statusListCredential).getStatus(parseInt(statusListIndex, 10)));
    return {verified: !statuses.includes(true), statuses};
  }

  /** What it says of the credential as it is, and of one that was changed. */
  async introduce() {
    const {verified, statusResult} = await this.check(this.credential);
    const changed = await this.check({...this.credential, name: 'Another'});
    const status = statusResult?.statuses ?? [];
    return {name: NAME, verified, status, refusesAChange: !changed.verified};
  }

  async time(count) {
    const [start, cpu] = [process.hrtime.bigint(), process.cpuUsage()];
    for(let done = 0; done < count; done++) {
      const {verified} = await this.check(this.credential);
      if(!verified) {
        throw new Error('a good credential did not verify');
      }
    }
    const nanoseconds = Number(process.hrtime.bigint() - start);
    const {user, system} = process.cpuUsage(cpu);
    return {count, nanoseconds, cpuNanoseconds: (user + system) * 1000};
  }
}

/** Each document under its id, and each method of a DID document under its own; marked as what does
 * not change, so that jsonld.js keeps what it made of it. */
function* loadedFrom(documents) {
  const entry = (url, document) =>
    [url, {contextUrl: null, documentUrl: url, document, tag: 'static'}];
  for(const [url, [newest]] of loadContexts()) {
    yield entry(url, newest.document);
  }
  for(const document of documents) {
    yield entry(document.id, document);
    for(const method of document.verificationMethod ?? []) {
      yield entry(method.id, {'@context': 'https://w3id.org/security/multikey/v1', ...method});
    }
  }
}

async function byHand(file, seconds = 5) {
  const subject = await Subject.of(JSON.parse(readFileSync(file, 'utf8')));
  console.log(await subject.introduce());
  await subject.time(500);
  const {nanoseconds} = await subject.time(100);
  const {count, ...spent} = await subject.time(Math.ceil(seconds * 1e9 / (nanoseconds / 100)));
  const each = nanoseconds => `${(nanoseconds / count / 1000).toFixed(1)} µs`;
  console.log(`${count} verifications; each ${each(spent.nanoseconds)}, ` +
    `CPU of all threads ${each(spent.cpuNanoseconds)}`);
}

if(process.argv.length > 2) {
  await byHand(process.argv[2], Number(process.argv[3] ?? 5));
} else {
  let subject;
  for await (const line of createInterface({input: process.stdin})) {
    const request = JSON.parse(line);
    let answer;
    if(typeof request === 'number') {
      answer = await subject.time(request);
    } else {
      subject = await Subject.of(request);
      answer = await subject.introduce();
    }
    console.log(JSON.stringify(answer));
  }
}
