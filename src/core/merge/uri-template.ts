/**
 * Whether a URI may have been made from a template: its literal parts occur in their order, and
 * whatever stands between them is taken for the expressions. That is wider than the expressions
 * allow, and takes no longer than the URI is long for each part.
 * @see https://www.rfc-editor.org/rfc/rfc6570
 */
const EXPRESSION = /\{[^{}]*\}/;

export function matchesTemplate(template: string, uri: string): boolean {
  const literals = template.split(EXPRESSION);
  const [first = '', ...others] = literals;
  const last = others.pop();
  if (last === undefined) return uri === template;
  if (!uri.startsWith(first) || !uri.endsWith(last)) return false;
  let at = first.length;
  for (const literal of others) {
    const found = uri.indexOf(literal, at);
    if (found === -1) return false;
    at = found + literal.length;
  }
  return at + last.length <= uri.length;
}

/** Characters that are not left to an expression: the more, the closer a match. */
export function templateChars(template: string): number {
  return template.split(EXPRESSION).join('').length;
}
