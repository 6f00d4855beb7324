/** Who asks at a bridge: the principal and what its client says of itself. */
import type { ClientCapabilities } from '../../core/bridge/modern-client/client-capabilities.ts';
import type { Visitor } from '../../core/gate.ts';
import type { Principal } from '../../core/ports.ts';

export interface BridgeClient {
  readonly visitor: Visitor;
  readonly principal: Principal;
  readonly capabilities: ClientCapabilities;
  /** The same as text: clients of one text share their sessions. */
  readonly capabilitiesText: string;
  readonly clientInfo: unknown;
  /** Whether it declared the tasks extension. */
  readonly hasTasks: boolean;
}
