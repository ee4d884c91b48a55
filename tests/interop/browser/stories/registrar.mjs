// A registrar: signs in, finds a credential and revokes it with a reason; suspends another entry and takes that
// back; hands in a table of changes, of which one cannot be made; looks at keys, at what happened, and at
// how full and fresh the lists are. Everybody sees what was revoked.

const PASSPHRASE = 'nine lives, one cat';

export async function walk(newGuest, scene) {
  const sam = await newGuest();
  await sam.goes('/oauth/accept');
  await sam.fills('The invitation that you were given', scene.invitation);
  await sam.fills('Your new passphrase', PASSPHRASE);
  await sam.presses('Take the invitation');
  await sam.goes('/console');
  await sam.page.locator('#name').fill('sam@school.example');
  await sam.page.locator('#passphrase').fill(PASSPHRASE);
  await sam.page.locator('button[value=allow]').click();
  await sam.reads('Overview');

  await revokes(sam, scene);
  await suspendsAndReinstates(sam, scene);
  await handsInATable(sam, scene);
  await looksAtTheRest(sam);
}

async function revokes(sam, {credential}) {
  await sam.follows('Credentials');
  await sam.fills(/^Id of the credential/, credential.split(/[/:]/).pop());
  await sam.presses('Search');
  await sam.reads('Found', credential);
  await sam.looksAround('found');
  await sam.follows(credential);
  await sam.reads('Its status has never been changed.');
  await sam.looksAround('credential');
  await sam.follows('Revoke for good');
  await sam.reads('A revocation cannot be undone');
  await sam.looksAround('revoke');
  await sam.fills('Reason', 'The examination was repeated.');
  await sam.presses('Revoke for good');
  await sam.reads('Revoked for good', 'The examination was repeated.');
  await sam.looksAround('revoked');
}

async function suspendsAndReinstates(sam, {suspendable, indexes}) {
  const list = suspendable.split('/').pop();
  await sam.follows('Status lists');
  await sam.reads('How full the lists are');
  await sam.looksAround('lists');
  await sam.follows(list);
  await sam.looksAround('list');
  await sam.fills('Index', String(indexes[0]));
  await sam.presses('Search');
  await sam.follows('Suspend');
  await sam.fills('Reason', 'Under review.');
  await sam.presses('Suspend');
  await sam.reads('Suspended', 'Under review.');
  await sam.follows('Reinstate');
  await sam.fills('Reason', 'The review is over.');
  await sam.presses('Reinstate');
  await sam.reads('In good standing', 'The review is over.');
  await sam.looksAround('entry');
}

async function handsInATable(sam, {suspendable, indexes}) {
  await sam.goes(`/console/lists/${suspendable.split('/').pop()}`);
  await sam.follows('Upload changes as a table');
  await sam.looksAround('upload');
  const table = ['index,status', `${indexes[1]},1`, `${indexes[2]},1`, '999999999,1', ''].join('\n');
  await sam.page.getByLabel('File').setInputFiles({name: 'changes.csv', mimeType: 'text/csv', buffer: Buffer.from(table)});
  await sam.fills('Reason', 'The committee of March.');
  await sam.presses('Try it out');
  await sam.reads('Tried out: this is what would happen', 'Refused lines');
  await sam.looksAround('tried');
  const waits = sam.page.waitForEvent('download');
  await sam.page.getByRole('link', {name: /Download the report/}).click();
  const report = await (await waits).createReadStream();
  let lines = '';
  for await (const part of report) {
    lines += part;
  }
  if(lines.trim().split('\n').length !== 2 || !lines.includes('4')) {
    throw new Error(`the report is of one line: ${lines}`);
  }
  await sam.presses('Make these changes');
  await sam.reads('The changes were made');
  await sam.looksAround('made');
}

async function looksAtTheRest(sam) {
  await sam.follows('Keys');
  await sam.looksAround('keys');
  await sam.presses('Rotate keys');
  await sam.reads('A new key was made.', 'Rotation');
  await sam.looksAround('rotation');
  await sam.follows('Audit trail');
  await sam.reads('The committee of March.', 'The examination was repeated.');
  await sam.looksAround('audit');
  await sam.follows('Your account');
  await sam.looksAround('account');
}
