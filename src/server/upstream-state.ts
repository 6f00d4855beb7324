/** How an endpoint's server is doing, and how `/readyz` says it. */
import type { EndpointContext } from './context.ts';

export type UpstreamState =
  /** It has not answered yet. */
  | 'starting'
  | 'up'
  /** It cannot be started or reached. */
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
  down: 'the upstream cannot be started',
  looping: 'the upstream ends again and again',
};

/** Undefined when work is taken. */
export function whyNotReady(context: EndpointContext): string | undefined {
  return context.isDraining ? 'shutting down' : REASONS[upstreamState(context)];
}
