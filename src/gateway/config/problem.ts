/** One thing that is wrong with a config file, and where. */
export interface Problem {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** The keys that lead there, such as `servers.github.url`; empty for the file as a whole. */
  readonly path: string;
  /** One sentence that says what to do. It repeats no value of the file or the environment. */
  readonly message: string;
}

/** Keys and indices that lead to a value. */
export type ConfigPath = readonly (string | number)[];
