/** From the operator's choice to an identity, and to what may be said about it. */
import { homedir } from 'node:os';
import { mtlsIdentity } from '../adapters/identity/mtls.ts';
import { noAuth } from '../adapters/identity/no-auth.ts';
import { staticToken } from '../adapters/identity/static-token.ts';
import { keepToken, tokenFilePath } from '../adapters/identity/token-file.ts';
import type { Identity } from '../core/ports.ts';
import type { CredentialChoice, Environment } from './serve-options.ts';
import type { CredentialFacts } from './startup-text.ts';

export type Credential =
  | { readonly kind: 'ready'; readonly identity: Identity; readonly facts: CredentialFacts }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * @param isTerminal - a person watches. A token the operator gave is repeated to nobody else: what
 * a service prints is kept in logs. One that was made here has to be told somewhere.
 */
export function credential(
  choice: CredentialChoice,
  env: Environment,
  isTerminal: boolean,
): Credential {
  switch (choice.kind) {
    case 'none':
      return { kind: 'ready', identity: noAuth(), facts: { kind: 'none' } };
    case 'certificate':
      return { kind: 'ready', identity: mtlsIdentity(), facts: { kind: 'certificate' } };
    case 'given':
      return {
        kind: 'ready',
        identity: staticToken(choice.token),
        facts: {
          kind: 'token',
          token: isTerminal ? choice.token : undefined,
          source: isTerminal ? `from ${choice.by}` : `the one given with ${choice.by}`,
        },
      };
    case 'kept':
      return keptCredential(tokenFilePath(env, process.platform, homedir()));
  }
}

function keptCredential(path: string): Credential {
  const kept = keepToken(path);
  if (kept.kind === 'failed') return kept;
  return {
    kind: 'ready',
    identity: staticToken(kept.token),
    facts: {
      kind: 'token',
      token: kept.token,
      source: kept.isNew ? `made now and kept in ${path}` : `kept in ${path}`,
    },
  };
}
