/**
 * What the system has taken of what was written to a connection. Node tells of a write when all of
 * it was taken: of one that is as large as what a slow link carries in a minute, it tells nothing
 * for that long.
 */
import type { Socket } from 'node:net';

/** What Node keeps below a socket. */
interface Handle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
  readonly _parent?: Handle | null;
}

/** Bytes that the system has not taken yet. */
export function queuedBytes(socket: Socket): number {
  return handleOf(socket)?.writeQueueSize ?? 0;
}

/**
 * Bytes that the system has taken, of all there ever were; those of TLS are counted as they leave.
 * Undefined where nobody counts: on what is no connection of Node's own, or is closed.
 */
export function takenBytes(socket: Socket): number | undefined {
  const { bytesWritten, writeQueueSize } = handleOf(socket) ?? {};
  if (bytesWritten === undefined || writeQueueSize === undefined) return undefined;
  return bytesWritten - writeQueueSize;
}

/** Of TCP, where that of TLS lies above it. */
function handleOf(socket: Socket): Handle | null | undefined {
  const handle = (socket as { _handle?: Handle | null })._handle;
  return handle?._parent ?? handle;
}
