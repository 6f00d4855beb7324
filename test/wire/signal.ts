/** Lets a test wait for what it can see to become so: bounded, told by events, never by luck. */
const WAIT_MS = 10_000;

export class Signal {
  readonly #checks = new Set<() => void>();

  /** Something happened: those who wait look again. */
  fire(): void {
    for (const check of this.#checks) check();
  }

  /** @param state - what is shown when it never came to be. */
  async until(
    condition: () => boolean,
    what: string,
    state: () => string = () => '',
  ): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#checks.delete(check);
        reject(new Error(`Waited in vain for ${what}. ${state()}`));
      }, WAIT_MS);
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#checks.delete(check);
        resolve();
      };
      this.#checks.add(check);
    });
  }
}

/**
 * For what nobody tells of, such as that the server has noticed a lost connection: looks often, not
 * for ever.
 */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const endsAt = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > endsAt) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
