// Somebody who hires is handed credentials: as a text, as a picture, as a paper with a code. What the browser can
// check stays there; what is sent is said before, and nothing else is. What a registrar revokes in another
// window is shown as revoked, and the answer can be printed and read back.

const {default: assert} = await import('node:assert/strict');
const PASSPHRASE = 'nine lives, one cat';

export async function walk(newGuest, scene) {
  const manager = await newGuest();
  const sent = records(manager);
  const answer = await pastes(manager, sent, scene);
  await isToldOfTheOtherEntry(manager, scene);
  await isToldOfForgery(manager, sent, scene);
  await dropsAPicture(manager, sent, scene);
  await typesACode(manager, scene);
  await asksInGerman(await newGuest(), scene);

  await revokes(await newGuest(), scene);
  await manager.goes(answer);
  await manager.reads('Revoked');
  await manager.readsNothingOf('Nothing stands against it');
  await manager.looksAround('revoked');
  await manager.goes('/');
  await manager.fills('The credential', scene.pasted);
  await manager.presses('Check');
  await manager.presses('Ask how it stands');
  await manager.reads('Revoked', 'Checked in your browser: the signature holds.');
  await worksWithout(await newGuest({scripts: false}), scene);
}

/** Whatever the browser sends: addresses and bodies. */
function records(guest) {
  const sent = [];
  guest.page.on('request', request =>
    sent.push(decodeURIComponent(request.url().replaceAll('+', ' ')) + (request.postDataBuffer()?.toString() ?? '')));
  return sent;
}

/** What this browser can check by itself: nothing of it is sent but where it is listed, and by whom it is. */
async function pastes(manager, sent, {pasted, holder, jwt}) {
  let answer;
  for(const text of [pasted, jwt]) {
    await manager.goes('/');
    const before = sent.length;
    await manager.fills('The credential', text);
    await manager.presses('Check');
    await manager.reads('Nothing has been sent.', 'What will be sent to ask how it stands');
    assert.equal(sent.length, before, `sent: ${sent.slice(before)}`);
    if(text === pasted) {
      await manager.looksAround('read');
    }
    await manager.presses('Ask how it stands');
    await manager.reads('Nothing stands against it', 'Whether the document is genuine was not checked', 'Checked in your browser: the signature holds.', 'Only this was sent:');
    assert.match(await manager.page.locator('#verdict-title').innerText(), /Nothing stands against it/);
    if(text === pasted) {
      await manager.looksAround('answer');
      await isOnePage(manager);
      answer = await manager.readsQr(manager.page.locator('#share svg'));
    }
  }
  for(const request of sent) {
    for(const secret of [holder, 'proofValue', 'credentialSubject', 'did:example:holder']) {
      assert(!request.includes(secret), `${secret} was sent: ${request}`);
    }
  }
  assert(sent.some(request => request.includes('/check?list=')), 'nothing was recorded');

  await manager.goes(answer);
  await manager.reads('Nothing stands against it');
  assert.equal(await manager.readsQr(manager.page.locator('#share svg')), answer);
  await manager.readsNothingOf('Checked in your browser');
  return answer;
}

async function isOnePage(manager) {
  for(const colorScheme of ['light', 'dark']) {
    await manager.page.emulateMedia({colorScheme});
    const pdf = (await manager.page.pdf({preferCSSPageSize: true})).toString('latin1');
    assert.equal(pdf.match(/\/Type\s*\/Page\b/g)?.length, 1, 'the answer is one page of paper');
    assert.match(pdf, /\/MediaBox\s*\[0 0 59[45][.\d]* 84[12][.\d]*\]/, 'it is A4');
  }
  await manager.page.emulateMedia({colorScheme: 'light', media: 'print'});
  const ink = await manager.page.evaluate(() => [...document.querySelectorAll('main *')]
    .filter(one => one.checkVisibility() && !one.closest('svg')).map(one => getComputedStyle(one).color));
  assert.deepEqual([...new Set(ink)], ['rgb(0, 0, 0)']);
  await manager.page.emulateMedia({media: null});
}

/** Of two entries the one that is set decides; the picture carries what the text says. */
async function isToldOfTheOtherEntry(manager, {suspended, drawing}) {
  await manager.goes('/');
  await manager.fills('The credential', suspended);
  await manager.presses('Check');
  await manager.presses('Ask how it stands');
  await manager.reads('Suspended', 'Checked in your browser: the signature holds.');
  assert.equal(await manager.page.locator('#in-browser dt', {hasText: 'Index in the list'}).count(), 2);

  await manager.goes('/');
  await manager.page.getByLabel('Or a file').setInputFiles({
    name: 'badge.svg', mimeType: 'image/svg+xml', buffer: Buffer.from(drawing),
  });
  await manager.reads('Nothing has been sent.');
  await manager.presses('Ask how it stands');
  await manager.reads('Nothing stands against it', 'Checked in your browser: the signature holds.');
}

/** Somebody writes another name into it. */
async function isToldOfForgery(manager, sent, {pasted}) {
  await manager.goes('/');
  const before = sent.length;
  await manager.fills('The credential', pasted.replace('Welding, level 2', 'Welding, level 3'));
  await manager.presses('Check');
  await manager.presses('Ask how it stands');
  await manager.reads('Checked in your browser: not genuine.', 'Only the public keys');
  assert.equal(await manager.page.getByRole('button', {name: 'Ask how it stands'}).count(), 0);
  assert(sent.slice(before).every(request => request.endsWith('/did.json')), `sent: ${sent.slice(before)}`);
  await manager.looksAround('forged');
}

/** What it cannot check is sent when that is pressed, and not before. */
async function dropsAPicture(manager, sent, {picture, holder}) {
  await manager.goes('/');
  const before = sent.length;
  const dataTransfer = await manager.page.evaluateHandle(base64 => {
    const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], 'badge.png', {type: 'image/png'}));
    return files;
  }, picture);
  await manager.page.dispatchEvent('#check', 'drop', {dataTransfer});
  await manager.reads('Nothing has been sent.', 'It has a kind of signature that browsers cannot check by themselves.');
  assert.equal(sent.length, before);
  await manager.looksAround('unchecked');
  await manager.presses('Send the credential to this registry to check it');
  await manager.reads('In good standing', 'It was neither stored nor logged.', 'The board');
  assert(sent.slice(before).some(request => request.includes(holder)), 'it was recorded');
  await manager.looksAround('checked');
  await isOnePage(manager);
}

async function typesACode(manager, {code, holder}) {
  await manager.goes('/');
  await manager.fills('The credential', code.toLowerCase());
  await manager.presses('Check');
  await manager.reads('In good standing', 'The school');
  await manager.readsNothingOf(holder);
  assert(manager.page.url().includes('code='), manager.page.url());
  await manager.looksAround('code');
}

async function asksInGerman(guest, {pasted}) {
  await guest.goes('/?lang=de');
  await guest.page.locator('#credential').fill(pasted);
  await guest.page.locator('#check button[type=submit]').click();
  await guest.reads('Es wurde nichts gesendet.');
  await guest.presses('Fragen, wie es steht');
  await guest.reads('In Ihrem Browser geprüft: Die Unterschrift stimmt.');
  assert.equal(await guest.page.locator('html').getAttribute('lang'), 'de');
}

/** The registrar, in a window of their own. */
async function revokes(sam, {invitation, credential}) {
  await sam.goes('/oauth/accept');
  await sam.fills('The invitation that you were given', invitation);
  await sam.fills('Your new passphrase', PASSPHRASE);
  await sam.presses('Take the invitation');
  await sam.goes('/console');
  await sam.page.locator('#name').fill('sam@school.example');
  await sam.page.locator('#passphrase').fill(PASSPHRASE);
  await sam.page.locator('button[value=allow]').click();
  await sam.reads('Overview');
  await sam.follows('Credentials');
  await sam.fills(/^Id of the credential/, credential.split(/[/:]/).pop());
  await sam.presses('Search');
  await sam.follows(credential);
  await sam.follows('Revoke for good');
  await sam.fills('Reason', 'The examination was repeated.');
  await sam.presses('Revoke for good');
  await sam.reads('Revoked for good');
}

/** Without scripts the form sends what it is given, and says so. */
async function worksWithout(guest, {pasted, picture, code}) {
  await guest.goes('/');
  await guest.reads('What you give here is sent to this registry');
  await guest.looksAround('plain');
  await guest.fills('The credential', pasted);
  await guest.presses('Check');
  await guest.reads('Revoked', 'It was neither stored nor logged.');
  await guest.looksAround('plain-revoked');
  await guest.goes('/');
  await guest.page.getByLabel('Or a file').setInputFiles({
    name: 'badge.png', mimeType: 'image/png', buffer: Buffer.from(picture, 'base64'),
  });
  await guest.presses('Check');
  await guest.reads('In good standing');
  await guest.goes('/');
  await guest.fills('The credential', code);
  await guest.presses('Check');
  await guest.reads('In good standing');
}
