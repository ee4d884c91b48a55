// What axe-core finds on a page.

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';

const folder = process.env.GOODSTANDING_INTEROP_NODE_MODULES;
const axe = readFileSync(createRequire(join(folder, 'interop.cjs')).resolve('axe-core/axe.min.js'), 'utf8');

/** WCAG 2.2 at level AA with all before it, and what is good practice besides. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];

/** The viewer of the description comes from others as it is; the page has the same as a plain table. */
const OF_OTHERS = ['#viewer'];

/** A line for each violation: the rule, what it is about, and where. */
export async function violations(page) {
  if(!await page.evaluate(() => 'axe' in globalThis)) {
    await page.evaluate(axe);
  }
  const {passes, violations: found} = await page.evaluate(async ({values, exclude}) => {
    const said = await globalThis.axe.run({exclude}, {runOnly: {type: 'tag', values}});
    const plain = ({id, help, nodes}) => ({id, help, nodes: nodes.map(({html}) => ({html}))});
    return {passes: said.passes.length, violations: said.violations.map(plain)};
  }, {values: RULES, exclude: OF_OTHERS});
  if(passes < 8) {
    throw new Error(`axe-core looked at next to nothing: ${passes} rules held`);
  }
  return found.map(({id, help, nodes}) =>
    `${id}: ${help}: ${nodes.slice(0, 3).map(({html}) => html.slice(0, 200)).join(' | ')}`);
}
