// Somebody who has heard of the registry looks around: who is in it, who stands behind whom, what
// an achievement is worth; by mouse, by keyboard, and without scripts.

export async function walk(newGuest, {school, achievement, endorsement}) {
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
}
