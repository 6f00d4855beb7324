/**
 * What allows one request to go on, kept until it ended: its answer is filtered by the same
 * verdicts, and its end goes on the record.
 */
import type { Access, AccessRequest, AuditEntry, AuditTrail, ToolsThere } from '../core/access.ts';
import type { Refusal } from '../core/errors.ts';
import type { Gate } from '../core/gate.ts';
import type { Message } from '../core/protocol/message.ts';
import { methodLabel } from './method-label.ts';

export interface WarrantPorts {
  /** Undefined: whoever is let in may do everything. */
  readonly access?: Access | undefined;
  /** Undefined: nothing is recorded. */
  readonly audit?: AuditTrail | undefined;
  /** Where refusals are recorded when calls are not. */
  readonly denials?: AuditTrail | undefined;
  /** Undefined: nothing is counted by account. */
  readonly gate?: Gate | undefined;
}

/** Whether anybody decides, records or counts. */
export function isGuarded({ access, audit, gate }: WarrantPorts): boolean {
  const isDecided = access !== undefined && access.isIdle !== true;
  return isDecided || audit !== undefined || gate !== undefined;
}

export class Warrant {
  readonly #ports: WarrantPorts;
  #request: AccessRequest;
  /** Undefined until it was judged. */
  #policies: readonly string[] | undefined;
  #isOver = false;

  private constructor(
    ports: WarrantPorts,
    request: AccessRequest,
    policies: readonly string[] | undefined,
  ) {
    this.#ports = ports;
    this.#request = request;
    this.#policies = policies;
  }

  /**
   * Undefined when nobody decides and nobody records: nothing to keep.
   * @param isJudgedLater - by `judge`, before anything is sent for it. What would be refused
   * whatever its tool says is refused at once.
   */
  static issue(
    ports: WarrantPorts,
    request: AccessRequest,
    isJudgedLater: boolean = false,
  ): Warrant | Refusal | undefined {
    const { access, audit, gate, denials = audit } = ports;
    if (!isGuarded(ports)) return undefined;
    const fault = audit?.fault();
    if (fault !== undefined) return { ...fault, id: request.message.id };
    const verdict = isJudgedLater ? access?.foregone?.(request) : access?.decide(request);
    const policies = verdict?.policies ?? [];
    const refusal = verdict?.refusal ?? gate?.take(request, 'call');
    if (refusal === undefined) {
      return new Warrant(ports, request, isJudgedLater ? undefined : policies);
    }
    denials?.record(entryOf('denied', request, policies, { refusal: refusal.error }));
    return { ...refusal, id: request.message.id };
  }

  get request(): AccessRequest {
    return this.#request;
  }

  /**
   * By the tools of the conversation it goes to, unless it was judged by these before.
   * @returns why it may not be sent there; that is on the record, and its place given back.
   */
  judge(tools: ToolsThere | undefined): Refusal | undefined {
    if (this.#policies !== undefined && tools === this.#request.tools) return undefined;
    if (tools !== this.#request.tools) this.#request = { ...this.#request, tools };
    const verdict = this.#ports.access?.decide(this.#request);
    this.#policies = verdict?.policies ?? [];
    const refusal = verdict?.refusal;
    if (refusal === undefined) return undefined;
    this.denied(refusal);
    return { ...refusal, id: this.#request.message.id };
  }

  filtered(answer: Message): Message {
    return this.#ports.access?.filter(this.#request, answer) ?? answer;
  }

  /** A bound is in the way of what was allowed: it is not sent on. */
  denied({ error }: Refusal): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { audit, denials = audit, gate } = this.#ports;
    gate?.giveBack(this.#request, 'call');
    denials?.record(entryOf('denied', this.#request, this.#policies ?? [], { refusal: error }));
  }

  /** The first time counts: whoever comes to the end of a request may say so. */
  ended(outcome: string, durationMs: number = 0, answer?: Message): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { audit, gate } = this.#ports;
    gate?.giveBack(this.#request, 'call');
    audit?.record(
      entryOf('call', this.#request, this.#policies ?? [], {
        answerChars: answer?.payload?.length,
        durationMs: Math.round(durationMs),
        outcome,
      }),
    );
  }
}

type Ending = Pick<AuditEntry, 'refusal' | 'answerChars' | 'durationMs' | 'outcome'>;

/** One literal: copying members from one object to another took 2 us a call. */
function entryOf(
  event: AuditEntry['event'],
  { principal, grant, server, era, method, address, message }: AccessRequest,
  policies: readonly string[],
  { refusal, answerChars, durationMs, outcome }: Ending,
): AuditEntry {
  return {
    event,
    address,
    server,
    principal,
    credentialId: grant.credentialId,
    era,
    // A client may call a method by any name, a secret included.
    method: methodLabel(method ?? message.method ?? ''),
    target: targetOf(message),
    policies,
    params: message.payload,
    refusal,
    answerChars,
    durationMs,
    outcome,
  };
}

/** The tool or prompt by name, the resource by URI; whatever else a method takes is not named. */
function targetOf(message: Message): string | undefined {
  const member = targetMember(message.method);
  if (member === undefined) return undefined;
  const target = (message.value as Readonly<Record<string, unknown>> | undefined)?.[member];
  return typeof target === 'string' ? target : undefined;
}

/** Which member of a method's params names what is asked for. */
function targetMember(method: string | undefined): 'name' | 'uri' | undefined {
  switch (method) {
    case 'tools/call':
    case 'prompts/get':
      return 'name';
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return 'uri';
    default:
      return undefined;
  }
}
