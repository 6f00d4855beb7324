/**
 * One conversation with the merged server: on behalf of one principal, or of nobody while it is
 * only found out what it speaks. What was learnt for one principal is never used for another.
 */
import { failedCall, UNAVAILABLE } from '../../client/failed-call.ts';
import { requestIdOf } from '../../client/modern-conversation.ts';
import type { Refusal } from '../../core/errors.ts';
import { listKindOf } from '../../core/merge/list-kind.ts';
import { mergedDiscover } from '../../core/merge/merged-discover.ts';
import { ResourceRoutes } from '../../core/merge/resource-routes.ts';
import { targetOf, unknownName } from '../../core/merge/request-target.ts';
import type {
  Principal,
  SendOutcome,
  UpstreamConnection,
  UpstreamEvents,
} from '../../core/ports.ts';
import { Message } from '../../core/protocol/message.ts';
import { ListCall } from './list-call.ts';
import { ListenCall } from './listen-call.ts';
import { MemberLinks } from './member-links.ts';
import type { MemberLink } from './member-link.ts';
import type { MergedMember, MergeParts } from './merge-parts.ts';
import type { OpenRequest, RequestHost } from './open-request.ts';
import { ResourceCall } from './resource-call.ts';
import { RoutedCall } from './routed-call.ts';

export class MergedConnection implements UpstreamConnection, RequestHost {
  readonly parts: MergeParts;
  readonly routes: ResourceRoutes = new ResourceRoutes();
  readonly #caller: Principal;
  readonly #links: MemberLinks;
  readonly #events: UpstreamEvents;
  readonly #open = new Map<string, OpenRequest>();
  #isClosed = false;

  constructor(
    parts: MergeParts,
    members: readonly MergedMember[],
    caller: Principal,
    events: UpstreamEvents,
  ) {
    this.parts = parts;
    this.#caller = caller;
    this.#events = events;
    this.#links = new MemberLinks(parts, caller, {
      message: (link, id, message) => this.#received(link, id, message),
      oversized: (_, id) => {
        if (this.#open.delete(id)) this.#events.onOversized(id);
      },
      changed: (link) => this.#changed(link),
    });
    this.setMembers(members);
  }

  send(message: Message): SendOutcome {
    if (this.#isClosed) return 'closed';
    if (message.kind === 'request') return this.#begin(message);
    if (message.method === 'notifications/cancelled') {
      const id = message.token(message.spans.requestId) ?? requestIdOf(message);
      const open = this.#open.get(id);
      this.#open.delete(id);
      open?.cancel();
    }
    return 'sent';
  }

  /** Those its caller sees of these. */
  setMembers(all: readonly MergedMember[]): void {
    const { sees } = this.parts;
    const members = all.filter(({ name }) => sees?.(this.#caller, name) ?? true);
    this.routes.setServers(members.map(({ name }) => name));
    this.#links.set(members);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const open of this.#open.values()) open.cancel();
    this.#open.clear();
    this.#links.close();
    queueMicrotask(() => this.#events.onClosed('closed', 'closed by us'));
  }

  links(): readonly MemberLink[] {
    return this.#links.all();
  }

  whenSettled(then: () => void): () => void {
    return this.#links.whenSettled(then);
  }

  answer(id: string, answer: Message): void {
    if (this.#open.delete(id)) this.#events.onMessage(answer, id);
  }

  tell(id: string, message: Message): void {
    if (this.#open.has(id)) this.#events.onMessage(message, id);
  }

  #begin(request: Message): SendOutcome {
    const id = request.id ?? 'null';
    const kind = listKindOf(request.method);
    if (kind !== undefined) return this.#start(id, new ListCall(this, request, kind));
    if (request.method === 'subscriptions/listen') {
      return this.#start(id, new ListenCall(this, request));
    }
    if (request.method === 'server/discover') return this.#discover(id);
    const target = targetOf(request);
    if (target === undefined) return this.#refuse(id, { error: 'METHOD_NOT_FOUND' });
    if (target.kind === 'nobody') {
      return this.#refuse(id, { error: 'INVALID_PARAMS', detail: target.detail });
    }
    if (target.kind === 'resource') {
      return this.#start(id, new ResourceCall(this, target.request, target.uri));
    }
    const link = this.#links.find(target.server);
    if (link !== undefined) return this.#start(id, new RoutedCall(this, link, target.request));
    const detail = unknownName(target.noun, target.merged);
    return this.#refuse(id, { error: 'INVALID_PARAMS', detail });
  }

  #start(id: string, open: OpenRequest): SendOutcome {
    this.#open.set(id, open);
    const outcome = open.start();
    if (outcome !== 'sent') this.#open.delete(id);
    return outcome;
  }

  #discover(id: string): SendOutcome {
    const giveUp = this.whenSettled(() => {
      const heard = this.links().filter(({ state }) => state === 'present');
      const instructions = heard.map(({ name, discovered }) => ({
        server: name,
        instructions: discovered['instructions'],
      }));
      this.answer(id, Message.result(id, mergedDiscover(this.parts.serverInfo, instructions)));
    });
    return this.#start(id, { start: () => 'sent', cancel: giveUp });
  }

  #refuse(id: string, refusal: Refusal): SendOutcome {
    let isCancelled = false;
    // Nothing is answered before the request was taken.
    queueMicrotask(() => {
      if (!isCancelled) this.answer(id, failedCall(id, refusal));
    });
    const cancel = (): void => {
      isCancelled = true;
    };
    return this.#start(id, { start: () => 'sent', cancel });
  }

  #received(link: MemberLink, id: string, message: Message): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    if (message.kind === 'response') {
      if (open.answered === undefined) this.answer(id, failedCall(id, UNAVAILABLE));
      else open.answered(link, message);
    } else if (open.notified === undefined) this.tell(id, message);
    else open.notified(link, message);
  }

  #changed(link: MemberLink): void {
    this.routes.forget(link.name);
    for (const open of this.#open.values()) open.linkChanged?.(link);
  }
}
