/**
 * Every bound of the product, with its reason and its default.
 *
 * Rules: a bound has a unit in its name, is configurable, and its breach has a reason the peer sees
 * (a `Refusal` from `errors.ts` or a goodbye from `close-reasons.ts`). Nothing grows without a line
 * here.
 */
export interface Limits {
  /** Bytes of one request body. Peers use 4 MiB; images in base64 pass 1 MB routinely. */
  readonly bodyBytesMax: number;
  /** Nesting of client JSON. V8 parses a million levels but fails to serialise five thousand. */
  readonly jsonDepthMax: number;
  /** Object members in one client message: 4 MB of unique keys block the event loop for 1.5 s. */
  readonly jsonKeysMax: number;
  /**
   * Characters of one JSON string of a client. Equal to the body bound, so that a file in base64
   * fits.
   */
  readonly jsonStringCharsMax: number;
  /** Messages in one 2025-03-26 batch: each one may become a pending request. */
  readonly batchMessagesMax: number;
  /**
   * Characters of one line from an upstream. Beyond it the line is skipped and its call is answered
   * with an error.
   */
  readonly upstreamLineBytesMax: number;
  /**
   * Bytes that may wait to be written to one upstream before calls are refused as `UPSTREAM_BUSY`.
   */
  readonly upstreamQueueBytesMax: number;
  /**
   * Bytes that may wait in one stream's socket, besides what a resumed stream begins with, which
   * `logBytesMax` bounds. A slower reader is closed and may resume.
   */
  readonly streamQueueBytesMax: number;
  /** Milliseconds a reader may take nothing while bytes wait for it. */
  readonly stallMsMax: number;
  /** Events kept for resume, a session. */
  readonly logEventsMax: number;
  /** Characters of events kept for resume, a session. */
  readonly logBytesMax: number;
  /**
   * Bytes of events kept for resume, all sessions together, what holds them included: one change
   * told to thousands of sessions is kept in each.
   */
  readonly logTotalBytesMax: number;
  /** Milliseconds an event is kept for resume. */
  readonly logAgeMsMax: number;
  /**
   * Sessions of one principal. `initialize` beyond it evicts the longest idle session without a
   * stream, or is refused.
   */
  readonly sessionsPerPrincipalMax: number;
  /** Sessions of the whole endpoint: principals are many when an identity provider mints them. */
  readonly sessionsMax: number;
  /** Event streams of one tenant: each holds a socket and about 12 KB. */
  readonly streamsPerTenantMax: number;
  /**
   * Characters of one client's `initialize` params: a session keeps them to repeat the handshake.
   */
  readonly initializeCharsMax: number;
  /** Requests in flight of one session, and so its reply streams; in 2026, of one principal. */
  readonly pendingPerOwnerMax: number;
  /**
   * Requests in flight at one upstream instance. Where several share it, those of one principal's
   * sessions leave as much room as they take.
   */
  readonly pendingPerUpstreamMax: number;
  /** Milliseconds a request may be in flight, whatever progress it reports. */
  readonly callMsMax: number;
  /** Upstream instances (children, for stdio) of the whole endpoint. */
  readonly upstreamInstancesMax: number;
  /** Resource URIs subscribed by one session or one listen stream. */
  readonly subscriptionsPerOwnerMax: number;
  /** Characters of those URIs together: they are kept as long as the session or the stream. */
  readonly subscriptionCharsMax: number;
  /** Listen streams of one principal. */
  readonly listensPerPrincipalMax: number;
  /** Milliseconds a session outlives its last connection. */
  readonly sessionIdleMs: number;
  /** Milliseconds a session lives in all, however busy. */
  readonly sessionMsMax: number;
  /**
   * Milliseconds after which a stream that may be rotated is ended, less a jitter of up to 20 %.
   * Finds half-open peers.
   */
  readonly streamMsMax: number;
  /** Milliseconds a call in flight has to finish after the credential it was sent with ended. */
  readonly expiredCallMsMax: number;
  /**
   * Milliseconds of silence after which a heartbeat comment is written. Idle cuts start at 60 s,
   * some at 20.
   */
  readonly heartbeatMs: number;
  /** Milliseconds a reply may stay undecided between JSON and an event stream. */
  readonly replyDecisionMs: number;
  /** Milliseconds a client waits before it reconnects: the middle of a jitter of 50 %. */
  readonly retryMs: number;
  /**
   * Milliseconds an upstream may take to answer its first message. `npx` may have to install it.
   */
  readonly upstreamStartMsMax: number;
  /** Milliseconds an upstream shared by several clients is kept without any. */
  readonly upstreamIdleMs: number;
  /**
   * The same for the one instance of isolation `shared`, which may hold what all have in common.
   * It is kept by default: 24 days are about the longest a timer takes.
   */
  readonly sharedIdleMs: number;
  /**
   * Starts in vain of one server within `restartWindowMs`; with isolation `shared`, ends of any
   * kind. Then it is a crash loop, and the server is left down.
   */
  readonly restartsPerWindowMax: number;
  /** Milliseconds in which they are counted. */
  readonly restartWindowMs: number;
  /** Milliseconds a server in a crash loop is left down before it is tried again. */
  readonly restartPauseMs: number;
  /**
   * Upstream sessions of the handshake revisions opened for the 2026 requests of one principal: one
   * for each set of client capabilities, and one more for each call that waits for its user.
   */
  readonly bridgedSessionsPerOwnerMax: number;
  /**
   * Milliseconds a call keeps those of other principals waiting, at a server that they share and
   * that is given one call at a time, before these are made in another session.
   */
  readonly sharedTurnMsMax: number;
  /** Calls of one principal that wait for their client to come back with answers. */
  readonly parkedPerOwnerMax: number;
  /** Milliseconds a call waits for answers, each time: people are asked. */
  readonly parkedMsMax: number;
  /** Notifications kept for a call while its client is away for answers. */
  readonly parkedNoticesMax: number;
  /** Times one call may send its client for answers: a server that never has enough is stopped. */
  readonly bridgedRoundsMax: number;
  /** Milliseconds further questions are waited for, so that those asked at once go out at once. */
  readonly askWindowMs: number;
  /**
   * Milliseconds a merged list or listen waits for one of its servers, before it goes on without
   * it.
   */
  readonly mergedWaitMsMax: number;
  /**
   * Milliseconds a listen waits for a server of the handshake revisions to grant its resources,
   * before it is acknowledged without those it said nothing of.
   */
  readonly subscribeMsMax: number;
  /**
   * Milliseconds for which what tools say of themselves counts, once it was read in a conversation
   * with the server: policies may look at it. The next call has it read again.
   */
  readonly toolFactsMsMax: number;
  /** Characters of any one header value of ours that is compared or decoded. */
  readonly headerCharsMax: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytesMax: 4 * 1024 * 1024,
  jsonDepthMax: 64,
  jsonKeysMax: 20_000,
  jsonStringCharsMax: 4 * 1024 * 1024,
  batchMessagesMax: 100,
  upstreamLineBytesMax: 10 * 1024 * 1024,
  upstreamQueueBytesMax: 16 * 1024 * 1024,
  streamQueueBytesMax: 1024 * 1024,
  stallMsMax: 10_000,
  logEventsMax: 1000,
  logBytesMax: 4 * 1024 * 1024,
  logTotalBytesMax: 512 * 1024 * 1024,
  logAgeMsMax: 300_000,
  sessionsPerPrincipalMax: 1000,
  sessionsMax: 20_000,
  streamsPerTenantMax: 10_000,
  initializeCharsMax: 65_536,
  pendingPerOwnerMax: 256,
  pendingPerUpstreamMax: 10_000,
  callMsMax: 3_600_000,
  upstreamInstancesMax: 1000,
  subscriptionsPerOwnerMax: 1000,
  subscriptionCharsMax: 262_144,
  listensPerPrincipalMax: 1000,
  sessionIdleMs: 300_000,
  sessionMsMax: 86_400_000,
  streamMsMax: 3_600_000,
  expiredCallMsMax: 60_000,
  heartbeatMs: 15_000,
  replyDecisionMs: 50,
  retryMs: 2000,
  upstreamStartMsMax: 60_000,
  upstreamIdleMs: 300_000,
  sharedIdleMs: 2_073_600_000,
  restartsPerWindowMax: 10,
  restartWindowMs: 120_000,
  restartPauseMs: 60_000,
  bridgedSessionsPerOwnerMax: 16,
  sharedTurnMsMax: 10_000,
  parkedPerOwnerMax: 64,
  parkedMsMax: 600_000,
  parkedNoticesMax: 256,
  bridgedRoundsMax: 8,
  askWindowMs: 20,
  mergedWaitMsMax: 5000,
  subscribeMsMax: 3000,
  toolFactsMsMax: 300_000,
  headerCharsMax: 8192,
};
