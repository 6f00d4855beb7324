/**
 * Hosts, origins and URLs as operators write them, in a file or on a command line: the value in its
 * one form, or a sentence that says what to give instead.
 */
export type WebValue =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'fault'; readonly sentence: string };

/** A name or an address to listen on; brackets around IPv6 are taken off. */
export function listenHostValue(text: string): WebValue {
  const host = text.replace(/^\[(.*)\]$/, '$1');
  // An empty name would listen everywhere.
  if (/^[A-Za-z0-9._:%-]+$/.test(host)) return value(host);
  return fault('Give a host name or an address, without a scheme or a path.');
}

/** An absolute http or https URL without a trailing slash. */
export function publicUrlValue(text: string): WebValue {
  const url = webUrl(text);
  if (url === undefined) return fault('Give an absolute URL, such as https://mcp.example.com.');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    return fault('Leave out user, password, query and fragment.');
  }
  return value(url.href.replace(/\/+$/, ''));
}

/** The absolute http or https URL of a server. */
export function serverUrlValue(text: string): WebValue {
  if (webUrl(text) !== undefined) return value(text);
  return fault('Give an absolute URL, such as https://mcp.example.com/mcp.');
}

/** A host that may be called without TLS and at a private address. */
export function allowedHostValue(text: string): WebValue {
  const host = text.toLowerCase();
  if (/^[a-z0-9._-]+$/.test(host) || /^\[?[0-9a-f:]+\]?$/.test(host)) return value(host);
  return fault('Give one host name or address, without scheme, port or path.');
}

/** The origin of a browser's page, or of an application with a scheme of its own. */
export function originValue(text: string): WebValue {
  const isWeb = /^https?:/i.test(text) && URL.canParse(text);
  const origin = isWeb ? new URL(text).origin : text.toLowerCase();
  const isOrigin = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@,*]+$/.test(origin);
  if (isOrigin && (!isWeb || new URL(text).href === `${origin}/`)) return value(origin);
  return fault('Give scheme://name or scheme://name:port, one origin an item.');
}

function webUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) ? url : undefined;
}

function value(text: string): WebValue {
  return { kind: 'value', value: text };
}

function fault(sentence: string): WebValue {
  return { kind: 'fault', sentence };
}
