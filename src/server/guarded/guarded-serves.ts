/** What whoever embeds us says of who sees a server: where that fails nobody does. */
import type { Refusal } from '../../core/errors.ts';
import { heedPromise } from '../../core/heed-promise.ts';
import type { Principal } from '../../core/ports.ts';
import { PortFailures, type PortSight } from './port-failures.ts';

export type Serves = (principal: Principal) => boolean;

/** @returns why there is no such server for somebody; undefined: there is. */
export function guardedServes(
  serves: Serves,
  sight: PortSight,
): (principal: Principal) => Refusal | undefined {
  const failures = new PortFailures('serves', sight);
  return (principal) => {
    try {
      const isServed: unknown = serves(principal);
      if (isServed === true) return undefined;
      if (isServed === false) return { error: 'ROUTE_NOT_FOUND' };
      // A promise would be as good as yes.
      heedPromise(isServed, () => {});
      failures.tell('serves() returned neither true nor false');
    } catch (error) {
      failures.tell('serves() threw', error);
    }
    return { error: 'INTERNAL' };
  };
}
