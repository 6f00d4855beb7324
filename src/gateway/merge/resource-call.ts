/**
 * A request about one resource: to the server that lists it, else to one after the other until it
 * is known somewhere.
 */
import type { Refusal } from '../../core/errors.ts';
import type { SendOutcome } from '../../core/ports.ts';
import { failedCall, UNAVAILABLE } from '../../client/failed-call.ts';
import type { Message } from '../../core/protocol/message.ts';
import type { MemberLink } from './member-link.ts';
import type { OpenRequest, RequestHost } from './open-request.ts';
import { isForbidden } from './list-call.ts';
import { resourceLinks, RouteReader } from './route-reader.ts';

/**
 * How servers say that they do not have a resource, or no resources at all. The second is the word
 * of revisions before 2026.
 */
const NOT_FOUND: ReadonlySet<unknown> = new Set([-32602, -32002, -32601]);

export class ResourceCall implements OpenRequest {
  readonly #host: RequestHost;
  readonly #request: Message;
  readonly #uri: string;
  #reader: RouteReader | undefined;
  #isSure = false;
  /** Who refused it, with the first answer that said so. */
  readonly #forbidding = new Set<string>();
  #forbidden: Message | undefined;
  /** Names of servers that are still to be asked. */
  #next: readonly string[] = [];
  #current: MemberLink | undefined;

  constructor(host: RequestHost, request: Message, uri: string) {
    this.#host = host;
    this.#request = request;
    this.#uri = uri;
  }

  start(): SendOutcome {
    const owner = this.#host.routes.ownerOf(this.#uri);
    if (owner !== undefined) {
      this.#isSure = true;
      this.#current = this.#host.links().find(({ name }) => name === owner);
      return this.#current?.send(this.#request) ?? 'closed';
    }
    this.#reader = new RouteReader(this.#host, this.#request, () => this.#begin());
    this.#reader.start();
    return 'sent';
  }

  cancel(): void {
    this.#reader?.stop();
    this.#current?.cancel(this.#id);
  }

  linkChanged(link: MemberLink): void {
    this.#reader?.linkChanged(link);
  }

  answered(link: MemberLink, answer: Message): void {
    if (isForbidden(answer)) {
      this.#refused(link, answer);
      return;
    }
    const isUnknown = answer.isError && NOT_FOUND.has((answer.value as { code?: unknown }).code);
    if (isUnknown && this.#isSure) this.#host.routes.forget(link.name);
    if (!isUnknown || this.#isSure) this.#host.answer(this.#id, answer);
    else this.#ask();
  }

  /** Of what is kept from its client, a server is as good as one that does not have it. */
  #refused(link: MemberLink, answer: Message): void {
    this.#forbidden ??= answer;
    this.#forbidding.add(link.name);
    if (this.#isSure) {
      this.#host.routes.forget(link.name);
      this.#begin();
    } else this.#ask();
  }

  #begin(): void {
    this.#reader = undefined;
    const { servers, isSure } = this.#host.routes.routeOf(this.#uri);
    const able = isSure ? this.#host.links() : resourceLinks(this.#host);
    this.#isSure = isSure;
    const left = servers.filter((server) => !this.#forbidding.has(server));
    this.#next = left.filter((server) => able.some(({ name }) => name === server));
    this.#ask();
  }

  #ask(): void {
    const link = this.#nextLink();
    this.#current = link;
    if (link === undefined) {
      this.#host.answer(this.#id, this.#unknown());
      return;
    }
    const outcome = link.send(this.#request);
    if (outcome === 'sent') return;
    const refusal: Refusal = outcome === 'full' ? { error: 'UPSTREAM_BUSY' } : UNAVAILABLE;
    this.#host.answer(this.#id, failedCall(this.#id, refusal));
  }

  /** One that is merged no more by now is passed over. */
  #nextLink(): MemberLink | undefined {
    const links = this.#host.links();
    while (this.#next.length > 0) {
      const [server, ...others] = this.#next;
      this.#next = others;
      const link = links.find(({ name }) => name === server);
      if (link !== undefined && link.state !== 'closed') return link;
    }
    return undefined;
  }

  /**
   * While a server is down nobody can say that there is no such resource.
   * @see https://modelcontextprotocol.io/specification/2026-07-28/server/resources#error-handling
   */
  #unknown(): Message {
    const isWhole = this.#host.links().every(({ state }) => state === 'present');
    if (!isWhole) return failedCall(this.#id, UNAVAILABLE);
    if (this.#forbidden !== undefined) return this.#forbidden;
    const data = JSON.stringify({ uri: this.#uri });
    return failedCall(this.#id, { error: 'INVALID_PARAMS', detail: 'Resource not found', data });
  }

  get #id(): string {
    return this.#request.id ?? 'null';
  }
}
