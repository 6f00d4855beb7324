/** What of our own a server is shown. A port; fetching and keeping it are its adapters'. */
export type CredentialOutcome =
  /** What the Authorization header is to say. */
  | { readonly kind: 'header'; readonly value: string }
  /** There is none: the request goes without, or its refusal stands. */
  | { readonly kind: 'none' }
  /** One is needed and cannot be had: a sentence without secrets, which its caller may be told. */
  | { readonly kind: 'failed'; readonly detail: string };

/** What a server said to a request with our credential, or without any. */
export interface CredentialRefusal {
  readonly status: 401 | 403;
  /** Its `WWW-Authenticate`. */
  readonly challenge: string | undefined;
  /** The value that was sent. */
  readonly value: string | undefined;
}

/**
 * Our own credential at a server, for every caller or for one. `done` is called once, perhaps at
 * once. Never throws.
 */
export interface Credentials {
  authorize(done: (outcome: CredentialOutcome) => void): void;
  /** `header`: a new one, with which the refused request is worth sending again. */
  refused(refusal: CredentialRefusal, done: (outcome: CredentialOutcome) => void): void;
}
