/** The `_meta` of requests that are ours, not a client's. */
import { TASKS_REQUIRED } from '../core/bridge/tasks/task-words.ts';
import { META } from '../core/protocol/eras/stateless-2026.ts';
import { MODERN_VERSIONS } from '../core/protocol/versions.ts';
import { OUR_IDENTITY } from './our-identity.ts';

export const OUR_ENVELOPE: Readonly<Record<string, unknown>> = {
  [META.protocolVersion]: MODERN_VERSIONS[0],
  [META.clientInfo]: OUR_IDENTITY,
  [META.clientCapabilities]: {},
};

/** The same where tasks are spoken of, on behalf of clients that declared them. */
export const OUR_ENVELOPE_WITH_TASKS: Readonly<Record<string, unknown>> = {
  ...OUR_ENVELOPE,
  [META.clientCapabilities]: TASKS_REQUIRED,
};
