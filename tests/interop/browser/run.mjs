// Walks the pages in Chromium, as people do.
//
//   node run.mjs <<< '{"pictures": FOLDER, "stories": {NAME: SCENE, …}}'
//
// Each story stands in stories/NAME.mjs and gets its scene: `url`, where the registry is, and what
// else it needs to know. One browser walks all of them, two at a time. A line for each says how it went;
// the program fails where one did.

import {mkdirSync} from 'node:fs';
import {load} from '../packages.mjs';
import {Guest} from './guest.mjs';

const AT_A_TIME = 2;
/** Nothing takes so long on a machine that is busy with other tests. */
const PATIENCE = 60_000;

const {pictures, stories} = JSON.parse(await everythingOn(process.stdin));
mkdirSync(pictures, {recursive: true});
const {chromium} = (await load('playwright-core')).default;
const browser = await chromium.launch({
  executablePath: process.env.GOODSTANDING_INTEROP_CHROMIUM,
  // Root may have none.
  chromiumSandbox: process.getuid() !== 0,
  args: [
    '--disable-gpu', '--disable-quic', '--disable-sync', '--no-proxy-server',
    // Other names than this machine's are not even asked for.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
  ],
});
const waiting = Object.entries(stories);
let failed = 0;
await Promise.all(Array.from({length: AT_A_TIME}, async () => {
  for(let next; (next = waiting.shift());) {
    const went = await tell(...next);
    // Not in one expression: the sum would be the one from before the story, of which others tell meanwhile.
    failed += went ? 0 : 1;
  }
}));
await browser.close();
process.exit(failed ? 1 : 0);

/** Walks one story, and says how it went. */
async function tell(name, scene) {
  const began = Date.now();
  const guests = [];
  const newGuest = async how => {
    const guest = await Guest.come(browser, {name, pictures, patience: PATIENCE, ...scene, ...how});
    guests.push(guest);
    return guest;
  };
  try {
    const {walk} = await import(`./stories/${name}.mjs`);
    await walk(newGuest, scene);
    for(const guest of guests) {
      guest.sawNothingWrong();
    }
    console.log(`${name}: walked in ${Date.now() - began} ms, ${looks(guests)} looks`);
    return true;
  } catch(error) {
    console.log(`${name}: ${error.stack}`);
    for(const guest of guests) {
      console.log(await guest.lastWords());
    }
    return false;
  } finally {
    await Promise.all(guests.map(guest => guest.leave()));
  }
}

function looks(guests) {
  return guests.reduce((sum, guest) => sum + guest.looks, 0);
}

async function everythingOn(stream) {
  const parts = [];
  for await (const part of stream) {
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
