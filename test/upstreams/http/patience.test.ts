/** How often a remote server is asked again, in time that moves only when told to. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ClientContext } from '../../../src/client/client-context.ts';
import { ModernConversation } from '../../../src/client/modern-conversation.ts';
import { SessionConversation } from '../../../src/client/session-conversation.ts';
import { SseConversation } from '../../../src/client/sse-conversation.ts';
import { Message } from '../../../src/core/protocol/message.ts';
import { Recorder, Sight } from '../recorder.ts';
import { HandOutbound, type Sent } from './hand-outbound.ts';

const MINUTE = 60_000;
const CAPABILITIES = { tools: { listChanged: true } };

/** What most servers of 2025 do, but for what the test says otherwise. */
function handOf2025(special: (sent: Sent) => boolean): HandOutbound {
  let opened = 0;
  return new HandOutbound((sent) => {
    if (special(sent)) return;
    if (sent.method === 'initialize') {
      opened += 1;
      const result = { protocolVersion: '2025-11-25', capabilities: CAPABILITIES };
      sent.result(result, { 'mcp-session-id': `session-${opened}` });
    } else if (sent.method === 'GET') sent.status(405);
    else if (sent.method === 'DELETE') sent.status(200);
    else if (sent.body.id === undefined) sent.status(202);
    else sent.result({ of: sent.method });
  });
}

interface Session {
  readonly connection: SessionConversation | SseConversation;
  readonly recorder: Recorder;
  readonly call: (id: number) => void;
  readonly answerTo: (id: number) => unknown;
}

async function session(
  hand: HandOutbound,
  handshakeMs = 0,
  Conversation: typeof SessionConversation | typeof SseConversation = SessionConversation,
  special: Partial<ClientContext> = {},
): Promise<Session> {
  const recorder = new Recorder();
  const connection = new Conversation({ ...hand.context, ...special }, recorder);
  onTestFinished(() => connection.close());
  connection.send(Message.request('0', 'initialize', '{}'));
  await hand.pass(handshakeMs);
  connection.send(Message.notification('notifications/initialized'));
  await hand.pass(0);
  return {
    connection,
    recorder,
    call: (id) => connection.send(Message.request(String(id), 'tools/call', '{"name":"tool"}')),
    answerTo: (id) => recorder.messages().find((each) => each.id === String(id))?.value,
  };
}

it('an initialize whose stream broke keeps the session of its first reply', async () => {
  const hand = handOf2025((sent) => {
    if (sent.method === 'initialize') {
      sent.head(200, { 'content-type': 'text/event-stream', 'mcp-session-id': 'first' });
      sent.text('id: 1\ndata:\n\n').cut();
    } else if (sent.header('last-event-id') === '1') {
      const result = { protocolVersion: '2025-11-25', capabilities: {} };
      const answer = JSON.stringify({ jsonrpc: '2.0', id: 0, result });
      sent.stream(`data: ${answer}\n\n`).end();
    } else return false;
    return true;
  });
  const { connection, recorder } = await session(hand, 1000);
  expect(recorder.messages()).toHaveLength(1);
  expect(connection).toHaveProperty('sessionId', 'first');
  const [resumed] = hand.of('GET');
  expect(resumed?.header('mcp-session-id')).toBe('first');
  expect(hand.of('notifications/initialized')[0]?.header('mcp-session-id')).toBe('first');
});

describe('a reply to notifications/initialized that has no end', () => {
  it.each(['application/octet-stream', 'text/event-stream', 'application/json'])(
    'holds up nothing, and is cut: %s',
    async (type) => {
      let known = 1;
      const hand = handOf2025((sent) => {
        const isLost = sent.header('mcp-session-id') === `session-${known - 1}`;
        const status = type === 'application/octet-stream' ? 202 : 200;
        if (sent.method === 'tools/call' && isLost) sent.status(404);
        else if (sent.method !== 'notifications/initialized') return false;
        else sent.head(status, { 'content-type': type });
        return true;
      });
      const { call, answerTo } = await session(hand);
      for (known = 1; known <= 2; known += 1) {
        call(known);
        await hand.pass(0);
        expect(answerTo(known)).toEqual({ of: 'tools/call' });
      }
      await hand.pass(1000);
      const endless = hand.of('notifications/initialized');
      expect(endless.map(({ isGone }) => isGone)).toEqual([true, true]);
    },
  );

  it('holds up nothing that follows the handshake when the stream of 2024 began anew', async () => {
    let streams = 0;
    const hand: HandOutbound = new HandOutbound((sent) => {
      const { id, method } = sent.body;
      if (sent.method === 'GET') {
        streams += 1;
        sent.stream(`event: endpoint\ndata: /messages?id=${streams}\n\n`);
        return;
      }
      sent.head(202);
      if (method !== 'notifications/initialized') sent.end();
      const result = method === 'initialize' ? { capabilities: {} } : { of: method };
      const answer = `data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`;
      if (id !== undefined) hand.of('GET').at(-1)?.text(answer);
    });
    const { call, answerTo } = await session(hand, 0, SseConversation);
    hand.of('GET')[0]?.cut();
    await hand.pass(1000);
    call(1);
    await hand.pass(0);
    expect(answerTo(1)).toEqual({ of: 'tools/call' });
    await hand.pass(1000);
    expect(hand.of('notifications/initialized')[1]?.isGone).toBe(true);
  });
});

describe('the rest of a call', () => {
  const END = 10 * MINUTE;

  /** A server whose call takes long, over a path that does `end` to each stream of its rest. */
  function slow(end: (rest: Sent, hand: HandOutbound) => void): HandOutbound {
    const hand: HandOutbound = handOf2025((sent) => {
      const isRest = sent.header('last-event-id') !== undefined;
      if (sent.method === 'tools/call') sent.stream('id: 1\nretry: 10\ndata:\n\n').cut();
      else if (!isRest) return false;
      else if (hand.clock.now() < END) end(sent, hand);
      else sent.stream('data: {"jsonrpc":"2.0","id":1,"result":{"late":true}}\n\n').end();
      return true;
    });
    return hand;
  }

  it.each([
    [
      'whose streams are cut after a while',
      (rest: Sent, { clock }: HandOutbound) => {
        rest.stream(':\n\n');
        clock.after(1500, () => rest.cut());
      },
    ],
    ['that is polled', (rest: Sent) => rest.stream('retry: 2000\n\n').end()],
  ])('%s is waited for as long as it takes', async (_, end) => {
    const hand = slow(end);
    const { call, answerTo } = await session(hand);
    call(1);
    await hand.pass(END + MINUTE);
    expect(answerTo(1)).toEqual({ late: true });
    expect(hand.of('tools/call')).toHaveLength(1);
  });

  it.each([
    ['whose streams are cut at once', (rest: Sent) => rest.stream('retry: 2000\n\n').cut()],
    ['whose streams end at once', (rest: Sent) => rest.stream(':\n\n').end()],
  ])('%s is given up', async (_, end) => {
    const hand = slow(end);
    const { call, answerTo } = await session(hand);
    call(1);
    await hand.pass(MINUTE);
    expect(answerTo(1)).toMatchObject({ message: 'upstream connection lost' });
    expect(hand.of('GET')).toHaveLength(1 + 5);
  });
});

describe('a stream of a session', () => {
  /** The second request for it, after the first one brought an event of this id and broke. */
  async function resumed(id: string): Promise<[Sent | undefined, Recorder]> {
    const hand = handOf2025((sent) => {
      if (sent.method === 'GET') sent.stream(':\n\n');
      return sent.method === 'GET';
    });
    const { recorder } = await session(hand);
    hand.of('GET')[0]?.text(`id: ${id}\ndata:\n\n`).cut();
    await hand.pass(1000);
    return [hand.of('GET')[1], recorder];
  }

  it.each(['\u0001', 'x'.repeat(5000)])(
    'that cannot be resumed, since no header carries its id, goes on with a gap',
    async (id) => {
      const [second, recorder] = await resumed(id);
      expect(second?.header('last-event-id')).toBeUndefined();
      expect(recorder.messages().at(-1)?.method).toBe('notifications/tools/list_changed');
    },
  );

  it('is resumed by an id in UTF-8', async () => {
    const [second, recorder] = await resumed('ž🐎');
    expect(Buffer.from(second?.header('last-event-id') ?? '', 'latin1').toString()).toBe('ž🐎');
    expect(recorder.messages()).toHaveLength(1);
  });
});

describe('a stream that its server had and refuses', () => {
  /** One that was open, brought this and broke, while the server refuses it. */
  async function refused(
    status: number,
    text = ':\n\n',
  ): Promise<{
    readonly hand: HandOutbound;
    readonly session: Session;
    readonly sight: Sight;
    readonly serve: () => void;
  }> {
    let isServing = true;
    const hand = handOf2025((sent) => {
      if (sent.method !== 'GET') return false;
      if (isServing) sent.stream(':\n\n');
      else sent.status(status);
      return true;
    });
    const sight = new Sight();
    const opened = await session(hand, 0, SessionConversation, { telemetry: sight });
    isServing = false;
    hand.of('GET')[0]?.text(text).cut();
    const serve = (): void => {
      isServing = true;
    };
    return { hand, session: opened, sight, serve };
  }

  it.each([202, 302, 401, 403])(
    'with %d is asked for again with growing pauses, and said to have a gap',
    async (status) => {
      const { hand, session, serve } = await refused(status);
      await hand.pass(3000);
      expect(hand.of('GET').length).toBeGreaterThan(2);
      expect(session.recorder.messages()).toHaveLength(1);
      serve();
      await hand.pass(10_000);
      expect(session.recorder.messages().slice(1)).toMatchObject([
        { method: 'notifications/tools/list_changed' },
      ]);
      const { length } = hand.of('GET');
      await hand.pass(10 * MINUTE);
      expect(hand.of('GET')).toHaveLength(length);
    },
  );

  it('goes on where it was, if it can', async () => {
    const { hand, session, serve } = await refused(401, 'id: 1\ndata:\n\n');
    await hand.pass(1000);
    serve();
    await hand.pass(10_000);
    expect(hand.of('GET').at(-1)?.header('last-event-id')).toBe('1');
    expect(session.recorder.messages()).toHaveLength(1);
  });

  it('is asked for no more but with calls that it takes, and seldom', async () => {
    const { hand, session, sight, serve } = await refused(401);
    await hand.pass(60 * MINUTE);
    expect(hand.of('GET')).toHaveLength(1 + 6);
    expect(sight.logs.map(({ fields }) => fields['detail'])).toEqual([
      expect.stringContaining('its stream is not to be had: it asks Tidegate for a credential'),
    ]);
    for (let id = 1; id <= 100; id += 1) {
      session.call(id);
      await hand.pass(1000);
    }
    const { length } = hand.of('GET');
    expect(length).toBeGreaterThan(7 + 2);
    expect(length).toBeLessThan(7 + 20);
    await hand.pass(60 * MINUTE);
    serve();
    session.call(101);
    await hand.pass(MINUTE);
    expect(session.recorder.messages().at(-1)?.method).toBe('notifications/tools/list_changed');
  });

  it('for good is not asked for again', async () => {
    const { hand, session } = await refused(405);
    await hand.pass(MINUTE);
    session.call(1);
    await hand.pass(60 * MINUTE);
    expect(hand.of('GET')).toHaveLength(2);
  });

  it('is asked for no more once the session is closed', async () => {
    const { hand, session } = await refused(401);
    session.call(1);
    await hand.pass(60 * MINUTE);
    session.connection.close();
    await hand.pass(MINUTE);
    expect(hand.clock.pending).toBe(0);
  });
});

describe('a stream whose break its server has not noticed yet', () => {
  it('is asked for again, though the server says that it has one', async () => {
    const hand = handOf2025((sent) => {
      if (sent.method !== 'GET') return false;
      const { length } = hand.of('GET');
      if (length > 1 && length < 4) sent.status(409);
      else sent.stream(':\n\n');
      return true;
    });
    const { recorder } = await session(hand);
    hand.of('GET')[0]?.cut();
    await hand.pass(MINUTE);
    expect(hand.of('GET')).toHaveLength(4);
    // What was said meanwhile is lost, and said to be.
    expect(recorder.messages().at(-1)?.method).toBe('notifications/tools/list_changed');
    hand.of('GET')[3]?.text('data: {"jsonrpc":"2.0","method":"notifications/late"}\n\n');
    expect(recorder.messages().at(-1)?.method).toBe('notifications/late');
  });

  it('does not cost its call', async () => {
    const hand = handOf2025((sent) => {
      if (sent.method === 'tools/call') sent.stream('id: 1\ndata:\n\n').cut();
      else if (sent.header('last-event-id') === undefined) return false;
      else if (hand.of('GET').length < 4) sent.status(409);
      else sent.stream('data: {"jsonrpc":"2.0","id":1,"result":{"late":true}}\n\n').end();
      return true;
    });
    const { call, answerTo } = await session(hand);
    call(1);
    await hand.pass(MINUTE);
    expect(answerTo(1)).toEqual({ late: true });
    expect(hand.of('tools/call')).toHaveLength(1);
  });
});

describe('a listen', () => {
  const FILTER = { notifications: { toolsListChanged: true } };

  /** The server acknowledges each, and ends it after so long. */
  async function listen(standsMs: number): Promise<{ hand: HandOutbound; recorder: Recorder }> {
    const hand: HandOutbound = new HandOutbound((sent) => {
      const method = 'notifications/subscriptions/acknowledged';
      const acknowledged = JSON.stringify({ jsonrpc: '2.0', method, params: FILTER });
      sent.stream(`data: ${acknowledged}\n\n`);
      hand.clock.after(standsMs, () => sent.end());
    });
    const recorder = new Recorder();
    const connection = new ModernConversation(hand.context, recorder);
    onTestFinished(() => connection.close());
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
    const params = JSON.stringify({ ...FILTER, _meta: meta });
    connection.send(Message.request('1', 'subscriptions/listen', params));
    await hand.pass(30 * MINUTE);
    return { hand, recorder };
  }

  it('that is ended at once each time is opened with growing pauses, and given up', async () => {
    const { hand, recorder } = await listen(0);
    expect(hand.sent).toHaveLength(1 + 8);
    expect(recorder.messages().at(-1)).toMatchObject({ id: '1', isError: true });
  });

  it('that stands for a while each time is opened ever again', async () => {
    const { hand, recorder } = await listen(MINUTE);
    expect(hand.sent.length).toBeGreaterThan(20);
    expect(recorder.messages().filter(({ kind }) => kind === 'response')).toEqual([]);
  });
});

describe('a session that is forgotten', () => {
  /** One whose server knows it no more, and takes its time to open the next. */
  async function forgotten(): Promise<{
    readonly hand: HandOutbound;
    readonly session: Session;
    readonly forget: () => void;
  }> {
    let isForgotten = false;
    const hand = handOf2025((sent) => {
      if (sent.method === 'initialize') return isForgotten;
      const isOld = sent.header('mcp-session-id') === 'session-1';
      if (isForgotten && isOld) sent.status(404);
      else if (sent.body.params?.['name'] === 'long') sent.stream('id: 1\ndata:\n\n').cut();
      else return false;
      return true;
    });
    const opened = await session(hand);
    const forget = (): void => {
      isForgotten = true;
    };
    return { hand, session: opened, forget };
  }

  /** The server answers the handshake of the next. */
  async function reopen(hand: HandOutbound): Promise<void> {
    const result = { protocolVersion: '2025-11-25', capabilities: CAPABILITIES };
    hand.of('initialize').at(-1)?.result(result, { 'mcp-session-id': 'session-2' });
    await hand.pass(MINUTE);
  }

  it('is sent no call that was cancelled before the next one was there', async () => {
    const { hand, session, forget } = await forgotten();
    const cancel = (requestId: number): void => {
      const params = JSON.stringify({ requestId });
      session.connection.send(Message.notification('notifications/cancelled', params));
    };
    forget();
    session.call(1);
    await hand.pass(0);
    session.call(2);
    session.call(3);
    cancel(1);
    cancel(2);
    cancel(7);
    await reopen(hand);
    const onNext = hand.sent.filter((sent) => sent.header('mcp-session-id') === 'session-2');
    const said = onNext.flatMap(({ body }) => (body.method === undefined ? [] : [body]));
    expect(said).toMatchObject([
      { method: 'notifications/initialized' },
      { method: 'tools/call', id: 3 },
      { method: 'notifications/cancelled', params: { requestId: 7 } },
    ]);
    expect(session.answerTo(3)).toEqual({ of: 'tools/call' });
    expect([session.answerTo(1), session.answerTo(2)]).toEqual([undefined, undefined]);
  });

  it('V29 is no session in which the rest of its calls is asked for', async () => {
    const { hand, session, forget } = await forgotten();
    session.connection.send(Message.request('1', 'tools/call', '{"name":"long"}'));
    await hand.pass(0);
    forget();
    session.call(2);
    await hand.pass(0);
    await reopen(hand);
    expect(hand.sent.filter((sent) => sent.header('last-event-id') !== undefined)).toEqual([]);
    expect(session.answerTo(1)).toMatchObject({ message: 'upstream connection lost' });
    expect(session.answerTo(2)).toEqual({ of: 'tools/call' });
  });

  it('by a server without a stream of its own is not: its 404 says no more than a 405', async () => {
    const hand = handOf2025((sent) => {
      if (sent.method === 'GET') sent.status(404);
      return sent.method === 'GET';
    });
    const { recorder } = await session(hand);
    await hand.pass(MINUTE);
    expect([hand.of('GET').length, hand.of('initialize').length]).toEqual([1, 1]);
    expect(recorder.messages()).toHaveLength(1);
  });

  it('at once each time is opened anew with growing pauses, and at last given up', async () => {
    const openedAt: number[] = [];
    const hand = handOf2025((sent) => {
      if (sent.method === 'initialize') openedAt.push(hand.clock.now());
      if (sent.method !== 'GET') return false;
      if (hand.of('GET').length === 1) sent.stream(':\n\n').end();
      else sent.status(404);
      return true;
    });
    const { recorder } = await session(hand);
    await hand.pass(MINUTE);
    const pauses = openedAt.slice(1).map((at, index) => at - (openedAt[index] ?? 0));
    // The first is the pause of the stream that ended.
    expect(pauses).toEqual([250, 250, 500, 1000, 2000]);
    expect(recorder.closes()).toMatchObject([{ cause: 'exited' }]);
    expect(hand.clock.pending).toBe(0);
  });

  it.each(['is used', 'stands for a while'])('and %s between is opened ever again', async (how) => {
    let known = 0;
    const hand = handOf2025((sent) => {
      if (sent.method !== 'GET') return false;
      if (sent.header('mcp-session-id') === `session-${known}`) sent.status(404);
      else sent.stream(':\n\n');
      return true;
    });
    const { call, recorder } = await session(hand);
    for (known = 1; known <= 20; known += 1) {
      if (how === 'is used') call(known);
      await hand.pass(how === 'is used' ? 100 : MINUTE);
      hand.of('GET').at(-1)?.end();
      await hand.pass(1000);
    }
    expect(hand.of('initialize')).toHaveLength(21);
    expect(recorder.closes()).toEqual([]);
  });
});
