/**
 * What we ask a server beside the calls of clients, and what it answers at once or not at all. One
 * that says nothing does not keep it in the place of a call.
 */
import type { Refusal } from '../core/errors.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Instance, InstancePorts } from './instance.ts';

/** Milliseconds that it may take to answer. */
const ANSWER_MS_MAX = 60_000;

/** A conversation, as far as it can be asked. */
export interface AskedConversation extends Pick<Instance, 'ask' | 'cancel'> {
  readonly ports: Pick<InstancePorts, 'clock'>;
}

/** @param done - called once; a server that says nothing has timed out. */
export function askBriefly(
  conversation: AskedConversation,
  method: string,
  params: object,
  done: (answer: Message | Refusal) => void = () => {},
): void {
  let disarm = (): void => {};
  const call = conversation.ask(method, JSON.stringify(params), (answer) => {
    disarm();
    done(answer);
  });
  if (call?.state !== 'waiting') return;
  disarm = conversation.ports.clock.after(ANSWER_MS_MAX, () => {
    conversation.cancel(call, 'timed out');
    done({ error: 'CALL_TIMED_OUT' });
  });
}
