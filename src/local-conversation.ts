/**
 * A conversation in whichever era its messages are of, with a server of any era: between the two is
 * an endpoint as any other, reached without a socket, which finds out what the server speaks, and
 * translates where the two have no era in common.
 */
import { ApplicationOutbound } from './adapters/outbound/application-outbound.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { systemRandom } from './adapters/system/system-random.ts';
import { silent } from './adapters/telemetry/silent.ts';
import { SendMeter } from './client/client-context.ts';
import type { Conversation, ConversationEvents } from './client/conversation.ts';
import { DualConversation } from './client/dual-conversation.ts';
import { boundsWith } from './core/bounds-with.ts';
import { DEFAULT_LIMITS, type Limits } from './core/limits.ts';
import type { Telemetry, Upstream } from './core/ports.ts';
import { createEndpoint } from './create-endpoint.ts';

/** What the one user sends is the user's own: as large as what a server may send. */
export function localLimits(limits: Partial<Limits> | undefined): Limits {
  const all = boundsWith(DEFAULT_LIMITS, limits);
  return {
    ...all,
    bodyBytesMax: all.upstreamLineBytesMax,
    jsonStringCharsMax: all.upstreamLineBytesMax,
    streamMsMax: all.sessionMsMax,
  };
}

/**
 * @param upstream - is closed with the conversation.
 * @param events - `onClosed` comes when the upstream is closed too.
 */
export function localConversation(
  upstream: Upstream,
  telemetry: Telemetry,
  limits: Limits,
  events: ConversationEvents,
): Conversation {
  const endpoint = createEndpoint({ upstream, telemetry, limits, tellsFaults: true });
  return new DualConversation(
    {
      name: upstream.name,
      url: 'http://localhost/mcp',
      headers: [],
      http: new ApplicationOutbound(endpoint),
      clock: systemClock,
      random: systemRandom,
      telemetry: ofTools(telemetry),
      messageBytesMax: limits.upstreamLineBytesMax,
      meter: new SendMeter(limits.upstreamQueueBytesMax),
      origin: { handshake: '2025' },
    },
    {
      onMessage: (message) => events.onMessage(message),
      onClosed: (detail) => {
        const finish = (): void => events.onClosed(detail);
        endpoint
          .drain(0)
          .then(() => upstream.close())
          .then(finish, finish);
      },
    },
  );
}

/**
 * What is heard on the way to our own endpoint says nothing of the server, which is named in it: a
 * 502 of ours would be told as if it were the server's. Only a tool that is taken out here is taken
 * out nowhere else.
 */
function ofTools(telemetry: Telemetry): Telemetry {
  return {
    ...silent,
    log: (level, event, fields) => {
      if (event === 'upstream_tool_refused') telemetry.log(level, event, fields);
    },
  };
}
