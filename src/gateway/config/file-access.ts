/** The files beside a config, as far as reading it needs them. */
export interface FileAccess {
  /** The absolute form of a path that is relative to the config file. */
  resolve(path: string): string;
  /** The text of a file at an absolute path. */
  read(path: string): FileText;
}

export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  /** `fault` follows "The file", such as "does not exist". */
  | { readonly kind: 'unreadable'; readonly fault: string };
