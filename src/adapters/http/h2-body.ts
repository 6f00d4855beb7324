/** Collects a request body from a stream of HTTP/2, bounded while it comes. */
import type { ServerHttp2Stream } from 'node:http2';
import type { BodyOutcome } from '../../core/ports.ts';
import { collectBody } from './collect-body.ts';
import type { ConnectionLimits } from './connection-limits.ts';

export interface H2BodyFacts {
  /** What the head says; not a number when it says nothing. */
  readonly length: number;
  readonly encoding: string | undefined;
  readonly bytesMax: number;
  readonly limits: ConnectionLimits;
}

/** Calls `done` once. */
export function readH2Body(
  stream: ServerHttp2Stream,
  { length, encoding, bytesMax, limits }: H2BodyFacts,
  done: (outcome: BodyOutcome) => void,
): void {
  if (stream.destroyed) return done({ kind: 'aborted' });
  if (encoding !== undefined) {
    return done({ kind: 'refused', refusal: { error: 'UNSUPPORTED_MEDIA_TYPE' } });
  }
  if (length > bytesMax) return done({ kind: 'refused', refusal: { error: 'BODY_TOO_LARGE' } });
  collectBody(stream, { bytesMax, limits, msMax: limits.requestMsMax }, (outcome) => {
    // The end of a stream that was reset looks like the end of its body.
    const isCut = stream.aborted || stream.rstCode !== 0;
    done(isCut && outcome.kind === 'body' ? { kind: 'aborted' } : outcome);
  });
}
