/** The bytes of a request body, bounded while they come. What is refused is not read on. */
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { ErrorCode } from '../../core/errors.ts';
import { GatheredBytes } from '../../core/gathered-bytes.ts';
import type { BodyOutcome } from '../../core/ports.ts';
import { BodyPace } from './body-pace.ts';
import type { ConnectionLimits } from './connection-limits.ts';

export interface BodyBounds {
  readonly bytesMax: number;
  readonly limits: ConnectionLimits;
  /** Milliseconds all of it may take. */
  readonly msMax: number;
  /** Whether its sender could know that it is wanted. Default: from the beginning. */
  readonly isAsked?: (() => boolean) | undefined;
}

/** Calls `done` once. */
export function collectBody(
  source: Readable,
  { bytesMax, limits, msMax, isAsked = always }: BodyBounds,
  done: (outcome: BodyOutcome) => void,
): void {
  // Nearly every body is one chunk, here at once: it needs no copy and no timer.
  let gathered = new GatheredBytes();
  let pace: BodyPace | undefined;

  const settle = (outcome: BodyOutcome): void => {
    clearImmediate(soon);
    pace?.stop();
    source.removeListener('data', onData);
    source.removeListener('end', onEnd);
    source.removeListener('close', onClose);
    source.removeListener('error', onClose);
    done(outcome);
  };
  const refuse = (error: ErrorCode): void => {
    source.pause();
    gathered = new GatheredBytes();
    settle(refused(error));
  };
  const onData = (chunk: Buffer): void => {
    pace?.add(chunk.length);
    if (gathered.length + chunk.length > bytesMax) refuse('BODY_TOO_LARGE');
    else gathered.add(chunk);
  };
  const onEnd = (): void => {
    settle(decodeBody(asBuffer(gathered.whole())));
  };
  const onClose = (): void => settle({ kind: 'aborted' });

  const soon = setImmediate(() => {
    pace = new BodyPace(limits, msMax, isAsked, () => refuse('BODY_TOO_SLOW'));
  });
  source.on('data', onData);
  source.on('end', onEnd);
  source.on('close', onClose);
  source.on('error', onClose);
}

export function decodeBody(bytes: Buffer): BodyOutcome {
  if (!isUtf8(bytes)) return refused('BODY_NOT_UTF8');
  return { kind: 'body', text: bytes.toString('utf8') };
}

/** One piece is a buffer already; another view of it cost some 4 % of a call. */
function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function always(): boolean {
  return true;
}

function refused(error: ErrorCode): BodyOutcome {
  return { kind: 'refused', refusal: { error } };
}
