/** What every cell must come to: that it works, or the very words of the refusal. */
import {
  CLIENT_ERAS,
  FEATURE_NAMES,
  NO_RESUME,
  NOTHING_TO_BREAK,
  type ClientEra,
  type Outcomes,
} from './conversation.ts';
import { WORKS } from './features.ts';
import type { UpstreamName } from './upstreams.ts';

type Row = Readonly<Record<ClientEra, string>>;

const EVERYTHING_WORKS = Object.fromEntries(
  FEATURE_NAMES.map((feature) => [feature, same(WORKS)]),
) as Outcomes;

const RESUME: Row = { ...same(WORKS), '2026': NO_RESUME };
const LOST = same('-32603 upstream connection lost');
const UNAVAILABLE = same('-32010 upstream unavailable');
const NOTHING = same(NOTHING_TO_BREAK);

/** The server hears from a client of a handshake era, or from us, that it cannot be asked. */
const ASKED_HANDSHAKE: Row = {
  ...same('failed: MCP error -32601: Method not found'),
  '2026': '-32021 Declare the client capabilities in data.requiredCapabilities.',
};
const CANNOT_REQUEST = "Cannot request input 'user_name' (elicitation/create):";
const NOT_DECLARED = `-32021 ${CANNOT_REQUEST} the request's client capabilities do not declare the required capability`;
/** A server of 2026 is never told of what a client cannot do, and we say so in its place. */
const ASKED_2026: Row = {
  ...same('failed: This needs elicitation, which the client cannot offer on this connection.'),
  '2026': NOT_DECLARED,
};
const ASKED_BOTH: Row = {
  ...same(
    `failed: ${CANNOT_REQUEST} the client on this 2025-era connection did not declare the required capability`,
  ),
  '2026': NOT_DECLARED,
};

export const EXPECTED: Readonly<Record<UpstreamName, Outcomes>> = {
  'a command, handshake only': butFor(ASKED_HANDSHAKE, UNAVAILABLE),
  'a command, 2026 only': butFor(ASKED_2026, UNAVAILABLE),
  'a URL of 2024': butFor(ASKED_HANDSHAKE, LOST),
  'a URL of 2025': butFor(ASKED_HANDSHAKE, same(WORKS)),
  'a URL of 2026': butFor(ASKED_2026, LOST),
  'a module of SDK 1.x': butFor(ASKED_HANDSHAKE, NOTHING),
  'a module of SDK 2.x': butFor(ASKED_BOTH, NOTHING),
};

function butFor(askInVain: Row, serverLost: Row): Outcomes {
  return {
    ...EVERYTHING_WORKS,
    'ask in vain': askInVain,
    resume: RESUME,
    'server lost': serverLost,
  };
}

function same(outcome: string): Row {
  return Object.fromEntries(CLIENT_ERAS.map((era) => [era, outcome])) as Row;
}
