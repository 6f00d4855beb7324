/** Reads a server's tools page by page, in a conversation that clients call in as well. */
import type { Refusal } from '../core/errors.ts';
import type { UpstreamEra } from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import { toolPageOf } from '../core/protocol/tool-page.ts';
import type { Instance } from './instance.ts';
import { OUR_ENVELOPE } from './our-envelope.ts';
import { askedBy, type UpstreamCall } from './upstream-call.ts';

/** Between readings of what changed: a server may say that it did whenever it is asked for it. */
export const REREAD_MS = 1000;

/** Whether it has a conversation in which they can be read, or will have one soon. */
export function isUp({ state }: Pick<Instance, 'state'>): boolean {
  return state === 'ready' || state === 'starting';
}

export interface ToolPagesReader {
  /** The tools of one more page. */
  read(tools: readonly unknown[]): void;
  /**
   * Called once, unless it is given up.
   * @param isWhole - whether no page was refused: else nobody knows the rest.
   */
  ended(isWhole: boolean): void;
}

/** What asks for a page. @returns the call; undefined where it is refused, which `done` is told. */
type AskPage = (
  params: string,
  done: (answer: Message | Refusal) => void,
) => UpstreamCall | undefined;

export function toolListParams(era: UpstreamEra, cursor: string | undefined): string {
  return JSON.stringify({ _meta: era === 'modern' ? OUR_ENVELOPE : undefined, cursor });
}

/** As part of the handshake, or in a conversation that is ready. */
export function readToolPages(instance: Instance, reader: ToolPagesReader): void {
  readPages(instance, reader, (params, done) => instance.ask('tools/list', params, done));
}

/**
 * Like a call it waits until the handshake is over. The reader is told nothing before this returns.
 * @returns what gives it up.
 */
export function readToolPagesLater(instance: Instance, reader: ToolPagesReader): () => void {
  return readPages(instance, reader, (params, done) => {
    const request = Message.request('0', 'tools/list', params);
    const outcome = instance.request(askedBy(done), request);
    if (!('error' in outcome)) return outcome;
    queueMicrotask(() => done(outcome));
    return undefined;
  });
}

function readPages(instance: Instance, reader: ToolPagesReader, ask: AskPage): () => void {
  let call: UpstreamCall | undefined;
  const readPage = (cursor: string | undefined, number: number): void => {
    call = ask(toolListParams(instance.era, cursor), (answer) => {
      if ('error' in answer || answer.isError) {
        reader.ended(false);
        return;
      }
      const { tools, nextCursor } = toolPageOf(answer.value, number);
      reader.read(tools);
      if (nextCursor === undefined) reader.ended(true);
      else readPage(nextCursor, number + 1);
    });
    // What the server says meanwhile is still of the one call beside it.
    if (call !== undefined) instance.pending.setAside(call);
  };
  readPage(undefined, 1);
  return () => {
    if (call !== undefined) instance.cancel(call, 'it took too long');
  };
}
