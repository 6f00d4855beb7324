/**
 * A URI as policies are asked about it: as it is sent on, and as a server sees it that reads it
 * with a URL parser, as those of the official SDK do. `file:///public/../secret` is written below
 * one and lies below the other, so whoever asks for it must be allowed both.
 * @see https://url.spec.whatwg.org/#concept-basic-url-parser
 */
export function uriForms(uri: string): readonly string[] {
  if (!URL.canParse(uri)) return [uri];
  const { href } = new URL(uri);
  const read = uri.includes('{') ? withBraces(href) : href;
  return read === uri ? [uri] : [uri, read];
}

/** The braces of a template are escaped in paths and left alone elsewhere. */
function withBraces(href: string): string {
  return href.replaceAll('%7B', '{').replaceAll('%7D', '}');
}
