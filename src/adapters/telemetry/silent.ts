import type { Telemetry } from '../../core/ports.ts';

/** Sees nothing and says nothing: what a library does until it is asked to. */
export const silent: Telemetry = {
  log: () => {},
  count: () => {},
  request: () => {},
  streamClosed: () => {},
};
