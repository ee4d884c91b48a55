// The check page in the browser: what is given is read here first, and nothing of it is sent before somebody
// presses what says so. Without this the form sends what it is given.

import {asks, isDocument, othersThan, readFile, readText} from './credential.mjs';
import {check, period} from './proof.mjs';

/** What was found here, for the page that answers. It holds nothing but ids. */
const KEPT = 'goodstanding.checked';

const words = JSON.parse(document.getElementById('in-browser-words').textContent);
const form = document.getElementById('check');
const verdict = document.getElementById('verdict');
if(form) {
  prepare();
}
if(verdict) {
  tell();
}

function say(key, places = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => places[name] ?? name);
}

/** The form takes files that are dropped, and reads what it is given. */
function prepare() {
  const {credential: text, file} = form.elements;
  const hint = document.getElementById('credential-sent');
  hint.textContent = say('form');
  form.classList.add('drop');
  file.insertAdjacentElement('beforebegin', element('p', 'hint', say('drop')));
  form.addEventListener('dragover', event => {
    event.preventDefault();
    form.classList.add('over');
  });
  form.addEventListener('dragleave', () => form.classList.remove('over'));
  form.addEventListener('drop', event => {
    form.classList.remove('over');
    const {files} = event.dataTransfer;
    if(files.length) {
      event.preventDefault();
      file.files = files;
      text.value = '';
      look();
    }
  });
  file.addEventListener('change', () => {
    text.value = file.files.length ? '' : text.value;
    look();
  });
  text.addEventListener('paste', () => setTimeout(look));
  form.addEventListener('submit', event => {
    if(holdsDocument()) {
      event.preventDefault();
      look().then(panel => panel?.querySelector('h2').focus());
    }
  });
}

function holdsDocument() {
  const {credential: text, file} = form.elements;
  return file.files.length > 0 || isDocument(text.value);
}

/** Reads what is given, and shows what it is and what can be done with it. */
async function look() {
  document.getElementById('in-browser')?.remove();
  if(!holdsDocument()) {
    return null;
  }
  const {credential: text, file} = form.elements;
  const panel = element('section', 'panel');
  panel.id = 'in-browser';
  panel.setAttribute('role', 'status');
  panel.setAttribute('aria-labelledby', 'in-browser-title');
  form.after(panel);
  const title = element('h2', '', say('title'));
  title.id = 'in-browser-title';
  title.tabIndex = -1;
  panel.append(title, element('p', 'unsent', say('nothing-sent')));
  try {
    const given = file.files.length ?
      await readFile(new Uint8Array(await file.files[0].arrayBuffer())) : readText(text.value);
    await show(panel, given);
  } catch {
    panel.append(element('p', 'notice', say('unread')));
    offerWhole(panel);
  }
  return panel;
}

async function show(panel, given) {
  const all = asks(given);
  // What stands in lists elsewhere is nothing that this registry knows by its index.
  const asked = {...all, entries: all.entries.filter(({list}) => list.startsWith(`${location.origin}/`))};
  const found = await check(given, {now: Date.now(), published: id => publishedAt(id) ? 'ask' : 'key'});
  panel.append(signature(found), ...dates(given));
  if(found.genuine !== 'no' && asked.entries.length && asked.issuer) {
    const asking = element('div', 'asking');
    asking.append(element('h3', '', say('sent')), sentParts(asked));
    const ask = element('button', '', say('ask'));
    ask.type = 'button';
    ask.addEventListener('click', () => askFor(panel, given, asked, found));
    asking.append(ask);
    panel.append(asking);
  }
  offerWhole(panel);
}

/** Where this registry publishes the keys of an issuer, where it is one of its own. */
function publishedAt(id) {
  if(id.startsWith(`${location.origin}/profiles/`)) {
    return `${new URL(id).pathname}/did.json`;
  }
  const [scheme, method, host, ...path] = id.split(':');
  const isHere = scheme === 'did' && method === 'web' && path.length > 0 && decodeURIComponent(host) === location.host;
  return isHere ? `/${path.map(part => encodeURIComponent(decodeURIComponent(part))).join('/')}/did.json` : null;
}

async function askFor(panel, given, asked, before) {
  panel.querySelector('.asking button').disabled = true;
  const found = before.why === 'ask' ? await check(given, {now: Date.now(), published}) : before;
  if(found.genuine === 'no') {
    panel.querySelector('.unsent').textContent = say('keys-asked');
    panel.querySelector('.signature').replaceWith(signature(found));
    panel.querySelector('.asking').remove();
    return;
  }
  const entry = await firstThatIsSet(asked.entries);
  const query = new URLSearchParams({...entry, issuer: asked.issuer});
  const kept = {
    asked: query.toString(), ...found, period: period(given, Date.now()), sent: asked, others: othersThan(given, asked),
  };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
  const language = new URLSearchParams(location.search).get('lang');
  if(language) {
    query.set('lang', language);
  }
  location.assign(`/check?${query}`);
}

async function published(id) {
  const answer = await fetch(publishedAt(id), {headers: {accept: 'application/did+ld+json, application/json'}});
  return answer.ok ? answer.json() : 'key';
}

/** Of several entries the first that does not stand well, so that none of them is passed over. */
async function firstThatIsSet(entries) {
  for(const entry of entries.length > 1 ? entries : []) {
    const answer = await fetch(`/status?${new URLSearchParams(entry)}`, {headers: {accept: 'application/json'}})
      .catch(() => null);
    if(!answer?.ok || (await answer.json()).outcome !== 'active') {
      return entry;
    }
  }
  return entries[0];
}

/** Beside the registry's answer: what was found in this browser, by whom, and what was sent. */
function tell() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
  const here = new URLSearchParams(location.search);
  here.delete('lang');
  if(kept?.asked !== here.toString()) {
    return;
  }
  const panel = element('section', 'panel');
  panel.id = 'in-browser';
  panel.setAttribute('aria-labelledby', 'in-browser-title');
  const title = element('h2', '', say('told'));
  title.id = 'in-browser-title';
  panel.append(title, signature(kept), ...[kept.period].flatMap(datesOf));
  if(kept.others) {
    panel.append(element('p', 'notice', say('others')));
  }
  panel.append(element('p', 'small', say('was-sent')), sentParts(kept.sent));
  verdict.after(panel);
}

function signature({genuine, why, by}) {
  if(genuine === 'yes') {
    return element('p', 'notice done signature', say('genuine', {issuer: by}));
  }
  if(genuine === 'no') {
    return element('p', 'trouble signature', say('forged', {why: say(`forged.${why}`)}));
  }
  return element('p', 'notice signature', say('unchecked', {why: say(`unchecked.${why}`)}));
}

function dates(given) {
  return datesOf(period(given, Date.now()));
}

function datesOf(found) {
  return [element('p', found === 'in-force' ? 'small' : 'trouble', say(`period.${found}`))];
}

function sentParts({entries, issuer}) {
  const parts = element('dl');
  const add = (name, value) => value && parts.append(element('dt', '', say(name)), element('dd', 'id', value));
  for(const {list, index} of entries) {
    add('sent.list', list);
    add('sent.index', index);
  }
  add('sent.issuer', issuer);
  return parts;
}

function offerWhole(panel) {
  const send = element('button', 'plain', say('whole'));
  send.type = 'button';
  send.addEventListener('click', () => form.submit());
  panel.append(element('p', 'small', say('whole.sent')), send);
}

function element(name, classes = '', text = '') {
  const made = document.createElement(name);
  made.className = classes;
  made.textContent = text;
  return made;
}
