/**
 * A question as one text, by which its verdict is remembered: equal texts are equal questions.
 * Texts that others chose have their length before them, so that none can spell the end of another.
 * Whoever asks is written once and goes by a number, which took a verdict that is known from 3.8 us
 * to 0.7.
 */
import type { Context } from '@cedar-policy/cedar-wasm/nodejs';
import type { AccessRequest, ToolFacts } from '../../core/access.ts';
import type { Principal } from '../../core/ports.ts';
import { SharedCache } from '../../core/shared-cache.ts';
import { type GrantFacts, heldClaims, type Thing } from './policy-question.ts';

/**
 * Credentials that have a number; the oldest of a tenant with too many get another one when they
 * come back, and none of their verdicts is known any more.
 */
const NUMBERS_MAX = 20_000;

export class VerdictKeys {
  readonly #numbers = new WeakMap<GrantFacts, { readonly key: string; readonly number: number }>();
  readonly #byText = new SharedCache<number>(NUMBERS_MAX);
  #last = 0;

  /**
   * @param context - what is asked besides era and method; undefined for nothing.
   * @param isOpen - whether what would do is asked, not whether this does.
   * @returns undefined when policies cannot be shown the claims: they may lie in each other so deep
   * that not even their text can be made.
   */
  keyOf(
    { principal, grant, era, message, method = message.method ?? '' }: AccessRequest,
    action: string,
    { server, target, facts }: Thing,
    context: Context | undefined,
    isOpen: boolean,
  ): string | undefined {
    const who = this.#numberOf(principal, grant);
    if (who === undefined) return undefined;
    const name = target.kind === 'server' ? '' : target.name;
    const how = context === undefined ? '' : JSON.stringify(context);
    return (
      `${isOpen ? '?' : ''}${who} ${era} ${action} ${target.kind} ${factsText(facts)} ` +
      `${method.length}:${method}${server.length}:${server}${name.length}:${name}${how}`
    );
  }

  #numberOf({ key, tenant }: Principal, grant: GrantFacts): number | undefined {
    const known = this.#numbers.get(grant);
    if (known?.key === key) return known.number;
    if (heldClaims(grant.claims) === undefined) return undefined;
    const text = JSON.stringify([key, grant.scopes, grant.groups, grant.claims]);
    const number = this.#byText.get(tenant, text) ?? this.#next(tenant, text);
    this.#numbers.set(grant, { key, number });
    return number;
  }

  /** Never one that was given before. */
  #next(tenant: string, text: string): number {
    this.#last += 1;
    this.#byText.set(tenant, text, this.#last);
    return this.#last;
  }
}

function factsText(facts: ToolFacts | undefined): string {
  if (facts === undefined) return '-';
  const { readOnly, destructive, idempotent, openWorld } = facts;
  return `${Number(readOnly)}${Number(destructive)}${Number(idempotent)}${Number(openWorld)}`;
}
