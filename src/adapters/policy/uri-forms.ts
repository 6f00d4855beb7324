/**
 * A URI as policies are asked about it: as it is sent on, and as a server sees it that reads it
 * with a URL parser, as those of the official SDK do. `file:///public/../secret` is written below
 * one and lies below the other, so whoever asks for it must be allowed both. `..%2F` is no way up
 * to a URL parser; to a server that undoes it first it is, and means nothing else.
 * @see https://url.spec.whatwg.org/#concept-basic-url-parser
 */
export function uriForms(uri: string): readonly string[] {
  const plain = decoded(uri);
  const up = WAY_UP.test(plain) ? forms(plain, (href) => href).slice(1) : [];
  return [...new Set([...forms(uri, (href) => href), ...up])];
}

/**
 * A URI or a template as most servers see it at last, since they undo percent-encoding before they
 * open a file: `%73ecret` is `secret`. Nothing has to permit it in these, or names that hold a
 * space had to be permitted twice; but what is forbidden is not had by another spelling.
 * @see https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2.2
 */
export function decodedForms(text: string): readonly string[] {
  const plain = decoded(text);
  return plain === text ? [] : forms(plain, (href) => href);
}

/** A template of URIs likewise: parsers escape its braces in paths, and no server reads it so. */
export function templateForms(template: string): readonly string[] {
  return forms(template, (href) => href.replaceAll('%7B', '{').replaceAll('%7D', '}'));
}

const WAY_UP = /(?:^|[/\\])\.\.?(?:[/\\]|$)/;

/** Characters of ASCII one by one, so that bytes beside them that are no text hide none. */
const ENCODED = /%[0-7][\da-f]|(?:%[89a-f][\da-f])+/gi;

/** Once: what is encoded twice is undone by nobody. */
function decoded(text: string): string {
  return text.replace(ENCODED, (each) => {
    try {
      return decodeURIComponent(each);
    } catch {
      return each;
    }
  });
}

function forms(text: string, asRead: (href: string) => string): readonly string[] {
  if (!URL.canParse(text)) return [text];
  const read = asRead(new URL(text).href);
  return read === text ? [text] : [text, read];
}
