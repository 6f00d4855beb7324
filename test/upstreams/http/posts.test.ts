/** A remote server that never says that it has what is no call, in time that moves when told to. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { ModernConversation } from '../../../src/client/modern-conversation.ts';
import { Posts } from '../../../src/client/posts.ts';
import { SessionConversation } from '../../../src/client/session-conversation.ts';
import { SseConversation } from '../../../src/client/sse-conversation.ts';
import { Message } from '../../../src/core/protocol/message.ts';
import { Recorder, Sight } from '../recorder.ts';
import { HandOutbound, type Sent } from './hand-outbound.ts';

const MANY = 1000;
/** Connections that what is no call may hold, all together. */
const POSTS_MAX = 256;
const WAITING_MAX = 10_000;
const TAKE_MS_MAX = 30_000;

/** Requests whose connection is held: the hand replied to none of those it is asked about. */
function heldOf(hand: HandOutbound, method: string): number {
  return hand.of(method).filter(({ isGone }) => !isGone).length;
}

function question(id: number): string {
  return `data: ${JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' })}\n\n`;
}

/** Answers whatever the server asked. */
function answerAll(connection: SessionConversation | SseConversation, recorder: Recorder): void {
  for (const { kind, id } of recorder.messages()) {
    if (kind === 'request') connection.send(Message.result(id ?? 'null', '{}'));
  }
}

async function asksAndTakesNoAnswer(
  hand: HandOutbound,
  connection: SessionConversation | SseConversation,
  recorder: Recorder,
): Promise<void> {
  const [stream] = hand.of('GET');
  for (let id = 0; id < MANY; id += 1) stream?.text(question(id));
  answerAll(connection, recorder);
  await hand.pass(0);
  expect(heldOf(hand, 'POST')).toBe(POSTS_MAX);
  // Whoever takes long still gets all of them.
  await hand.pass(4 * TAKE_MS_MAX);
  expect(hand.of('POST')).toHaveLength(MANY);
  expect(heldOf(hand, 'POST')).toBe(0);
}

describe('a server of 2025', () => {
  async function session(ignores: (sent: Sent) => boolean): Promise<{
    readonly hand: HandOutbound;
    readonly connection: SessionConversation;
    readonly recorder: Recorder;
  }> {
    const hand = new HandOutbound((sent) => {
      if (ignores(sent)) return;
      if (sent.method === 'GET') sent.stream(':\n\n');
      else if (sent.method === 'DELETE') sent.status(200);
      else if (sent.body.id === undefined || sent.body.method === undefined) sent.status(202);
      else sent.result({ protocolVersion: '2025-11-25', capabilities: {} });
    });
    const recorder = new Recorder();
    const connection = new SessionConversation(hand.context, recorder);
    onTestFinished(() => connection.close());
    connection.send(Message.request('0', 'initialize', '{}'));
    await hand.pass(0);
    connection.send(Message.notification('notifications/initialized'));
    await hand.pass(0);
    return { hand, connection, recorder };
  }

  it('that asks without end and takes no answer holds no more connections than calls may', async () => {
    const { hand, connection, recorder } = await session(({ body }) => {
      return body.id !== undefined && body.method === undefined;
    });
    await asksAndTakesNoAnswer(hand, connection, recorder);
    expect(hand.clock.pending).toBe(0);
  });

  it('that does not confirm the handshake holds up calls for a moment alone', async () => {
    const { hand, connection, recorder } = await session(
      ({ method }) => method === 'notifications/initialized',
    );
    connection.send(Message.request('1', 'tools/call', '{"name":"tool"}'));
    await hand.pass(TAKE_MS_MAX);
    expect(recorder.messages().map(({ id }) => id)).toEqual(['0', '1']);
  });

  it('that answers neither calls nor their cancellations keeps neither open', async () => {
    const { hand, connection } = await session(
      ({ method }) => method === 'tools/call' || method === 'notifications/cancelled',
    );
    for (let id = 1; id <= MANY; id += 1) {
      connection.send(Message.request(String(id), 'tools/call', '{"name":"tool"}'));
      connection.send(Message.notification('notifications/cancelled', `{"requestId":${id}}`));
    }
    await hand.pass(0);
    expect(heldOf(hand, 'tools/call')).toBe(POSTS_MAX);
    await hand.pass(TAKE_MS_MAX);
    expect(heldOf(hand, 'tools/call')).toBe(0);
  });

  it('loses what is more than may wait, and that is counted', () => {
    const hand = new HandOutbound(() => {});
    const telemetry = new Sight();
    const posts = new Posts({ ...hand.context, telemetry });
    onTestFinished(() => posts.clear());
    const note = { method: 'POST', url: '/', headers: [], isRepeatable: false } as const;
    let lost = 0;
    for (let i = 0; i < POSTS_MAX + WAITING_MAX + 2; i += 1) posts.send(note, () => (lost += 1));
    expect([lost, telemetry.counts.get('upstream_posts_lost_total')]).toEqual([2, 2]);
  });

  it('gets nothing of what waits once its session is closed', async () => {
    const { hand, connection } = await session(({ method }) => method === 'notifications/other');
    for (let i = 0; i < MANY; i += 1) {
      connection.send(Message.notification('notifications/other'));
    }
    connection.close();
    await hand.pass(TAKE_MS_MAX);
    expect(hand.of('notifications/other')).toHaveLength(POSTS_MAX);
    expect(heldOf(hand, 'notifications/other')).toBe(0);
    expect(hand.clock.pending).toBe(0);
  });
});

describe('a server of 2024', () => {
  async function session(replies: (sent: Sent) => void): Promise<{
    readonly hand: HandOutbound;
    readonly connection: SseConversation;
    readonly recorder: Recorder;
  }> {
    const hand = new HandOutbound((sent) => {
      if (sent.method === 'GET') sent.stream('event: endpoint\ndata: /messages\n\n');
      else replies(sent);
    });
    const recorder = new Recorder();
    const connection = new SseConversation(hand.context, recorder);
    onTestFinished(() => connection.close());
    await hand.pass(0);
    return { hand, connection, recorder };
  }

  it('that asks without end and takes no answer holds no more connections than calls may', async () => {
    const { hand, connection, recorder } = await session(() => {});
    await asksAndTakesNoAnswer(hand, connection, recorder);
  });

  it.each(['answered on the stream', 'cancelled'])(
    'that never ends the reply to a call holds no connection once it is %s',
    async (how) => {
      const { hand, connection, recorder } = await session((sent) => sent.head(202));
      const [stream] = hand.of('GET');
      connection.send(Message.request('1', 'tools/call', '{"name":"tool"}'));
      await hand.pass(0);
      if (how === 'cancelled') {
        connection.send(Message.notification('notifications/cancelled', '{"requestId":1}'));
      } else stream?.text('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
      await hand.pass(1000);
      expect(recorder.messages()).toHaveLength(how === 'cancelled' ? 0 : 1);
      expect(heldOf(hand, 'tools/call')).toBe(0);
      expect(stream?.isGone).toBe(false);
    },
  );
});

describe('calls at a server of 2024 that were cancelled', () => {
  /** So many, sent after one that is in flight still. */
  async function cancelled(count: number): Promise<{
    readonly hand: HandOutbound;
    readonly recorder: Recorder;
  }> {
    const hand: HandOutbound = new HandOutbound((sent) => {
      const url = `/messages/${hand.of('GET').length}`;
      if (sent.method === 'GET') sent.stream(`event: endpoint\ndata: ${url}\n\n`);
      else sent.status(202);
    });
    const recorder = new Recorder();
    const connection = new SseConversation(hand.context, recorder);
    onTestFinished(() => connection.close());
    await hand.pass(0);
    connection.send(Message.request('0', 'tools/call', '{"name":"tool"}'));
    for (let id = 1; id <= count; id += 1) {
      connection.send(Message.request(String(id), 'tools/call', '{"name":"tool"}'));
      connection.send(Message.notification('notifications/cancelled', `{"requestId":${id}}`));
    }
    await hand.pass(0);
    return { hand, recorder };
  }

  it('are not answered when it begins anew', async () => {
    const { hand, recorder } = await cancelled(3);
    hand.of('GET')[0]?.cut();
    await hand.pass(TAKE_MS_MAX);
    expect(recorder.messages().map(({ id }) => id)).toEqual(['0']);
  });

  it('may be answered late, as many as are kept in mind', async () => {
    const { hand, recorder } = await cancelled(300);
    for (const id of [1, 300]) {
      hand.of('GET')[0]?.text(`data: {"jsonrpc":"2.0","id":${id},"result":{}}\n\n`);
    }
    expect(recorder.messages().map(({ id }) => id)).toEqual(['300']);
  });

  it('may be whose answer is too large: then it is no other’s', async () => {
    const { hand, recorder } = await cancelled(1);
    hand.of('GET')[0]?.text(`data: ${'x'.repeat(200_000)}\n\n`);
    expect(recorder.seen).toEqual([]);
  });
});

it('a server of 2026 that takes no notification holds no more connections than calls may', async () => {
  const hand = new HandOutbound(() => {});
  const connection = new ModernConversation(hand.context, new Recorder());
  onTestFinished(() => connection.close());
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
  const params = JSON.stringify({ _meta: meta });
  for (let i = 0; i < MANY; i += 1) {
    connection.send(Message.notification('notifications/other', params));
  }
  await hand.pass(0);
  expect(heldOf(hand, 'notifications/other')).toBe(POSTS_MAX);
  await hand.pass(4 * TAKE_MS_MAX);
  expect(heldOf(hand, 'notifications/other')).toBe(0);
  for (let i = 0; i < MANY; i += 1) {
    connection.send(Message.notification('notifications/last', params));
  }
  connection.close();
  expect(heldOf(hand, 'notifications/last')).toBe(0);
  await hand.pass(4 * TAKE_MS_MAX);
  expect(hand.of('notifications/last')).toHaveLength(POSTS_MAX);
  expect(hand.clock.pending).toBe(0);
});
