/**
 * A reply's place in the queue of decisions between JSON and a stream. It waits there for its time
 * although most replies are over long before: then it is empty, so that nothing of them is kept.
 */
export interface Undecided {
  /** Undefined once there is nothing to decide. */
  reply: UndecidedReply | undefined;
}

export interface UndecidedReply {
  /** It has been undecided long enough. */
  decide(): void;
}
