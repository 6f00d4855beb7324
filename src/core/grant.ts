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

/** Of a credential that says nothing but who it is. */
export const BARE_GRANT: Grant = {
  expiresAt: Infinity,
  scopes: [],
  groups: [],
  claims: {},
  credentialId: undefined,
};
