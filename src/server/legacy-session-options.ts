/** What a handshake-era session is made of. */
import type { CloseReason } from '../core/close-reasons.ts';
import type { Limits } from '../core/limits.ts';
import type { Principal } from '../core/ports.ts';
import {
  endpointPreamble,
  endpointReference,
  type EndpointForm,
} from '../core/protocol/eras/http-sse-2024.ts';
import type { Priming } from '../core/protocol/eras/streamable-2025.ts';
import type { Hearing } from './hearing.ts';
import type { LegacyUpstream } from './legacy-upstream.ts';
import type { CallCounts } from './own-calls.ts';
import type { RecordCall } from './record-call.ts';
import type { SessionEffectsPorts } from './session-effects.ts';
import type { TaskOwners } from './task-owners.ts';
import type { Undecided } from './undecided.ts';

export interface LegacySessionOptions extends SessionEffectsPorts {
  readonly id: string;
  readonly principal: Principal;
  readonly era: '2024' | '2025';
  readonly salt: number;
  readonly limits: Limits;
  readonly instance: LegacyUpstream;
  /** Calls in flight of all sessions. */
  readonly callCounts: CallCounts;
  /** Which updates of resources its client is told. */
  readonly hearing: Hearing;
  /** Where others have tasks at the same server. */
  readonly taskOwners?: TaskOwners | undefined;
  readonly endpointForm: EndpointForm;
  readonly priming: Priming;
  readonly publicUrl: string | undefined;
  /** Arms the decision of an undecided reply. */
  readonly decideLater: (undecided: Undecided) => void;
  /** A call ended: for the record. */
  readonly recorded: RecordCall;
  readonly ended: (session: EndedSession, reason: CloseReason) => void;
}

/** The first bytes of a stream of 2024, for a reader that came by `path`. */
export function preamble2024(
  { id, endpointForm, publicUrl, connections }: LegacySessionOptions,
  path: string,
): (eventId: string) => string {
  return (eventId) => {
    const reference = endpointReference(endpointForm, path, publicUrl, id);
    return endpointPreamble(eventId, connections.retryMs(), reference);
  };
}

export interface EndedSession {
  readonly id: string;
  readonly openedAt: number;
}
