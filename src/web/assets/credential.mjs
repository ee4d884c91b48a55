// A credential as somebody holds it, read in their browser: JSON, a JWT, or a badge as a picture.

/** As much as the registry takes. */
const LARGEST = 4 * 1024 * 1024;
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const KEYWORD = 'openbadgecredential';
const BAKING = 'https://purl.imsglobal.org/ob/v3p0';
const SVG = 'http://www.w3.org/2000/svg';
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
/** A JWT that stands in JSON (Verifiable Credentials Data Model 2.0, section 4.12.1). */
const ENVELOPE = 'data:application/vc+jwt,';
/** What an id may hold to be asked about. */
const LONGEST = 2048;

/** What is read here no further; the registry may still be able to. */
export class Unread extends Error {}

/** Whether a text is a credential; else it is an address, an id or a code. */
export function isDocument(text) {
  const begun = text.replace(/^[\s\ufeff]+/, '');
  return /^[{["<]/.test(begun) || /^ey\S*\./.test(begun);
}

/** What is in a file. */
export async function readFile(bytes) {
  if(bytes.length > LARGEST) {
    throw new Unread('too large');
  }
  if(PNG.every((byte, at) => bytes[at] === byte)) {
    return readText(await bakedIntoPng(bytes));
  }
  return readText(utf8(bytes));
}

/** What a text says: the document, with the parts of the token around it where it is a JWT. */
export function readText(text) {
  const plain = text.replace(/^[\s\ufeff]+|\s+$/g, '');
  if(plain.startsWith('<')) {
    return readText(bakedIntoSvg(plain));
  }
  const given = JWT.test(plain) ? readJwt(plain) : {document: parsed(plain)};
  const {document} = given;
  if(document?.type === 'EnvelopedVerifiableCredential' && String(document.id).startsWith(ENVELOPE)) {
    return readText(document.id.slice(ENVELOPE.length));
  }
  if(!isObject(document) || ![document.type].flat().includes('VerifiableCredential')) {
    throw new Unread('no credential');
  }
  return given;
}

/** What is asked to learn how it stands: nothing of it but these. */
export function asks({document, payload}) {
  const entries = [];
  for(const entry of [document.credentialStatus ?? []].flat()) {
    const [list, index] = [entry?.statusListCredential, entry?.statusListIndex];
    if(isId(list) && isIndex(index)) {
      entries.push({list, index: String(index)});
    }
  }
  const token = payload?.status?.status_list;
  if(isId(token?.uri) && isIndex(token?.idx)) {
    entries.push({list: token.uri, index: String(token.idx)});
  }
  return {entries, issuer: idOf(document.issuer)};
}

/** Which entries there are that are not asked about here. */
export function othersThan({document}, {entries}) {
  return [document.credentialStatus ?? []].flat().length > entries.length;
}

/** The id of something that is named by it, or described. */
export function idOf(thing) {
  const id = isObject(thing) ? thing.id : thing;
  return isId(id) ? id : undefined;
}

export function fromBase64url(text) {
  if(!/^[\w-]*$/.test(text)) {
    throw new Unread('not base64url');
  }
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, letter => letter.charCodeAt(0));
}

export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value) {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST && !/\s/.test(value);
}

function isIndex(value) {
  return /^\d{1,10}$/.test(String(value));
}

/** A JWT with the credential as its payload, or in its claim `vc` with what that leaves to the claims beside it. */
function readJwt(text) {
  const [head, body, signature] = text.split('.');
  const [header, payload] = [head, body].map(part => parsed(utf8(fromBase64url(part))));
  if(!isObject(header) || !isObject(payload)) {
    throw new Unread('not a JWT');
  }
  const {vc} = payload;
  const document = !isObject(vc) ? payload : {
    ...vc,
    id: vc.id ?? payload.jti,
    issuer: idOf(vc.issuer) === undefined ? payload.iss : vc.issuer,
  };
  return {
    document, header, payload,
    signed: new TextEncoder().encode(`${head}.${body}`),
    signature: fromBase64url(signature),
  };
}

/** The text in the one iTXt chunk of a PNG that carries a credential. */
async function bakedIntoPng(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = [];
  for(let at = PNG.length; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const kind = latin(bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, at + 8 + length);
    if(data.length < length) {
      throw new Unread('a picture that is cut off');
    }
    if(kind === 'iTXt' && latin(data).startsWith(`${KEYWORD}\0`)) {
      found.push(data.subarray(KEYWORD.length + 1));
    }
    if(kind === 'IEND') {
      break;
    }
    at += 12 + length;
  }
  if(found.length !== 1) {
    throw new Unread('not one credential in the picture');
  }
  return inChunk(found[0]);
}

/** The text behind the keyword: compressed? method, language, translated keyword, text. */
async function inChunk(data) {
  const [compressed, method] = data;
  const language = data.indexOf(0, 2);
  const keyword = data.indexOf(0, language + 1);
  if(language < 0 || keyword < 0 || compressed > 1 || (compressed && method !== 0)) {
    throw new Unread('a text that is put in wrong');
  }
  const text = data.subarray(keyword + 1);
  return utf8(compressed ? await inflated(text) : text);
}

async function inflated(bytes) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
  const parts = [];
  let length = 0;
  try {
    for(let next; !(next = await reader.read()).done;) {
      parts.push(next.value);
      length += next.value.length;
      if(length > LARGEST) {
        throw new Unread('too large');
      }
    }
  } catch(error) {
    throw error instanceof Unread ? error : new Unread('a text that is compressed wrong');
  } finally {
    reader.cancel().catch(() => {});
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** What the one element of an SVG carries: a JWT as its attribute, or JSON within it. */
function bakedIntoSvg(text) {
  const image = new DOMParser().parseFromString(text, 'image/svg+xml');
  const root = image.documentElement;
  const found = image.getElementsByTagNameNS(BAKING, 'credential');
  if(root.namespaceURI !== SVG || root.localName !== 'svg' || found.length !== 1) {
    throw new Unread('not one credential in the picture');
  }
  const carried = found[0].getAttribute('verify') || found[0].textContent;
  if(carried.trimStart().startsWith('<')) {
    throw new Unread('a picture in a picture');
  }
  return carried;
}

/** JSON in which no object says the same member twice: of two, others may read the one and not the other. */
function parsed(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Unread('not JSON');
  }
  const texts = text.match(/"(?:[^"\\]|\\.)*"\s*:?/g) ?? [];
  if(texts.filter(one => one.endsWith(':')).length !== members(value)) {
    throw new Unread('a member that stands twice');
  }
  return value;
}

function members(value) {
  if(typeof value !== 'object' || value === null) {
    return 0;
  }
  const within = Object.values(value).reduce((sum, one) => sum + members(one), 0);
  return Array.isArray(value) ? within : within + Object.keys(value).length;
}

function utf8(bytes) {
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch {
    throw new Unread('not UTF-8');
  }
}

function latin(bytes) {
  return String.fromCharCode(...bytes.subarray(0, KEYWORD.length + 1));
}
