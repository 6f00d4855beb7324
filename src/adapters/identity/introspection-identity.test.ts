import { expect, it } from 'vitest';
import type { IdentityOutcome, RequestHead } from '../../core/ports.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { introspectionIdentity } from './introspection-identity.ts';

const ISSUER = 'https://idp.example';
const SERVER = 'https://mcp.example/files';

/** An issuer that knows every token, but for those that were ended. */
class Stage {
  readonly clock = new VirtualClock();
  readonly open = new Set<string>();
  readonly ended: string[] = [];
  readonly over = new Set<string>();
  asked = 0;
  readonly identity = introspectionIdentity(
    {
      url: `${ISSUER}/ask`,
      issuer: ISSUER,
      client: { id: 'a', secret: 'b' },
      tenant: { claim: 'org' },
    },
    {
      clock: this.clock,
      now: () => this.clock.now(),
      telemetry: { log() {}, count() {}, request() {}, streamClosed() {} },
      opened: { ids: () => this.open, ended: (_, id) => void this.ended.push(id) },
      fetch: (_, init) => {
        this.asked += 1;
        const body = init?.body;
        const token = body instanceof URLSearchParams ? (body.get('token') ?? '') : '';
        const [org] = token.split('-');
        const claims = { active: true, sub: 'ann', org, aud: SERVER, exp: 999_999, jti: token };
        return Promise.resolve(Response.json(this.over.has(token) ? { active: false } : claims));
      },
    },
  );

  ask(token: string): Promise<IdentityOutcome> {
    const authorization = `Bearer ${token}`;
    const head: RequestHead = {
      method: 'POST',
      path: '/files/mcp',
      query: '',
      remoteAddress: '192.0.2.1',
      header: (name) => (name === 'authorization' ? authorization : undefined),
      headerCount: (name) => (name === 'authorization' ? 1 : 0),
      headerNames: () => [],
    };
    const place = this.identity.at(SERVER);
    return new Promise((resolve) => place.verify(head, resolve));
  }
}

it('a quiet token with a stream open is looked after, however many tokens came since', async () => {
  const stage = new Stage();
  expect((await stage.ask('quiet')).kind).toBe('principal');
  stage.open.add('jti:quiet');
  for (let i = 0; i < 10_000; i += 1) await stage.ask(`token-${i}`);
  stage.over.add('quiet');
  // Its answer is old by then, and it is looked at.
  await expect
    .poll(
      () => {
        stage.clock.advance(5000);
        return stage.ended;
      },
      { timeout: 15_000 },
    )
    .toEqual(['jti:quiet']);
  stage.identity.close();
});

it('the issuer is not asked again about a token because of those of another tenant', async () => {
  const stage = new Stage();
  await stage.ask('quiet-1');
  for (let i = 0; i < 10_001; i += 1) await stage.ask(`noisy-${i}`);
  const before = stage.asked;
  expect((await stage.ask('quiet-1')).kind).toBe('principal');
  expect(stage.asked).toBe(before);
  await stage.ask('noisy-0');
  expect(stage.asked).toBe(before + 1);
  stage.identity.close();
});
