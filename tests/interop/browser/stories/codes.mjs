// What a QR code says is what another reader reads from it, on a light page and on a dark one.

const {default: assert} = await import('node:assert/strict');

export async function walk(newGuest, {codes}) {
  const guest = await newGuest();
  for(const {text, svg} of codes) {
    for(const [colorScheme, ground] of [['light', '#fff'], ['dark', '#000']]) {
      await guest.page.emulateMedia({colorScheme});
      await guest.page.setContent(`<body style="background: ${ground}"><div style="width: 315px">${svg}</div></body>`);
      assert.equal(await guest.readsQr(guest.page.locator('svg')), text);
      await guest.page.getByRole('img', {name: 'What is in it'}).waitFor();
    }
  }
}
