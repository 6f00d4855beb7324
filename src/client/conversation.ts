/** A server, spoken to in the eras of the messages it is given. */
import type { SendOutcome } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';

export interface ConversationEvents {
  onMessage(message: Message): void;
  /** The session of the handshake eras is over, or all is closed. The last event. */
  onClosed(detail: string): void;
}

export interface Conversation {
  /** The id of the session, where the server gave one. */
  readonly sessionId: string | undefined;
  send(message: Message): SendOutcome;
  /** Ends the session and every call; `onClosed` follows. Idempotent. */
  close(): void;
}
