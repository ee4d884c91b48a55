// What a page says to machines, as one of them reads it: the browser's own DOM, and a JSON-LD processor that
// takes no term which schema.org does not have.

import {load} from '../packages.mjs';

const {default: assert} = await import('node:assert/strict');
const {default: jsonld} = await load('jsonld');

const SCHEMA = 'https://schema.org/';
/** The terms that are read here; what is none of them is refused in safe mode. */
const TERMS = {
  Organization: '', EducationalOccupationalCredential: '', Certification: '', Thing: '',
  name: '', description: '', identifier: '', certificationIdentification: '',
  about: '', creator: '', issuedBy: '', recognizedBy: '', hasCertification: '',
  url: '@id', image: '@id', mainEntityOfPage: '@id', certificationStatus: '@id',
  validFrom: `${SCHEMA}DateTime`, expires: `${SCHEMA}DateTime`,
};
const context = Object.fromEntries(Object.entries(TERMS).map(([term, type]) =>
  [term, {'@id': SCHEMA + term, ...(type && {'@type': type})}]));

/** The one thing that the page describes, with its members by their full names. */
export async function described(page) {
  const blocks = await page.locator('script').evaluateAll(scripts =>
    scripts.map(({type, src, textContent}) => ({type, src, textContent})));
  const data = blocks.filter(({type}) => type === 'application/ld+json');
  assert.equal(data.length, 1, 'a page describes one thing');
  assert(blocks.every(({type, src}) => type === 'application/ld+json' || src), 'no script stands in the page');
  const nodes = await jsonld.expand(JSON.parse(data[0].textContent), {
    safe: true,
    documentLoader: async url => {
      assert.equal(url, 'https://schema.org');
      return {documentUrl: url, document: {'@context': context}};
    },
  });
  assert.equal(nodes.length, 1);
  return nodes[0];
}

/** A member's values: text, or where it leads. */
export function values(node, member) {
  return (node[SCHEMA + member] ?? []).map(value =>
    value['@value'] ?? (Object.keys(value).length === 1 ? value['@id'] ?? value : value));
}

/** What previews elsewhere show of the page. */
export async function previewed(page) {
  const said = await page.locator('meta[property^="og:"]').evaluateAll(all =>
    all.map(meta => [meta.getAttribute('property'), meta.content]));
  const preview = Object.fromEntries(said);
  for(const member of ['title', 'description', 'type', 'url', 'site_name', 'locale']) {
    assert(preview[`og:${member}`], `og:${member} is missing on ${page.url()}`);
  }
  return preview;
}
