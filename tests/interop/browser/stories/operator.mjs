// Somebody who runs the registry: asks whether it is well, reads its numbers, looks how full and how fresh lists are;
// and finds one whose disk is full: it says why, and what was signed is still served.

const {default: assert} = await import('node:assert/strict');
const PASSPHRASE = 'a pager under the pillow';

export async function walk(newGuest, scene) {
  await asksWhetherItIsWell(newGuest, scene);
  await looksAtLists(newGuest, scene);
  await findsOneThatIsFull(newGuest, scene.full);
}

async function asksWhetherItIsWell(newGuest, {operations}) {
  const olga = await newGuest();
  await olga.goes('/health/live');
  await olga.goes('/health/ready');
  assert.deepEqual(await json(olga), {status: 'ready'});
  await olga.goes('/metrics', 404);

  const inside = await newGuest({url: operations});
  await inside.goes('/metrics');
  const numbers = await text(inside);
  assert.match(numbers, /^goodstanding_takes_changes 1$/m);
  assert.match(numbers, /^goodstanding_http_requests_total\{method="GET",route="\/health\/ready",status="2xx"\} 1$/m);
  await inside.goes('/health/ready');
  assert.deepEqual(await json(inside), {status: 'ready'});
}

async function looksAtLists(newGuest, {invitation}) {
  const olga = await newGuest();
  await olga.goes('/oauth/accept');
  await olga.fills('The invitation that you were given', invitation);
  await olga.fills('Your new passphrase', PASSPHRASE);
  await olga.presses('Take the invitation');
  await olga.goes('/console');
  await olga.page.locator('#name').fill('olga@school.example');
  await olga.page.locator('#passphrase').fill(PASSPHRASE);
  await olga.page.locator('button[value=allow]').click();
  await olga.follows('Status lists');
  await olga.reads('How full the lists are');
  // The charts, and the same as tables for whoever does not see them.
  const charts = olga.page.locator('main svg[role=img]');
  assert(await charts.count() >= 2, `${await charts.count()} charts`);
  for(const chart of await charts.all()) {
    const box = await chart.boundingBox();
    assert(box.width > 100 && box.height > 10, JSON.stringify(box));
  }
  await olga.looksAround('charts');
}

async function findsOneThatIsFull(newGuest, {url, operations, list}) {
  const inside = await newGuest({url: operations});
  await inside.goes('/health/ready', 503);
  const problem = await json(inside);
  assert.equal(problem.state, 'disk-full');
  assert.match(problem.states[0].whatToDo, /make space/);
  await inside.goes('/metrics');
  assert.match(await text(inside), /^goodstanding_state\{state="disk-full"\} 1$/m);
  await inside.goes('/health/live');

  const olga = await newGuest({url});
  await olga.goes('/');
  await olga.reads('No changes are taken now');
  await olga.looksAround('full');
  // What was signed is there, and so is who is who.
  await olga.goes('/profiles/school');
  await olga.reads('The school');
  await olga.looksAround('full-profile');
  const signed = await olga.page.request.get(new URL(list).pathname);
  assert.equal(signed.status(), 200);
  assert.equal((await signed.json()).credentialSubject.statusPurpose, 'revocation');
}

async function text(guest) {
  return guest.page.evaluate(() => document.body.innerText);
}

async function json(guest) {
  return JSON.parse(await text(guest));
}
