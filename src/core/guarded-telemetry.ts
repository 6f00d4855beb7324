/**
 * The telemetry of whoever embeds us sees what happens and must not decide it: one that throws or
 * rejects, as counters do whose labels do not fit, would end a call, or the process with
 * everybody's streams.
 */
import { heedPromise } from './heed-promise.ts';
import type { Telemetry } from './ports.ts';

export type Sight = Pick<Telemetry, 'log' | 'count'>;

type Failed = (method: keyof Telemetry, error: unknown) => void;

/** The first failure of each method is told to `log`, which may work all the same. */
export function guardedTelemetry(telemetry: Telemetry): Telemetry {
  const failed = failuresOf(telemetry);
  return {
    ...guarded(telemetry, failed),
    request: (era, method, outcome, durationMs, tenant) => {
      try {
        const left: unknown = telemetry.request(era, method, outcome, durationMs, tenant);
        if (left !== undefined) heedPromise(left, (error) => failed('request', error));
      } catch (error) {
        failed('request', error);
      }
    },
    streamClosed: (era, kind, reason, ageMs) => {
      try {
        const left: unknown = telemetry.streamClosed(era, kind, reason, ageMs);
        if (left !== undefined) heedPromise(left, (error) => failed('streamClosed', error));
      } catch (error) {
        failed('streamClosed', error);
      }
    },
  };
}

export function guardedSight(sight: Sight): Sight {
  return guarded(sight, failuresOf(sight));
}

function guarded(sight: Sight, failed: Failed): Sight {
  return {
    log: (level, event, fields) => {
      try {
        const left: unknown = sight.log(level, event, fields);
        if (left !== undefined) heedPromise(left, (error) => failed('log', error));
      } catch (error) {
        failed('log', error);
      }
    },
    count: (name, labels, by) => {
      try {
        const left: unknown = sight.count(name, labels, by);
        if (left !== undefined) heedPromise(left, (error) => failed('count', error));
      } catch (error) {
        failed('count', error);
      }
    },
  };
}

/** Says the kind of error alone: its message is the telemetry's own. */
function failuresOf(sight: Sight): Failed {
  const told = new Set<string>();
  return (method, error) => {
    if (told.has(method)) return;
    told.add(method);
    const kind = error instanceof Error ? error.name : typeof error;
    try {
      const left: unknown = sight.log('error', 'telemetry_failed', { method, kind });
      if (left !== undefined) heedPromise(left, () => {});
    } catch {
      // Nobody is left to be told.
    }
  };
}
