/** Where lines of the record go, whole and in order. */
export interface LineSink {
  /**
   * @param bytes - lines, each with its line break; they do not change before `done`.
   * @param done - called once, with whether all were taken.
   */
  write(bytes: Uint8Array, done: (failure: Error | undefined) => void): void;
  close(): Promise<void>;
}
