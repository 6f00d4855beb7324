/**
 * What a server says when it refuses a credential.
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-5.1
 */
export interface Challenge {
  /** Where it describes itself. */
  readonly metadataUrl: string | undefined;
  readonly scope: string | undefined;
}

/** Reads the Bearer challenge of a `WWW-Authenticate`; whatever else is there is left alone. */
export function readChallenge(header: string | undefined): Challenge {
  const start = header === undefined ? -1 : header.search(/(^|,\s*)bearer(\s|$)/i);
  const text = header === undefined || start === -1 ? '' : header.slice(start, start + 8192);
  const metadata = parameter(text, 'resource_metadata');
  return {
    metadataUrl: metadata !== undefined && URL.canParse(metadata) ? metadata : undefined,
    scope: parameter(text, 'scope'),
  };
}

function parameter(text: string, name: string): string | undefined {
  const found = new RegExp(`[\\s,]${name}=(?:"([^"\\\\]*)"|([^\\s,"]+))`, 'i').exec(text);
  const value = found?.[1] ?? found?.[2];
  return value === '' ? undefined : value;
}

/** Every scope of several lists once, in order; undefined for none. */
export function joinedScope(...lists: readonly (string | undefined)[]): string | undefined {
  const scopes = new Set(lists.flatMap((list) => (list ?? '').split(' ')).filter((s) => s !== ''));
  return scopes.size === 0 ? undefined : [...scopes].join(' ');
}
