import { expect, it } from 'vitest';
import type { OutboundHead } from '../../core/outbound.ts';
import type { HttpExchange } from '../../core/ports.ts';
import { ApplicationOutbound } from './application-outbound.ts';

it('says of every reply that it is of this process, with the refusal that it says', async () => {
  const refusal = { error: 'CREDENTIAL_EXPIRED' } as const;
  const http = new ApplicationOutbound({
    handle: (exchange) => exchange.respond(401, ['X-A', 'b'], '{}', refusal),
    drain: () => Promise.resolve(),
  });
  const head = await new Promise<OutboundHead>((resolve) => {
    const to = { method: 'POST', url: 'http://localhost/mcp' } as const;
    const request = { ...to, headers: [], isRepeatable: false };
    http.send(request, { onSent() {}, onHead: resolve, onBytes() {}, onEnd() {} });
  });
  expect(head).toMatchObject({ status: 401, refusal, isLocal: true });
  expect(head.header('x-a')).toBe('b');
});

it('tells whoever asks after the client left that it is gone, and nobody after a whole reply', async () => {
  const exchanges: HttpExchange[] = [];
  const http = new ApplicationOutbound({
    handle: (exchange) => void exchanges.push(exchange),
    drain: () => Promise.resolve(),
  });
  const send = (): (() => void) => {
    const to = { method: 'POST', url: 'http://localhost/mcp' } as const;
    const request = { ...to, headers: [], isRepeatable: false };
    return http.send(request, { onSent() {}, onHead() {}, onBytes() {}, onEnd() {} });
  };
  const told: string[] = [];
  const leave = send();
  send();
  await Promise.resolve();
  leave();
  exchanges[0]?.onClientGone(() => told.push('left'));
  exchanges[1]?.respond(200, [], '');
  exchanges[1]?.onClientGone(() => told.push('answered'));
  await Promise.resolve();
  expect(told).toEqual(['left']);
});
