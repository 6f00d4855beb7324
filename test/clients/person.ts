/** Whoever sits at a client: what they were told and asked, and how they answer. */
import { Signal } from '../wire/signal.ts';

export interface CallOptions {
  readonly onProgress?: (progress: number) => void;
  readonly signal?: AbortSignal;
  /** For clients that ask for logs with each request. */
  readonly logLevel?: string;
}

/**
 * Who can be asked for a word and a completion, for the roots too, or for nothing. Servers that see
 * roots may ask for them at any time, in the middle of whichever call.
 */
export type PersonKind = 'usual' | 'full' | 'silent';

/** What each kind declares, apart from the form of elicitation. */
export function answering<Elicitation extends object>(
  kind: PersonKind,
  elicitation: Elicitation,
): { elicitation?: Elicitation; sampling?: object; roots?: object } {
  if (kind === 'silent') return {};
  const usual = { elicitation, sampling: {} };
  return kind === 'full' ? { ...usual, roots: {} } : usual;
}

/** One client of somebody else's making, as the tests use it. */
export interface Person {
  readonly told: Told;
  readonly serverName: string | undefined;
  readonly version: string | undefined;
  /** Where it posts to over SSE. */
  readonly endpoint: string | undefined;
  tools(): Promise<readonly string[]>;
  /** The first text of the tool's answer; throws what the tool says when it fails. */
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<string>;
  read(uri: string): Promise<string>;
  prompt(name: string, args?: Record<string, string>): Promise<string>;
  /** How many resources, templates and prompts there are. */
  counts(): Promise<readonly [resources: number, templates: number, prompts: number]>;
  /** What an argument of a prompt may go on with. */
  complete(prompt: string, argument: string, begun: string): Promise<readonly string[]>;
  /** Asks for every log, where that is said once and not with each request. */
  hearLogs(): Promise<void>;
  /** Hears of changes of one resource and of the lists. */
  watch(uri: string): Promise<void>;
  close(): Promise<void>;
}

/** What a client was told besides answers. */
export class Told {
  readonly logs: unknown[] = [];
  /** Methods of notifications of changes, with the resource if there is one. */
  readonly changes: string[] = [];
  readonly errors: Error[] = [];
  /**
   * Progress that came in the same read as the answer of its call: the SDK takes up notifications a
   * turn later than answers, and then knows the call no more.
   */
  readonly late: number[] = [];
  readonly #signal = new Signal();

  log(data: unknown): void {
    this.logs.push(data);
    this.#signal.fire();
  }

  change(method: string, uri?: string): void {
    this.changes.push(uri === undefined ? method : `${method} ${uri}`);
    this.#signal.fire();
  }

  error(error: Error): void {
    const late = /progress notification for an unknown token: (.*)$/.exec(error.message)?.[1];
    if (late === undefined) this.errors.push(error);
    else this.late.push((JSON.parse(late) as { params: { progress: number } }).params.progress);
    this.#signal.fire();
  }

  async until(condition: (told: this) => boolean, what: string): Promise<void> {
    const state = (): string => JSON.stringify([this.logs, this.changes, this.errors.map(String)]);
    await this.#signal.until(() => condition(this), what, state);
  }
}

/** How everybody answers a question of the server. */
export const ELICITED = { action: 'accept' as const, content: { response: 'yes', name: 'Ann' } };

export const ROOTS = { roots: [{ uri: 'file:///home/ann', name: 'home' }] };

export const SAMPLED = {
  role: 'assistant' as const,
  model: 'parrot',
  content: { type: 'text' as const, text: 'Polly' },
};

/** Every step a tool reports, whether or not the SDK was in time for it; one call at a time. */
export async function progressOf(person: Person, tool: string): Promise<readonly number[]> {
  const before = person.told.late.length;
  const seen: number[] = [];
  await person.call(tool, {}, { onProgress: (progress) => void seen.push(progress) });
  await new Promise((resolve) => setImmediate(resolve));
  return [...seen, ...person.told.late.slice(before)];
}
