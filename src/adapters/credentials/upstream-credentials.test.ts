import { expect, it } from 'vitest';
import type { Credentials } from '../../core/credentials.ts';
import type { Outbound } from '../../core/outbound.ts';
import { principalOf } from '../../core/principal.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { SsrfGuard } from '../outbound/ssrf-guard.ts';
import { SubjectTokens } from './subject-tokens.ts';
import { UpstreamCredentials } from './upstream-credentials.ts';

/** Whoever asks waits. */
const SILENT: Outbound = { send: () => () => {}, close: () => Promise.resolve() };

class Stage {
  readonly clock = new VirtualClock();
  readonly tokens = new SubjectTokens(this.clock);
  readonly credentials = new UpstreamCredentials(
    {
      kind: 'token-exchange',
      issuer: 'https://idp.example',
      clientId: 'a',
      clientSecret: 'b',
      subjectTokens: this.tokens,
    },
    {
      name: 'files',
      url: 'https://files.example/mcp',
      http: SILENT,
      guard: new SsrfGuard(),
      clock: this.clock,
      telemetry: { log() {}, count() {}, request() {}, streamClosed() {} },
    },
  );

  of(tenant: string, subject: string): Credentials {
    return this.credentials.for(principalOf({ tenant, issuer: 'i', subject, clientId: '' }));
  }
}

it('what was exchanged for one tenant is kept, however many principals another has', () => {
  const stage = new Stage();
  const quiet = stage.of('quiet', 'ann');
  const first = stage.of('noisy', '0');
  for (let i = 1; i < 20_000; i += 1) stage.of('noisy', `${i}`);
  expect(stage.of('quiet', 'ann')).toBe(quiet);
  expect(stage.of('noisy', '0')).not.toBe(first);
});

it('of a tenant with too many principals the longest unused is forgotten', () => {
  const stage = new Stage();
  const [first, second, third] = ['0', '1', '2'].map((each) => stage.of('t', each));
  for (let i = 3; i < 20_000; i += 1) stage.of('t', `${i}`);
  expect(stage.of('t', '0')).toBe(first);
  stage.of('t', 'one more');
  expect([stage.of('t', '0'), stage.of('t', '2')]).toEqual([first, third]);
  expect(stage.of('t', '2')).toBe(third);
  expect(stage.of('t', '1')).not.toBe(second);
});

it('whoever has been away for an hour is forgotten, whichever tenant is busy', () => {
  const stage = new Stage();
  const quiet = stage.of('quiet', 'ann');
  stage.clock.advance(3_600_001);
  stage.of('noisy', 'bob');
  expect(stage.of('quiet', 'ann')).not.toBe(quiet);
});

it('what somebody waits for is kept beyond the bound, and forgotten in its turn afterwards', () => {
  const stage = new Stage();
  stage.tokens.remember(principalOf({ tenant: 't', issuer: 'i', subject: '0', clientId: '' }), 'x');
  const busy = stage.of('t', '0');
  busy.authorize(() => {});
  const idle = stage.of('t', '1');
  for (let i = 2; i < 20_001; i += 1) stage.of('t', `${i}`);
  expect(stage.of('t', '0')).toBe(busy);
  expect(stage.of('t', '1')).not.toBe(idle);
});
