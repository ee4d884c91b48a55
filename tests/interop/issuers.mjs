// Asks registries who an issuer is, by the client of the Digital Credentials Consortium: the one
// that asks federations as well as documents, and the one before it, which reads documents alone.

import {setDefaultResultOrder} from 'node:dns';

import {load} from './packages.mjs';

// Node 18 tries one address of localhost, and the registry under test listens on 127.0.0.1.
setDefaultResultOrder('ipv4first');

const CLIENTS = {
  'issuer-registry-client': async ({RegistryClient}, {registry, did}) => {
    const client = new RegistryClient();
    client.use({registries: [registry]});
    const {matchingIssuers: [match], uncheckedRegistries} = await client.lookupIssuersFor(did);
    return {
      checked: uncheckedRegistries.length === 0,
      found: match !== undefined,
      issuer: match?.issuer.federation_entity,
      registry: match?.registry.federation_entity.organization_name
    };
  },
  'issuer-registry-client-of-lists': async ({RegistryClient}, {registry, did}) => {
    const client = new RegistryClient();
    const [{loaded}] = await client.load({config: [registry]});
    const entry = client.didEntry(did);
    return {
      checked: loaded,
      found: entry !== undefined,
      issuer: entry && {
        organization_name: entry.name, homepage_uri: entry.url, location: entry.location
      },
      registry: entry && [...entry.inRegistries][0].name
    };
  }
};

/** Whether `client` finds `did` in `registry`, what it says of it, and whether it could ask. */
export async function lookUp({client, ...asked}) {
  const scoped = client === 'issuer-registry-client' ? `@digitalcredentials/${client}` : client;
  const {log} = console;
  // The clients write what they could not reach to standard output, where answers stand; the
  // answer says it too.
  console.log = () => {};
  try {
    return await CLIENTS[client](await load(scoped), asked);
  } finally {
    console.log = log;
  }
}
