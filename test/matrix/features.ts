/** What a conversation is made of: each is tried by a real client, over real sockets. */
import { expect } from 'vitest';
import { largeText, type Fates } from '../fixtures/matrix/shared.mjs';
import { WATCHED } from '../clients/busy-servers.ts';
import { progressOf, type Person } from '../clients/person.ts';
import { eventually } from '../wire/signal.ts';
import type { Behind } from './upstreams.ts';

/** One client, and what else there is to try it with. */
export interface Cell {
  readonly person: Person;
  /** One that can answer no question. */
  readonly silent: Person;
  readonly behind: Behind;
  /** What became of calls. */
  readonly fates: Fates;
  /** Unlike that of any other cell. */
  readonly name: string;
}

export interface Feature {
  /** For readers of the page. */
  readonly about: string;
  /** Whether it is promised only while no other client of the same server has a call in flight. */
  readonly isAlone?: boolean;
  readonly run: (cell: Cell) => Promise<void>;
}

const LINES = 60_000;
/** Resources, templates and prompts of the servers. */
const COUNTS = [3, 1, 5];

export const FEATURES = {
  list: {
    about: 'Tools, resources, resource templates and prompts are listed.',
    run: async ({ person }) => {
      expect(await person.tools()).toContain('test_simple_text');
      expect(await person.counts()).toEqual(COUNTS);
    },
  },
  call: {
    about: 'A tool is called, a resource read, a prompt got.',
    run: async ({ person }) => {
      expect(await person.call('test_simple_text')).toBe(
        'This is a simple text response for testing.',
      );
      expect(await person.read('test://template/ünïcode/data')).toContain('Data for ID: ');
      expect(await person.prompt('test_simple_prompt')).toContain('simple prompt');
    },
  },
  progress: {
    about: 'Progress reaches the call it belongs to, all of it before the answer.',
    run: async ({ person }) => {
      expect(await progressOf(person, 'test_tool_with_progress')).toEqual([0, 50, 100]);
    },
  },
  log: {
    about: 'Log messages of a call, for a client that asked for them.',
    // Over one pipe a log message does not say whose it is.
    isAlone: true,
    run: async ({ person }) => {
      await person.hearLogs();
      await person.call('test_tool_with_logging', {}, { logLevel: 'debug' });
      await person.told.until(({ logs }) => logs.includes('Tool completed'), 'the logs');
    },
  },
  cancel: {
    about: 'A call is cancelled, and the server knows; the conversation goes on.',
    run: async ({ person, fates, name }) => {
      const canceller = new AbortController();
      const fate = `cancelled: ${name}`;
      const begun = new Promise<void>((resolve, reject) => {
        const { signal } = canceller;
        const call = person.call('wait', { name: fate }, { signal, onProgress: () => resolve() });
        void call.then(
          () => reject(new Error('It was answered.')),
          (error: unknown) => (signal.aborted ? undefined : reject(error as Error)),
        );
      });
      await begun;
      canceller.abort();
      await eventually(() => fates.get(fate) === 'cancelled', `${fate} to be known`);
      expect(await person.call('test_simple_text')).toContain('simple');
    },
  },
  elicit: {
    about: 'The server asks the user in the middle of a call.',
    run: async ({ person }) => {
      expect(await person.call('test_input_required_result_elicitation')).toBe('Hello, Ann!');
    },
  },
  sample: {
    about: "The server asks the client's model in the middle of a call.",
    run: async ({ person }) => {
      expect(await person.call('test_input_required_result_sampling')).toContain('Polly');
    },
  },
  roots: {
    about: "The server asks for the client's roots in the middle of a call.",
    run: async ({ person }) => {
      expect(await person.call('test_input_required_result_list_roots')).toContain(
        'file:///home/ann',
      );
    },
  },
  'ask in vain': {
    about: 'The server asks a client that said it cannot answer: that call fails, in words.',
    run: async ({ silent }) => {
      await silent.call('test_input_required_result_elicitation');
    },
  },
  subscribe: {
    about: 'Updates of a resource that is watched.',
    run: async ({ person, behind }) => {
      await person.watch(WATCHED);
      person.told.changes.length = 0;
      if (behind.announce === undefined) await person.call('touch');
      else behind.announce.resource(WATCHED);
      const change = `notifications/resources/updated ${WATCHED}`;
      await person.told.until(({ changes }) => changes.includes(change), change);
    },
  },
  'list changed': {
    about: 'The server says that its list of tools changed.',
    run: async ({ person, behind }) => {
      await person.watch(WATCHED);
      person.told.changes.length = 0;
      if (behind.announce === undefined) await person.call('test_trigger_tool_change');
      else behind.announce.tools();
      const change = 'notifications/tools/list_changed';
      await person.told.until(({ changes }) => changes.includes(change), change);
    },
  },
  completion: {
    about: 'Arguments are completed.',
    run: async ({ person }) => {
      const prompt = 'test_prompt_with_arguments';
      expect(await person.complete(prompt, 'arg1', 'par')).toEqual(['paris', 'party']);
    },
  },
  error: {
    about: "A tool's failure and a refused request arrive as what they are.",
    run: async ({ person }) => {
      expect(await outcomeOf(() => person.call('test_error_handling'))).toBe(
        'failed: This tool intentionally returns an error for testing',
      );
      expect(await outcomeOf(() => person.read('test://nowhere'))).toMatch(/^-32(602|002) /);
    },
  },
  'large result': {
    about: 'A result of more than a megabyte, unchanged.',
    run: async ({ person }) => {
      const text = await person.call('large', { lines: LINES });
      expect(text.length).toBeGreaterThan(1024 * 1024);
      expect(text === largeText(LINES)).toBe(true);
    },
  },
} as const satisfies Readonly<Record<string, Feature>>;

export const WORKS = 'works';

interface RpcError {
  readonly code: number;
  readonly message: string;
}

/** How something ended, in the words of this table. */
export async function outcomeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return WORKS;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const body = /^Error POSTing to endpoint: (.*)$/s.exec(error.message)?.[1];
    const refused = body === undefined ? error : (JSON.parse(body) as { error: RpcError }).error;
    const said = refused.message.replace(/^MCP error -?\d+: /, '');
    const { code } = refused as Partial<RpcError>;
    return typeof code === 'number' ? `${code} ${said}` : said;
  }
}
