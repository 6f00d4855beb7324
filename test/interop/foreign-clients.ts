/** Clients of other languages' SDKs: how each is started, and what it speaks. */
import { fileURLToPath } from 'node:url';
import type { Gate } from '../clients/gate.ts';
import { Puppet } from './puppet.ts';
import { commandOf, type ToolchainName } from './toolchains.ts';

export interface ForeignClient {
  readonly name: string;
  readonly toolchain: ToolchainName;
  readonly era: '2024' | '2025' | '2026';
  /** The revision it agrees on. */
  readonly version: string;
  connect(gate: Pick<Gate, 'mcp' | 'sse'>): Promise<Puppet>;
}

export const FOREIGN_CLIENTS: readonly ForeignClient[] = [
  python(1, '2024', '2025-11-25'),
  python(1, '2025', '2025-11-25'),
  python(2, '2024', '2025-11-25'),
  python(2, '2025', '2025-11-25'),
  python(2, '2026', '2026-07-28'),
  go('2024', '2025-11-25'),
  go('2025', '2025-11-25'),
  go('2026', '2026-07-28'),
];

function python(major: 1 | 2, era: ForeignClient['era'], version: string): ForeignClient {
  const script = fileURLToPath(new URL(`python/client_v${major}.py`, import.meta.url));
  const mode = era === '2026' ? 'auto' : 'legacy';
  return {
    name: `Python SDK v${major}, ${era}`,
    toolchain: `python v${major}`,
    era,
    version,
    connect: (gate) =>
      Puppet.started(commandOf(`python v${major}`), [script, ...address(era, gate), mode]),
  };
}

function go(era: ForeignClient['era'], version: string): ForeignClient {
  return {
    name: `Go SDK, ${era}`,
    toolchain: 'go',
    era,
    version,
    connect: (gate) => Puppet.started(commandOf('go'), ['client', ...address(era, gate), version]),
  };
}

function address(era: ForeignClient['era'], { mcp, sse }: Pick<Gate, 'mcp' | 'sse'>): string[] {
  return era === '2024' ? ['sse', sse.href] : ['http', mcp.href];
}
