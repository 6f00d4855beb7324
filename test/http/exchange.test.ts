/** What an exchange promises, over every way an application gets onto a socket. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeHosts } from './hosts.ts';
import type { Host } from './hosts.ts';
import { get, post, RawClient, statusOf, unchunk } from './raw-client.ts';
import { echo, JSON_HEADERS, respondOk, ScriptedApp } from './scripted-app.ts';

const BODY_MAX = 100_000;

describeHosts(['serve', 'tls', 'h2', 'node', 'express', 'fetch', 'hono'], (openHost) => {
  let app: ScriptedApp;
  let host: Host;
  let clients: RawClient[];

  const connect = async (): Promise<RawClient> => {
    const client = await RawClient.open(host.port);
    clients.push(client);
    return client;
  };
  const exchanged = async (text: string): Promise<string> => {
    const client = await connect();
    client.send(text);
    await client.until(isWhole, 'a whole reply');
    return client.received;
  };

  beforeEach(async () => {
    app = new ScriptedApp();
    host = await openHost(app);
    clients = [];
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    await host.close();
  });

  it('tells method, path, query and headers as they were sent', async () => {
    await exchanged(get('/a/b?c=d&e=%2F', ['X-One: 1', '__proto__: evil', 'Constructor: x']));
    const head = app.exchanges[0]?.head;
    expect(head?.method).toBe('GET');
    expect(head?.path).toBe('/a/b');
    expect(head?.query).toBe('c=d&e=%2F');
    expect(head?.header('x-one')).toBe('1');
    expect(head?.header('constructor')).toBe('x');
    expect(head?.header('toString')).toBeUndefined();
    expect(head?.header('x-two')).toBeUndefined();
    expect(head?.headerCount('x-one')).toBe(1);
    expect(head?.headerCount('x-two')).toBe(0);
    expect(head?.headerNames()).toContain('x-one');
    expect(({} as Record<string, unknown>)['evil']).toBeUndefined();
  });

  it.each([0, 1, 1000, 65_536, BODY_MAX])('hands over a body of %i bytes', async (size) => {
    app.script = echo(BODY_MAX);
    const body = 'x'.repeat(size);
    const reply = await exchanged(post('/', body));
    expect(statusOf(reply)).toBe(200);
    expect(reply.slice(reply.indexOf('\r\n\r\n') + 4)).toBe(body);
  });

  it('hands over a body that comes in pieces which split a character', async () => {
    app.script = echo(BODY_MAX);
    const client = await connect();
    const body = Buffer.from('{"text":"žluťoučký 🐎"}');
    client.send(`POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (const byte of body) {
      client.send(Buffer.concat([Buffer.from('1\r\n'), Buffer.from([byte]), Buffer.from('\r\n')]));
    }
    client.send('0\r\n\r\n');
    await client.until(isWhole, 'a whole reply');
    expect(app.outcomes).toEqual([{ kind: 'body', text: body.toString() }]);
  });

  it('keeps a byte order mark, for JSON has none', async () => {
    app.script = echo(BODY_MAX);
    await exchanged(post('/', '\ufeff{}'));
    expect(app.outcomes).toEqual([{ kind: 'body', text: '\ufeff{}' }]);
  });

  it('refuses a body that says it is larger than the bound, and its sender sees it', async () => {
    app.script = echo(BODY_MAX);
    const client = await connect();
    client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${BODY_MAX + 1}\r\n\r\n`);
    await client.untilReceived('BODY_TOO_LARGE');
    expect(statusOf(client.received)).toBe(413);
  });

  it('refuses a body without end once it passes the bound, and buffers no more of it', async () => {
    app.script = echo(BODY_MAX);
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const pump = (): void => {
      while (!client.socket.destroyed && client.socket.write(chunk));
    };
    client.socket.on('drain', pump);
    pump();
    await client.untilReceived('BODY_TOO_LARGE');
    expect(statusOf(client.received)).toBe(413);
    expect(app.outcomes).toHaveLength(1);
  });

  it('V46 refuses a body that is not UTF-8', async () => {
    app.script = echo(BODY_MAX);
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n');
    client.send(Buffer.from([0x22, 0xc3, 0x28, 0x22]));
    await client.untilReceived('BODY_NOT_UTF8');
  });

  it('refuses a body with an encoding', async () => {
    app.script = echo(BODY_MAX);
    const reply = await exchanged(post('/', '{}', ['Content-Encoding: gzip']));
    expect(reply).toContain('UNSUPPORTED_MEDIA_TYPE');
  });

  it('V46 says a body was aborted, once, when its sender leaves in the middle', async () => {
    app.script = (exchange) => {
      app.watch(exchange);
      app.read(exchange, BODY_MAX);
    };
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
    await app.until(() => app.exchanges.length === 1, 'the request');
    client.destroy();
    await app.until(() => app.outcomes.length > 0 && app.goneCount > 0, 'the abort');
    expect(app.outcomes).toEqual([{ kind: 'aborted' }]);
    expect(app.goneCount).toBe(1);
  });

  it('replies with the length of what it sends, and with nothing where nothing belongs', async () => {
    app.script = (exchange) => exchange.respond(200, JSON_HEADERS, '"é"');
    expect((await exchanged(get('/'))).toLowerCase()).toContain('content-length: 4');
    app.script = (exchange) => exchange.respond(202, [], '');
    expect((await exchanged(post('/', '{}'))).toLowerCase()).toContain('content-length: 0');
    app.script = (exchange) => exchange.respond(204, [], '');
    expect((await exchanged(post('/', '{}'))).toLowerCase()).not.toContain('content-length');
  });

  it('sends no body in reply to HEAD', async () => {
    const client = await connect();
    client.send('HEAD / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.untilReceived('\r\n\r\n');
    client.send(get('/'));
    await client.untilReceived('{"ok":true}');
    expect(client.received.match(/\{"ok":true\}/g)).toHaveLength(1);
  });

  it('repeats a header that is given twice', async () => {
    app.script = (exchange) => exchange.respond(200, ['Vary', 'A', 'Vary', 'B'], '');
    expect(await exchanged(get('/'))).toMatch(/vary: A(, |\r\nvary: )B/i);
  });

  it('answers the next request on the same connection, after JSON and after a stream', async () => {
    const client = await connect();
    client.send(post('/', '{}'));
    await client.untilReceived('{"ok":true}');
    client.take();
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', false).end('data: 2\n\n');
    client.send(post('/', '{}'));
    await client.untilReceived('0\r\n\r\n');
    expect(unchunk(client.take())).toBe('data: 1\n\ndata: 2\n\n');
    app.script = respondOk;
    client.send(post('/', '{}'));
    await client.untilReceived('{"ok":true}');
    expect(client.isEnded).toBe(false);
  });

  it('throws when one exchange is answered twice', async () => {
    let caught: unknown;
    app.script = (exchange) => {
      respondOk(exchange);
      try {
        app.open(exchange, '', true);
      } catch (error) {
        caught = error;
      }
    };
    await exchanged(get('/'));
    expect(caught).toBeInstanceOf(Error);
  });

  for (const isLong of [true, false]) {
    const kind = isLong ? 'long' : 'reply';

    it(`W40: sends head and first bytes of a ${kind} stream before anything else happens`, async () => {
      app.script = (exchange) => app.open(exchange, 'data: first\n\n', isLong);
      const client = await connect();
      client.send(get('/'));
      await client.untilReceived('data: first\n\n');
      expect(statusOf(client.received)).toBe(200);
      expect(client.received.toLowerCase()).toContain('content-type: text/event-stream');
      expect(client.isEnded).toBe(false);
    });

    it(`sends the head of a ${kind} stream whose first bytes are none`, async () => {
      app.script = (exchange) => app.open(exchange, '', isLong);
      const client = await connect();
      client.send(get('/'));
      await client.untilReceived('\r\n\r\n');
    });

    it(`keeps the order of many writes to a ${kind} stream, the last one included`, async () => {
      app.script = (exchange) => app.open(exchange, 'data: 0\n\n', isLong);
      const client = await connect();
      client.send(get('/'));
      await app.until(() => app.sinks.length === 1, 'the stream');
      const [sink] = app.sinks;
      const events = Array.from({ length: 2000 }, (_, i) => `data: ${i + 1} čš\n\n`);
      for (const event of events) sink?.write(event);
      sink?.end('data: last\n\n');
      sink?.write('data: never\n\n');
      sink?.end('data: never\n\n');
      await client.untilReceived('data: last\n\n');
      if (isLong) await client.until(() => client.isEnded || isWhole(client), 'the end');
      const isChunked = /transfer-encoding: chunked/i.test(client.received);
      const text = isChunked ? unchunk(client.received) : client.received;
      const received = Buffer.from(text, 'latin1').toString();
      const seen = [...received.matchAll(/^data: (.*)$/gm)].map((match) => match[1]);
      const sent = ['0', ...events.map((_, i) => `${i + 1} čš`), 'last'];
      expect(seen).toEqual(sent);
      expect(sink?.queuedBytes()).toBe(0);
    });

    it(`tells once that the client of a ${kind} stream is gone, and drops later writes`, async () => {
      app.script = (exchange) => {
        app.watch(exchange);
        app.open(exchange, 'data: 1\n\n', isLong);
      };
      const client = await connect();
      client.send(get('/'));
      await client.untilReceived('data: 1\n\n');
      client.destroy();
      await app.until(() => app.goneCount > 0, 'the leaving');
      const [sink] = app.sinks;
      sink?.write('data: 2\n\n');
      sink?.end('data: 3\n\n');
      sink?.destroy();
      expect(sink?.queuedBytes()).toBe(0);
      await quiet(app);
      expect(app.goneCount).toBe(1);
    });

    it(`tells of a leaving even to who asks after a ${kind} stream began`, async () => {
      app.script = (exchange) => {
        app.open(exchange, 'data: 1\n\n', isLong);
        app.watch(exchange);
      };
      const client = await connect();
      client.send(get('/'));
      await client.untilReceived('data: 1\n\n');
      client.destroy();
      await app.until(() => app.goneCount === 1, 'the leaving');
    });

    it(`says nothing of a leaving after a whole ${kind} stream`, async () => {
      app.script = (exchange) => {
        app.watch(exchange);
        app.open(exchange, 'data: 1\n\n', isLong).end('data: 2\n\n');
      };
      const client = await connect();
      client.send(get('/'));
      await client.untilReceived('data: 2\n\n');
      await client.until(isWhole, 'the end');
      client.destroy();
      await quiet(app);
      expect(app.goneCount).toBe(0);
    });

    it(`V49 counts what a stalled reader of a ${kind} stream leaves, and can cut it`, async () => {
      app.script = (exchange) => app.open(exchange, 'data: 1\n\n', isLong);
      const client = await connect();
      client.send(get('/'));
      await client.untilReceived('data: 1\n\n');
      client.socket.pause();
      const [sink] = app.sinks;
      const event = `data: ${'é'.repeat(100_000)}\n\n`;
      let written = 0;
      while ((sink?.queuedBytes() ?? 0) < 1_000_000 && written < 200_000_000) {
        sink?.write(event);
        written += Buffer.byteLength(event);
        await tick();
      }
      expect(sink?.queuedBytes()).toBeGreaterThanOrEqual(1_000_000);
      expect(sink?.queuedBytes()).toBeLessThan(written);
      sink?.destroy();
      expect(sink?.queuedBytes()).toBe(0);
      client.socket.resume();
      await client.until(() => client.isClosed || client.isEnded, 'the cut');
      const { bytesReceived } = client;
      expect(bytesReceived).toBeLessThan(written);
    });
  }

  it('tells once that the client of a pending reply is gone', async () => {
    app.script = (exchange) => app.watch(exchange);
    const client = await connect();
    client.send(post('/', '{}'));
    await app.until(() => app.exchanges.length === 1, 'the request');
    client.destroy();
    await app.until(() => app.goneCount > 0, 'the leaving');
    respondOk(app.exchanges[0] as never);
    await quiet(app);
    expect(app.goneCount).toBe(1);
  });

  it('tells of a leaving even to who asks after it', async () => {
    app.script = (exchange) => app.watch(exchange);
    const client = await connect();
    client.send(post('/', '{}'));
    await app.until(() => app.exchanges.length === 1, 'the request');
    client.destroy();
    await app.until(() => app.goneCount === 1, 'the leaving');
    let isTold = false;
    app.exchanges[0]?.onClientGone(() => {
      isTold = true;
      app.check();
    });
    await app.until(() => isTold, 'the second telling');
  });

  it('says nothing of a leaving after a whole reply', async () => {
    app.script = (exchange) => {
      app.watch(exchange);
      respondOk(exchange);
    };
    const client = await connect();
    client.send(post('/', '{}'));
    await client.untilReceived('{"ok":true}');
    client.destroy();
    await quiet(app);
    expect(app.goneCount).toBe(0);
  });

  /** The host has served a whole further request: whatever was on its way has come. */
  async function quiet(of: ScriptedApp): Promise<void> {
    of.script = respondOk;
    for (let i = 0; i < 3; i += 1) await exchanged(get('/quiet'));
  }
});

function isWhole(client: RawClient): boolean {
  const { received } = client;
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const head = received.slice(0, end).toLowerCase();
  if (head.startsWith('http/1.1 204')) return true;
  if (head.includes('transfer-encoding: chunked')) return received.endsWith('0\r\n\r\n');
  const length = /content-length: (\d+)/.exec(head)?.[1];
  if (length === undefined) return client.isEnded;
  return received.length >= end + 4 + Number(length);
}

async function tick(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}
