/** One request on its way through admission: what is known of it so far, and how it is refused. */
import { ERRORS, errorResponse, type Refusal } from '../core/errors.ts';
import type { HttpExchange, Principal } from '../core/ports.ts';
import {
  Connection,
  JSON_HEADERS,
  type ConnectionKind,
  type ConnectionOwner,
} from './connection.ts';
import type { EndpointContext } from './context.ts';

/** Seconds a refused client is asked to wait, the middle of a jitter of 50 %. */
const RETRY_AFTER_SECONDS = 2;

export class Inbound {
  readonly context: EndpointContext;
  readonly exchange: HttpExchange;
  /** Headers every reply to it carries: CORS, for an origin that is listed. */
  readonly headers: readonly string[];
  readonly principal: Principal;

  constructor(
    context: EndpointContext,
    exchange: HttpExchange,
    headers: readonly string[],
    principal: Principal,
  ) {
    this.context = context;
    this.exchange = exchange;
    this.headers = headers;
    this.principal = principal;
  }

  refuse(refusal: Refusal): void {
    refuseExchange(this.context, this.exchange, this.headers, refusal);
  }

  /** 202 and nothing else. */
  accept(): void {
    this.exchange.respond(202, this.headers, '');
  }

  connection(
    owner: ConnectionOwner,
    kind: ConnectionKind,
    era: string,
    headers: readonly string[] = this.headers,
  ): Connection {
    const { tenant } = this.principal;
    return new Connection(this.context.connections, owner, this.exchange, {
      kind,
      era,
      tenant,
      headers,
    });
  }

  /** The body as text, or the refusal is sent. */
  readBody(then: (text: string) => void): void {
    this.exchange.readBody(this.context.limits.bodyBytesMax, (outcome) => {
      if (outcome.kind === 'body') then(outcome.text);
      else if (outcome.kind === 'refused') this.refuse(outcome.refusal);
    });
  }
}

/** The one place where a refusal becomes a reply. */
export function refuseExchange(
  context: Pick<EndpointContext, 'telemetry' | 'random'>,
  exchange: HttpExchange,
  headers: readonly string[],
  refusal: Refusal,
): void {
  const { httpStatus, retryable } = ERRORS[refusal.error];
  context.telemetry.count('refused_total', { reason: refusal.error });
  const isWorthWaiting = retryable && (httpStatus === 429 || httpStatus === 503);
  const seconds = Math.ceil(RETRY_AFTER_SECONDS * (0.5 + context.random.fraction()));
  const all = JSON_HEADERS.concat(
    headers,
    refusal.headers ?? [],
    isWorthWaiting ? ['Retry-After', String(seconds)] : [],
  );
  exchange.respond(httpStatus, all, errorResponse(refusal));
}
