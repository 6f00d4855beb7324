import { expect, it } from 'vitest';
import type { CredentialOutcome } from '../../core/credentials.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import type { AccessToken } from './access-token.ts';
import { CredentialError } from './credential-error.ts';
import { RenewedCredential, type TokenNeed } from './renewed-credential.ts';

class Subject {
  readonly clock = new VirtualClock();
  readonly needs: TokenNeed[] = [];
  readonly failures: string[] = [];
  next: AccessToken | undefined | Error;
  readonly credential: RenewedCredential;

  constructor(next: AccessToken | undefined | Error) {
    this.next = next;
    this.credential = new RenewedCredential(
      async (need) => {
        this.needs.push(need);
        if (this.next instanceof Error) throw this.next;
        return this.next;
      },
      this.clock,
      (detail) => this.failures.push(detail),
    );
  }

  authorize(): Promise<CredentialOutcome> {
    return new Promise((resolve) => {
      this.credential.authorize(resolve);
    });
  }

  refused(value: string | undefined, challenge?: string): Promise<CredentialOutcome> {
    return new Promise((resolve) => {
      this.credential.refused({ status: 401, challenge, value }, resolve);
    });
  }
}

function token(value: string, expiresIn?: number): AccessToken {
  return { value, expiresIn, scope: undefined, refreshToken: undefined };
}

const header = (value: string): CredentialOutcome => ({ kind: 'header', value: `Bearer ${value}` });

it('keeps a token until a minute before it expires', async () => {
  const subject = new Subject(token('a', 3600));
  expect(await subject.authorize()).toEqual(header('a'));
  subject.next = token('b', 3600);
  subject.clock.advance(3_539_000);
  expect(await subject.authorize()).toEqual(header('a'));
  subject.clock.advance(1000);
  expect(await subject.authorize()).toEqual(header('b'));
});

it('renews a short token after nine tenths of its life', async () => {
  const subject = new Subject(token('a', 100));
  await subject.authorize();
  subject.clock.advance(89_999);
  await subject.authorize();
  expect(subject.needs).toHaveLength(1);
  subject.clock.advance(1);
  await subject.authorize();
  expect(subject.needs).toHaveLength(2);
});

it('uses a token that could not be renewed in good time until it expires', async () => {
  const subject = new Subject(token('a', 3600));
  await subject.authorize();
  subject.next = new CredentialError('down.');
  subject.clock.advance(3_550_000);
  expect(await subject.authorize()).toEqual(header('a'));
  subject.clock.advance(50_001);
  expect(await subject.authorize()).toEqual({ kind: 'failed', detail: 'down.' });
  expect(subject.failures).toEqual(['down.', 'down.']);
});

it('after a failure asks nobody for a while, and then again', async () => {
  const subject = new Subject(new CredentialError('down.'));
  await subject.authorize();
  subject.clock.advance(4999);
  await subject.authorize();
  expect(subject.needs).toHaveLength(1);
  subject.next = token('a');
  subject.clock.advance(1);
  expect(await subject.authorize()).toEqual(header('a'));
});

it('goes without where there is nothing, until it is refused', async () => {
  const subject = new Subject(undefined);
  expect(await subject.authorize()).toEqual({ kind: 'none' });
  expect(await subject.authorize()).toEqual({ kind: 'none' });
  subject.next = token('a');
  expect(await subject.refused(undefined)).toEqual(header('a'));
  expect(subject.needs.map(({ isRefused }) => isRefused)).toEqual([false, true]);
});

it('one renewal serves all who were refused, and those who come late', async () => {
  const subject = new Subject(token('a'));
  await subject.authorize();
  subject.next = token('b');
  const first = subject.refused('Bearer a');
  const second = subject.refused('Bearer a');
  expect(await Promise.all([first, second])).toEqual([header('b'), header('b')]);
  expect(await subject.refused('Bearer a')).toEqual(header('b'));
  expect(subject.needs).toHaveLength(2);
});

it('does not renew again what was refused just after a renewal, unless more is asked for', async () => {
  const subject = new Subject(token('a'));
  await subject.authorize();
  await subject.refused('Bearer a');
  expect(await subject.refused('Bearer a')).toMatchObject({ kind: 'failed' });
  expect(await subject.refused('Bearer a', 'Bearer scope="x"')).toEqual(header('a'));
  expect(subject.needs.at(-1)).toMatchObject({ scope: 'x' });
});
