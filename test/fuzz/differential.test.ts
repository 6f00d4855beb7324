/**
 * What we take for a message, both official SDKs take for the same message; what we refuse, they
 * refuse, or the difference is one that is written down here with its reason.
 *
 * 20,000 texts, or as many as `TIDEGATE_DIFFERENTIAL` says; `TIDEGATE_SEED` repeats a run.
 */
import { JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import { parseJSONRPCMessage } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { clientBounds, readMessage } from '../../src/core/protocol/read-message.ts';
import type { Message } from '../../src/core/protocol/message.ts';
import { SeededRandom } from '../../src/testing/seeded-random.ts';
import { messageText } from './messages.ts';

const COUNT = Number(process.env['TIDEGATE_DIFFERENTIAL'] ?? 20_000);
const SEED = Number(process.env['TIDEGATE_SEED'] ?? 1);
const BOUNDS = clientBounds(DEFAULT_LIMITS);

interface Difference {
  readonly why: string;
  readonly holds: (text: string, said: string) => boolean;
}

/** What we refuse although an SDK takes it; `said` is what our refusal says. */
const REFUSED: readonly Difference[] = [
  {
    why: 'Two parsers may choose differently between members of one name.',
    holds: (_text, said) => said.endsWith('A member occurs more than once.'),
  },
  {
    why: 'Two parsers may choose differently between members that differ in case.',
    holds: (_text, said) => said.includes('A member of params differs from a known one'),
  },
  {
    why: 'An id is echoed as it was spelt, and 1.0 is not how anybody spells 1.',
    holds: (text, said) =>
      said.endsWith('An id is a string or an integer.') &&
      /"id"\s*:\s*-?\d*(?:\.|\de|-0)/.test(text),
  },
  {
    why: 'A member named __proto__ changes objects it is copied to.',
    holds: (_text, said) => said.endsWith('A member must not be named __proto__.'),
  },
];

const KNOWN = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);

/** What we take although an SDK refuses it. */
const TAKEN: readonly Difference[] = [
  {
    why: 'Members that JSON-RPC does not know are left out of what is sent on.',
    holds: (text) => Object.keys(membersOf(text)).some((name) => !KNOWN.has(name)),
  },
  {
    why: 'An id is a token: integers beyond 2^53 are echoed without a loss.',
    holds: (text) => {
      const { id } = membersOf(text);
      return typeof id === 'number' && Number.isInteger(id) && !Number.isSafeInteger(id);
    },
  },
  {
    why: 'What an error holds is for whom it answers to judge.',
    holds: (text) => {
      const { error } = membersOf(text) as { error?: { code?: unknown; message?: unknown } };
      return (
        typeof error === 'object' &&
        !(Number.isSafeInteger(error.code) && typeof error.message === 'string')
      );
    },
  },
  {
    why: 'JSON-RPC asks for a null id in an error whose request could not be read.',
    holds: (text) => {
      const { id, error } = membersOf(text);
      return id === null && error !== undefined;
    },
  },
  {
    why: 'A _meta of another form tells us nothing; it goes on as it came.',
    holds: (text) => {
      const { params, result } = membersOf(text) as Readonly<Record<string, { _meta?: unknown }>>;
      const meta = (params ?? result)?._meta;
      return meta !== undefined && (Array.isArray(meta) || typeof meta !== 'object');
    },
  },
];

function membersOf(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}

interface Read {
  readonly id: unknown;
  readonly method: unknown;
  readonly payload: unknown;
}

function ours(text: string): { readonly read?: Read; readonly said: string } {
  const outcome = readMessage(text, BOUNDS);
  if (outcome.kind === 'batch') return { said: 'batch' };
  if (outcome.kind === 'refused') {
    const { error, detail = '' } = outcome.refusal;
    return { said: `${error} ${detail}` };
  }
  return { read: readOf(outcome.message), said: outcome.message.kind };
}

function readOf({ id, method, payload, isError }: Message): Read {
  const text = payload === undefined ? undefined : (JSON.parse(payload) as unknown);
  // The SDKs take no more than this out of an error; we send on all of it.
  const parsed = isError ? knownOf(text as Readonly<Record<string, unknown>>) : text;
  // An error that answers no request has no id, or null: they are the same to us.
  const isNobodys = id === undefined || id === 'null';
  return { id: isNobodys ? undefined : JSON.parse(id), method, payload: parsed };
}

function knownOf({ code, message, data }: Readonly<Record<string, unknown>>): unknown {
  return { code, message, data };
}

/** What an SDK makes of a text; undefined when it refuses it. */
function theirs(text: string, parse: (value: unknown) => unknown): Read | undefined {
  try {
    const value = parse(JSON.parse(text)) as Readonly<Record<string, unknown>>;
    const payload = value['params'] ?? value['result'] ?? value['error'];
    return { id: value['id'] ?? undefined, method: value['method'], payload };
  } catch {
    return undefined;
  }
}

const SDKS = {
  'SDK 1.x': (value: unknown) => JSONRPCMessageSchema.parse(value),
  'SDK 2.x': (value: unknown) => parseJSONRPCMessage(value),
} as const;

describe.each(Object.entries(SDKS))('beside the %s', (name, parse) => {
  it(
    `V42 V43 reads ${COUNT} texts alike, or differs on purpose (seed ${SEED})`,
    { timeout: 60_000 + COUNT },
    () => {
      const random = new SeededRandom(SEED);
      const unexplained = new Map<string, string>();
      const used = new Set<string>();
      const counts = { both: 0, neither: 0, differ: 0 };
      for (let i = 0; i < COUNT; i += 1) {
        const text = messageText(random);
        const our = ours(text);
        const their = theirs(text, parse);
        if (our.read !== undefined && their !== undefined) {
          counts.both += 1;
          expect(our.read, text).toEqual(their);
          continue;
        }
        if (our.read === undefined && their === undefined) {
          counts.neither += 1;
          continue;
        }
        counts.differ += 1;
        const table = our.read === undefined ? REFUSED : TAKEN;
        const reason = table.find(({ holds }) => holds(text, our.said));
        if (reason === undefined) unexplained.set(our.said, text);
        else used.add(reason.why);
      }
      expect([...unexplained].slice(0, 10)).toEqual([]);
      expect(Math.min(counts.both, counts.neither)).toBeGreaterThan(COUNT / 20);
      const idle = [...REFUSED, ...TAKEN].filter(({ why }) => !used.has(why));
      expect(
        idle.map(({ why }) => why),
        name,
      ).toEqual([]);
    },
  );
});
