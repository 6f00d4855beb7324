/**
 * What we ask a server for its owners, beside the calls of clients. So many at once are asked for
 * each; the rest of theirs waits in a line of their own, and takes no place of anybody's call.
 */
interface AskLine {
  asked: number;
  isServing: boolean;
  readonly waiting: Map<string, AskTurn>;
}

/** Its turn has come. @param done - to be called once, when the server has answered. */
export type AskTurn = (done: () => void) => void;

export class AskLines {
  readonly #max: number;
  readonly #lines = new Map<string, AskLine>();

  /** @param max - of one owner at once. */
  constructor(max: number) {
    this.#max = max;
  }

  /** @param what - an owner asks for it once: nothing is added while it waits. */
  add(owner: string, what: string, turn: AskTurn): void {
    const line = this.#lines.get(owner) ?? { asked: 0, isServing: false, waiting: new Map() };
    this.#lines.set(owner, line);
    if (!line.waiting.has(what)) line.waiting.set(what, turn);
    this.#serve(owner, line);
  }

  /** It is not needed any more, if its turn has not come. */
  drop(owner: string, what: string): void {
    this.#lines.get(owner)?.waiting.delete(what);
  }

  /** Not within itself: what is refused at once is over at once, and there may be many of those. */
  #serve(owner: string, line: AskLine): void {
    if (line.isServing) return;
    line.isServing = true;
    for (const [what, turn] of line.waiting) {
      if (line.asked >= this.#max) break;
      line.waiting.delete(what);
      this.#begin(owner, line, turn);
    }
    line.isServing = false;
    if (line.asked === 0 && line.waiting.size === 0) this.#lines.delete(owner);
  }

  #begin(owner: string, line: AskLine, turn: AskTurn): void {
    let isOver = false;
    line.asked += 1;
    turn(() => {
      if (isOver) return;
      isOver = true;
      line.asked -= 1;
      this.#serve(owner, line);
    });
  }
}
