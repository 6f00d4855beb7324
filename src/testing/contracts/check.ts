/** One named promise of a port. A suite is a list of them, so that any test runner can run it. */
export interface Check {
  /** A sentence of behaviour. */
  readonly name: string;
  /** Rejects with what was expected and what was found. */
  run(): Promise<void>;
}

/** Fails a check. */
export function expectThat(isTrue: boolean, promise: string): void {
  if (!isTrue) throw new Error(promise);
}

/** Fails a check unless both sides have the same JSON. */
export function expectSame(found: unknown, expected: unknown, about: string): void {
  const foundText = JSON.stringify(found);
  const expectedText = JSON.stringify(expected);
  if (foundText !== expectedText) {
    throw new Error(`${about}: expected ${expectedText}, found ${foundText}`);
  }
}
