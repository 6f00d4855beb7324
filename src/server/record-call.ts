/** The end of a request, as telemetry and the record see it. */
import type { Clock, Telemetry } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';
import type { CallOwner, UpstreamCall } from './upstream-call.ts';
import { methodLabel } from './method-label.ts';
import type { Warrant } from './warrant.ts';

/** @param answer - what the server answered, if it did. */
export type RecordCall = (
  era: string,
  call: UpstreamCall,
  outcome: string,
  answer?: Message,
) => void;

/** A call's owner that knows what allowed it. */
export interface WarrantedOwner extends CallOwner {
  /** @returns undefined for requests of our own, and where nobody decides or records. */
  warrantOf(call: UpstreamCall): Warrant | undefined;
}

export function recordCall(clock: Clock, telemetry: Telemetry): RecordCall {
  return (era, call, outcome, answer) => {
    const durationMs = clock.now() - call.startedAt;
    const warrant = (call.owner as Partial<WarrantedOwner>).warrantOf?.(call);
    const tenant = warrant?.request.principal.tenant;
    telemetry.request(era, methodLabel(call.method), outcome, durationMs, tenant);
    warrant?.ended(outcome, durationMs, answer);
  };
}
