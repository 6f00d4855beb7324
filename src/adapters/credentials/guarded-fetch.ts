/**
 * `fetch` as the SDK's functions want it, over requests that are guarded like all of ours: every
 * address is checked, time and bytes are bounded, and a redirect leads nowhere but to its own
 * origin.
 */
import { GatheredBytes } from '../../core/gathered-bytes.ts';
import type { Outbound, OutboundHead, OutboundRequest } from '../../core/outbound.ts';
import { CredentialError } from './credential-error.ts';

export type GuardedFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

const BYTES_MAX = 262_144;
const MS_MAX = 10_000;
const REDIRECTS_MAX = 3;

interface Fetched {
  readonly head: OutboundHead;
  readonly body: Uint8Array;
}

export function guardedFetch(http: Outbound, msMax: number = MS_MAX): GuardedFetch {
  return async (url, init = {}) => {
    const deadline = performance.now() + msMax;
    let target = new URL(url);
    for (let redirects = 0; ; redirects += 1) {
      const request = requestOf(target, init);
      const { head, body } = await fetched(http, request, deadline - performance.now());
      const location = head.header('location');
      const isRedirect = head.status >= 300 && head.status < 400 && location !== undefined;
      if (!isRedirect) return responseOf(head, body);
      if (request.method !== 'GET' || redirects >= REDIRECTS_MAX) {
        throw new CredentialError(`${target.host} redirects what may not be redirected.`);
      }
      target = redirected(target, location);
    }
  };
}

function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to === undefined || to.origin !== from.origin) {
    throw new CredentialError(`${from.host} redirects to another origin, which is not followed.`);
  }
  return to;
}

function requestOf(url: URL, init: RequestInit): OutboundRequest {
  const headers = [...new Headers(init.headers)].flat();
  const { body } = init;
  return {
    method: init.method === 'POST' ? 'POST' : 'GET',
    url: url.href,
    headers: [...headers, 'accept-encoding', 'identity'],
    body: body instanceof URLSearchParams || typeof body === 'string' ? String(body) : undefined,
    // A second token request could spend a code or a refresh token twice.
    isRepeatable: init.method !== 'POST',
  };
}

function fetched(http: Outbound, request: OutboundRequest, msLeft: number): Promise<Fetched> {
  const { host } = new URL(request.url);
  return new Promise((resolve, reject) => {
    const gathered = new GatheredBytes();
    let head: OutboundHead | undefined;
    const fail = (what: string): void => {
      clearTimeout(timer);
      abort();
      reject(new CredentialError(`${host} ${what}.`));
    };
    const timer = setTimeout(() => fail('took too long to answer'), Math.max(0, msLeft));
    timer.unref();
    const abort = http.send(request, {
      onSent() {},
      onHead(received) {
        head = received;
        const coding = received.header('content-encoding') ?? 'identity';
        if (coding !== 'identity') fail('sent a content coding that was not asked for');
      },
      onBytes(chunk) {
        const bytes = gathered.length + chunk.length;
        if (bytes > BYTES_MAX) fail('sent more than belongs into such an answer');
        else gathered.add(chunk);
      },
      onEnd(end) {
        if (end.kind !== 'complete') fail(`could not be asked (${end.detail})`);
        else if (head !== undefined) {
          clearTimeout(timer);
          resolve({ head, body: gathered.whole() });
        }
      },
    });
  });
}

function responseOf(head: OutboundHead, body: Uint8Array): Response {
  const type = head.header('content-type') ?? '';
  const isBodiless = head.status === 204 || head.status === 205 || head.status === 304;
  return new Response(isBodiless ? null : Buffer.from(body), {
    status: head.status >= 200 && head.status <= 599 ? head.status : 502,
    headers: { 'content-type': type },
  });
}
