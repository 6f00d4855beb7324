/** What guards every server of a gateway alike: limits by account, and the record. */
import { isDeepStrictEqual } from 'node:util';
import { AuditJournal } from '../adapters/audit/audit-journal.ts';
import { keyedDigest } from '../adapters/audit/digest.ts';
import { RotatingFile } from '../adapters/audit/rotating-file.ts';
import { streamLines } from '../adapters/audit/stream-lines.ts';
import { RateGate } from '../adapters/gate/rate-gate.ts';
import type { Rates } from '../adapters/gate/rate-rules.ts';
import { PolicyAccess } from '../adapters/policy/policy-access.ts';
import type { PolicyRules } from '../adapters/policy/policy-rules.ts';
import { systemClock } from '../adapters/system/system-clock.ts';
import { systemRandom } from '../adapters/system/system-random.ts';
import type { Access, AuditTrail } from '../core/access.ts';
import type { Gate } from '../core/gate.ts';
import type { Telemetry } from '../core/ports.ts';
import { GuardedAccess } from '../server/guarded/guarded-access.ts';
import { GuardedAudit } from '../server/guarded/guarded-audit.ts';
import { GuardedGate } from '../server/guarded/guarded-gate.ts';
import type { AuditConfig, GatewayConfig } from './gateway-config.ts';
import { ratesOf } from './tenants.ts';

export interface Guards {
  readonly access?: Access | undefined;
  readonly audit?: AuditTrail | undefined;
  readonly gate?: Gate | undefined;
}

/** What of a config is about them. */
export interface GuardConfig {
  readonly tenants?: GatewayConfig['tenants'];
  readonly policy?: PolicyRules | undefined;
  readonly rates?: Rates | undefined;
  readonly audit?: AuditConfig | undefined;
}

export class GatewayGuards {
  readonly guards: Guards;
  readonly #config: GuardConfig;
  readonly #journal: AuditJournal | undefined;
  readonly #policies: PolicyAccess;
  #policy: PolicyRules | undefined;

  /**
   * @param given - by a program that embeds the gateway: counts instead of the config's.
   * @throws Error when the record cannot be opened, or the key of its digests is too short: a
   * gateway that was meant to keep one must not start without. The same when policies cannot be
   * read.
   */
  constructor(config: GuardConfig, given: Guards, telemetry: Telemetry) {
    this.#config = config;
    this.#policy = config.policy;
    const rates = ratesOf(config);
    const gate =
      rates === undefined ? undefined : new RateGate(rates, { random: systemRandom, telemetry });
    this.#policies = new PolicyAccess({ telemetry, wallMs: () => Date.now() });
    this.#policies.prepare(config.policy)();
    // The last that may fail here: it takes a lock.
    if (given.audit === undefined && config.audit !== undefined) {
      this.#journal = journalOf(config.audit, telemetry);
    }
    this.guards = guarded(
      {
        access: given.access ?? this.#policies,
        audit: given.audit ?? this.#journal,
        gate: given.gate ?? gate,
      },
      telemetry,
    );
  }

  /**
   * @returns what makes the policies of another config count from the next request on, if they
   * differ. Nothing is ended by it.
   * @throws Error when they cannot be read.
   */
  prepare({ policy }: Pick<GuardConfig, 'policy'>): (() => void) | undefined {
    if (isDeepStrictEqual(this.#policy, policy)) return undefined;
    const use = this.#policies.prepare(policy);
    return () => {
      this.#policy = policy;
      use();
    };
  }

  /** Names of the settings that differ: they count from the next start. */
  differences(config: GuardConfig): readonly string[] {
    const before = { rates: ratesOf(this.#config), audit: this.#config.audit };
    const after = { rates: ratesOf(config), audit: config.audit };
    const names = ['rates', 'audit'] as const;
    return names.filter((name) => !isDeepStrictEqual(before[name], after[name]));
  }

  /** Writes what waits of the record. Idempotent. */
  async close(): Promise<void> {
    await this.#journal?.close();
  }
}

/** Here, since all servers share each of them, and what became of its failures. */
function guarded({ access, audit, gate }: Guards, telemetry: Telemetry): Guards {
  const sight = { telemetry, clock: systemClock };
  return {
    access: access && GuardedAccess.of(access, sight),
    audit: audit && GuardedAudit.of(audit, sight),
    gate: gate && GuardedGate.of(gate, sight),
  };
}

function journalOf(
  { file, rotateBytes, isRequired, digestKey }: AuditConfig,
  telemetry: Telemetry,
): AuditJournal {
  const digest = digestKey === undefined ? undefined : keyedDigest(digestKey);
  if (file === undefined) {
    return new AuditJournal({ sink: streamLines(process.stdout), isRequired, digest, telemetry });
  }
  const sink = openFile(file, rotateBytes, telemetry);
  const { head, isTorn } = sink;
  return new AuditJournal({ sink, head, isTorn, isRequired, digest, telemetry });
}

function openFile(file: string, rotateBytes: number, telemetry: Telemetry): RotatingFile {
  try {
    return new RotatingFile(file, rotateBytes, {
      onReplaced: () => telemetry.log('warn', 'audit_file_replaced', {}),
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`The record ${file} cannot be opened (${code ?? message}).`, { cause: error });
  }
}
