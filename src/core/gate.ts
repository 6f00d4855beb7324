/**
 * Who may come in how often, and who may hold how much. A port: counting is its adapter's. It is
 * asked before work is begun, so that what is refused costs next to nothing.
 */
import type { Refusal } from './errors.ts';
import type { Principal } from './ports.ts';

/** On whose account something is counted. */
export interface Visitor {
  /** The peer's address. */
  readonly address: string;
  readonly principal: Principal;
  /** The name of the server. */
  readonly server: string;
}

/** Each visitor has one of every kind. */
export type Account = 'address' | 'principal' | 'tenant' | 'server';

/** What lasts, and is given back. An instance is a running upstream. */
export type Holding = 'stream' | 'session' | 'call' | 'instance';

export interface Gate {
  /**
   * Somebody knocks; nothing of the request is believed yet. `done` is called once, perhaps at
   * once.
   */
  arrive(address: string, done: (refusal: Refusal | undefined) => void): void;
  /** A verified request, of any verb. */
  enter(visitor: Visitor, done: (refusal: Refusal | undefined) => void): void;
  /** A stream or a session is about to be opened; the request itself was counted. */
  open(visitor: Visitor, done: (refusal: Refusal | undefined) => void): void;
  /** Bytes that went in or out. They are never refused: what comes next is. */
  spend(visitor: Visitor, bytes: number): void;
  /**
   * Takes a place, unless the refusal says that there is none. Each is given back once.
   * @param accounts - whose it is. Default: all of the visitor's.
   */
  take(visitor: Visitor, holding: Holding, accounts?: readonly Account[]): Refusal | undefined;
  /** The refusal `take` would give now. */
  full(visitor: Visitor, holding: Holding): Refusal | undefined;
  /** Whether `take` would give a place now. Nobody is refused by asking, and nothing is counted. */
  hasPlace(visitor: Visitor, holding: Holding, accounts?: readonly Account[]): boolean;
  /** @param accounts - as when it was taken. */
  giveBack(visitor: Visitor, holding: Holding, accounts?: readonly Account[]): void;
}
