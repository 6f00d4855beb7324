/** Who may come in, as the config says at this moment: a reload counts from the next request. */
import { homedir } from 'node:os';
import { noAuth } from '../adapters/identity/no-auth.ts';
import { staticToken } from '../adapters/identity/static-token.ts';
import { keepToken, tokenFilePath } from '../adapters/identity/token-file.ts';
import type { Identity, IdentityOutcome, OpenDoor, RequestHead } from '../core/ports.ts';
import { isLoopback } from '../core/security/listen-host.ts';
import type { AuthConfig, ListenConfig } from './gateway-config.ts';

export class CurrentIdentity implements Identity, OpenDoor {
  #identity: Identity;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  get isOpen(): boolean {
    return (this.#identity as Partial<OpenDoor>).isOpen === true;
  }

  verify(head: RequestHead, done: (outcome: IdentityOutcome) => void): void {
    this.#identity.verify(head, done);
  }

  replace(identity: Identity): void {
    this.#identity = identity;
  }
}

/**
 * @throws Error when the door would stand open to others, a token is unfit, or the kept one cannot
 * be read.
 */
export function identityOf(auth: AuthConfig, listen: ListenConfig): Identity {
  switch (auth.kind) {
    case 'none':
      if (!auth.insecure && !isPrivate(listen)) {
        throw new Error('No credential is asked where others can reach the gateway.');
      }
      return noAuth();
    case 'token':
      return staticToken(auth.token);
    case 'kept': {
      const kept = keepToken(tokenFilePath(process.env, process.platform, homedir()));
      if (kept.kind === 'failed') throw new Error(kept.reason);
      return staticToken(kept.token);
    }
  }
}

/** A tunnel or a proxy named by the public URL brings strangers to a loopback address, too. */
function isPrivate({ host, publicUrl }: ListenConfig): boolean {
  return isLoopback(host) && (publicUrl === undefined || isLoopback(new URL(publicUrl).hostname));
}
