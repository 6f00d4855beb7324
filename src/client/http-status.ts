/**
 * What an HTTP status that refuses a request means, in words that say what is to be done. They are
 * read by whoever runs this and by clients of others: so it is Tidegate that was given a URL.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15
 */
const MEANINGS: Readonly<Record<number, string>> = {
  400: 'it does not understand the request, and may be no server of this protocol',
  401: 'it asks Tidegate for a credential, or for another one than it was sent in Authorization',
  403: 'it forbids this to Tidegate, and may want another credential in Authorization',
  404: 'nothing is served at the URL that Tidegate was given for it',
  405: 'the URL that Tidegate was given for it takes no messages of this protocol',
  413: 'the message is larger than it takes',
  429: 'it takes no more requests now',
  500: 'it failed, and its own log may say why',
  502: 'what is in front of it does not reach it',
  503: 'it cannot answer now',
  504: 'what is in front of it does not reach it in time',
};

const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** @param retryAfterMs - what it said about when to come back. */
export function describeStatus(status: number, retryAfterMs: number | undefined): string {
  const isElsewhere = status >= 300 && status <= 399;
  const rest = isElsewhere ? 'its URL leads to another one, which Tidegate has to be given' : REST;
  const seconds = Math.ceil((retryAfterMs ?? 0) / 1000);
  const when = seconds > 0 ? `after ${seconds} s` : 'later';
  const advice = PASSING.has(status) ? `; retry ${when}` : '';
  return `${MEANINGS[status] ?? rest}${advice} (HTTP status ${status})`;
}

const REST = 'it refused the request';
