import { expect, it } from 'vitest';
import { credentialKind } from './credential-kind.ts';
import { SubjectTokens } from './subject-tokens.ts';

const CLIENT = { clientId: 'gate', clientSecret: 'secret' };
const ISSUER = 'https://auth.example.com';
const ONE_OF =
  'credential.kind must be one of client-credentials, token-exchange, authorization-code.';

const CLIENT_ID = 'credential.clientId must be a text that is not empty.';

const faultOf = (credential: unknown): string | undefined =>
  credentialKind('credential', credential);

it.each([
  { kind: 'client-credentials', ...CLIENT },
  { kind: 'client-credentials', ...CLIENT, issuer: ISSUER, scope: 'a b' },
  { kind: 'token-exchange', ...CLIENT, issuer: undefined },
  { kind: 'token-exchange', ...CLIENT, audience: 'x', subjectTokens: new SubjectTokens() },
  { kind: 'authorization-code', folder: undefined },
  { kind: 'authorization-code', folder: '/f', show() {}, clientMetadataUrl: `${ISSUER}/client` },
])('takes %o', (credential) => {
  expect(faultOf(credential)).toBeUndefined();
});

it.each([
  [null, ONE_OF],
  ['secret', ONE_OF],
  [{}, ONE_OF],
  [{ kind: 'client_credentials', ...CLIENT }, ONE_OF],
  [{ kind: 'client-credentials', clientSecret: 's' }, CLIENT_ID],
  [{ kind: 'token-exchange', clientId: '', clientSecret: 's' }, CLIENT_ID],
  [
    { kind: 'client-credentials', clientId: 'gate' },
    'credential.clientSecret must be a text that is not empty.',
  ],
  [
    { kind: 'client-credentials', ...CLIENT, issuer: 'auth' },
    'credential.issuer must be a URL such as https://auth.example.com.',
  ],
  [
    { kind: 'client-credentials', ...CLIENT, audience: 'x' },
    'credential has no member named audience; there are kind, issuer, clientId, clientSecret, scope.',
  ],
  [
    { kind: 'token-exchange', ...CLIENT, subjectTokens: {} },
    'credential.subjectTokens must have the method remember.',
  ],
  [
    { kind: 'authorization-code', folder: 7 },
    'credential.folder must be a text that is not empty.',
  ],
])('does not take %o', (credential, fault) => {
  expect(faultOf(credential)).toBe(fault);
});
