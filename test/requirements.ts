/**
 * What must be true on the wire, era by era, as data. Each row is a duty in our own words with the
 * section that asks for it; a test that proves a row carries its id in its name, for instance
 * `it('W35 keeps the type of a request id')` or `it(`${verifies('W35')} keeps …`)`.
 * `requirements.test.ts` fails when a row has no test and when a test cites no row that exists.
 *
 * Levels: `must` and `should` are the specification's words, `practice` is what deployed clients
 * need. A row for practice links the section it interprets. Where a row and the specification
 * disagree, the specification wins.
 */
export type WireRowLevel = 'must' | 'should' | 'practice';

export interface WireRow {
  readonly id: string;
  readonly level: WireRowLevel;
  readonly duty: string;
  readonly section: string;
}

const SPECIFICATION = 'https://modelcontextprotocol.io/specification';
const S24 = `${SPECIFICATION}/2024-11-05/basic/transports#http-with-sse`;
const BATCHING = `${SPECIFICATION}/2025-03-26/basic/index#batching`;
const FIRST_LIFECYCLE = `${SPECIFICATION}/2025-03-26/basic/lifecycle#initialization`;
const S25 = `${SPECIFICATION}/2025-11-25/basic/transports`;
const SECURITY = `${S25}#security-warning`;
const SENDING = `${S25}#sending-messages-to-the-server`;
const LISTENING = `${S25}#listening-for-messages-from-the-server`;
const CONNECTIONS = `${S25}#multiple-connections`;
const RESUMING = `${S25}#resumability-and-redelivery`;
const SESSIONS = `${S25}#session-management`;
const VERSION_HEADER = `${S25}#protocol-version-header`;
const REQUESTS = `${SPECIFICATION}/2025-11-25/basic/index#requests`;
const NEGOTIATION = `${SPECIFICATION}/2025-11-25/basic/lifecycle#version-negotiation`;
const CANCELLATION = `${SPECIFICATION}/2025-11-25/basic/utilities/cancellation`;
const AUTHORIZATION = `${SPECIFICATION}/2025-11-25/basic/authorization#error-handling`;
const M26 = `${SPECIFICATION}/2026-07-28/basic/transports/streamable-http`;
const EARLIER = `${M26}#earlier-streamable-http-revisions`;
const MODERN_SENDING = `${M26}#sending-messages`;
const MODERN_RECEIVING = `${M26}#receiving-messages`;
const STANDARD_HEADERS = `${M26}#standard-request-headers`;
const MODERN_VERSION = `${M26}#protocol-version-header`;
const VALIDATION = `${M26}#server-validation`;
const META = `${SPECIFICATION}/2026-07-28/basic/index#_meta`;
const VERSIONING = `${SPECIFICATION}/2026-07-28/basic/versioning`;
const SUBSCRIPTIONS = `${SPECIFICATION}/2026-07-28/basic/patterns/subscriptions`;

export const WIRE_ROWS = [
  row('W1', 'must', 'A GET opens the stream and its first event is the endpoint event.', S24),
  row('W2', 'must', 'The endpoint is a reference that the client resolves against its GET.', S24),
  row('W3', 'must', 'A POST gets 202 without a body; the response travels on the stream.', S24),
  row('W4', 'practice', 'No sessionId is 400; unknown, closed and foreign ones are 404.', S24),
  row(
    'W5',
    'practice',
    'A POST to the stream URL is 405 with Allow, for clients that fall back.',
    S24,
  ),
  row('W6', 'must', 'Each message event holds one JSON-RPC object on one line of UTF-8.', S24),
  row('W7', 'practice', 'Events carry ids, and Last-Event-ID returns to the same session.', S24),
  row('W8', 'must', 'The Origin of GET and POST is validated; a bad one is 403.', S24),

  row(
    'W10',
    'must',
    'A POSTed request is answered as one JSON object or an event stream.',
    SENDING,
  ),
  row('W11', 'must', 'POSTed notifications and responses get 202 without a body.', SENDING),
  row('W12', 'must', 'Batches are taken only where 2025-03-26 was negotiated.', BATCHING),
  row('W13', 'must', 'An initialize inside a batch is refused.', FIRST_LIFECYCLE),
  row(
    'W14',
    'practice',
    'Accept is read as media ranges; only what excludes both forms is 406.',
    SENDING,
  ),
  row(
    'W15',
    'must',
    'A GET that does not accept an event stream is 406, never another 2xx.',
    LISTENING,
  ),
  row('W16', 'must', 'The standalone stream never carries a response.', LISTENING),
  row(
    'W17',
    'must',
    'Each message goes to one stream: the one of its request, if it has one.',
    CONNECTIONS,
  ),
  row('W18', 'practice', 'A second GET on a session takes over; it is never refused.', CONNECTIONS),
  row(
    'W19',
    'must',
    'The session id is visible ASCII, random, and on the initialize reply only.',
    SESSIONS,
  ),
  row(
    'W20',
    'must',
    'No session id is 400; unknown, ended and foreign ones are the same 404.',
    SESSIONS,
  ),
  row('W21', 'practice', 'An initialize with a stale session id opens a new session.', SESSIONS),
  row(
    'W22',
    'practice',
    'An initialize on a live session is refused and disturbs nothing.',
    SESSIONS,
  ),
  row(
    'W23',
    'must',
    'DELETE ends the session, its streams and its calls; then it is 404.',
    SESSIONS,
  ),
  row(
    'W24',
    'must',
    'An unknown version header is 400; an absent one is no error.',
    VERSION_HEADER,
  ),
  row(
    'W25',
    'should',
    'A version header other than the negotiated one is never mixed in.',
    VERSION_HEADER,
  ),
  row(
    'W26',
    'must',
    'initialize with an unknown version is answered with our latest.',
    NEGOTIATION,
  ),
  row(
    'W27',
    'must',
    'A foreign Origin is 403 before the body, sessions and credentials.',
    SECURITY,
  ),
  row('W28', 'should', 'On loopback a foreign Host is 403.', SECURITY),
  row('W29', 'should', 'From 2025-11-25 a reply stream opens with an id and empty data.', SENDING),
  row(
    'W30',
    'should',
    'A retry comes before we close an unfinished stream; a GET gets the rest.',
    SENDING,
  ),
  row(
    'W31',
    'should',
    'A lost connection cancels nothing; notifications/cancelled does.',
    CANCELLATION,
  ),
  row(
    'W32',
    'must',
    'A resume replays only its own stream, without a gap or a duplicate.',
    RESUMING,
  ),
  row('W33', 'practice', 'An unknown or foreign Last-Event-ID is 400, never 404.', RESUMING),
  row('W34', 'practice', 'Of two resumes of one stream the newest wins.', RESUMING),
  row('W35', 'must', 'Request ids come back with their type; a null id is refused.', REQUESTS),
  row(
    'W36',
    'practice',
    'Equal ids at once each get their own answer on their own stream.',
    REQUESTS,
  ),
  row(
    'W37',
    'practice',
    'Bad input gets its own status and a JSON-RPC error, never HTML.',
    SENDING,
  ),
  row('W38', 'should', 'A reply stream ends after the last response of its POST.', SENDING),
  row('W39', 'practice', 'A trailing slash is served without a redirect.', S25),
  row('W40', 'practice', 'The head of a stream leaves before its handler has finished.', SENDING),
  row(
    'W41',
    'practice',
    'A preflight allows the headers of MCP and exposes those a page reads.',
    SECURITY,
  ),
  row('W42', 'must', '401 with a challenge comes before 400 and 404.', AUTHORIZATION),

  row(
    'W50',
    'should',
    'The modern route takes POST only and neither mints nor reads ids.',
    EARLIER,
  ),
  row(
    'W51',
    'must',
    'The era is decided for each request, so that both live at one URL.',
    VERSIONING,
  ),
  row(
    'W52',
    'must',
    'Version, method and name headers are required where they apply.',
    STANDARD_HEADERS,
  ),
  row(
    'W53',
    'must',
    'A header that differs from the body is refused with the id.',
    `${M26}#case-sensitivity`,
  ),
  row(
    'W54',
    'must',
    'Encoded header values are decoded strictly, then compared.',
    `${M26}#value-encoding`,
  ),
  row(
    'W55',
    'must',
    'Parameter headers must agree with the arguments they mirror.',
    `${M26}#custom-headers-from-tool-parameters`,
  ),
  row('W56', 'must', 'Incomplete request metadata is -32602; clientInfo may be missing.', META),
  row(
    'W57',
    'must',
    'An unknown version is -32022 and lists every version served here.',
    VERSIONING,
  ),
  row(
    'W58',
    'must',
    'Unknown and removed methods are 404; errors of handlers stay 200.',
    MODERN_VERSION,
  ),
  row('W59', 'should', 'A modern-only endpoint answers initialize with its versions.', VERSIONING),
  row('W60', 'must', 'A capability that is needed and undeclared is -32021.', META),
  row('W61', 'must', 'Arrays and POSTed responses are refused.', MODERN_SENDING),
  row(
    'W62',
    'must',
    'A notification gets 202 without a body and needs no headers.',
    MODERN_SENDING,
  ),
  row('W63', 'must', 'No stream ever carries a request to the client.', MODERN_RECEIVING),
  row(
    'W64',
    'must',
    'Every result names its type and, where known, the server.',
    `${SPECIFICATION}/2026-07-28/basic/index#result-responses`,
  ),
  row(
    'W65',
    'must',
    'Complete cacheable results carry ttlMs and cacheScope; others do not.',
    `${SPECIFICATION}/2026-07-28/server/utilities/caching#cacheable-results`,
  ),
  row('W66', 'must', 'A client that closes its response cancels the call.', `${M26}#cancellation`),
  row(
    'W67',
    'must',
    'The acknowledgment is first and no event after it is lost.',
    `${SUBSCRIPTIONS}#acknowledgment`,
  ),
  row(
    'W68',
    'must',
    'Every message of a listen stream carries its subscription id.',
    `${SUBSCRIPTIONS}#receiving-notifications`,
  ),
  row(
    'W69',
    'must',
    'A listen stream carries only what was asked for.',
    `${SUBSCRIPTIONS}#notification-filter`,
  ),
  row(
    'W70',
    'must',
    'Several listens at once each get their own stamped copy.',
    `${SUBSCRIPTIONS}#multiple-concurrent-subscriptions`,
  ),
  row(
    'W71',
    'should',
    'An orderly end is the completed result.',
    `${SUBSCRIPTIONS}#graceful-closure`,
  ),
  row(
    'W72',
    'practice',
    'A listen with nothing to hear is acknowledged and completed.',
    SUBSCRIPTIONS,
  ),
  row(
    'W73',
    'practice',
    'A listen beyond the bound is refused with a JSON-RPC error.',
    SUBSCRIPTIONS,
  ),
  row('W74', 'should', 'Keepalives are SSE comments, sent only into silence.', MODERN_RECEIVING),
  row(
    'W75',
    'should',
    'Streams carry the headers that keep proxies from buffering.',
    MODERN_RECEIVING,
  ),
  row(
    'W76',
    'must',
    'Log messages follow the level that their request asked for.',
    `${SPECIFICATION}/2026-07-28/server/utilities/logging#per-request-log-level`,
  ),
  row(
    'W77',
    'must',
    'Progress needs a token, and all of it comes before the response.',
    `${SPECIFICATION}/2026-07-28/basic/patterns/progress#behavior-requirements`,
  ),
  row(
    'W78',
    'must',
    'Retired error codes are not used, and none is invented in the reserved range.',
    `${SPECIFICATION}/2026-07-28/basic/index#error-codes`,
  ),
  row(
    'W79',
    'must',
    'input_required passes through where it is allowed, and its retry with it.',
    `${SPECIFICATION}/2026-07-28/basic/patterns/mrtr#basic-workflow`,
  ),
  row(
    'W80',
    'should',
    'Mcp headers decide nothing without a version header that vouches.',
    VALIDATION,
  ),
  row(
    'W81',
    'must',
    'A legacy-only endpoint refuses discovery at once, so that clients fall back.',
    `${VERSIONING}#compatibility-matrix`,
  ),
] as const satisfies readonly WireRow[];

export type WireRowId = (typeof WIRE_ROWS)[number]['id'];

/** A citation for a test's name; an id that does not exist does not compile. */
export function verifies(...ids: [WireRowId, ...WireRowId[]]): string {
  return ids.join(' ');
}

function row<const Id extends string>(
  id: Id,
  level: WireRowLevel,
  duty: string,
  section: string,
): WireRow & { readonly id: Id } {
  return { id, level, duty, section };
}
