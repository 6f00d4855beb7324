import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Outbound, OutboundEvents, OutboundRequest } from '../../core/outbound.ts';
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

/** Sends nothing until the test says how it goes on. */
class Line implements Outbound {
  readonly requests: OutboundRequest[] = [];
  aborts = 0;
  events: OutboundEvents | undefined;

  send(request: OutboundRequest, events: OutboundEvents): () => void {
    this.requests.push(request);
    this.events = events;
    return () => {
      this.aborts += 1;
    };
  }

  head(status: number, headers: Record<string, string> = {}): void {
    this.events?.onHead({ status, header: (name) => headers[name] });
  }

  /** A whole reply. */
  answer(status: number, headers: Record<string, string> = {}, body = ''): void {
    this.head(status, headers);
    if (body !== '') this.events?.onBytes(Buffer.from(body));
    this.events?.onEnd({ kind: 'complete' });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const URL_OF = 'https://as.example/token';

describe('a request', () => {
  it('of a form is sent once, as it is, and without a coding', async () => {
    const line = new Line();
    const headers = { accept: 'application/json' };
    const body = new URLSearchParams({ a: 'b c' });
    const asked = guardedFetch(line)(URL_OF, { method: 'POST', headers, body });
    line.answer(200);
    await asked;
    expect(line.requests).toEqual([
      {
        method: 'POST',
        url: URL_OF,
        headers: ['accept', 'application/json', 'accept-encoding', 'identity'],
        body: 'a=b+c',
        isRepeatable: false,
      },
    ]);
  });

  it('that asks may be sent again, and holds what text it is given', async () => {
    const line = new Line();
    for (const body of ['text', undefined, new Uint8Array([1])] as const) {
      const asked = guardedFetch(line)(new URL(URL_OF), body === undefined ? {} : { body });
      line.answer(200);
      await asked;
    }
    const bare = { method: 'GET', isRepeatable: true, headers: ['accept-encoding', 'identity'] };
    expect(line.requests).toMatchObject([
      { ...bare, body: 'text' },
      { ...bare, body: undefined },
      { ...bare, body: undefined },
    ]);
  });
});

describe('V37 a redirect', () => {
  it.each([
    ['to another host', 'https://evil.example/token'],
    ['to another scheme', 'http://as.example/token'],
    ['to another port', 'https://as.example:444/token'],
  ])('%s is not followed', async (_, location) => {
    const line = new Line();
    const asked = guardedFetch(line)(URL_OF);
    line.answer(302, { location });
    await expect(asked).rejects.toThrow(
      'as.example redirects to another origin, which is not followed.',
    );
    expect(line.requests).toHaveLength(1);
  });

  it('to what is no URL is not followed', async () => {
    const line = new Line();
    const asked = guardedFetch(line)(URL_OF);
    line.answer(302, { location: 'https://[' });
    await expect(asked).rejects.toThrow('redirects to another origin');
  });

  it('of a form is not followed: it would be sent twice', async () => {
    const line = new Line();
    const asked = guardedFetch(line)(URL_OF, { method: 'POST', body: 'a' });
    line.answer(307, { location: '/b' });
    await expect(asked).rejects.toThrow('as.example redirects what may not be redirected.');
    expect(line.requests).toHaveLength(1);
  });

  it.each([
    [300, true],
    [399, true],
    [299, false],
    [400, false],
  ])('is %i with a place to go: %s', async (status, isOne) => {
    const line = new Line();
    const asked = guardedFetch(line)(URL_OF);
    line.answer(status, { location: '/b' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(line.requests).toHaveLength(isOne ? 2 : 1);
    if (isOne) line.answer(200);
    expect((await asked).status).toBe(isOne ? 200 : status);
  });

  it('without a place to go is an answer', async () => {
    const line = new Line();
    const asked = guardedFetch(line)(URL_OF);
    line.answer(302);
    expect((await asked).status).toBe(302);
  });
});

describe('an answer', () => {
  async function answered(status: number, headers = {}, body = ''): Promise<Response> {
    const line = new Line();
    const asked = guardedFetch(line)(URL_OF);
    line.answer(status, headers, body);
    return asked;
  }

  it('has the type and the text that were sent', async () => {
    const response = await answered(200, { 'content-type': 'application/json', x: 'y' }, '{}');
    expect([...response.headers]).toEqual([['content-type', 'application/json']]);
    expect(await response.text()).toBe('{}');
  });

  it.each([204, 205, 304])('%i has no body', async (status) => {
    const response = await answered(status, {}, 'rubbish');
    expect([response.status, response.body]).toEqual([status, null]);
  });

  it.each([
    [200, 200],
    [203, 203],
    [206, 206],
    [305, 305],
    [599, 599],
    [199, 502],
    [600, 502],
  ])('%i is said to be %i', async (status, said) => {
    const response = await answered(status, {}, 'x');
    expect([response.status, await response.text()]).toEqual([said, 'x']);
  });

  it('may be so large, and no larger', async () => {
    const most = 'x'.repeat(262_144);
    expect(await (await answered(200, {}, most)).text()).toHaveLength(most.length);
    const line = new Line();
    const asked = guardedFetch(line)(URL_OF);
    line.head(200);
    for (const chunk of [most, 'x']) line.events?.onBytes(Buffer.from(chunk));
    await expect(asked).rejects.toThrow('as.example sent more than belongs into such an answer.');
    expect(line.aborts).toBe(1);
  });

  it('is kept as its bytes, not as the pieces: a server sends as many as it likes', async () => {
    const line = new Line();
    const asked = guardedFetch(line)(URL_OF);
    line.head(200);
    [...Buffer.from('{"a":1}')].forEach((byte, i) => {
      const piece = Uint8Array.of(byte);
      line.events?.onBytes(piece);
      // The first one is not copied as long as it is the only one.
      if (i > 0) piece.fill(0);
    });
    line.events?.onEnd({ kind: 'complete' });
    expect(await (await asked).json()).toEqual({ a: 1 });
  });

  it('that does not come says why', async () => {
    const line = new Line();
    const asked = guardedFetch(line)(URL_OF);
    line.events?.onEnd({ kind: 'unsent', detail: 'no address' });
    await expect(asked).rejects.toThrow('as.example could not be asked (no address).');
  });

  it('may take ten seconds, redirects and all, and nothing is armed behind it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const line = new Line();
    const asked = guardedFetch(line)(URL_OF);
    const late = expect(asked).rejects.toThrow('took too long');
    await vi.advanceTimersByTimeAsync(6000);
    line.answer(302, { location: '/b' });
    await vi.advanceTimersByTimeAsync(3999);
    expect([line.requests.length, line.aborts]).toEqual([2, 0]);
    await vi.advanceTimersByTimeAsync(1);
    expect(line.aborts).toBe(1);
    await late;
    const other = guardedFetch(line)(URL_OF);
    line.answer(200);
    await other;
    const cut = guardedFetch(line)(URL_OF);
    line.events?.onEnd({ kind: 'cut', detail: 'broken' });
    await expect(cut).rejects.toThrow('broken');
    expect(vi.getTimerCount()).toBe(0);
  });
});
