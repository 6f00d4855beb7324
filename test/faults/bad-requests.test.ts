/** A thousand of each kind of bad request, while others go on calling. */
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt, root } from '../../scripts/bootstrap.mjs';
import {
  BAD_BODIES,
  BAD_HEADS,
  type BadKind,
  type BadRequest,
  goodBody,
  post,
  SMALL_LIMITS,
  type Target,
} from './bad-requests.ts';
import { BYSTANDER, Bystanders } from './bystanders.ts';
import { Client2024, Client2025, type Json, jsonHeaders, modernRequest } from './clients.ts';
import { describeLinux, FaultHost } from './fault-host.ts';
import { Wire, type WireAnswer } from './wire.ts';

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

const COUNT = 1000;
const LANES = 4;

/** One way for each era to send a message, all with a good credential. */
async function targetsOf({ port }: FaultHost): Promise<readonly Target[]> {
  const client2024 = await Client2024.open(port, BYSTANDER);
  const client2025 = await Client2025.open(port, BYSTANDER, false);
  onTestFinished(() => client2024.close());
  onTestFinished(() => client2025.close());
  const { headers, params } = modernRequest(BYSTANDER, 'tools/call', { name: 'echo' });
  const meta = params['_meta'] as Json;
  return [
    { path: client2024.endpoint, headers: jsonHeaders(BYSTANDER) },
    { path: '/mcp', headers: client2025.headers },
    { path: '/mcp', headers, meta },
  ];
}

/** What is wrong with the reply to a bad request; nothing when it is as it should be. */
function complaint(bad: BadRequest, { status, head, body }: WireAnswer): string | undefined {
  const shown = `${bad.bytes.toString('latin1').slice(0, 400)}\n-> ${head}\n${body}`;
  if (status !== bad.status) return `${bad.status} is due: ${shown}`;
  if (!/\r\ncontent-type: application\/json\r\n/.test(head)) return `not JSON: ${shown}`;
  const isTold = body.includes(root) || /<|\n\s*at |node:|\.js|__proto__":/.test(body);
  if (isTold) return `tells too much: ${shown}`;
  const { jsonrpc, error } = JSON.parse(body) as {
    jsonrpc: string;
    error: { code: number; message: string };
  };
  const isWhole = jsonrpc === '2.0' && Number.isInteger(error.code) && error.message.length > 10;
  if (!isWhole) return `no JSON-RPC error: ${shown}`;
  return bad.code === undefined || bad.code === error.code ? undefined : `wrong code: ${shown}`;
}

async function sendAll(port: number, kind: BadKind, targets: readonly Target[]): Promise<string[]> {
  const complaints: string[] = [];
  const lane = async (first: number): Promise<void> => {
    const wire = new Wire(port);
    for (let number = first; number < COUNT; number += LANES) {
      const target = targets[Math.floor(number / LANES) % targets.length] as Target;
      const bad = kind.make(number, target);
      const found = complaint(bad, await wire.ask(bad.bytes));
      if (found !== undefined) complaints.push(found);
    }
    wire.close();
  };
  await Promise.all(Array.from({ length: LANES }, async (_, first) => lane(first)));
  return complaints;
}

const SETTINGS = {
  identity: 'token',
  tokens: `user-${BYSTANDER}`,
  limits: SMALL_LIMITS,
} as const;

describeLinux.each([
  ['V42 V46 V48', 'bodies', BAD_BODIES],
  ['V01 V05 V07 V09 V46', 'heads', BAD_HEADS],
] as const)('%s a thousand bad %s of each kind', (_threats, _what, kinds) => {
  it('are refused as they should be, each, in JSON, and nobody else notices', async () => {
    const host = await FaultHost.start(SETTINGS);
    const targets = await targetsOf(host);
    const wire = new Wire(host.port);
    for (const target of targets) {
      const { status } = await wire.ask(post(target, goodBody(1, target)));
      expect(status).toBeLessThan(300);
    }
    wire.close();
    const bystanders = await Bystanders.begin(host);
    await bystanders.note();
    for (const kind of kinds) {
      const complaints = await sendAll(host.port, kind, targets);
      expect(complaints.slice(0, 3), `${kind.name}, ${complaints.length} in all`).toEqual([]);
      bystanders.check();
    }
    await bystanders.sawNothing();
  }, 90_000);
});

describeLinux('V46 requests that are never finished', () => {
  it('cost nobody else anything, wherever they break off', async () => {
    const host = await FaultHost.start(SETTINGS);
    const targets = await targetsOf(host);
    const bystanders = await Bystanders.begin(host);
    await bystanders.note();
    const wire = new Wire(host.port);
    for (let number = 0; number < COUNT; number += 1) {
      const target = targets[number % targets.length] as Target;
      const whole = post(target, goodBody(number, target));
      // A whole request is abandoned too, before its reply.
      const part = whole.subarray(0, 1 + ((number * 7) % whole.length));
      await wire.abandon(part, number % 2 === 0);
    }
    await bystanders.sawNothing();
  });
});
