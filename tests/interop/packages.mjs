// The packages, from the folder in GOODSTANDING_INTEROP_NODE_MODULES or a node_modules beside
// this file, and what all of the programs say when they refuse.

import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';

export const here = dirname(fileURLToPath(import.meta.url));
const folder = process.env.GOODSTANDING_INTEROP_NODE_MODULES || join(here, 'node_modules');
const {resolve} = createRequire(join(folder, 'interop.cjs'));

/** The package `name`, or the file of a package that states no main file. */
export function load(name, file) {
  return import(pathToFileURL(file ? join(folder, name, file) : resolve(name)));
}

/** What cannot be signed or does not verify, with the reason. */
export class Refused extends Error {}

/** The reason at the bottom of an error that wraps others, as these packages do. */
export function rootCause(error) {
  const event = error.details?.event;
  const inner = error.errors?.[0] ?? error.details?.cause ?? error.cause;
  if(inner) {
    return rootCause(inner);
  }
  if(error.message === 'Invalid signature.') {
    return 'the signature does not match';
  }
  return event ? `${event.message} ${JSON.stringify(event.details)}` : error.message;
}
