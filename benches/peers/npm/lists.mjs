// How fast @digitalbazaar/vc-bitstring-status-list writes and reads the list of a Bitstring Status
// List.
//
//   lists.mjs < REQUESTS         one request on each line, one answer on each
//
// A request {"encodedList", "indexes"} brings a list; its answer is {"name",
// "compressor", "statuses", "encodedList"}: the statuses at those indexes, and the list as it is
// written here. A request {"what", "count"} asks so often to "encode" that list, to "decode" what
// was written here, or to "read" the text that was brought; its answer is {"cpuNanoseconds"}, spent
// by all threads of the program.

import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';

import {here, load} from '../../../tests/interop/packages.mjs';

const PACKAGE = '@digitalbazaar/vc-bitstring-status-list';
const {decodeList} = await load(PACKAGE);

const {dependencies} = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
const NAME = `${PACKAGE} ${dependencies[PACKAGE]}`;
const COMPRESSOR = 'pako, level 6';

let brought;
let list;
let written;

async function introduce({encodedList, indexes}) {
  brought = encodedList;
  list = await decodeList({encodedList});
  written = await list.encode();
  const statuses = indexes.map(index => Number(list.getStatus(index)));
  return {name: NAME, compressor: COMPRESSOR, statuses, encodedList: written};
}

async function time({what, count}) {
  const work = {
    encode: () => list.encode(),
    decode: () => decodeList({encodedList: written}),
    read: () => decodeList({encodedList: brought})
  }[what];
  const cpu = process.cpuUsage();
  for(let done = 0; done < count; done++) {
    await work();
  }
  const {user, system} = process.cpuUsage(cpu);
  return {cpuNanoseconds: (user + system) * 1000};
}

for await (const line of createInterface({input: process.stdin})) {
  const request = JSON.parse(line);
  const answer = await (request.encodedList ? introduce(request) : time(request));
  console.log(JSON.stringify(answer));
}
