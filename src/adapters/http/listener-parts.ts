/** What a listener of `serve` is made of. */
import type { Application } from '../../core/ports.ts';
import type { NodeContext } from './node-context.ts';
import type { TlsFiles } from './tls-files.ts';
import type { TlsOptions } from './tls-options.ts';

export interface ListenerParts {
  readonly app: Application;
  readonly context: NodeContext;
  readonly proxyProtocol: boolean;
  readonly tls?: Tls | undefined;
}

/** What was asked for, and the files it names as they are now. */
export interface Tls {
  readonly options: TlsOptions;
  readonly files: TlsFiles;
}
