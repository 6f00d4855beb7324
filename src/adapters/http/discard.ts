/** Answers a request whose body is not wanted. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeContext } from './node-context.ts';
import { cutWhenStalled } from './response-stream.ts';

/**
 * Answers at once, then reads and drops a bounded part of the body before the connection is closed:
 * closing with bytes unread resets the connection, and a reset overtakes the reply on its way to
 * the client.
 * @param answer - writes the whole reply, whose head says `Connection: close`, without ending it.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
export function answerAndDiscard(
  req: IncomingMessage,
  res: ServerResponse,
  context: NodeContext,
  answer: () => void,
): void {
  let bytesLeft = context.limits.discardBytesMax;
  const finish = (): void => {
    clearTimeout(timer);
    req.removeListener('data', onData);
    req.removeListener('end', finish);
    req.removeListener('close', finish);
    if (res.destroyed) return;
    res.end();
    cutWhenStalled(res, context.limits.stallMsMax);
  };
  const onData = (chunk: Buffer): void => {
    bytesLeft -= chunk.length;
    if (bytesLeft < 0) finish();
  };
  const timer = setTimeout(finish, context.limits.discardMsMax);
  context.answered.add(res);
  answer();
  req.on('data', onData);
  req.on('end', finish);
  req.on('close', finish);
  req.resume();
}
