import { expect, it } from 'vitest';
import type { Outbound, OutboundRequest } from '../../core/outbound.ts';
import { guardedFetch } from './guarded-fetch.ts';

/** Answers at once with what the test says, or never. */
function outbound(
  answer: (request: OutboundRequest) => readonly [number, Record<string, string>] | undefined,
): Outbound & { readonly urls: string[]; aborts: number } {
  const urls: string[] = [];
  const self = {
    urls,
    aborts: 0,
    send: (request: OutboundRequest, events: Parameters<Outbound['send']>[1]) => {
      urls.push(`${request.method} ${request.url}`);
      const said = answer(request);
      queueMicrotask(() => {
        if (said === undefined) return;
        events.onHead({ status: said[0], header: (name) => said[1][name] });
        events.onBytes(Buffer.from('{"a":1}'));
        events.onEnd({ kind: 'complete' });
      });
      return () => {
        self.aborts += 1;
      };
    },
    close: () => Promise.resolve(),
  };
  return self;
}

it('follows a redirect within the origin, a few times', async () => {
  const http = outbound(({ url }) => (url.endsWith('/a') ? [302, { location: '/b' }] : [200, {}]));
  const response = await guardedFetch(http)('https://as.example/a');
  expect(await response.json()).toEqual({ a: 1 });
  expect(http.urls).toEqual(['GET https://as.example/a', 'GET https://as.example/b']);
  const endless = outbound(() => [302, { location: '/a' }]);
  await expect(guardedFetch(endless)('https://as.example/a')).rejects.toThrow('redirects');
  expect(endless.urls).toHaveLength(4);
});

it('gives up what takes too long, and says so without the path', async () => {
  const http = outbound(() => undefined);
  const asked = guardedFetch(http, 20)('https://as.example/token?secret=canary');
  await expect(asked).rejects.toThrow(/^as\.example took too long to answer\.$/);
  expect(http.aborts).toBe(1);
});

it('refuses a coding it did not ask for', async () => {
  const http = outbound(() => [200, { 'content-encoding': 'gzip' }]);
  await expect(guardedFetch(http)('https://as.example/')).rejects.toThrow('content coding');
});
