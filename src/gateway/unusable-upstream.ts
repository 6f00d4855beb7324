import type { Upstream, UpstreamConnection, UpstreamEra, UpstreamEvents } from '../core/ports.ts';

/** A server whose settings cannot be used: it fails to start, and says why in the log. */
export function unusableUpstream(name: string, reason: string): Upstream {
  return {
    kind: 'http',
    name,
    connect(_era: UpstreamEra, events: UpstreamEvents): UpstreamConnection {
      queueMicrotask(() => events.onClosed('start-failed', reason));
      return { send: () => 'closed', close() {} };
    },
    close: () => Promise.resolve(),
  };
}
