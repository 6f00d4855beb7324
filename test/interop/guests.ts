/** Whoever comes to a harbour: clients of every SDK, in every era. */
import type { Gate } from '../clients/gate.ts';
import type { Person } from '../clients/person.ts';
import { sdkV1OverHttp, sdkV1OverSse } from '../clients/sdk-v1.ts';
import { sdkV2OverHttp, sdkV2Stateless } from '../clients/sdk-v2.ts';
import { FOREIGN_CLIENTS } from './foreign-clients.ts';
import type { Era } from './harbours.ts';
import { isReady } from './toolchains.ts';

export interface Guest {
  readonly name: string;
  readonly era: Era;
  /** The revision it agrees on; undefined where it does not tell. */
  readonly version: string | undefined;
  readonly isReady: boolean;
  connect(gate: Gate): Promise<Person>;
}

export const OUR_GUESTS: readonly Guest[] = [
  ours('TypeScript SDK v1, 2024', '2024', undefined, (to) => sdkV1OverSse(to, 'full')),
  ours('TypeScript SDK v1, 2025', '2025', '2025-11-25', (to) => sdkV1OverHttp(to, 'full')),
  ours('TypeScript SDK v2, 2025', '2025', '2025-11-25', (to) => sdkV2OverHttp(to, 'full')),
  ours('TypeScript SDK v2, 2026', '2026', '2026-07-28', (to) => sdkV2Stateless(to, 'full')),
];

export const FOREIGN_GUESTS: readonly Guest[] = FOREIGN_CLIENTS.map((client) => ({
  ...client,
  isReady: isReady(client.toolchain),
}));

/** One of each language and era, for harbours that are not in TypeScript either. */
export const SOME_STRANGERS: readonly Guest[] = FOREIGN_GUESTS.filter(({ name }) =>
  ['Python SDK v1, 2024', 'Python SDK v2, 2026', 'Go SDK, 2025'].includes(name),
);

function ours(
  name: string,
  era: Era,
  version: string | undefined,
  connect: Guest['connect'],
): Guest {
  return { name, era, version, isReady: true, connect };
}
