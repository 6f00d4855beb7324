import type { LogFields, Telemetry } from '../core/ports.ts';
import type { Tenants } from './tenants.ts';

/**
 * What one server of a gateway has to say, with its name in every line and on every counter. `/all`
 * says itself which of its servers it speaks of; nobody else has a field `server` of his own.
 */
export function serverTelemetry(telemetry: Telemetry, server: string, tenants: Tenants): Telemetry {
  return {
    log: (level, event, fields) => {
      // Most lines name no tenant, and one is put together for every refusal.
      if (fields['tenant'] === undefined) telemetry.log(level, event, { server, ...fields });
      else telemetry.log(level, event, { server, ...labelled(fields, tenants) });
    },
    count: (name, labels, by) => telemetry.count(name, { server, ...labels }, by),
    request: (era, method, outcome, durationMs, tenant) =>
      telemetry.request(era, method, outcome, durationMs, tenants.labelOf(tenant)),
    streamClosed: (era, kind, reason, ageMs) => telemetry.streamClosed(era, kind, reason, ageMs),
  };
}

function labelled({ tenant, ...fields }: LogFields, tenants: Tenants): LogFields {
  const label = tenants.labelOf(tenant);
  return label === undefined ? fields : { tenant: label, ...fields };
}
