/** An application as a function from Web `Request` to `Response`. */
import { checkOption, checkOptions, text, work } from '../../core/option-kinds.ts';
import type { Application } from '../../core/ports.ts';
import { checkApplication } from './check-application.ts';
import { FetchExchange } from './fetch-exchange.ts';

export interface FetchHandlerOptions {
  /** The peer's socket address, when the runtime tells it; for the log only. Default: empty. */
  readonly remoteAddress?: ((request: Request) => string) | undefined;
}

export type FetchHandler = (request: Request) => Promise<Response>;

/**
 * Mounts an application in Hono, Bun, Deno, Workers or anything else that speaks `fetch`.
 *
 * Mount it before whatever reads the body: a request whose body was read is refused with status
 * 500.
 *
 * The application sees the path of the request's URL: strip a mount point before. The bounds of
 * connections (slow heads, idle ones, their number) are the runtime's. A client that leaves is seen
 * through `request.signal` and through the end of the response's body, whichever the runtime
 * offers.
 * @throws TypeError where there is no application to mount, and for an option of the wrong kind.
 */
export function fetchHandler(app: Application, options: FetchHandlerOptions = {}): FetchHandler {
  checkApplication(app);
  checkOptions(options, { remoteAddress: work });
  return async (request) =>
    new Promise((resolve) => {
      const remoteAddress = options.remoteAddress?.(request) ?? '';
      // What rejects here is answered, and told, by whatever runtime asked.
      checkOption('What remoteAddress returns', remoteAddress, text);
      app.handle(new FetchExchange(request, remoteAddress, resolve));
    });
}
