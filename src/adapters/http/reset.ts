/** The end of a connection whose peer does not read. */
import { Socket } from 'node:net';

/**
 * Cuts so that queued bytes are dropped: a reader that does not read would keep them in the kernel.
 */
export function reset(socket: Socket): void {
  // Only plain TCP has a reset: not TLS, not a Unix socket, not what a framework injects.
  const isTcp = socket instanceof Socket && socket.remoteAddress !== undefined;
  if (isTcp && !('encrypted' in socket)) socket.resetAndDestroy();
  else socket.destroy();
}
