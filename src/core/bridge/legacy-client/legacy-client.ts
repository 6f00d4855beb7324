/**
 * A client of the handshake eras, as a server of the stateless revision is told about it: who it
 * is, and what of its capabilities can be carried across.
 */
type Members = Readonly<Record<string, unknown>>;

/** Extensions whose messages differ between the eras. */
const NOT_CARRIED = 'io.modelcontextprotocol/tasks';

export class LegacyClient {
  readonly info: unknown;
  /** While questions can reach it. */
  readonly capabilities: Members;
  /** While they cannot. */
  readonly silentCapabilities: Members;

  /**
   * @param initializeParams - what it sent with `initialize`, as JSON text.
   * @param fallback - who asks if it did not say who it is.
   */
  constructor(initializeParams: string | undefined, fallback: unknown) {
    const params = membersOfValue(JSON.parse(initializeParams ?? '{}'));
    this.info = isIdentity(params['clientInfo']) ? params['clientInfo'] : fallback;
    const declared = membersOfValue(params['capabilities']);
    const extensions = carriedExtensions(declared['extensions']);
    this.silentCapabilities = extensions === undefined ? {} : { extensions };
    this.capabilities = { ...questionsOf(declared), ...this.silentCapabilities };
  }

  /**
   * Whether it declared what this question needs. An empty `elicitation` means forms.
   * @see https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#capabilities
   */
  canAnswer(method: string, params: Members): boolean {
    const { elicitation, sampling, roots } = this.capabilities;
    switch (method) {
      case 'elicitation/create': {
        if (elicitation === undefined) return false;
        const modes = membersOfValue(elicitation);
        if (params['mode'] === 'url') return modes['url'] !== undefined;
        return modes['form'] !== undefined || modes['url'] === undefined;
      }
      case 'sampling/createMessage': {
        if (sampling === undefined) return false;
        const hasTools = params['tools'] !== undefined || params['toolChoice'] !== undefined;
        return !hasTools || membersOfValue(sampling)['tools'] !== undefined;
      }
      case 'roots/list':
        return roots !== undefined;
      default:
        return false;
    }
  }
}

/** The stateless revision has no notice of changed roots: they are asked for when needed. */
function questionsOf(declared: Members): Members {
  const { elicitation, sampling, roots } = declared;
  return {
    ...(isMembers(elicitation) ? { elicitation } : {}),
    ...(isMembers(sampling) ? { sampling } : {}),
    ...(isMembers(roots) ? { roots: {} } : {}),
  };
}

/** Extensions of either side that need nothing of us but to be named. */
export function carriedExtensions(extensions: unknown): Members | undefined {
  if (!isMembers(extensions)) return undefined;
  const kept = Object.entries(extensions).filter(([name]) => name !== NOT_CARRIED);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function isIdentity(info: unknown): boolean {
  const { name, version } = membersOfValue(info);
  return typeof name === 'string' && typeof version === 'string';
}

function membersOfValue(value: unknown): Members {
  return isMembers(value) ? value : {};
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
