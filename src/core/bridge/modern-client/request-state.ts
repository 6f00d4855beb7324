/**
 * What goes through the client's hands between two rounds of one call, and what it is bound to. The
 * binding is not inside: it is compared when the seal is opened, so a state can be of use to one
 * principal, for one method with one set of parameters, until one moment.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#server-requirements-basic-workflow
 */
import type { Principal } from '../../ports.ts';
import type { Message } from '../../protocol/message.ts';

export interface RequestState {
  /** The parked call, or undefined when the call upstream is over and is to be made again. */
  readonly call: string | undefined;
  readonly round: number;
  /** On the endpoint's clock. */
  readonly expiresAt: number;
}

export function writeState({ call, round, expiresAt }: RequestState): string {
  return JSON.stringify([call ?? null, round, expiresAt]);
}

/** Undefined when it is not one, or no longer one. */
export function readState(text: string | undefined, now: number): RequestState | undefined {
  if (text === undefined) return undefined;
  const [call, round, expiresAt] = JSON.parse(text) as [string | null, number, number];
  return now < expiresAt ? { call: call ?? undefined, round, expiresAt } : undefined;
}

/** Everything a state is bound to, as one text without ambiguity. */
export function bindingOf(principal: Principal, message: Message): string {
  const params = (message.value ?? {}) as Record<string, unknown>;
  const { _meta, inputResponses: _answers, requestState: _state, ...salient } = params;
  const { key } = principal;
  return `${key.length}:${key}${message.method ?? ''}\n${canonical(salient)}`;
}

/** The same text for the same value, in whatever order its members came. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    const members = each as Record<string, unknown>;
    const names = Object.keys(members).toSorted();
    return Object.fromEntries(names.map((name) => [name, members[name]]));
  });
}
