/** What became of a reload. */
export type ReloadOutcome =
  | {
      readonly kind: 'applied';
      readonly added: readonly string[];
      readonly changed: readonly string[];
      readonly removed: readonly string[];
      /** How many servers went on untouched. */
      readonly kept: number;
      /** Settings of the listener that differ and count from the next start, as `listen.port`. */
      readonly needsRestart: readonly string[];
    }
  /** Nothing was changed; `reason` is one sentence. */
  | { readonly kind: 'refused'; readonly reason: string };
