/** The `_meta` of requests that are ours, not a client's. */
import { META } from '../core/protocol/eras/stateless-2026.ts';
import { MODERN_VERSIONS } from '../core/protocol/versions.ts';
import { OUR_IDENTITY } from './our-identity.ts';

export const OUR_ENVELOPE: Readonly<Record<string, unknown>> = {
  [META.protocolVersion]: MODERN_VERSIONS[0],
  [META.clientInfo]: OUR_IDENTITY,
  [META.clientCapabilities]: {},
};
