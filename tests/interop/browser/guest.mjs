// Somebody with a browser: what they do on a page, and what they would complain of.

import {join} from 'node:path';
import {load} from '../packages.mjs';
import {violations} from './accessible.mjs';

const {default: assert} = await import('node:assert/strict');

/** A desk, and the narrowest screen that WCAG 2.2 and the oldest telephones ask for. */
const WIDTHS = [1200, 360];
const SCHEMES = ['light', 'dark'];

export class Guest {
  /** Comes in with an empty browser: `scripts: false` without JavaScript, `language` another than English. */
  static async come(browser, {url, name, pictures, patience, scripts = true, language = 'en'}) {
    const context = await browser.newContext({
      baseURL: url,
      javaScriptEnabled: scripts,
      locale: language,
      viewport: {width: WIDTHS[0], height: 900},
      reducedMotion: 'reduce',
      timezoneId: 'UTC',
    });
    context.setDefaultTimeout(patience);
    const guest = new Guest();
    Object.assign(guest, {context, name, pictures, scripts, looks: 0, wrong: [], expected: [], here: new URL(url).origin});
    await context.route('**/*', route => guest.meets(route));
    guest.page = await context.newPage();
    guest.watches(guest.page);
    context.on('page', page => page !== guest.page && guest.watches(page));
    return guest;
  }

  /** Nothing is asked of anybody else. */
  meets(route) {
    const asked = new URL(route.request().url());
    const isHere = ['data:', 'blob:', 'about:'].includes(asked.protocol) || asked.origin === this.here;
    if(isHere) {
      return route.continue();
    }
    this.wrong.push(`asks elsewhere: ${asked}`);
    return route.abort();
  }

  watches(page) {
    page.on('console', message => {
      if(['error', 'warning'].includes(message.type())) {
        this.wrong.push(`the browser says: ${message.text()} (${page.url()})`);
      }
    });
    page.on('pageerror', error => this.wrong.push(`a script fails: ${error.stack}`));
    page.on('requestfailed', request => {
      // A download is no page, and a page that is left behind is not loaded to the end.
      if(request.failure()?.errorText !== 'net::ERR_ABORTED') {
        this.wrong.push(`${request.url()}: ${request.failure()?.errorText}`);
      }
    });
  }

  /** What the browser complains of here is what the story is about: an answer that refuses. */
  expects(pattern) {
    this.expected.push(pattern);
  }

  /** Goes to an address of the registry. */
  async goes(to, status = 200) {
    if(status !== 200) {
      this.expects(new RegExp(`status of ${status}`));
    }
    const answer = await this.page.goto(to);
    assert.equal(answer.status(), status, `${to} answers ${answer.status()}`);
  }

  /** A link, by its text. */
  async follows(text) {
    await this.page.getByRole('link', {name: text}).first().click();
    await this.page.waitForLoadState();
  }

  async presses(text) {
    await this.page.getByRole('button', {name: text}).first().click();
    await this.page.waitForLoadState();
  }

  async fills(label, text) {
    await this.page.getByLabel(label).first().fill(text);
  }

  /** The main part of the page says this, soon. */
  async reads(...texts) {
    for(const text of texts) {
      const main = this.page.locator('main');
      const found = typeof text === 'string' ?
        main.getByText(text).first() : main.filter({hasText: text}).first();
      await found.waitFor({state: 'visible', timeout: 20_000}).catch(async () => {
        throw new Error(`${text} is not on ${this.page.url()}:\n${await main.innerText()}`);
      });
    }
  }

  /** The page says nothing of this. */
  async readsNothingOf(text) {
    const said = await this.page.locator('main').innerText();
    assert(!said.includes(text), `${text} is on ${this.page.url()}: ${said}`);
  }

  /** Goes from one thing to the next with the Tab key alone, up to that of this name; each shows where it is. */
  async tabsTo(name) {
    const passed = [];
    for(let steps = 0; steps < 80; steps++) {
      await this.page.keyboard.press('Tab');
      const at = await this.page.evaluate(focused);
      if(!at) {
        continue;
      }
      assert(at.shows, `nobody sees that ${at.name} has the focus on ${this.page.url()}`);
      assert(at.inView, `${at.name} has the focus out of sight on ${this.page.url()}`);
      if(name instanceof RegExp ? name.test(at.name) : at.name === name) {
        return;
      }
      passed.push(at.name);
    }
    throw new Error(`no way to ${name} by keyboard: ${passed.join(' | ')}`);
  }

  async keys(...keys) {
    for(const key of keys) {
      await this.page.keyboard.press(key);
    }
    await this.page.waitForLoadState();
  }

  /** Looks the page over as it is now, wide and narrow, light and dark: nothing hangs over, everybody can
   *  use it; and keeps pictures. */
  async looksAround(state) {
    const {page} = this;
    for(const width of WIDTHS) {
      await page.setViewportSize({width, height: width > 500 ? 900 : 740});
      await this.fits(state, width);
      for(const colorScheme of SCHEMES) {
        await page.emulateMedia({colorScheme});
        if(this.scripts) {
          const found = await violations(page);
          this.wrong.push(...found.map(one => `${state}, ${width} px, ${colorScheme}: ${one}`));
        }
        const path = join(this.pictures, `${this.name}-${state}-${width}-${colorScheme}.png`);
        await page.screenshot({path, fullPage: true});
      }
    }
    await page.setViewportSize({width: WIDTHS[0], height: 900});
    await page.emulateMedia({colorScheme: SCHEMES[0]});
    this.looks++;
  }

  /** WCAG 2.2, 1.4.10: nobody has to scroll two ways. */
  async fits(state, width) {
    const {room, over} = await this.page.evaluate(hangingOver);
    if(over.length) {
      this.wrong.push(`${state}: ${room} px wide at ${width} px, because of ${over.join(', ')}`);
    }
  }

  /** The words of a QR code that is shown, by a reader that knows nothing of how it was drawn. */
  async readsQr(locator) {
    const {default: jsqr} = await load('jsqr');
    const picture = await locator.screenshot({scale: 'css'});
    const {width, height, pixels} = await this.page.evaluate(pixelsOf, picture.toString('base64'));
    const read = jsqr(Uint8ClampedArray.from(pixels), width, height);
    assert(read, 'no QR code can be read there');
    return read.data;
  }

  sawNothingWrong() {
    const wrong = this.wrong.filter(one => !this.expected.some(pattern => pattern.test(one)));
    assert.equal(wrong.length, 0, [...new Set(wrong)].join('\n'));
  }

  /** What there is to say where a story broke off. */
  async lastWords() {
    const path = join(this.pictures, `${this.name}-broke-off.png`);
    await this.page.screenshot({path, fullPage: true, timeout: 5_000}).catch(() => {});
    return [`  at ${this.page.url()}, see ${path}`, ...new Set(this.wrong)].join('\n  ');
  }

  async leave() {
    await this.context.close();
  }
}

/** In the page: what has the focus, and whether one sees it. */
function focused() {
  const at = document.activeElement;
  if(!at || at === document.body) {
    return null;
  }
  const style = getComputedStyle(at);
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
  const box = at.getBoundingClientRect();
  const label = at.labels?.[0]?.innerText;
  const name = (at.getAttribute('aria-label') || label || at.innerText || at.value || at.tagName).trim();
  // Of a date the browser itself marks the part that is typed next.
  const isDate = at.type === 'date';
  return {
    name,
    shows: outlined || style.boxShadow !== 'none' || isDate,
    inView: box.bottom > 0 && box.top < innerHeight && box.width > 0 && box.height > 0,
  };
}

/** In the page: how wide it is, and what makes it wider than the screen. */
function hangingOver() {
  const room = document.documentElement.scrollWidth;
  if(room <= document.documentElement.clientWidth) {
    return {room, over: []};
  }
  const edge = document.documentElement.clientWidth + 1;
  const over = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for(let node; (node = walker.nextNode()) && over.length < 5;) {
    const range = document.createRange();
    range.selectNode(node);
    if(range.getBoundingClientRect().right > edge) {
      over.push(node.nodeType === Node.TEXT_NODE ? JSON.stringify(node.data.trim().slice(0, 80)) :
        `<${node.tagName.toLowerCase()} class="${node.className}">`);
    }
  }
  return {room, over: over.length ? over : ['something']};
}

/** In the page: the pixels of a picture. */
async function pixelsOf(base64) {
  const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], {type: 'image/png'}));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const drawn = canvas.getContext('2d');
  drawn.drawImage(bitmap, 0, 0);
  const {width, height} = bitmap;
  return {width, height, pixels: [...drawn.getImageData(0, 0, width, height).data]};
}
