/** What `/readyz` of a gateway says: counts, and no name. Strangers ask, too. */
import type { AuditTrail } from '../core/access.ts';
import { RECORD_FAULT } from '../server/upstream-state.ts';
import type { GatewayServerStatus } from './gateway-server.ts';

interface Readiness {
  readonly isDraining: boolean;
  readonly servers: readonly GatewayServerStatus[];
}

/** Undefined when every server that is required takes work, and so does a record that is. */
export function whyNotReady(
  { isDraining, servers }: Readiness,
  audit: AuditTrail | undefined,
): string | undefined {
  if (isDraining) return 'shutting down';
  if (audit?.fault() !== undefined) return RECORD_FAULT;
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
  down: 'cannot be started, or do not answer',
  looping: 'end again and again',
  starting: 'have not answered yet',
} as const;
