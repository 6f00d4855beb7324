/**
 * The fixture servers with two tools more: `touch` says that a resource and the list of tools
 * changed, and `slow` reports progress until its time is over or its call is cancelled. The prompt
 * `fails_slowly` ends as an error.
 */
import type { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { McpServer as McpServerV2 } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { Signal } from '../wire/signal.ts';
import { everythingV1 } from '../fixtures/servers/everything-v1.mjs';
import { everythingV2 } from '../fixtures/servers/everything-v2.mjs';

export const WATCHED = 'test://watched-resource';

/** What became of the slow calls of this process, by the name each was given. */
export class SlowCalls {
  readonly #fates = new Map<string, 'running' | 'finished' | 'cancelled'>();
  readonly #signal = new Signal();

  set(name: string, fate: 'running' | 'finished' | 'cancelled'): void {
    this.#fates.set(name, fate);
    this.#signal.fire();
  }

  async until(name: string, fate: string): Promise<void> {
    const state = (): string => `It is ${this.#fates.get(name)}.`;
    await this.#signal.until(() => this.#fates.get(name) === fate, `${name} to be ${fate}`, state);
  }
}

export const slowCalls: SlowCalls = new SlowCalls();

const SLOW = {
  description: 'Takes its time and says so.',
  inputSchema: z.object({ name: z.string(), ms: z.number() }),
};
const TOUCH = {
  description: 'Changes a resource and the list of tools.',
  inputSchema: z.object({}),
};

export function busyV1(): McpServerV1 {
  const server = everythingV1();
  const slow = { ...SLOW, inputSchema: SLOW.inputSchema.shape };
  server.registerTool('slow', slow, async ({ name, ms }, extra) => {
    const progressToken = extra._meta?.progressToken;
    const said = await goSlowly(name, ms, extra.signal, async (progress) => {
      if (progressToken === undefined) return;
      const params = { progressToken, progress };
      await extra.sendNotification({ method: 'notifications/progress', params });
    });
    return { content: [{ type: 'text', text: said }] };
  });
  server.registerTool('touch', { description: TOUCH.description }, async () => {
    await server.server.sendResourceUpdated({ uri: WATCHED });
    server.sendToolListChanged();
    return { content: [{ type: 'text', text: 'touched' }] };
  });
  server.registerPrompt('fails_slowly', {}, failSlowly);
  return server;
}

export function busyV2(): McpServerV2 {
  const server = everythingV2();
  server.registerTool('slow', SLOW, async ({ name, ms }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    const said = await goSlowly(name, ms, mcpReq.signal, async (progress) => {
      if (progressToken === undefined) return;
      const params = { progressToken, progress };
      await mcpReq.notify({ method: 'notifications/progress', params });
    });
    return { content: [{ type: 'text', text: said }] };
  });
  server.registerTool('touch', TOUCH, async () => {
    await server.server.sendResourceUpdated({ uri: WATCHED });
    server.sendToolListChanged();
    return { content: [{ type: 'text', text: 'touched' }] };
  });
  server.registerPrompt('fails_slowly', {}, failSlowly);
  return server;
}

const STEP_MS = 50;

async function failSlowly(): Promise<never> {
  await pause(4 * STEP_MS);
  throw new Error('It failed, slowly.');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function goSlowly(
  name: string,
  ms: number,
  signal: AbortSignal,
  report: (progress: number) => Promise<void>,
): Promise<string> {
  slowCalls.set(name, 'running');
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    await pause(STEP_MS);
    if (signal.aborted) {
      slowCalls.set(name, 'cancelled');
      return 'cancelled';
    }
    await report(passed + STEP_MS);
  }
  slowCalls.set(name, 'finished');
  return `slow ${name}`;
}
