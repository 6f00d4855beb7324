/**
 * Why there is no credential: a sentence without secrets, fit for a log and for whoever asked.
 * Thrown here and where issuers are asked; further out it is an outcome.
 */
export class CredentialError extends Error {
  override readonly name: string = 'CredentialError';
}

/** The sentence of whatever was thrown. What others wrote may repeat a secret, and is left out. */
export function credentialFault(error: unknown): string {
  if (error instanceof CredentialError) return error.message;
  const name = error instanceof Error ? error.name : '';
  const said = FAULTS[name];
  if (said !== undefined) return said;
  const code = (error as { code?: unknown } | undefined)?.code;
  if (name === 'OAuthError' && typeof code === 'string' && /^[a-z_]{1,40}$/.test(code)) {
    return `The authorization server refused: ${code}.`;
  }
  return 'The authorization server sent something that is not of its protocol.';
}

/** What the SDK's own checks find. */
const FAULTS: Readonly<Record<string, string>> = {
  IssuerMismatchError:
    'The authorization server is not the one it says it is: its issuer differs from its address.',
  InsecureTokenEndpointError: 'The token endpoint is not reached by TLS.',
};
