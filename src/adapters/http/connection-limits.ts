/**
 * The bounds of the HTTP connections themselves: how long and how much a peer may take before,
 * between and after requests. What one request may hold is bounded in `core/limits.ts`.
 */
export interface ConnectionLimits {
  /**
   * Milliseconds a TLS handshake may take, and the header of the PROXY protocol before it. Default
   * 10,000.
   */
  readonly handshakeMsMax: number;
  /** Milliseconds a request's head may take. Ends slow heads (slowloris). Default 10,000. */
  readonly headMsMax: number;
  /** Milliseconds a whole request may take to arrive; the reply is not meant. Default 60,000. */
  readonly requestMsMax: number;
  /**
   * Milliseconds between two looks at the two bounds above, hence how late they may strike. Default
   * 5,000.
   */
  readonly checkMs: number;
  /**
   * Milliseconds an idle connection is kept: longer than the 60 s of load balancers, so that they
   * close first. Default 75,000.
   */
  readonly keepAliveMs: number;
  /**
   * Milliseconds of silence before TCP keep-alive probes look for a peer that vanished, and between
   * the pings of HTTP/2, each of which must be answered before the next. Default 30,000.
   */
  readonly probeDelayMs: number;
  /** Bytes of one request head; beyond it 431. Default 16,384. */
  readonly headBytesMax: number;
  /** Header lines of one request; beyond it 431. Default 256. */
  readonly headersMax: number;
  /** Open connections; beyond it new ones are closed at once. Default 20,000. */
  readonly connectionsMax: number;
  /** Milliseconds a finished reply may wait for a reader that takes nothing. Default 10,000. */
  readonly stallMsMax: number;
  /**
   * Bytes of an unwanted body that are read and dropped so that its sender sees the refusal.
   * Default 4 MiB.
   */
  readonly discardBytesMax: number;
  /** Milliseconds for the same. Default 2,000. */
  readonly discardMsMax: number;
  /**
   * Bytes a second that a body which is waited for must bring, looked at every `checkMs`; slower
   * ones get 408. Default 240.
   */
  readonly bodyBytesPerSecondMin: number;
  /**
   * Requests of one connection of HTTP/1 that are handled before it is their turn to be replied to;
   * further ones wait. With 0 a client cannot answer a question behind the call that asks it.
   * Default 8.
   */
  readonly pipelinedHandledMax: number;
  /** Requests of one connection of HTTP/1 that wait so; beyond it, it is closed. Default 100. */
  readonly pipelinedWaitingMax: number;
  /** Requests open at a time on one connection of HTTP/2; further ones wait. Default 100. */
  readonly requestsPerConnectionMax: number;
  /**
   * Bytes of replies that wait to be taken on one connection of HTTP/2. Beyond it further requests
   * wait, and a peer that takes less than `unsentBytesPerSecondMin` for half of `stallMsMax` is
   * cut. Default 16 MiB.
   */
  readonly unsentBytesMax: number;
  /** Bytes a second that such a peer must take. Default 16,384. */
  readonly unsentBytesPerSecondMin: number;
  /**
   * Bytes of replies and streams that wait to be taken on all connections together, but for 16 KiB
   * on each; what several streams share counts for each. Beyond it the connections that hold most
   * for longest are cut. Up to twice as much is held for them. Default 256 MiB.
   */
  readonly unsentTotalBytesMax: number;
  /**
   * Requests of one connection of HTTP/2 that may be reset within a minute, by either side, before
   * their reply is over; then it is closed. Default 200.
   */
  readonly resetsPerMinuteMax: number;
  /** Pings and settings of one connection of HTTP/2 within a minute. Default 120. */
  readonly pingsPerMinuteMax: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  handshakeMsMax: 10_000,
  headMsMax: 10_000,
  requestMsMax: 60_000,
  checkMs: 5_000,
  keepAliveMs: 75_000,
  probeDelayMs: 30_000,
  headBytesMax: 16_384,
  headersMax: 256,
  connectionsMax: 20_000,
  stallMsMax: 10_000,
  discardBytesMax: 4 * 1024 * 1024,
  discardMsMax: 2_000,
  bodyBytesPerSecondMin: 240,
  pipelinedHandledMax: 8,
  pipelinedWaitingMax: 100,
  requestsPerConnectionMax: 100,
  unsentBytesMax: 16 * 1024 * 1024,
  unsentBytesPerSecondMin: 16_384,
  unsentTotalBytesMax: 256 * 1024 * 1024,
  resetsPerMinuteMax: 200,
  pingsPerMinuteMax: 120,
};
