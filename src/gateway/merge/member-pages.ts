/** The pages of one server's list, read one after the other up to a bound. */
import type { Origin } from '../../core/grant.ts';
import type { ListKind } from '../../core/merge/list-kind.ts';
import { readPage, type ListPage } from '../../core/merge/list-page.ts';
import type { Message } from '../../core/protocol/message.ts';
import type { MemberLink } from './member-link.ts';

/** Pages of one server in one merged list; a longer one goes on at a cursor. */
const PAGES_MAX = 100;

export interface PagesRequest {
  readonly method: string;
  readonly kind: ListKind;
  /** The client's `_meta`: lists may depend on who asks, and how. */
  readonly meta: Readonly<Record<string, unknown>>;
  readonly charsMax: number;
  /** Whose request it is asked for. */
  readonly origin: Origin | undefined;
}

export type PagesOutcome =
  | { readonly kind: 'pages'; readonly pages: readonly ListPage[] }
  | { readonly kind: 'failed'; readonly error: Message | undefined };

export class MemberPages {
  readonly link: MemberLink;
  readonly #request: PagesRequest;
  readonly #done: (outcome: PagesOutcome) => void;
  readonly #pages: ListPage[] = [];
  #chars = 0;
  #giveUp: () => void = () => {};

  /** @param done - called once, unless stopped before. */
  constructor(link: MemberLink, request: PagesRequest, done: (outcome: PagesOutcome) => void) {
    this.link = link;
    this.#request = request;
    this.#done = done;
  }

  /** @param cursor - of the server; undefined for the beginning of its list. */
  read(cursor: string | undefined): void {
    const { method, kind, meta, charsMax, origin } = this.#request;
    const params = JSON.stringify({ _meta: meta, cursor });
    const request = { method, params, origin };
    this.#giveUp = this.link.ask(request, (answer) => {
      const page = answer.isError ? undefined : readPage(kind, this.link.name, cursor, answer);
      if (page === undefined) {
        this.#done({ kind: 'failed', error: answer.isError ? answer : undefined });
        return;
      }
      this.#pages.push(page);
      this.#chars += page.chars;
      const isOver = this.#pages.length >= PAGES_MAX || this.#chars > charsMax;
      if (page.next === undefined || isOver) this.#done({ kind: 'pages', pages: this.#pages });
      else this.read(page.next);
    });
  }

  stop(): void {
    this.#giveUp();
  }
}
