/** One listen of the client, over a listen at every server concerned: the machine's hands. */
import type { Change } from '../../core/merge/change.ts';
import {
  changeMethod,
  changeNotice,
  changeOf,
  changesOf,
  stamped,
} from '../../core/merge/change.ts';
import { listenShare } from '../../core/merge/listen-share.ts';
import { type ListenDecision, MergedListen } from '../../core/merge/merged-listen.ts';
import type { SendOutcome } from '../../core/ports.ts';
import { Message } from '../../core/protocol/message.ts';
import { filterText, readFilter, wants, type Filter } from '../../core/sessions/subscription.ts';
import { Backoff } from '../../server/backoff.ts';
import { metaOf } from './list-call.ts';
import type { MemberLink } from './member-link.ts';
import type { OpenRequest, RequestHost } from './open-request.ts';
import { RouteReader } from './route-reader.ts';

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
/** A server that knows no listens, or not these, will not learn them. */
const FINAL: ReadonlySet<unknown> = new Set([-32601, -32602]);
const EVERYTHING = {
  toolsListChanged: true,
  promptsListChanged: true,
  resourcesListChanged: true,
  uris: new Set<string>(),
};

export class ListenCall implements OpenRequest {
  readonly #host: RequestHost;
  readonly #request: Message;
  readonly #filter: Filter;
  readonly #machine: MergedListen;
  readonly #backoffs = new Map<string, Backoff>();
  readonly #disarms = new Map<string, () => void>();
  #disarmWait: () => void = () => {};
  #reader: RouteReader | undefined;
  #hasBegun = false;

  constructor(host: RequestHost, request: Message) {
    const { notifications } = (request.value ?? {}) as { notifications?: unknown };
    this.#host = host;
    this.#request = request;
    this.#filter = readFilter(notifications);
    this.#machine = new MergedListen(this.#filter);
  }

  start(): SendOutcome {
    const { routes } = this.#host;
    const isSure = [...this.#filter.uris].every((uri) => routes.routeOf(uri).isSure);
    if (isSure) {
      this.#disarmWait = this.#host.whenSettled(() => this.#begin());
    } else {
      this.#reader = new RouteReader(this.#host, this.#request, () => this.#begin());
      this.#reader.start();
    }
    return 'sent';
  }

  cancel(): void {
    this.#reader?.stop();
    this.#disarmWait();
    for (const disarm of this.#disarms.values()) disarm();
    this.#decide((outbox) => this.#machine.stop(outbox));
  }

  notified(link: MemberLink, message: Message): void {
    if (message.method === ACKNOWLEDGED) {
      const { notifications } = (message.value ?? {}) as { notifications?: unknown };
      const honoured = readFilter(notifications);
      this.#backoffOf(link).started(this.#host.parts.clock.now());
      this.#decide((outbox) => this.#machine.acknowledged(link.name, honoured, outbox));
      return;
    }
    const change = changeOf(message);
    if (change === undefined) return;
    if (change.kind === 'resources') this.#host.routes.forget(link.name);
    this.#decide((outbox) => this.#machine.changed(change, outbox));
  }

  answered(link: MemberLink, answer: Message): void {
    const isFinal = answer.isError && FINAL.has((answer.value as { code?: unknown }).code);
    this.#decide((outbox) => this.#machine.ended(link.name, isFinal, outbox));
  }

  linkChanged(link: MemberLink): void {
    if (!this.#hasBegun) return;
    if (link.state === 'closed') {
      this.#backoffs.delete(link.name);
      this.#decide((outbox) => this.#machine.left(link.name, outbox));
    }
    const isBack = link.state === 'present';
    const share = isBack ? this.#shareOf(link) : undefined;
    this.#decide((outbox) => {
      if (share !== undefined) this.#machine.joined(link.name, share, outbox);
      for (const change of listsOf(link)) {
        const isToldLater =
          share !== undefined && wants(share, changeMethod(change.kind), undefined);
        if (!isToldLater) this.#machine.changed(change, outbox);
      }
    });
  }

  #begin(): void {
    this.#reader = undefined;
    this.#hasBegun = true;
    const present = this.#host.links().filter(({ state }) => state === 'present');
    const shares = new Map(present.map((link) => [link.name, this.#shareOf(link)]));
    const { clock, limits } = this.#host.parts;
    this.#disarmWait = clock.after(limits.mergedWaitMsMax, () =>
      this.#decide((outbox) => this.#machine.waited(outbox)),
    );
    this.#decide((outbox) => this.#machine.begin(shares, outbox));
  }

  #shareOf(link: MemberLink): Filter {
    const { routes } = this.#host;
    return listenShare(this.#filter, link.capabilities, (uri) =>
      routes.routeOf(uri).servers.includes(link.name),
    );
  }

  #decide(input: (outbox: ListenDecision[]) => void): void {
    const outbox: ListenDecision[] = [];
    input(outbox);
    for (const decision of outbox) this.#do(decision);
  }

  #do(decision: ListenDecision): void {
    switch (decision.do) {
      case 'listen':
        this.#listen(decision.server, decision.filter);
        return;
      case 'unlisten':
        this.#linkOf(decision.server)?.cancel(this.#id);
        return;
      case 'reopen-later':
        this.#reopenLater(decision.server);
        return;
      case 'acknowledge': {
        this.#disarmWait();
        const members = `"notifications":${filterText(decision.honoured)}`;
        this.#host.tell(this.#id, stamped(ACKNOWLEDGED, this.#id, members));
        return;
      }
      default:
        this.#host.tell(this.#id, changeNotice(decision.change, this.#id));
    }
  }

  #listen(server: string, filter: Filter): void {
    const meta = JSON.stringify(metaOf(this.#request));
    const params = `{"_meta":${meta},"notifications":${filterText(filter)}}`;
    const request = Message.request(this.#id, 'subscriptions/listen', params).sentFor(
      this.#request.origin,
    );
    const outcome = this.#linkOf(server)?.send(request) ?? 'closed';
    if (outcome !== 'sent') this.#decide((outbox) => this.#machine.ended(server, false, outbox));
  }

  #reopenLater(server: string): void {
    const link = this.#linkOf(server);
    if (link === undefined) return;
    const { clock } = this.#host.parts;
    const delayMs = this.#backoffOf(link).failed(clock.now());
    this.#disarms.get(server)?.();
    const again = (): void => {
      this.#disarms.delete(server);
      this.#decide((outbox) => this.#machine.again(server, outbox));
    };
    this.#disarms.set(server, clock.after(delayMs, again));
  }

  #backoffOf({ name }: MemberLink): Backoff {
    const backoff = this.#backoffs.get(name) ?? new Backoff(this.#host.parts.random);
    this.#backoffs.set(name, backoff);
    return backoff;
  }

  #linkOf(server: string): MemberLink | undefined {
    return this.#host.links().find(({ name }) => name === server);
  }

  get #id(): string {
    return this.#request.id ?? 'null';
  }
}

/** The lists a server has entries in, which come and go with it. */
function listsOf({ capabilities }: MemberLink): readonly Change[] {
  return changesOf(EVERYTHING).filter(({ kind }) => kind in capabilities);
}
