// An OpenID Connect provider, by the package oidc-provider, on a free port of this machine.
//
//   node provider.mjs
//
// Writes a line {"issuer"} when it listens. Each of its clients belongs to an organisation, which
// its access tokens name; they are JWTs for the one resource that is asked for (RFC 8707). Ends when its input does.

import {generateKeyPairSync} from 'node:crypto';
import {createServer} from 'node:http';
import {load} from './packages.mjs';

const {Provider} = await load('oidc-provider');
const {privateKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
const organisations = {'of-school': '1', 'of-board': '2', 'of-nobody': '3'};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: {keys: [{...privateKey.export({format: 'jwk'}), kid: 'p1', alg: 'ES256', use: 'sig'}]},
    clients: Object.keys(organisations).map(id => ({
      client_id: id,
      client_secret: `secret-${id}`,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: 'ES256'
    })),
    features: {
      clientCredentials: {enabled: true},
      devInteractions: {enabled: false},
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (context, resource) => ({
          audience: resource,
          scope: 'status:write keys:write',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: {sign: {alg: 'ES256'}}
        })
      }
    },
    extraTokenClaims: (context, token) => ({org: organisations[token.clientId]}),
    scopes: ['openid', 'status:write', 'keys:write']
  });
  provider.on('server_error', (context, error) => console.error(error));
  server.on('request', provider.callback());
  console.log(JSON.stringify({issuer}));
});
process.stdin.resume().on('end', () => process.exit(0));
