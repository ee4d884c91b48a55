// Somebody who has heard of the registry looks around: who is in it, who stands behind whom, what
// an achievement is worth; by mouse, by keyboard, and without scripts. So does a machine that indexes it.

import {described, previewed, values} from '../indexed.mjs';

const {default: assert} = await import('node:assert/strict');

export async function walk(newGuest, {school, achievement, endorsement, hostile}) {
  const guest = await newGuest();
  await guest.goes('/');
  await guest.looksAround('front');
  await guest.goes('/profiles/school');
  await guest.reads(school, 'In good standing');
  await guest.looksAround('profile');
  await guest.goes(achievement);
  await guest.reads('Welding');
  await guest.looksAround('achievement');
  await guest.goes(endorsement);
  await guest.reads('Quality label');
  await guest.looksAround('endorsement');
  await guest.goes('/docs');
  await guest.looksAround('docs');
  await guest.goes('/nowhere', 404);
  await guest.looksAround('nowhere');

  const without = await newGuest({scripts: false});
  for(const place of ['/', '/profiles/school', achievement, endorsement, '/docs']) {
    await without.goes(place);
    await without.looksAround(`plain${place.replaceAll(/[^a-z]+/g, '-').slice(0, 20)}`);
  }
  await indexes(await newGuest(), {school, achievement, endorsement, hostile});
}

async function indexes(machine, {school, achievement, endorsement, hostile}) {
  const reads = async place => {
    await machine.goes(place);
    const [thing, preview] = [await described(machine.page), await previewed(machine.page)];
    assert.deepEqual(values(thing, 'name'), [preview['og:title']]);
    return {thing, preview};
  };
  const {thing: organization} = await reads('/profiles/school');
  assert.deepEqual(values(organization, 'name'), [school]);
  const [certification] = values(organization, 'hasCertification');
  assert.deepEqual(values(certification, 'url'), [endorsement]);
  assert.deepEqual(values(certification, 'certificationStatus'), ['https://schema.org/CertificationActive']);

  const {thing: credential} = await reads(achievement);
  assert.deepEqual(credential['@type'], ['https://schema.org/EducationalOccupationalCredential']);
  assert.deepEqual(values(values(credential, 'recognizedBy')[0], 'name'), ['The board']);

  const {thing: label, preview} = await reads(endorsement);
  assert.equal(label['@id'], endorsement);
  assert.deepEqual(values(values(label, 'about')[0], 'name'), [school]);
  assert.equal(preview['og:description'], `The board endorses ${school}. Whether that still holds stands here.`);

  // A name that would be markup is a name, everywhere.
  const {thing: named} = await reads(hostile.page);
  assert.deepEqual(values(named, 'name'), [hostile.name]);
  assert.equal(await machine.page.locator('main h1').innerText(), hostile.name);
}
