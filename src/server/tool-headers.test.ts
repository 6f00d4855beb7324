/** When tools are read for their headers, and what counts when that fails. */
import { expect, it } from 'vitest';
import type { RequestHead } from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { Instance } from './instance.ts';
import { ToolHeaders } from './tool-headers.ts';

const CALL = Message.request('7', 'tools/call', '{"name":"now","arguments":{"region":"eu"}}');
const HEAD = { header: () => undefined, headerCount: () => 0 } as unknown as RequestHead;

/** A server that answers when the test does. */
class Server {
  readonly clock = new VirtualClock(1000);
  readonly headers = new ToolHeaders();
  readonly asked: ((answer: Message) => void)[] = [];
  readonly aside: unknown[] = [];
  readonly era = 'legacy';
  readonly ports = { clock: this.clock, limits: { toolFactsMsMax: 60_000 } };
  readonly pending = { setAside: (call: unknown) => void this.aside.push(call) };
  state = 'ready';
  isFull = false;

  get instance(): Instance {
    return this as unknown as Instance;
  }

  ask(method: string, _params: string, done: (answer: unknown) => void): object | undefined {
    expect(method).toBe('tools/list');
    if (this.isFull) {
      done({ error: 'UPSTREAM_BUSY' });
      return undefined;
    }
    this.asked.push(done);
    return {};
  }

  /** Whether this tool wants its argument in a header, too. */
  answer(isMirrored: boolean, nextCursor?: string): void {
    const region = { type: 'string', ...(isMirrored ? { 'x-mcp-header': 'Region' } : {}) };
    const tool = { name: 'now', inputSchema: { type: 'object', properties: { region } } };
    this.asked.at(-1)?.(Message.result('0', JSON.stringify({ tools: [tool], nextCursor })));
  }

  fail(): void {
    this.asked.at(-1)?.(Message.error('0', '{"code":-32603,"message":"m"}'));
  }

  /** Whether a call without the header is refused. */
  get isMirrored(): boolean {
    return this.headers.check(CALL, HEAD) !== undefined;
  }

  read(): { isOver: boolean } {
    const outcome = { isOver: false };
    this.headers.read(this.instance, () => (outcome.isOver = true));
    return outcome;
  }
}

it('what was found before a page that fails counts where nothing was known', () => {
  const server = new Server();
  const outcome = server.read();
  server.answer(true, 'n');
  expect([server.asked.length, server.aside.length, outcome.isOver]).toEqual([2, 2, false]);
  server.fail();
  expect([server.isMirrored, outcome.isOver]).toEqual([true, true]);
});

it('what was known counts on where it cannot be read again', () => {
  const server = new Server();
  server.read();
  server.answer(true);
  const outcome = server.read();
  server.answer(false, 'n');
  server.fail();
  expect([server.isMirrored, outcome.isOver]).toEqual([true, true]);
  server.isFull = true;
  expect([server.read().isOver, server.isMirrored]).toEqual([true, true]);
});

it('what is old is read again beside the next call, once', () => {
  const server = new Server();
  server.headers.refresh(server.instance);
  expect(server.asked).toEqual([]);
  server.read();
  server.answer(true);
  server.clock.advance(59_999);
  server.headers.refresh(server.instance);
  expect(server.asked).toHaveLength(1);
  server.clock.advance(1);
  for (let i = 0; i < 2; i += 1) server.headers.refresh(server.instance);
  expect([server.asked.length, server.isMirrored]).toEqual([2, true]);
  server.answer(false);
  expect(server.isMirrored).toBe(false);
});

it('what changed is read again at once, and a second after that at the earliest', () => {
  const server = new Server();
  for (let i = 0; i < 3; i += 1) server.headers.changed(server.instance);
  expect(server.asked).toHaveLength(1);
  for (let i = 2; i <= 4; i += 1) {
    // Once more, as of a server that says so whenever it is asked.
    server.headers.changed(server.instance);
    server.answer(true);
    server.clock.advance(999);
    expect(server.asked).toHaveLength(i - 1);
    server.clock.advance(1);
    expect(server.asked).toHaveLength(i);
  }
  server.answer(false);
  expect(server.isMirrored).toBe(false);
  server.clock.advance(1000);
  expect([server.asked.length, server.clock.pending]).toEqual([4, 0]);
});

it('what changed is not read once the server is down', () => {
  const server = new Server();
  for (let i = 0; i < 2; i += 1) server.headers.changed(server.instance);
  server.answer(true);
  server.state = 'waiting';
  server.clock.advance(1000);
  expect([server.asked.length, server.clock.pending]).toEqual([1, 0]);
  server.state = 'ready';
  server.headers.changed(server.instance);
  expect(server.asked).toHaveLength(2);
});
