/**
 * What follows from a credential besides who it names: how long it counts, what it may do, and what
 * is remembered of it. Ports; deciding and writing are their adapters'.
 */
import type { ErrorCode, Refusal } from './errors.ts';
import type { Asked, Grant } from './grant.ts';
import type { Principal } from './ports.ts';
import type { Message } from './protocol/message.ts';

/** What a tool says of itself, for verdicts. */
export interface ToolFacts {
  readonly readOnly: boolean;
  readonly destructive: boolean;
  readonly idempotent: boolean;
  readonly openWorld: boolean;
}

/** Of the tools of one conversation with a server, by their names. */
export type ToolsThere = ReadonlyMap<string, ToolFacts>;

/** One request of a client, about to be sent on. */
export interface AccessRequest extends Pick<Asked, 'era'> {
  readonly principal: Principal;
  readonly grant: Grant;
  /** The name of the server it is for. */
  readonly server: string;
  /** What its client called, where the message is another way to say it. */
  readonly method?: string | undefined;
  /** The peer's address. */
  readonly address: string;
  /** The very object that is sent on, so that nothing else can be authorised. */
  readonly message: Message;
  /**
   * What tools say of themselves where a call goes, none where that could not be read. Undefined:
   * as it was heard of the server.
   */
  readonly tools?: ToolsThere | undefined;
}

export interface AccessVerdict {
  /** Undefined: allowed. It never tells whether what is refused exists. */
  readonly refusal: Refusal | undefined;
  /** Names of the policies that decided; for the record. */
  readonly policies: readonly string[];
}

/** Who may do what. Synchronous, never throws: an engine's own failure denies. */
export interface Access {
  /** Whether everything is allowed now: then nothing is asked and no list is looked at. */
  readonly isIdle?: boolean | undefined;
  decide(request: AccessRequest): AccessVerdict;
  /** The refusal that nothing its tool could say of itself would change; undefined for none. */
  foregone?(request: AccessRequest): AccessVerdict | undefined;
  /**
   * The answer to a request that was allowed, without the tools, prompts and resources this caller
   * would be refused.
   * @returns the same object when nothing is taken out.
   */
  filter(request: AccessRequest, answer: Message): Message;
  /**
   * Takes the tools of a server, as its list has them, before anybody calls one. Absent, or
   * undefined now: what tools say of themselves matters to no verdict.
   */
  readonly learn?: ((server: string, tools: readonly unknown[]) => void) | undefined;
  /**
   * The tools of a server changed, and these are all there are now: for one tenant, or without one
   * for everybody.
   */
  relearn?(server: string, tenant: string | undefined, tools: readonly unknown[]): void;
  /** What these say, for calls in the conversation they were read in alone. */
  factsOf?(server: string, tools: readonly unknown[]): ToolsThere | undefined;
  /** They changed, and nobody needs to know how. */
  forget?(server: string, tenant: string | undefined): void;
}

/** Whether it tells of somebody who was not let in, and so of nothing that was done. */
export function isVisit({ event }: { readonly event: string }): boolean {
  return event === 'unauthenticated' || event === 'refused';
}

/** Something worth remembering. Values of requests are never in it; `params` is digested. */
export interface AuditEntry {
  /**
   * `denied` is a request that was looked at; `refused` one that was not, whoever sent it, for want
   * of a place, for a rate, or since it is for a server that is not his. There may be floods of
   * `refused` and `unauthenticated`.
   */
  readonly event: 'call' | 'denied' | 'unauthenticated' | 'refused' | 'connected' | 'disconnected';
  readonly address: string;
  readonly server: string;
  readonly principal?: Principal | undefined;
  readonly credentialId?: string | undefined;
  readonly era?: string | undefined;
  readonly method?: string | undefined;
  /** The tool or prompt by name, the resource by URI. */
  readonly target?: string | undefined;
  readonly policies?: readonly string[] | undefined;
  readonly refusal?: ErrorCode | undefined;
  /** Of a credential that does not count: why, as `IdentityOutcome` has it. */
  readonly why?: string | undefined;
  /** JSON text that the trail keeps a digest and the size of, and nothing else. */
  readonly params?: string | undefined;
  readonly answerChars?: number | undefined;
  readonly durationMs?: number | undefined;
  /** `ok`, `error`, `cancelled`, `refused` or `lost`; of a stream, its close reason. */
  readonly outcome?: string | undefined;
}

/**
 * What whoever runs the gateway did: by its config, by the file of its keys, by a program that
 * embeds it, or by ending a token at its issuer. Names of servers, credentials, people and tenants;
 * no value of a setting.
 */
export interface AdministrativeAct {
  readonly event: 'administered';
  readonly act: 'reload' | 'revoke' | 'reinstate' | 'add';
  readonly by: 'config' | 'keys' | 'program' | 'issuer';
  readonly outcome?: 'applied' | 'refused' | undefined;
  /** Names of servers, of a reload. */
  readonly added?: readonly string[] | undefined;
  readonly changed?: readonly string[] | undefined;
  readonly removed?: readonly string[] | undefined;
  /** Whether other policies count from now on. */
  readonly isPolicyNew?: boolean | undefined;
  /** Whether the ways to come in are others from now on. */
  readonly isAuthNew?: boolean | undefined;
  readonly credentials?: readonly string[] | undefined;
  readonly subjects?: readonly string[] | undefined;
  readonly tenants?: readonly string[] | undefined;
  /** Names that are left out because there are too many. */
  readonly more?: number | undefined;
}

/** The record. Entries keep their order. Must not block and must not throw. */
export interface AuditTrail {
  /** Why nothing may be done now: the record is required and cannot be kept. */
  fault(): Refusal | undefined;
  record(entry: AuditEntry | AdministrativeAct): void;
}
