/** A real child that stops reading: what it was to be told reaches it when it reads again. */
import { expect, it, onTestFinished } from 'vitest';
import { createEndpoint, stdio } from 'tidegate';
import { serve } from 'tidegate/node';
import { Session2025, note, rpc } from '../wire/conversation.ts';
import { HandUpstream } from '../wire/hand-upstream.ts';
import type { Json } from '../wire/wire-reply.ts';
import { eventually } from '../wire/signal.ts';
import { WireServer } from '../wire/wire-server.ts';

/** Answers the tool `pid` with its own and `seen` with how many cancellations came; not `later`. */
const PROGRAM = `
let cancelled = 0;
const put = (message) => console.log(JSON.stringify({ jsonrpc: '2.0', ...message }));
const say = (id, result) => put({ id, result });
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === 'notifications/cancelled') cancelled += 1;
  if (method === 'initialize') {
    const serverInfo = { name: 'deaf', version: '1' };
    say(id, { protocolVersion: params.protocolVersion, capabilities: {}, serverInfo });
  }
  if (method === 'server/discover') put({ id, error: { code: -32601, message: 'No.' } });
  if (method !== 'tools/call' || params.name === 'later') return;
  say(id, { content: [], value: params.name === 'pid' ? process.pid : cancelled });
});`;

function tool(id: unknown, name: string): Json {
  return rpc(id, 'tools/call', { name, arguments: {} });
}

const posix = process.platform === 'win32' ? it.skip : it;

posix('a cancellation while its queue is full reaches a child that reads again', async () => {
  const upstream = stdio(process.execPath, ['-e', PROGRAM], {
    limits: { upstreamQueueBytesMax: 300_000 },
  });
  const endpoint = createEndpoint({ upstream });
  const served = await serve(endpoint, { port: 0, drainMs: 0 });
  const server = new WireServer(served.port, new HandUpstream(), endpoint, () => served.close());
  onTestFinished(() => server.close());
  const session = await Session2025.open(server);
  const value = async (id: unknown, name: string): Promise<number> => {
    const { result } = await session.post(tool(id, name), { accept: 'application/json' }).json();
    return (result as { readonly value: number } | undefined)?.value ?? 0;
  };
  const pid = await value(1, 'pid');
  session.post(tool(2, 'later'));
  expect(await value(3, 'seen')).toBe(0);
  process.kill(pid, 'SIGSTOP');
  onTestFinished(() => void process.kill(pid, 'SIGCONT'));
  let count = 10;
  // In ever smaller pieces: in the end there is no room for a cancellation.
  for (const chars of [100_000, 10_000, 1000, 0]) {
    for (let isFull = false; !isFull; count += 1) {
      const before = endpoint.status.pending;
      const reply = session.post(
        rpc(count, 'x', chars === 0 ? undefined : { text: 'x'.repeat(chars) }),
      );
      const isTaken = (): boolean => endpoint.status.pending > before;
      await eventually(() => reply.isEnded || isTaken(), 'what became of a call');
      isFull = !isTaken();
    }
  }
  await session.post(note('notifications/cancelled', { requestId: 2 })).whole();
  process.kill(pid, 'SIGCONT');
  const seen = async (): Promise<number> => value(crypto.randomUUID(), 'seen');
  // It may be busy still, and what is owed goes with the next message.
  let cancelled = 0;
  while (cancelled === 0) cancelled = await seen();
  expect([cancelled, await seen()]).toEqual([1, 1]);
});
