/**
 * The kit that proves the product: virtual time, a lossy network in memory, a scripted server,
 * contract suites.
 */
export { canaryOf, markerOf, markersIn, ownersIn } from './canary.ts';
export type { Check } from './contracts/check.ts';
export {
  eventLogContract,
  type EventLogContractLimits,
  type EventLogContractOptions,
} from './contracts/event-log-contract.ts';
export {
  sessionDirectoryContract,
  type SessionDirectoryContractLimits,
  type SessionDirectoryContractOptions,
} from './contracts/session-directory-contract.ts';
export {
  MemoryExchange,
  type ClientRequest,
  type ConnectionFate,
  type ExchangeWatcher,
  type ReplyListener,
} from './memory-exchange.ts';
export { MemoryNetwork, PERFECT_NETWORK, type NetworkConditions } from './memory-network.ts';
export { ReplyHeaders } from './reply-headers.ts';
export { ScriptedConnection } from './scripted-connection.ts';
export type { ScriptedStage, ScriptedUpstreamOptions } from './scripted-stage.ts';
export { ScriptedUpstream } from './scripted-upstream.ts';
export { SeededRandom } from './seeded-random.ts';
export {
  formatScript,
  parseScript,
  randomScript,
  type ToolEnding,
  type ToolScript,
  type ToolStep,
} from './tool-script.ts';
export { VirtualClock } from './virtual-clock.ts';
