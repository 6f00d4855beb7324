/** Where lines of the record go. Lines keep their order; `done` tells whether all were taken. */
export interface LineSink {
  write(lines: readonly string[], done: (failure: Error | undefined) => void): void;
  close(): Promise<void>;
}
