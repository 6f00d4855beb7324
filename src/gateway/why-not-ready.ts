/** What `/readyz` of a gateway says: counts, and no name. Strangers ask, too. */
import type { GatewayServerStatus } from './gateway-server.ts';

/** Undefined when every server that is required takes work. */
export function whyNotReady(servers: readonly GatewayServerStatus[]): string | undefined {
  const required = servers.filter(({ isRequired }) => isRequired);
  const states = required.map(({ upstream }) => upstream);
  const faults = (['down', 'looping', 'starting'] as const)
    .map((state) => ({ state, count: states.filter((each) => each === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${WORDS[state]}`);
  if (faults.length === 0) return undefined;
  return `of ${required.length} required servers ${faults.join(', ')}`;
}

const WORDS = {
  down: 'cannot be started',
  looping: 'end again and again',
  starting: 'have not answered yet',
} as const;
