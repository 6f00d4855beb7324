/** A request of one server, whatever becomes of it there. */
import type { SendOutcome } from '../../core/ports.ts';
import type { Message } from '../../core/protocol/message.ts';
import type { MemberLink } from './member-link.ts';
import type { OpenRequest, RequestHost } from './open-request.ts';

export class RoutedCall implements OpenRequest {
  readonly #host: RequestHost;
  readonly #link: MemberLink;
  readonly #request: Message;

  constructor(host: RequestHost, link: MemberLink, request: Message) {
    this.#host = host;
    this.#link = link;
    this.#request = request;
  }

  start(): SendOutcome {
    return this.#link.send(this.#request);
  }

  cancel(): void {
    this.#link.cancel(this.#request.id ?? 'null');
  }

  answered(_link: MemberLink, answer: Message): void {
    this.#host.answer(this.#request.id ?? 'null', answer);
  }
}
