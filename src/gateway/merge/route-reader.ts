/**
 * Reads which server has which resources, once somebody needs to know: from the lists of every
 * server that has any and was not read yet. Bounded by the wait for merged lists.
 */
import { type ListKind, listKindOf } from '../../core/merge/list-kind.ts';
import type { Message } from '../../core/protocol/message.ts';
import { metaOf } from './list-call.ts';
import type { MemberLink } from './member-link.ts';
import { MemberPages } from './member-pages.ts';
import type { RequestHost } from './open-request.ts';

const LISTS = ['resources/list', 'resources/templates/list'] as const;

export class RouteReader {
  readonly #host: RequestHost;
  readonly #request: Message;
  readonly #done: () => void;
  readonly #reading = new Set<MemberPages>();
  #disarm: () => void = () => {};
  #isOver = false;

  /**
   * @param request - the one that needs it.
   * @param done - called once, whatever could be read; not after `stop`.
   */
  constructor(host: RequestHost, request: Message, done: () => void) {
    this.#host = host;
    this.#request = request;
    this.#done = done;
  }

  start(): void {
    this.#disarm = this.#host.whenSettled(() => this.#read());
  }

  stop(): void {
    this.#isOver = true;
    this.#disarm();
    for (const pages of this.#reading) pages.stop();
    this.#reading.clear();
  }

  /** A server that is merged no more has nothing to say. */
  linkChanged(link: MemberLink): void {
    if (link.state !== 'closed') return;
    let isMeant = false;
    for (const pages of this.#reading) {
      if (pages.link !== link) continue;
      pages.stop();
      this.#reading.delete(pages);
      isMeant = true;
    }
    // Not before it is known who is merged now.
    if (isMeant) queueMicrotask(() => this.#settle());
  }

  #read(): void {
    const { routes, parts } = this.#host;
    const links = resourceLinks(this.#host).filter(({ name }) => !routes.isKnown(name));
    this.#disarm = parts.clock.after(parts.limits.mergedWaitMsMax, () => {
      this.stop();
      this.#done();
    });
    for (const link of links) for (const method of LISTS) this.#readList(link, method);
    this.#settle();
  }

  #readList(link: MemberLink, method: (typeof LISTS)[number]): void {
    const kind = listKindOf(method) as ListKind;
    const charsMax = this.#host.parts.limits.upstreamLineBytesMax;
    const { origin } = this.#request;
    const request = { method, kind, meta: metaOf(this.#request), charsMax, origin };
    const pages = new MemberPages(link, request, (outcome) => {
      this.#reading.delete(pages);
      // A server that has no such list, or fails to say so, is one to be asked.
      const found = outcome.kind === 'pages' ? outcome.pages : [];
      const keys = found.flatMap(({ items }) => items.map(({ key }) => key));
      const { routes } = this.#host;
      if (kind.key === 'uri') routes.learnUris(link.name, keys, true);
      else routes.learnTemplates(link.name, keys, true);
      this.#settle();
    });
    this.#reading.add(pages);
    pages.read(undefined);
  }

  #settle(): void {
    if (this.#isOver || this.#reading.size > 0) return;
    this.#isOver = true;
    this.#disarm();
    this.#done();
  }
}

/** Servers that can be asked for a resource now. */
export function resourceLinks(host: RequestHost): readonly MemberLink[] {
  return host
    .links()
    .filter(({ state, capabilities }) => state === 'present' && 'resources' in capabilities);
}
