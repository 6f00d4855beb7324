/** One server at which tenants have credentials of their own: for each of them an upstream. */
import type {
  Principal,
  Upstream,
  UpstreamConnection,
  UpstreamEra,
  UpstreamEvents,
} from '../core/ports.ts';

export class TenantUpstream implements Upstream {
  readonly kind: Upstream['kind'];
  readonly name: string;
  readonly #common: Upstream;
  readonly #own: ReadonlyMap<string, Upstream>;
  readonly #prober: Upstream;

  /**
   * @param common - for tenants without a credential of their own.
   * @param own - by tenant.
   * @param prober - which of them is asked what the server speaks, before anybody calls.
   */
  constructor(common: Upstream, own: ReadonlyMap<string, Upstream>, prober: Upstream) {
    this.kind = common.kind;
    this.name = common.name;
    this.#common = common;
    this.#own = own;
    this.#prober = prober;
  }

  connect(
    era: UpstreamEra,
    events: UpstreamEvents,
    caller?: Principal,
    tenant: string | undefined = caller?.tenant,
  ): UpstreamConnection {
    const upstream = tenant === undefined ? this.#prober : (this.#own.get(tenant) ?? this.#common);
    return upstream.connect(era, events, caller, tenant);
  }

  async close(): Promise<void> {
    await Promise.all([this.#common, ...this.#own.values()].map((each) => each.close()));
  }
}
