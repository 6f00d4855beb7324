/** An MCP server that asks for tokens of one authorization server, for itself. */
import { HandServer, type Asked } from '../upstreams/http/hand-server.ts';
import type { AuthorizationServer } from './authorization-server.ts';

const PREFIX = 'Bearer ';

export class GuardedServer {
  readonly server: HandServer;
  /** Whose tokens count, and whom it names. */
  issuer: AuthorizationServer;
  /** Every Authorization header of a request to the server itself. */
  readonly shown: (string | undefined)[] = [];
  /** Scopes a tool call needs. */
  needs: readonly string[] = [];
  /** Tokens that are refused although they were issued. */
  readonly revoked = new Set<string>();
  /** Whether every token is refused. */
  isClosed = false;
  /** Whether nobody needs a token. */
  isOpen = false;
  /** Replaces members of the protected resource metadata. */
  description: Record<string, unknown> = {};
  /** What is said to a caller that was let in. */
  answer: (asked: Asked) => void = (asked) => asked.result({ of: asked.body.method });

  metadataUrl: string;

  private constructor(server: HandServer, issuer: AuthorizationServer) {
    this.server = server;
    this.issuer = issuer;
    this.metadataUrl = new URL('/.well-known/oauth-protected-resource/mcp', server.url).href;
  }

  static async start(issuer: AuthorizationServer): Promise<GuardedServer> {
    const hand = await HandServer.start(() => {});
    const guarded = new GuardedServer(hand, issuer);
    hand.answer = (asked) => guarded.#serve(asked);
    return guarded;
  }

  get url(): string {
    return this.server.url;
  }

  /** The tokens it was shown, each once. */
  tokens(): readonly string[] {
    const shown = this.shown.flatMap((header) => header?.slice(PREFIX.length) ?? []);
    return [...new Set(shown)];
  }

  #serve(asked: Asked): void {
    if (asked.request.url?.startsWith('/.well-known/') === true) {
      if (!asked.request.url.startsWith('/.well-known/oauth-protected-resource/mcp')) {
        asked.status(404);
      } else {
        asked.json({
          resource: this.url,
          authorization_servers: [this.issuer.issuer],
          ...this.description,
        });
      }
      return;
    }
    const header = asked.header('authorization');
    this.shown.push(header);
    const token = header?.slice(PREFIX.length) ?? '';
    const issued = this.revoked.has(token) ? undefined : this.issuer.issued.get(token);
    const where = `resource_metadata="${this.metadataUrl}"`;
    if (this.isOpen) this.answer(asked);
    else if (issued === undefined || issued.resource !== this.url || this.isClosed) {
      asked.status(401, { 'www-authenticate': `Bearer ${where}` });
    } else if (!this.needs.every((scope) => issued.scope.split(' ').includes(scope))) {
      const scope = `error="insufficient_scope", scope="${this.needs.join(' ')}"`;
      asked.status(403, { 'www-authenticate': `Bearer ${scope}, ${where}` });
    } else {
      this.answer(asked);
    }
  }
}
