import { expect, it } from 'vitest';
import type { OutboundHead } from '../../core/outbound.ts';
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
