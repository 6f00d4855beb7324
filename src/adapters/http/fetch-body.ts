/** Collects the body of a Web `Request`, bounded while it streams. */
import type { ErrorCode } from '../../core/errors.ts';
import { GatheredBytes } from '../../core/gathered-bytes.ts';
import type { BodyOutcome } from '../../core/ports.ts';

/** A byte order mark is kept, as on every other way in: it is not JSON. */
const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What a read of the body yields; never rejects. */
export async function readFetchBody(request: Request, bytesMax: number): Promise<BodyOutcome> {
  // A host that has read the body, or is about to, has nothing left to give.
  if (request.bodyUsed || request.body?.locked) return refuse(request, 'BODY_READ_BEFORE');
  if (request.headers.has('content-encoding')) return refuse(request, 'UNSUPPORTED_MEDIA_TYPE');
  // Not a number (no length given) compares false, and is counted as it comes.
  if (Number(request.headers.get('content-length') ?? Number.NaN) > bytesMax) {
    return refuse(request, 'BODY_TOO_LARGE');
  }
  if (request.body === null) return { kind: 'body', text: '' };
  return collect(request.body, bytesMax);
}

/** Lets go of a body that nobody will read, so that its sender is not held. Never rejects. */
export async function discardFetchBody(request: Request): Promise<void> {
  if (request.body === null || request.bodyUsed || request.body.locked) return;
  await request.body.cancel().catch(ignore);
}

async function collect(body: ReadableStream<Uint8Array>, bytesMax: number): Promise<BodyOutcome> {
  const reader = body.getReader();
  const gathered = new GatheredBytes();
  for (;;) {
    const chunk = await nextChunk(reader);
    if (chunk === 'aborted') return { kind: 'aborted' };
    if (chunk === undefined) return decoded(gathered.whole());
    if (gathered.length + chunk.byteLength > bytesMax) return release(reader, 'BODY_TOO_LARGE');
    gathered.add(chunk);
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Undefined at the end. */
async function nextChunk(reader: Reader): Promise<Uint8Array | undefined | 'aborted'> {
  try {
    const read = await reader.read();
    return read.done ? undefined : read.value;
  } catch {
    return 'aborted';
  }
}

function decoded(bytes: Uint8Array): BodyOutcome {
  try {
    return { kind: 'body', text: STRICT.decode(bytes) };
  } catch {
    return { kind: 'refused', refusal: { error: 'BODY_NOT_UTF8' } };
  }
}

function release(reader: Reader, error: ErrorCode): BodyOutcome {
  reader.cancel().catch(ignore);
  return { kind: 'refused', refusal: { error } };
}

async function refuse(request: Request, error: ErrorCode): Promise<BodyOutcome> {
  await discardFetchBody(request);
  return { kind: 'refused', refusal: { error } };
}

function ignore(): void {
  // The sender is gone, which is what was wanted.
}
