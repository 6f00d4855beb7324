/**
 * What we need of an official SDK server, in structural types: the SDKs are optional peers, so our
 * declarations must not import theirs. `Server` and `McpServer` of both majors fit.
 */
import type { UpstreamEra } from '../../../core/ports.ts';

export type SdkId = string | number;

/** A JSON-RPC message as the SDKs hand it to a transport. */
export interface SdkMessage {
  readonly jsonrpc: '2.0';
  readonly id?: SdkId | undefined;
  readonly method?: string | undefined;
  readonly params?: object | undefined;
  readonly result?: object | undefined;
  readonly error?: object | undefined;
}

/** What accompanies a message to the server. */
export interface SdkMessageExtra {
  /** Ends the reply stream of this request, so that its client polls for the rest. */
  readonly closeSSEStream?: () => void;
}

export interface SdkSendOptions {
  /** The request a message belongs to; set on everything a handler sends through its context. */
  readonly relatedRequestId?: SdkId | undefined;
}

/** The SDKs' `Transport` interface, as far as a server needs it. */
export interface SdkTransport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: SdkMessage, extra?: SdkMessageExtra) => void) | undefined;
  start(): Promise<void>;
  send(message: SdkMessage, options?: SdkSendOptions): Promise<void>;
  close(): Promise<void>;
}

/** `Server` or `McpServer` of the official SDK, 1.x or 2.x. */
export interface SdkServer {
  connect(transport: SdkTransport): Promise<void>;
  close(): Promise<void>;
}

/** Which major of the official SDK a server is built on. */
export type SdkMajor = 'v1' | 'v2';

/**
 * Builds one server. Called once for each conversation, with the era it will serve, as
 * the SDK's own entry points do; a server must not be handed out twice.
 */
export type ServerFactory = (context: {
  readonly era: UpstreamEra;
}) => SdkServer | Promise<SdkServer>;

/** Tells the majors apart: whatever is not an instance of the installed v2 classes is v1. */
export async function sdkMajorOf(server: SdkServer): Promise<SdkMajor> {
  try {
    const { McpServer, Server } = await import('@modelcontextprotocol/server');
    return server instanceof McpServer || server instanceof Server ? 'v2' : 'v1';
  } catch {
    // Without the v2 package installed, nobody can have built a v2 server.
    return 'v1';
  }
}
