/**
 * The ways to come in that a config names, each built once for as long as its section says the
 * same: which tokens were verified and which proofs were used is known to whoever verified them.
 */
import { isDeepStrictEqual } from 'node:util';
import { firstMatch } from '../adapters/identity/first-match.ts';
import type { KeyRing } from '../adapters/identity/key-ring.ts';
import type { Grant } from '../core/grant.ts';
import type { Identity } from '../core/ports.ts';
import type { AuthConfig, ListenConfig } from './gateway-config.ts';
import {
  type BuiltIdentity,
  identityOf,
  type IdentityPorts,
  type WayConfig,
} from './identity-of.ts';

interface BuiltWay extends BuiltIdentity {
  readonly section: WayConfig;
}

export class BuiltWays {
  readonly identity: Identity;
  readonly #ways: readonly BuiltWay[];
  readonly #ports: IdentityPorts;

  private constructor(identity: Identity, ways: readonly BuiltWay[], ports: IdentityPorts) {
    this.identity = identity;
    this.#ways = ways;
    this.#ports = ports;
  }

  /** A program's own, whatever the config says. */
  static given(identity: Identity, ports: IdentityPorts): BuiltWays {
    return new BuiltWays(identity, [], ports);
  }

  /**
   * @param before - what is taken over where it was built from the same; closed by `followedBy`.
   * @throws Error as `identityOf` does; then nothing was built.
   */
  static of(
    auth: AuthConfig,
    listen: ListenConfig,
    ports: IdentityPorts,
    before?: BuiltWays,
  ): BuiltWays {
    const left = before === undefined ? [] : [...before.#ways];
    const fresh: BuiltWay[] = [];
    const build = (section: WayConfig): BuiltWay => {
      const known = left.findIndex((each) => isDeepStrictEqual(each.section, section));
      const [kept] = known === -1 ? [] : left.splice(known, 1);
      if (kept !== undefined) return kept;
      const built = { ...identityOf(section, listen, ports), section };
      fresh.push(built);
      return built;
    };
    try {
      const ways = sectionsOf(auth).map(build);
      const [only] = ways;
      const isOne = auth.kind !== 'several' && only !== undefined;
      const identity = isOne ? only.identity : firstMatch(ways.map((each) => each.identity));
      return new BuiltWays(identity, ways, ports);
    } catch (error) {
      for (const each of fresh) each.close();
      throw error;
    }
  }

  /**
   * Closes what others did not take over. Keys that count no more are reported, and so is what the
   * other ways let in: nobody watches it from now on. Files that stay are read at once, so that one
   * edit of both does not take two looks.
   */
  followedBy(after: BuiltWays): void {
    const dropped = this.#ways.filter((each) => !after.#ways.includes(each));
    for (const each of dropped) each.close();
    for (const each of after.#ways) if (this.#ways.includes(each)) each.ring?.reload();
    const rings = after.#rings;
    const gone = dropped.flatMap(({ ring }) => ring?.missingIn(rings) ?? []);
    if (gone.length > 0) this.#ports.onRevoked(new Set(gone));
    if (dropped.some(({ given }) => given !== undefined)) {
      this.#ports.onReplaced?.(letInBy(dropped));
    }
  }

  close(): void {
    for (const each of this.#ways) each.close();
  }

  get #rings(): readonly KeyRing[] {
    return this.#ways.flatMap(({ ring }) => ring ?? []);
  }
}

/** What is asked may be kept for long, and keeps nothing of the ways themselves. */
function letInBy(ways: readonly BuiltWay[]): (grant: Grant) => boolean {
  const all = ways.flatMap(({ given }) => given ?? []);
  return (grant) => all.some((given) => given.has(grant));
}

function sectionsOf(auth: AuthConfig): readonly WayConfig[] {
  return auth.kind === 'several' ? auth.ways.flatMap(sectionsOf) : [auth];
}
