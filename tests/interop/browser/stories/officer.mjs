// An accreditation officer: takes an invitation, signs in, finds what waits, looks at what would be signed,
// endorses, and withdraws it again once it is clear whom that would hit. Once more by keyboard alone, and
// in German.

import assert from 'node:assert/strict';

const PASSPHRASE = 'nine lives, one cat';

export async function walk(newGuest, scene) {
  const ada = await newGuest();
  await invited(ada, scene.invitations.ada);
  await ada.goes('/');
  await ada.page.getByRole('navigation').getByRole('link', {name: 'Console'}).click();
  await ada.looksAround('sign-in');
  await signsIn(ada, 'ada@board.example');
  await ada.reads('Ada', 'A request waits for your decision');
  await ada.looksAround('overview');

  await ada.follows('Requests');
  await ada.looksAround('requests');
  await ada.goes(scene.request);
  await ada.reads('We teach welding.');
  await ada.looksAround('request');
  await ada.page.getByLabel('Why').first().fill('Seen on site.');
  await ada.presses('Look at it before it is signed');
  await ada.reads('This is what you sign', 'Seen on site.');
  await ada.page.getByText('The credential as it will be signed').click();
  await ada.reads(/EndorsementCredential/);
  await ada.looksAround('preview');
  await ada.presses('Change something');
  await ada.fills('Why', 'Seen on site, twice.');
  await ada.presses('Look at it before it is signed');
  await ada.presses('Sign and issue it');
  await ada.reads('The endorsement was issued.');
  await ada.looksAround('endorsed');

  const anybody = await newGuest({scripts: false});
  await anybody.goes('/profiles/school');
  await anybody.reads('In good standing');

  await ada.follows('Endorsements');
  await ada.looksAround('endorsements');
  await ada.follows('Accredited');
  await ada.looksAround('endorsement');
  await ada.follows('Revoke the endorsement');
  await ada.reads('A revocation is never taken back.', 'The school');
  await ada.looksAround('dry-run');
  await anybody.goes('/profiles/school');
  await anybody.reads('In good standing');
  await ada.fills('Why', 'The school closed.');
  await ada.presses('Revoke the endorsement');
  await ada.reads('The endorsement was revoked.');
  await anybody.goes('/profiles/school');
  await anybody.readsNothingOf('In good standing');

  await byKeyboard(await newGuest(), scene);
  await inGerman(await newGuest({language: 'de', scripts: false}), scene);
}

/** Takes an invitation, as it was handed over. */
async function invited(guest, invitation) {
  await guest.goes('/oauth/accept');
  await guest.looksAround('invitation');
  await guest.fills('The invitation that you were given', invitation);
  await guest.fills('Your new passphrase', PASSPHRASE);
  await guest.presses('Take the invitation');
  await guest.reads(/sign in/i);
}

async function signsIn(guest, name) {
  await guest.fills(/Your e-mail address/, name);
  await guest.fills('Your passphrase', PASSPHRASE);
  await guest.page.locator('button[value=allow]').click();
  await guest.page.waitForLoadState();
}

/** The second request, without a mouse. */
async function byKeyboard(guest, {second}) {
  await guest.goes('/console');
  await guest.tabsTo('Skip to the content');
  await guest.keys('Enter');
  await guest.tabsTo(/Your e-mail address/);
  await guest.page.keyboard.type('ada@board.example');
  await guest.tabsTo('Your passphrase');
  await guest.page.keyboard.type(PASSPHRASE);
  await guest.keys('Enter');
  await guest.reads('A request waits for your decision');
  await guest.tabsTo('A request waits for your decision');
  await guest.keys('Enter');
  const {name} = second;
  // The next of them in the queue.
  if(!guest.page.url().endsWith(second.page)) {
    await guest.goes(second.page);
  }
  await guest.tabsTo('Look at it before it is signed');
  await guest.keys('Enter');
  await guest.reads('This is what you sign', name);
  await guest.tabsTo('Sign and issue it');
  await guest.keys('Enter');
  await guest.reads('The endorsement was issued.');
}

/** The third one, by somebody who reads German and whose browser runs no scripts. */
async function inGerman(guest, {third}) {
  await guest.goes('/console');
  await guest.page.locator('#name').fill('ada@board.example');
  await guest.page.locator('#passphrase').fill(PASSPHRASE);
  await guest.page.locator('button[value=allow]').click();
  await guest.reads('Übersicht');
  assert.equal(await guest.page.locator('main [lang=de], html[lang=de] main').count() > 0, true, 'it says that it is German');
  await guest.looksAround('overview-german');
  await guest.goes(third);
  await guest.presses('Ansehen, bevor signiert wird');
  await guest.reads('Das signieren Sie');
  await guest.presses('Signieren und ausstellen');
  await guest.reads('Die Empfehlung wurde ausgestellt.');
  await guest.presses('Abmelden');
  await guest.goes('/console');
  await guest.readsNothingOf('Übersicht');
}
