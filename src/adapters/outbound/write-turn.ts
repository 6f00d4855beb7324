/**
 * Requests that are written together, one whole turn of the event loop after they were asked for:
 * by then every socket was looked at once more. So a kept connection that was closed, or whose
 * server speaks unasked, is found before a request is written into it; and many at once cost less
 * than each by itself.
 */
export interface Writing {
  write(): void;
}

export class WriteTurn {
  #waiting: Writing[] = [];
  readonly #look = (): void => {
    const due = this.#waiting;
    this.#waiting = [];
    // What is left of this turn may have looked at the sockets before they were asked for.
    setImmediate(writeAll, due);
  };

  add(writing: Writing): void {
    if (this.#waiting.push(writing) === 1) setImmediate(this.#look);
  }
}

function writeAll(due: readonly Writing[]): void {
  for (const each of due) each.write();
}
