/**
 * What a 2026 client declared, as the handshake of an older server is told it: only what can be
 * carried across. The same declaration always has the same text, so that it can be a key.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#capability-negotiation
 */
type Members = Readonly<Record<string, unknown>>;

export interface ClientCapabilities {
  readonly roots?: object;
  readonly sampling?: { readonly tools?: object; readonly context?: object };
  readonly elicitation?: { readonly form?: object; readonly url?: object };
}

/** Methods of a server's questions, and which capability each needs. */
const QUESTIONS = {
  'roots/list': 'roots',
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
} as const;

export type QuestionMethod = keyof typeof QUESTIONS;

export function isQuestionMethod(method: string | undefined): method is QuestionMethod {
  return method !== undefined && Object.hasOwn(QUESTIONS, method);
}

/**
 * Extensions and experiments are left out: what they would make the server send has no counterpart.
 */
export function bridgedCapabilities(declared: unknown): ClientCapabilities {
  if (!isObject(declared)) return {};
  const { roots, sampling, elicitation } = declared;
  return {
    ...(isObject(roots) ? { roots: {} } : {}),
    ...(isObject(sampling) ? { sampling: only(sampling, ['tools', 'context']) } : {}),
    ...(isObject(elicitation) ? { elicitation: only(elicitation, ['form', 'url']) } : {}),
  };
}

/** Whether a server may ask such a client anything. */
export function canBeAsked(capabilities: ClientCapabilities): boolean {
  return Object.keys(capabilities).length > 0;
}

/** The capabilities a question needs, as `requiredCapabilities` names them. */
export function requiredBy(method: QuestionMethod, params: unknown): ClientCapabilities {
  const members = isObject(params) ? params : {};
  switch (QUESTIONS[method]) {
    case 'roots':
      return { roots: {} };
    case 'sampling':
      return { sampling: members['tools'] === undefined ? {} : { tools: {} } };
    default:
      return { elicitation: members['mode'] === 'url' ? { url: {} } : { form: {} } };
  }
}

/** `elicitation: {}` means forms; every other mode is declared by name. */
export function covers(declared: ClientCapabilities, required: ClientCapabilities): boolean {
  if (required.roots !== undefined && declared.roots === undefined) return false;
  if (required.sampling !== undefined) {
    if (declared.sampling === undefined) return false;
    if (required.sampling.tools !== undefined && declared.sampling.tools === undefined)
      return false;
  }
  if (required.elicitation === undefined) return true;
  const { elicitation } = declared;
  if (elicitation === undefined) return false;
  if (required.elicitation.url !== undefined) return elicitation.url !== undefined;
  return elicitation.form !== undefined || elicitation.url === undefined;
}

function only(members: Members, names: readonly string[]): Record<string, object> {
  return Object.fromEntries(
    names.filter((name) => isObject(members[name])).map((name) => [name, {}]),
  );
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
