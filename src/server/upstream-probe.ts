/**
 * Finds out which eras an upstream speaks, once: `server/discover` first, and any answer that is
 * not one of the stateless revision means the handshake. Some servers exit on a first message they
 * do not know, and some never answer it: then a second conversation opens with `initialize`, and
 * the first conclusive answer decides.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio#backward-compatibility
 */
import type { Clock, Upstream, UpstreamConnection, UpstreamEra } from '../core/ports.ts';
import type { ServedEras } from '../core/protocol/classify.ts';
import { Message } from '../core/protocol/message.ts';
import {
  LATEST_LEGACY_VERSION,
  LEGACY_VERSIONS,
  MODERN_VERSIONS,
} from '../core/protocol/versions.ts';
import { OUR_ENVELOPE } from './our-envelope.ts';
import { OUR_IDENTITY } from './our-identity.ts';
import { type LearnTools, ToolsReader } from './tools-reader.ts';

export interface ProbeOutcome {
  readonly legacy: boolean;
  readonly modern: boolean;
  /** Whether both handshakes were answered; a start that failed says nothing of an era. */
  readonly isComplete: boolean;
  /** Why neither answered; for the log. */
  readonly failure: string | undefined;
}

/** How long a silent server is given before the handshake is tried beside it. */
const SILENCE_MS = 3000;

/** How long it may say nothing before whoever runs it is told. */
const SILENCE_TOLD_MS = 10_000;

const INITIALIZE = JSON.stringify({
  protocolVersion: LATEST_LEGACY_VERSION,
  capabilities: {},
  clientInfo: OUR_IDENTITY,
});

type Answer = 'yes' | 'no' | 'failed';

export class UpstreamProbe {
  readonly #upstream: Upstream;
  readonly #clock: Clock;
  readonly #done: (outcome: ProbeOutcome) => void;
  readonly #learn: LearnTools | undefined;
  readonly #closers: (() => void)[] = [];
  readonly #answers: { modern?: Answer; legacy?: Answer } = {};
  #failure = 'it did not answer';
  #isComplete = true;
  #isLegacyAsked = false;
  /** Everything is known but the tools. */
  #isDue = false;
  #isOver = false;
  /** The conversation its tools are being read in. */
  #reader: ToolsReader | undefined;

  /**
   * @param startMsMax - milliseconds after which an upstream that says nothing at all is given up.
   * @param done - called once, unless the probe is stopped before.
   * @param learn - is given the server's tools, before `done` is called.
   * @param silent - called when it has said nothing for so many milliseconds, and is waited for.
   */
  constructor(
    upstream: Upstream,
    clock: Clock,
    startMsMax: number,
    done: (outcome: ProbeOutcome) => void,
    learn?: LearnTools,
    silent?: (ms: number) => void,
  ) {
    this.#upstream = upstream;
    this.#clock = clock;
    this.#done = done;
    this.#learn = learn;
    this.#closers.push(
      clock.after(SILENCE_MS, () => this.#askLegacy()),
      clock.after(SILENCE_TOLD_MS, () => {
        const { modern, legacy } = this.#answers;
        if (modern === undefined && legacy === undefined) silent?.(SILENCE_TOLD_MS);
      }),
      clock.after(startMsMax, () => this.#finish()),
    );
    this.#ask('modern', 'server/discover', JSON.stringify({ _meta: OUR_ENVELOPE }));
  }

  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const close of this.#closers) close();
  }

  #ask(era: UpstreamEra, method: string, params: string): void {
    const connection = this.#upstream.connect(era, {
      onMessage: (message) => {
        if (message.kind !== 'response') return;
        if (message.id !== '1') {
          if (this.#reader?.era === era) this.#reader.received(message);
          return;
        }
        const answer = readAnswer(era, message);
        if (message.isError) {
          this.#failure = message.reason ?? `it answered ${method} with error ${codeOf(message)}`;
        }
        if (answer === 'yes') this.#readTools(era, connection, message);
        this.#answered(era, answer);
      },
      onOversized: () => this.#answered(era, 'no'),
      onCloseStream: () => {},
      onClosed: (cause, detail) => {
        this.#failure = detail;
        if (this.#reader?.era === era) this.#reader.end();
        if (cause === 'start-failed') this.#isComplete = false;
        this.#answered(era, 'failed');
      },
    });
    this.#closers.push(() => connection.close());
    connection.send(Message.request('1', method, params));
  }

  #askLegacy(): void {
    if (this.#isOver || this.#isLegacyAsked) return;
    this.#isLegacyAsked = true;
    this.#ask('legacy', 'initialize', INITIALIZE);
  }

  #answered(era: UpstreamEra, answer: Answer): void {
    if (this.#isOver || this.#answers[era] !== undefined) return;
    this.#answers[era] = answer;
    const { modern, legacy } = this.#answers;
    if (modern !== undefined && legacy !== undefined) this.#finish();
    else if (legacy === undefined) this.#askLegacy();
    else if (legacy === 'yes') {
      this.#closers.push(this.#clock.after(SILENCE_MS, () => this.#finish()));
    }
  }

  /** In the first conversation that answers. */
  #readTools(era: UpstreamEra, connection: UpstreamConnection, answer: Message): void {
    const learn = this.#learn;
    if (this.#isOver || learn === undefined || this.#reader !== undefined) return;
    this.#reader = new ToolsReader(era, connection, (tools) => {
      learn(tools);
      if (this.#isDue) this.#finish();
    });
    this.#reader.start(answer);
  }

  /** Tools that are still being read are waited for, but not for long. */
  #finish(): void {
    if (this.#isOver) return;
    if (this.#reader?.isReading === true && !this.#isDue) {
      this.#isDue = true;
      this.#closers.push(this.#clock.after(SILENCE_MS, () => this.#finish()));
      return;
    }
    this.stop();
    const legacy = this.#answers.legacy === 'yes';
    const modern = this.#answers.modern === 'yes';
    const failure = legacy || modern ? undefined : this.#failure;
    this.#done({ legacy, modern, isComplete: this.#isComplete, failure });
  }
}

/** What the operator wants served: every era there is, or one kind of them. */
export type ServedEraChoice = 'all' | 'legacy' | 'modern';

/** Every version of an endpoint over such an upstream, newest first. */
export function servedEras(spoken: ProbeOutcome, choice: ServedEraChoice): ServedEras {
  const legacy = (spoken.legacy || spoken.modern) && choice !== 'modern';
  const modern = (spoken.modern || spoken.legacy) && choice !== 'legacy';
  const supported = [...(modern ? MODERN_VERSIONS : []), ...(legacy ? LEGACY_VERSIONS : [])];
  return { legacy, modern, supported };
}

/** Its words are not repeated: they may hold what it was sent, a credential of ours for example. */
function codeOf(message: Message): string {
  const { code } = message.value as { code?: unknown };
  return typeof code === 'number' ? String(code) : 'without a code';
}

function readAnswer(era: UpstreamEra, message: Message): Answer {
  if (message.isError) return 'no';
  if (era === 'legacy') return 'yes';
  const { supportedVersions } = message.value as { supportedVersions?: unknown };
  if (!Array.isArray(supportedVersions)) return 'no';
  const versions: readonly unknown[] = supportedVersions;
  return versions.some((each) => MODERN_VERSIONS.includes(String(each))) ? 'yes' : 'no';
}
