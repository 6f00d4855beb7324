/**
 * One list, asked of all servers at once and answered as one. Who fails, or takes longer than the
 * wait, is left out: one server must not cost a client the others.
 */
import type { ListKind } from '../../core/merge/list-kind.ts';
import { readCursor } from '../../core/merge/merged-cursor.ts';
import { mergedList, type LeftOut } from '../../core/merge/merged-list.ts';
import type { ListPage } from '../../core/merge/list-page.ts';
import { failedCall, UNAVAILABLE } from '../../client/failed-call.ts';
import type { SendOutcome } from '../../core/ports.ts';
import { Message } from '../../core/protocol/message.ts';
import type { MemberLink } from './member-link.ts';
import { MemberPages, type PagesOutcome } from './member-pages.ts';
import type { OpenRequest, RequestHost } from './open-request.ts';

export class ListCall implements OpenRequest {
  readonly #host: RequestHost;
  readonly #request: Message;
  readonly #kind: ListKind;
  readonly #reading = new Map<MemberLink, MemberPages>();
  readonly #found = new Map<MemberLink, readonly ListPage[]>();
  #asked: readonly MemberLink[] = [];
  #isComplete = true;
  #disarm: () => void = () => {};

  constructor(host: RequestHost, request: Message, kind: ListKind) {
    this.#host = host;
    this.#request = request;
    this.#kind = kind;
  }

  start(): SendOutcome {
    this.#disarm = this.#host.whenSettled(() => this.#ask());
    return 'sent';
  }

  cancel(): void {
    this.#disarm();
    for (const pages of this.#reading.values()) pages.stop();
    this.#reading.clear();
  }

  /**
   * A server that is merged no more has nothing to say. Another may have taken its place, so that
   * the list is not to be kept.
   */
  linkChanged(link: MemberLink): void {
    if (link.state !== 'closed' || !this.#reading.delete(link)) return;
    this.#isComplete = false;
    this.#asked = this.#asked.filter((each) => each !== link);
    this.#settle();
  }

  #ask(): void {
    const { cursor } = (this.#request.value ?? {}) as { cursor?: unknown };
    const from = typeof cursor === 'string' ? readCursor(cursor) : undefined;
    const all = this.#host.links();
    const first = from === undefined ? 0 : all.findIndex(({ name }) => name === from.server);
    if (first === -1) {
      this.#answer(failedCall(this.#id, { error: 'INVALID_PARAMS', detail: 'Unknown cursor.' }));
      return;
    }
    const links = all.slice(first);
    const present = links.filter(({ state }) => state === 'present');
    this.#isComplete = present.length === links.length;
    this.#asked = present.filter(({ capabilities }) => this.#kind.capability in capabilities);
    if (present.length === 0 && links.length > 0) {
      this.#answer(failedCall(this.#id, UNAVAILABLE));
      return;
    }
    const { clock, limits } = this.#host.parts;
    this.#disarm = clock.after(limits.mergedWaitMsMax, () => this.#waited());
    for (const link of this.#asked)
      this.#read(link, link === all[first] ? from?.cursor : undefined);
    this.#settle();
  }

  #read(link: MemberLink, cursor: string | undefined): void {
    const request = {
      method: this.#request.method ?? '',
      kind: this.#kind,
      meta: metaOf(this.#request),
      charsMax: this.#charsMax,
      origin: this.#request.origin,
    };
    const pages = new MemberPages(link, request, (outcome) => this.#pagesRead(link, outcome));
    this.#reading.set(link, pages);
    pages.read(cursor);
  }

  #pagesRead(link: MemberLink, outcome: PagesOutcome): void {
    this.#reading.delete(link);
    if (outcome.kind === 'pages') this.#found.set(link, outcome.pages);
    else if (isForbidden(outcome.error)) this.#found.set(link, []);
    else {
      this.#leaveOut(link, 'failed');
      link.suspect();
    }
    this.#settle();
  }

  #waited(): void {
    for (const [link, pages] of this.#reading) {
      pages.stop();
      this.#leaveOut(link, 'slow');
    }
    this.#reading.clear();
    this.#settle();
  }

  #leaveOut(link: MemberLink, reason: 'failed' | 'slow'): void {
    const { telemetry } = this.#host.parts;
    const list = this.#kind.member;
    this.#isComplete = false;
    telemetry.log('warn', 'merged_server_left_out', { server: link.name, list, reason });
    telemetry.count('merged_left_out_total', { server: link.name, reason });
  }

  #settle(): void {
    if (this.#reading.size > 0) return;
    this.#disarm();
    if (this.#asked.length > 0 && this.#found.size === 0) {
      this.#answer(failedCall(this.#id, UNAVAILABLE));
      return;
    }
    this.#learn();
    const { routes, parts } = this.#host;
    const isListed = this.#kind.key !== 'name';
    const { text, leftOut } = mergedList(this.#members(), {
      kind: this.#kind,
      serverInfo: parts.serverInfo,
      isComplete: this.#isComplete,
      charsMax: this.#charsMax,
      isTaken: (key, server) => isListed && (routes.ownerOf(key) ?? server) !== server,
    });
    for (const each of leftOut) this.#warn(each);
    this.#answer(Message.result(this.#id, text));
  }

  #members(): { readonly server: string; readonly pages: readonly ListPage[] }[] {
    const found = this.#asked.filter((link) => this.#found.has(link));
    return found.map((link) => ({ server: link.name, pages: this.#found.get(link) ?? [] }));
  }

  /** What was listed is where a URI is read from. */
  #learn(): void {
    const { routes } = this.#host;
    for (const { server, pages } of this.#members()) {
      const keys = pages.flatMap(({ items }) => items.map(({ key }) => key));
      const isFromStart = pages[0]?.cursor === undefined;
      if (this.#kind.key === 'uri') routes.learnUris(server, keys, isFromStart);
      if (this.#kind.key === 'uriTemplate') routes.learnTemplates(server, keys, isFromStart);
    }
  }

  #warn({ server, reason }: LeftOut): void {
    const { telemetry } = this.#host.parts;
    const list = this.#kind.member;
    telemetry.log('warn', 'merged_entry_left_out', { server, list, reason });
    telemetry.count('merged_left_out_total', { server, reason });
  }

  get #charsMax(): number {
    return this.#host.parts.limits.upstreamLineBytesMax;
  }

  get #id(): string {
    return this.#request.id ?? 'null';
  }

  #answer(answer: Message): void {
    this.#host.answer(this.#id, answer);
  }
}

/** Policies keep the list from whoever asks: to them it is empty, and its server is well. */
export function isForbidden(answer: Message | undefined): boolean {
  return answer?.refusal?.error === 'FORBIDDEN';
}

/** Progress is one server's of one call; a list of many has none. */
export function metaOf(request: Message): Readonly<Record<string, unknown>> {
  const { _meta: meta } = (request.value ?? {}) as { _meta?: Readonly<Record<string, unknown>> };
  const { progressToken: _, ...kept } = meta ?? {};
  return kept;
}
