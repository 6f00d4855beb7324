/** `tidegate/node`: HTTP serving on `node:http`. */
export type { ConnectionLimits } from './connection-limits.ts';
export { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
export { nodeHandler } from './node-handler.ts';
export type { NodeHandler, NodeHandlerOptions } from './node-handler.ts';
export { serve } from './node-server.ts';
export type { RunningServer, ServeOptions } from './node-server.ts';
export type { TlsOptions } from './tls-options.ts';
