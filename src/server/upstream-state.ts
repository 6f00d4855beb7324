/** How an endpoint's server is doing, and how `/readyz` says it. */
import type { EndpointContext } from './context.ts';

export type UpstreamState =
  /** It has not answered yet. */
  | 'starting'
  | 'up'
  /** It cannot be started or reached, or does not answer. */
  | 'down'
  /** It ends again and again, and is given pauses. */
  | 'looping';

export function upstreamState(context: EndpointContext): UpstreamState {
  if (context.pool.isLooping(context.clock.now())) return 'looping';
  const served = context.served();
  if (served === undefined) return 'starting';
  return 'error' in served ? 'down' : 'up';
}

const REASONS: Readonly<Record<UpstreamState, string | undefined>> = {
  starting: 'the upstream has not answered yet',
  up: undefined,
  down: 'the upstream cannot be started, or does not answer',
  looping: 'the upstream ends again and again',
};

/** Why calls are refused although their server is up. */
export const RECORD_FAULT = 'the record cannot be written';

/** Undefined when work is taken. */
export function whyNotReady(context: EndpointContext): string | undefined {
  if (context.isDraining) return 'shutting down';
  if (context.audit?.fault() !== undefined) return RECORD_FAULT;
  return REASONS[upstreamState(context)];
}
