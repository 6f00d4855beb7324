/**
 * What a refused client is told of how to come in. Every value is escaped, so that none can add a
 * parameter or a line of its own.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export interface ChallengeFacts {
  readonly error?: string | undefined;
  readonly description?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  /** Where the resource is described. @see https://www.rfc-editor.org/rfc/rfc9728#section-5.1 */
  readonly metadataUrl?: string | undefined;
  /** Algorithms of proofs that are taken; for the scheme `DPoP` alone. */
  readonly algorithms?: readonly string[] | undefined;
}

/** The value of `WWW-Authenticate`. */
export function challenge(scheme: 'Bearer' | 'DPoP', facts: ChallengeFacts): string {
  const scope = facts.scopes === undefined ? undefined : facts.scopes.join(' ');
  const parameters = [
    ['realm', 'tidegate'],
    ['error', facts.error],
    ['error_description', facts.description],
    ['scope', scope === '' ? undefined : scope],
    ['resource_metadata', facts.metadataUrl],
    ['algs', facts.algorithms?.join(' ')],
  ] as const;
  const said = parameters.flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${quotedString(value)}`,
  );
  return `${scheme} ${said.join(', ')}`;
}

/** By which schemes a credential may come. */
export interface ChallengeSchemes {
  /** Algorithms of proofs that are taken; empty when none is. */
  readonly dpopAlgorithms: readonly string[];
  /** Whether it is taken with a proof alone. */
  readonly isDpopRequired: boolean;
}

/**
 * One header for each scheme that is taken, flat.
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-7.1
 */
export function challenges(
  facts: ChallengeFacts,
  { dpopAlgorithms, isDpopRequired }: ChallengeSchemes,
): readonly string[] {
  const headers: string[] = [];
  if (!isDpopRequired) headers.push('WWW-Authenticate', challenge('Bearer', facts));
  if (dpopAlgorithms.length > 0) {
    const ofProof = challenge('DPoP', { ...facts, algorithms: dpopAlgorithms });
    headers.push('WWW-Authenticate', ofProof);
  }
  return headers;
}

/**
 * Printable ASCII between quotes; whatever else a value holds becomes a question mark.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.4
 */
export function quotedString(value: string): string {
  const printable = value.replaceAll(/[^\u0020-\u007e]/g, '?');
  return `"${printable.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
