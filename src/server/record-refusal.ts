/** Whoever is refused before his request is looked at, as the record sees it. */
import type { AuditTrail } from '../core/access.ts';
import type { Refusal } from '../core/errors.ts';
import type { Grant } from '../core/grant.ts';
import type { HttpExchange, Principal } from '../core/ports.ts';

interface RecordingDoor {
  /** What the server is called in the record. */
  readonly name: string;
  readonly audit?: AuditTrail | undefined;
}

/** Who was verified. */
export interface Known {
  readonly principal: Principal;
  readonly grant?: Grant | undefined;
}

/** @param known - absent where nothing of the request is believed yet. */
export function recordRefusal(
  { audit, name: server }: RecordingDoor,
  { head, caller }: Pick<HttpExchange, 'head' | 'caller'>,
  { error: refusal }: Refusal,
  known?: Known,
): void {
  // What began in this process is recorded where it came in; what cannot be recorded is not.
  if (audit === undefined || caller !== undefined || refusal === 'AUDIT_UNAVAILABLE') return;
  const { principal, grant } = known ?? {};
  const { credentialId } = grant ?? {};
  const address = head.remoteAddress;
  audit.record({ event: 'refused', address, server, principal, credentialId, refusal });
}
