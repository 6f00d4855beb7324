/** What a verified credential says besides its principal. */
export interface Grant {
  /** When it ends, on the endpoint's clock in milliseconds; Infinity for never. */
  readonly expiresAt: number;
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  /** What policies may look at besides, by the names the operator mapped. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Names the credential for revocation and the record: a key's id, a token's `jti`. No secret. */
  readonly credentialId: string | undefined;
}

/** How a client asked, whatever its request was made into on the way. */
export interface Asked {
  readonly era: '2024' | '2025' | '2026';
  readonly method: string;
}

/** On whose behalf a request travels inside this process, besides its principal. */
export interface Origin extends Asked {
  readonly grant: Grant;
  /** The peer's address. */
  readonly address: string;
  /**
   * Of a tool's call: the client's `Mcp-Param-*` headers, flat, for the tool's own server to check.
   * Undefined where its revision has none, so that they are ours to write.
   */
  readonly paramLines?: readonly string[] | undefined;
}

/** Of a credential that says nothing but who it is. */
export const BARE_GRANT: Grant = {
  expiresAt: Infinity,
  scopes: [],
  groups: [],
  claims: {},
  credentialId: undefined,
};

/**
 * Of a request of ours on behalf of somebody whose credential of the moment is not known: policies
 * allow it nothing that tells of what a server has.
 */
export const UNKNOWN_GRANT: Grant = { ...BARE_GRANT };
