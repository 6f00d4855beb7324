import type { Telemetry } from '../core/ports.ts';
import type { Tenants } from './tenants.ts';

/**
 * What one server of a gateway has to say, with its name in every line and on every counter. `/all`
 * says itself which of its servers it speaks of; nobody else has a field `server` of his own.
 */
export function serverTelemetry(telemetry: Telemetry, server: string, tenants: Tenants): Telemetry {
  return {
    log: (level, event, { tenant, ...fields }) => {
      const label = tenants.labelOf(tenant);
      const named = label === undefined ? {} : { tenant: label };
      telemetry.log(level, event, { server, ...named, ...fields });
    },
    count: (name, labels, by) => telemetry.count(name, { server, ...labels }, by),
    request: (era, method, outcome, durationMs, tenant) =>
      telemetry.request(era, method, outcome, durationMs, tenants.labelOf(tenant)),
    streamClosed: (era, kind, reason, ageMs) => telemetry.streamClosed(era, kind, reason, ageMs),
  };
}
