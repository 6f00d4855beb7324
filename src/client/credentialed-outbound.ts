/**
 * Requests with a credential of ours. One that the server refuses is renewed, and the request that
 * was refused is sent again with the new one: once, since a refused request was not begun.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 */
import type { CredentialOutcome, CredentialRefusal, Credentials } from '../core/credentials.ts';
import type { Outbound, OutboundEvents, OutboundHead, OutboundRequest } from '../core/outbound.ts';

export class CredentialedOutbound implements Outbound {
  readonly #inner: Outbound;
  readonly #credentials: Credentials;
  readonly #waiting = new Set<CredentialedRequest>();

  constructor(inner: Outbound, credentials: Credentials) {
    this.#inner = inner;
    this.#credentials = credentials;
  }

  send(request: OutboundRequest, events: OutboundEvents): () => void {
    const sending = new CredentialedRequest(this.#inner, this.#credentials, request, events, () =>
      this.#waiting.delete(sending),
    );
    this.#waiting.add(sending);
    sending.start();
    return () => sending.abort();
  }

  /** Gives up what is its own; the connections belong to whoever made them. */
  async close(): Promise<void> {
    for (const sending of this.#waiting) sending.abort();
  }
}

class CredentialedRequest {
  readonly #inner: Outbound;
  readonly #credentials: Credentials;
  readonly #request: OutboundRequest;
  readonly #events: OutboundEvents;
  readonly #onOver: () => void;
  #abort: (() => void) | undefined;
  #isSecond = false;
  #isSent = false;
  #isOver = false;
  /** Whether `send` returned: nothing may be reported before. */
  #hasReturned = false;

  constructor(
    inner: Outbound,
    credentials: Credentials,
    request: OutboundRequest,
    events: OutboundEvents,
    onOver: () => void,
  ) {
    this.#inner = inner;
    this.#credentials = credentials;
    this.#request = request;
    this.#events = events;
    this.#onOver = onOver;
  }

  start(): void {
    this.#credentials.authorize((outcome) => this.#authorized(outcome));
    this.#hasReturned = true;
  }

  abort(): void {
    this.#finish();
    this.#abort?.();
  }

  #authorized(outcome: CredentialOutcome): void {
    if (this.#isOver) return;
    if (outcome.kind === 'failed') this.#fail(outcome.detail);
    else this.#send(outcome.kind === 'header' ? outcome.value : undefined);
  }

  #send(value: string | undefined): void {
    const own = value === undefined ? [] : ['Authorization', value];
    const request = { ...this.#request, headers: [...this.#request.headers, ...own] };
    let isRefused = false;
    const abort = this.#inner.send(request, {
      onSent: () => {
        if (this.#isSent) return;
        this.#isSent = true;
        this.#events.onSent();
      },
      onHead: (head) => {
        const refusal = this.#isSecond ? undefined : refusalIn(head, value);
        isRefused = refusal !== undefined;
        if (refusal === undefined) this.#events.onHead(head);
        else this.#refused(refusal, head, abort);
      },
      onBytes: (chunk) => {
        if (!isRefused) this.#events.onBytes(chunk);
      },
      onEnd: (end) => {
        if (isRefused || this.#isOver) return;
        this.#finish();
        this.#events.onEnd(end);
      },
    });
    this.#abort = abort;
  }

  #refused(refusal: CredentialRefusal, head: OutboundHead, abort: () => void): void {
    this.#isSecond = true;
    abort();
    this.#abort = undefined;
    this.#credentials.refused(refusal, (outcome) => {
      if (this.#isOver) return;
      if (outcome.kind === 'header') {
        this.#send(outcome.value);
      } else if (outcome.kind === 'failed') {
        this.#fail(outcome.detail);
      } else {
        this.#finish();
        // Its body is not waited for: the status says all that is acted upon.
        this.#events.onHead({ status: head.status, header: (name) => headerOf(head, name) });
        this.#events.onEnd({ kind: 'complete' });
      }
    });
  }

  #fail(detail: string): void {
    const report = (): void => {
      if (this.#isOver) return;
      this.#finish();
      this.#events.onEnd({ kind: 'unsent', detail, hint: detail });
    };
    if (this.#hasReturned) report();
    else queueMicrotask(report);
  }

  #finish(): void {
    this.#isOver = true;
    this.#onOver();
  }
}

/** A refusal that another credential may turn; undefined for every other reply. */
function refusalIn(head: OutboundHead, value: string | undefined): CredentialRefusal | undefined {
  const challenge = head.header('www-authenticate');
  const isScope = challenge !== undefined && /\berror="?insufficient_scope\b/i.test(challenge);
  if (head.status === 401) return { status: 401, challenge, value };
  return head.status === 403 && isScope ? { status: 403, challenge, value } : undefined;
}

/** Of a reply without its body. */
function headerOf(head: OutboundHead, name: string): string | undefined {
  return name === 'content-type' ? undefined : head.header(name);
}
