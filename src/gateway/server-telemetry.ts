import type { Telemetry } from '../core/ports.ts';

/** What one server of a gateway has to say, with its name in every line and on every counter. */
export function serverTelemetry(telemetry: Telemetry, server: string): Telemetry {
  return {
    log: (level, event, fields) => telemetry.log(level, event, { server, ...fields }),
    count: (name, labels, by) => telemetry.count(name, { server, ...labels }, by),
    request: (era, method, outcome, durationMs) =>
      telemetry.request(era, method, outcome, durationMs),
    streamClosed: (era, kind, reason, ageMs) => telemetry.streamClosed(era, kind, reason, ageMs),
  };
}
