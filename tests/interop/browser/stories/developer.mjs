// Somebody who writes a program for the registry: reads what there is to call, tries an operation where it is
// described, takes the description along, and sees what a mistake looks like.

const {default: assert} = await import('node:assert/strict');

export async function walk(newGuest, {list}) {
  const dev = await newGuest();
  await dev.goes('/');
  await dev.follows('For developers');
  await dev.reads('The same contract stands in', 'All addresses in one table');
  await dev.looksAround('docs');
  await triesOut(dev, list);

  await dev.goes('/docs');
  await dev.follows('OpenAPI 3.1');
  const description = JSON.parse(await dev.page.evaluate(() => document.body.innerText));
  assert.match(description.openapi, /^3\.1/);
  assert(description.paths['/status'].get.operationId);

  // A mistake in a browser is a page, in a program a problem document that names what to do.
  await dev.goes('/status-lists/nothing-like-it', 404);
  await dev.looksAround('no-list');
  await dev.goes('/status?index=1', 400);
  await dev.looksAround('no-question');
  const answer = await dev.page.request.get('/status?index=1', {headers: {Accept: 'application/json'}});
  assert.equal(answer.headers()['content-type'], 'application/problem+json');
  const problem = await answer.json();
  assert.match(problem.type, /^urn:goodstanding:problem:/);
  assert(problem.detail.length > 10, JSON.stringify(problem));

  const without = await newGuest({scripts: false});
  await without.goes('/docs');
  await without.reads('All addresses in one table', '/status/query');
}

/** By the viewer, which sends what was filled in and shows what came back. */
async function triesOut(dev, list) {
  const {page} = dev;
  await page.locator('#viewer .opblock-tag').first().waitFor();
  await page.locator('#viewer input.operation-filter-input').waitFor();
  const closed = page.locator('#viewer .opblock-tag[data-is-open="false"]');
  for(let left; (left = await closed.count()) > 0;) {
    await closed.first().click();
    await page.waitForFunction(count => document.querySelectorAll('#viewer .opblock-tag[data-is-open="false"]').length < count, left);
  }
  const operation = page.locator('#viewer .opblock', {has: page.locator('[data-path="/status"]')}).first();
  await operation.locator('.opblock-summary-control').click();
  await operation.getByRole('button', {name: 'Try it out'}).click();
  await operation.locator('tr[data-param-name=list] input').fill(list);
  await operation.locator('tr[data-param-name=index] input').fill('0');
  await operation.getByRole('button', {name: 'Execute'}).click();
  const shown = operation.locator('.live-responses-table').first();
  await shown.waitFor();
  assert.equal((await shown.locator('.response-col_status').nth(1).innerText()).trim().slice(0, 3), '200');
  assert.match(await shown.locator('.response-col_description').last().innerText(), /valid|status/);
}
