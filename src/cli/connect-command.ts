/** `tidegate connect <url>`: a host on our standard streams, a remote server of any era. */
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { openBrowser } from '../adapters/credentials/open-browser.ts';
import {
  LOGIN_MS_MAX,
  type PersonCredential,
} from '../adapters/credentials/upstream-credentials.ts';
import { tokenFilePath } from '../adapters/identity/token-file.ts';
import { consoleTelemetry } from '../adapters/telemetry/console-telemetry.ts';
import { remote } from '../adapters/upstreams/http/remote.ts';
import { failedCall } from '../client/failed-call.ts';
import type { Telemetry, Upstream } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';
import { localConversation, localLimits } from '../local-conversation.ts';
import type { ConnectOptions } from './connect-line.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { HostCalls } from './host-calls.ts';
import { HostPipe } from './host-pipe.ts';
import { remoteOptions } from './remote-options.ts';
import type { Surroundings } from './serve-command.ts';

export interface HostStreams {
  readonly input: Readable;
  readonly output: Writable;
}

export type ConnectOutcome =
  | { readonly kind: 'connected'; readonly connection: HostConnection }
  | { readonly kind: 'failed'; readonly exitCode: 1 | 2; readonly reason: string };

export interface HostConnection {
  /** Resolves with the exit code once the host has all it waits for, or the server is gone. */
  readonly ended: Promise<number>;
  /** Ends the session at the server and everything else. */
  close(): void;
}

/**
 * Milliseconds that calls in flight may take once the host says no more: as long as the official
 * SDK waits for an answer by default. A host that wants us gone sooner sends a signal.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio#shutdown
 */
export const UNHEARD_MS_MAX = 60_000;

/** Whoever has to sign in first is waited for. */
const LIMITS = localLimits({
  upstreamStartMsMax: LOGIN_MS_MAX + DEFAULT_LIMITS.upstreamStartMsMax,
});

export async function connectCommand(
  options: ConnectOptions,
  streams: HostStreams,
  around: Surroundings,
): Promise<ConnectOutcome> {
  const telemetry = await consoleTelemetry({
    level: options.logLevel,
    format: options.logFormat ?? (around.isTerminal ? 'pretty' : 'json'),
    isColoured: around.isTerminal && (around.env['NO_COLOR'] ?? '') === '',
  });
  const { url, headers } = options.remote;
  const isGiven = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  try {
    const credential = isGiven ? undefined : personCredential(options, around);
    const upstream = remote(url, { ...remoteOptions(options.remote), credential, telemetry });
    return { kind: 'connected', connection: connect(upstream, streams, telemetry) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { kind: 'failed', exitCode: 2, reason: error.message };
  }
}

/** Somebody is in front of this machine, who can sign in. */
function personCredential(
  { remote: choice, hasBrowser }: ConnectOptions,
  around: Surroundings,
): PersonCredential {
  const { id, secret, issuer, scope } = choice.client;
  const kept = tokenFilePath(around.env, process.platform, homedir());
  return {
    kind: 'authorization-code',
    // Without a home it would be a folder of wherever the host started us.
    folder: isAbsolute(kept) ? join(dirname(kept), 'upstream-tokens') : undefined,
    clientId: id,
    clientSecret: secret,
    issuer,
    scope,
    show: (url: string) => {
      // Standard output belongs to the protocol.
      process.stderr.write(`Sign in to ${new URL(choice.url).host}:\n${url}\n`);
      if (hasBrowser) openBrowser(url);
    },
  };
}

function connect(upstream: Upstream, streams: HostStreams, telemetry: Telemetry): HostConnection {
  let isInputOver = false;
  let isClosing = false;
  let deadline: NodeJS.Timeout | undefined;
  let finish: (exitCode: number) => void = () => {};
  const ended = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const calls = new HostCalls();
  const conversation = localConversation(upstream, telemetry, LIMITS, {
    onMessage: (message) => {
      if (isInputOver && message.kind === 'request') giveUp(message.id ?? 'null');
      else tell(message);
    },
    onClosed: () => finish(isClosing ? 0 : 1),
  });
  const close = (): void => {
    isClosing = true;
    clearTimeout(deadline);
    conversation.close();
  };
  const tell = (message: Message): void => {
    calls.told(message);
    pipe.send(message);
    if (isInputOver && calls.areAnswered) pipe.whenTaken(close);
  };
  /** Nobody is left to answer a question of the server. */
  const giveUp = (id: string): void => {
    conversation.send(failedCall(id, { error: 'CLIENT_GONE' }));
  };
  const { input, output } = streams;
  const pipe = new HostPipe(input, output, LIMITS.bodyBytesMax, {
    onMessage: (message) => {
      calls.said(message);
      const outcome = conversation.send(message);
      if (outcome === 'sent' || message.kind !== 'request') return;
      tell(failedCall(message.id ?? 'null', { error: 'UPSTREAM_BUSY' }));
    },
    onInputEnd: () => {
      isInputOver = true;
      for (const id of calls.takeQuestions()) giveUp(id);
      if (calls.areAnswered) {
        pipe.whenTaken(close);
        return;
      }
      // Unlike the clock's it keeps the process alive, as a call that waits to be resumed does not.
      deadline = setTimeout(() => {
        telemetry.log('warn', 'drain_overran', { drainMs: UNHEARD_MS_MAX });
        close();
      }, UNHEARD_MS_MAX);
    },
    onGone: close,
  });
  return { ended, close };
}
