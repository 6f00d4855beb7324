/** The schema of the tenants there are. */
import { z } from 'zod';
import type { RateRules } from '../../adapters/gate/rate-rules.ts';
import { type ConfigSection, section } from './config-section.ts';
import type { UpstreamAuthShape } from './config-shape.ts';
import { RULES } from './guard-schema.ts';
import { flag, text, word } from './text-leaves.ts';
import { UPSTREAM_AUTH } from './upstream-auth-schema.ts';

const credential = z.strictObject({
  headers: z
    .record(z.string(), text)
    .optional()
    .meta({ default: {}, description: "Sent with the tenant's requests, over the server's own." }),
  auth: UPSTREAM_AUTH.optional().meta({
    description: "In place of the server's `auth`, for this tenant.",
  }),
});

const tenant = z.strictObject({
  servers: z.array(word).optional().meta({
    description:
      'Names of the servers it sees; others are answered like names there are not. Default: all.',
  }),
  suspended: flag().optional().meta({
    default: false,
    description: 'Whether it is out: nobody of it comes in, and what it has open ends at once.',
  }),
  limits: RULES.optional().meta({
    description: 'Limits in place of those of `rates.tenant`, key by key.',
  }),
  credentials: z
    .record(word, credential, { error: 'Give names of servers with headers or auth.' })
    .optional()
    .meta({ default: {}, description: 'Its own credentials at servers with a `url`, by name.' }),
});

export interface TenantCredentialShape {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly auth?: UpstreamAuthShape | undefined;
}

export interface TenantShape {
  readonly servers?: readonly string[] | undefined;
  readonly suspended?: boolean | undefined;
  readonly limits?: RateRules | undefined;
  readonly credentials?: Readonly<Record<string, TenantCredentialShape>> | undefined;
}

export const TENANT: ConfigSection<TenantShape> = section(tenant);

/** As the whole file has them. */
export const TENANT_KEYS: Readonly<Record<'tenants', z.ZodType>> = {
  tenants: z
    .record(word, tenant)
    .optional()
    .meta({
      description:
        'The tenants there are, by name; `*` stands for those that are not named, who see ' +
        'nothing without it. Default: tenants are told apart, and see every server.',
    }),
};
