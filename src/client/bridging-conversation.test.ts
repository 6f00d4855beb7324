import { describe, expect, it } from 'vitest';
import { Message } from '../core/protocol/message.ts';
import { BridgingConversation } from './bridging-conversation.ts';
import { SendMeter } from './client-context.ts';
import type { Conversation, ConversationEvents } from './conversation.ts';

/** A conversation that notes what it is told and says what it is bid. */
class Scripted implements Conversation {
  readonly sessionId = 'of-the-server';
  readonly heard: string[] = [];
  readonly events: ConversationEvents;
  isClosed = false;

  constructor(events: ConversationEvents) {
    this.events = events;
  }

  send(message: Message): 'sent' {
    this.heard.push(message.method ?? 'a response');
    return 'sent';
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    queueMicrotask(() => this.events.onClosed('closed by us'));
  }
}

const INITIALIZE = Message.request('1', 'initialize', '{}');
const LIST = Message.request('2', 'tools/list');
const AGREED = Message.result('1', '{"protocolVersion":"2025-11-25"}');
const REFUSED = Message.error('1', '{"code":-32022,"message":"Not of this era."}');
const UNREACHED = Message.error('1', '{"code":-32000,"message":"Not reached."}');

function conversation(): {
  readonly all: BridgingConversation;
  readonly direct: Scripted;
  readonly bridges: Scripted[];
  readonly told: string[];
} {
  const made: Scripted[] = [];
  const bridges: Scripted[] = [];
  const told: string[] = [];
  const all = new BridgingConversation(
    (events) => {
      made.push(new Scripted(events));
      return made.at(-1) as Scripted;
    },
    (events) => {
      bridges.push(new Scripted(events));
      return bridges.at(-1) as Scripted;
    },
    new SendMeter(1000),
    {
      onMessage: (message) => told.push(message.payload ?? ''),
      onClosed: (detail) => told.push(`closed: ${detail}`),
    },
  );
  return { all, direct: made[0] as Scripted, bridges, told };
}

describe('a conversation that may need a bridge', () => {
  it('needs none where the server agrees, and says what waited', () => {
    const { all, direct, bridges, told } = conversation();
    all.send(INITIALIZE);
    all.send(LIST);
    expect(direct.heard).toEqual(['initialize']);
    direct.events.onMessage(AGREED);
    expect(direct.heard).toEqual(['initialize', 'tools/list']);
    expect(told).toEqual([AGREED.payload]);
    expect(bridges).toEqual([]);
    expect(all.sessionId).toBe('of-the-server');
  });

  it('is no matter of eras where the server names another revision of the same', () => {
    const { all, direct, bridges, told } = conversation();
    const refused = Message.error(
      '1',
      '{"code":-32022,"message":"No.","data":{"supported":["2026-07-28"],"requested":"2027-01-01"}}',
    );
    all.send(Message.request('1', 'server/discover', '{}'));
    direct.events.onMessage(refused);
    expect(told).toEqual([refused.payload]);
    expect(bridges).toEqual([]);
    all.send(Message.request('2', 'server/discover', '{}'));
    expect(direct.heard).toEqual(['server/discover', 'server/discover']);
    expect(bridges).toEqual([]);
  });

  it('crosses where the server names revisions of the other era alone', () => {
    const { all, direct, bridges } = conversation();
    all.send(INITIALIZE);
    direct.events.onMessage(
      Message.error(
        '1',
        '{"code":-32022,"message":"No.","data":{"supported":["2026-07-28"],"requested":"x"}}',
      ),
    );
    expect(bridges).toHaveLength(1);
  });

  it('goes over the bridge where the server refuses and the bridge agrees', async () => {
    const { all, direct, bridges, told } = conversation();
    all.send(INITIALIZE);
    all.send(LIST);
    direct.events.onMessage(REFUSED);
    expect(told).toEqual([]);
    expect(bridges[0]?.heard).toEqual(['initialize']);
    bridges[0]?.events.onMessage(AGREED);
    expect(bridges[0]?.heard).toEqual(['initialize', 'tools/list']);
    expect(direct.isClosed).toBe(true);
    expect(all.sessionId).toBeUndefined();
    await Promise.resolve();
    expect(told).toEqual([AGREED.payload]);
    bridges[0]?.events.onClosed('the end');
    expect(told.at(-1)).toBe('closed: the end');
  });

  it('keeps to what the server said where the bridge comes no further', async () => {
    const { all, direct, bridges, told } = conversation();
    all.send(INITIALIZE);
    direct.events.onMessage(REFUSED);
    bridges[0]?.events.onMessage(UNREACHED);
    expect(told).toEqual([REFUSED.payload]);
    expect(bridges[0]?.isClosed).toBe(true);
    await Promise.resolve();
    expect(all.send(LIST)).toBe('sent');
    expect(direct.heard).toEqual(['initialize', 'tools/list']);
  });

  it('ends with the server where the bridge comes no further', async () => {
    const { all, direct, bridges, told } = conversation();
    all.send(INITIALIZE);
    direct.events.onMessage(REFUSED);
    direct.events.onClosed('it is gone');
    bridges[0]?.events.onMessage(UNREACHED);
    expect(all.send(LIST)).toBe('closed');
    await Promise.resolve();
    expect(told).toEqual([REFUSED.payload, 'closed: the server refused the handshake']);
  });

  it.each([0, 1])('says once that all is closed, with %i bridges', async (bridgeCount) => {
    const { all, direct, bridges, told } = conversation();
    all.send(INITIALIZE);
    if (bridgeCount > 0) direct.events.onMessage(REFUSED);
    all.close();
    all.close();
    expect(bridges.length).toBe(bridgeCount);
    expect(told).toEqual([]);
    await Promise.resolve();
    await Promise.resolve();
    expect(told).toEqual(['closed: closed by us']);
    expect(all.send(LIST)).toBe('closed');
  });
});
