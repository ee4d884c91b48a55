// Signs for the registry's verifier to check, and verifies what the registry signed. README.md
// says what it is asked and what it answers.
//
//   peer.mjs                      one request on each line of input, one answer on each of output
//   peer.mjs ACT SUITE            one request, the whole input

import {text} from 'node:stream/consumers';
import {createInterface} from 'node:readline';

import {lookUp} from './issuers.mjs';
import * as keys from './keys.mjs';
import * as lists from './lists.mjs';
import {Refused} from './packages.mjs';
import * as proofs from './proofs.mjs';
import * as tokens from './tokens.mjs';

const KINDS = [proofs, tokens, lists];

async function answer(request) {
  try {
    return await act(request);
  } catch(error) {
    return error instanceof Refused ? {refused: error.message} : {failed: error.stack};
  }
}

async function act({act, suite = 'eddsa-rdfc-2022', ...request}) {
  if(act === 'key') {
    const key = keys.generate(suite);
    return {key, public: keys.publicJwk(key)};
  }
  if(act === 'look-up') {
    return lookUp(request);
  }
  const kind = KINDS.find(({SUITES}) => SUITES.includes(suite));
  if(act === 'sign') {
    return {signed: await kind.sign({suite, ...request})};
  }
  const report = await kind.verify({suite, ...request});
  const list = request.document?.credentialSubject;
  if(list?.encodedList !== undefined) {
    report.statusList = await lists.read(list, request.indexes ?? []);
  }
  return report;
}

if(process.argv.length > 2) {
  const [act, suite] = process.argv.slice(2);
  console.log(JSON.stringify(await answer({...JSON.parse(await text(process.stdin)), act, suite}), null, 2));
} else {
  for await (const line of createInterface({input: process.stdin})) {
    console.log(JSON.stringify(await answer(JSON.parse(line))));
  }
}
