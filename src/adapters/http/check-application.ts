import type { Application } from '../../core/ports.ts';

/**
 * A program without types is told where it mounts something else: with the first request it would
 * end.
 * @throws TypeError for what is no application.
 */
export function checkApplication(app: Application): void {
  const { handle, drain } = (app ?? {}) as Partial<Application>;
  if (typeof handle === 'function' && typeof drain === 'function') return;
  throw new TypeError('Give what createEndpoint(…) or createGateway(…) returns.');
}
