/**
 * A URI as policies are asked about it: as it is sent on, and as a server sees it that reads it
 * with a URL parser, as those of the official SDK do. `file:///public/../secret` is written below
 * one and lies below the other, so whoever asks for it must be allowed both.
 * @see https://url.spec.whatwg.org/#concept-basic-url-parser
 */
export function uriForms(uri: string): readonly string[] {
  return forms(uri, (href) => href);
}

/** A template of URIs likewise: parsers escape its braces in paths, and no server reads it so. */
export function templateForms(template: string): readonly string[] {
  return forms(template, (href) => href.replaceAll('%7B', '{').replaceAll('%7D', '}'));
}

function forms(text: string, asRead: (href: string) => string): readonly string[] {
  if (!URL.canParse(text)) return [text];
  const read = asRead(new URL(text).href);
  return read === text ? [text] : [text, read];
}
