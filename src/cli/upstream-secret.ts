import type { Environment } from './serve-options.ts';

/** The secret of our client at an authorization server: never an argument, which others see. */
export function upstreamSecret(env: Environment): string | undefined {
  return env['TIDEGATE_UPSTREAM_CLIENT_SECRET'] || undefined;
}
