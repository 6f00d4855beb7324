/**
 * Finds out which eras an upstream speaks, once: `server/discover` first, and any answer that is not one of the
 * stateless revision means the handshake. Some servers exit on a first message they do not know, and some never
 * answer it: then a second conversation opens with `initialize`, and the first conclusive answer decides.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio#backward-compatibility
 */
import type { Clock, Upstream, UpstreamConnection, UpstreamEra } from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import type { ServedEras } from '../core/protocol/classify.ts';
import {
  LATEST_LEGACY_VERSION,
  LEGACY_VERSIONS,
  MODERN_VERSIONS,
} from '../core/protocol/versions.ts';
import { OUR_ENVELOPE } from './our-envelope.ts';
import { OUR_IDENTITY } from './our-identity.ts';

export interface ProbeOutcome {
  readonly legacy: boolean;
  readonly modern: boolean;
  /** Why neither answered; for the log. */
  readonly failure: string | undefined;
}

/** How long a silent server is given before the handshake is tried beside it. */
const SILENCE_MS = 3000;

const INITIALIZE = JSON.stringify({
  protocolVersion: LATEST_LEGACY_VERSION,
  capabilities: {},
  clientInfo: OUR_IDENTITY,
});

type Answer = 'yes' | 'no' | 'failed';

/**
 * @param startMsMax - milliseconds after which an upstream that says nothing at all is given up.
 * @param done - called once.
 */
export function probeUpstream(
  upstream: Upstream,
  clock: Clock,
  startMsMax: number,
  done: (outcome: ProbeOutcome) => void,
): () => void {
  let modern: Answer | undefined;
  let legacy: Answer | undefined;
  let failure = 'it did not answer';
  let hasTriedLegacy = false;
  let isOver = false;
  const closers: (() => void)[] = [];

  const ask = (
    era: UpstreamEra,
    method: string,
    params: string,
    settle: (a: Answer) => void,
  ): void => {
    const connection: UpstreamConnection = upstream.connect(era, {
      onMessage: (message) => {
        if (message.kind === 'response' && message.id === '1') settle(readAnswer(era, message));
      },
      onOversized: () => settle('no'),
      onCloseStream: () => {},
      onClosed: (_cause, detail) => {
        failure = detail;
        settle('failed');
      },
    });
    closers.push(() => connection.close());
    connection.send(Message.request('1', method, params));
  };

  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    for (const close of closers) close();
    const outcome = { legacy: legacy === 'yes', modern: modern === 'yes' };
    const isKnown = outcome.legacy || outcome.modern;
    done({ ...outcome, failure: isKnown ? undefined : failure });
  };

  const tryLegacy = (): void => {
    if (isOver || hasTriedLegacy) return;
    hasTriedLegacy = true;
    ask('legacy', 'initialize', INITIALIZE, (answer) => {
      legacy = answer;
      if (modern !== undefined) finish();
      else if (answer === 'yes') closers.push(clock.after(SILENCE_MS, finish));
    });
  };

  closers.push(clock.after(SILENCE_MS, tryLegacy), clock.after(startMsMax, finish));
  ask('modern', 'server/discover', JSON.stringify({ _meta: OUR_ENVELOPE }), (answer) => {
    if (modern !== undefined) return;
    modern = answer;
    if (legacy !== undefined) finish();
    else tryLegacy();
  });
  return () => {
    if (isOver) return;
    isOver = true;
    for (const close of closers) close();
  };
}

/** Every version of an endpoint over such an upstream, newest first. */
export function servedEras({ legacy, modern }: ProbeOutcome): ServedEras {
  const supported = [...(modern ? MODERN_VERSIONS : []), ...(legacy ? LEGACY_VERSIONS : [])];
  return { legacy, modern, supported };
}

function readAnswer(era: UpstreamEra, message: Message): Answer {
  if (era === 'legacy') return message.isError ? 'no' : 'yes';
  if (message.isError) return 'no';
  const versions = (message.value as { supportedVersions?: unknown }).supportedVersions;
  return Array.isArray(versions) && versions.some((each) => MODERN_VERSIONS.includes(each))
    ? 'yes'
    : 'no';
}
