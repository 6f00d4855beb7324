/** The schema of what guards every server: limits by account, and the record. */
import { z } from 'zod';
import { DIGEST_KEY_CHARS_MIN } from '../../adapters/audit/digest.ts';
import type { RateRules, Rates } from '../../adapters/gate/rate-rules.ts';
import { type ConfigSection, section } from './config-section.ts';
import { flag, textOf, wholeNumber, word } from './text-leaves.ts';

const rule = (description: string): z.ZodOptional<z.ZodType<number>> =>
  wholeNumber(0).optional().meta({ description });

export const RULES: z.ZodType<RateRules> & z.ZodObject = z.strictObject({
  requestsPerSecond: rule('Requests of every verb, a second.'),
  opensPerSecond: rule('Openings of streams and sessions, a second.'),
  bytesPerSecond: rule(
    'Bytes of requests and of what is written back, a second; a debt is waited for.',
  ),
  streamsMax: rule('Event streams at a time.'),
  sessionsMax: rule('Sessions at a time.'),
  callsMax: rule('Requests in flight at a time.'),
  instancesMax: rule(
    'Upstream instances at a time: children, in-process servers, remote sessions.',
  ),
} satisfies Record<keyof RateRules, z.ZodType>);

const rates = z
  .strictObject({
    address: RULES.optional().meta({
      description: 'Each address, of IPv6 each /64; counted before a credential is looked at.',
    }),
    principal: RULES.optional().meta({ description: 'Each principal.' }),
    tenant: RULES.optional().meta({ description: 'Each tenant.' }),
    server: RULES.optional().meta({ description: 'Each server, whoever calls it.' }),
  })
  .meta({
    description:
      'Limits by account, over all servers. Refusals say when to come again. Default: none; the ' +
      'bounds in `limits` hold all the same.',
  });

const audit = z
  .strictObject({
    file: word.meta({
      description:
        "Where the record goes, from the config file's folder; `-` is standard output. " +
        '`tidegate audit verify` reads it back.',
    }),
    rotateBytes: wholeNumber(1024).optional().meta({
      default: 104_857_600,
      description: 'Bytes after which the file is put aside and a new one begun.',
    }),
    required: flag().optional().meta({
      default: false,
      description: 'Whether calls are refused while the record cannot be written.',
    }),
    digestKey: textOf(
      `Give random text of ${DIGEST_KEY_CHARS_MIN} characters or more.`,
      new RegExp(`^[^]{${DIGEST_KEY_CHARS_MIN},}$`),
    )
      .optional()
      .meta({
        description:
          'A secret that makes the digests HMAC-SHA-256, so that nobody who reads the record can ' +
          `try what they are of: ${DIGEST_KEY_CHARS_MIN} random characters or more; write ` +
          '`${NAME}`. Default: none, and digests are plain SHA-256.',
      }),
  })
  .meta({
    description:
      'The record of calls, refusals and connections: [below](#audit). Default: none is kept.',
  });

export interface AuditShape {
  readonly file: string;
  readonly rotateBytes?: number | undefined;
  readonly required?: boolean | undefined;
  readonly digestKey?: string | undefined;
}

export const RATES: ConfigSection<Rates> = section(rates);
export const AUDIT: ConfigSection<AuditShape> = section(audit);

/** As the whole file has them. */
export const GUARD_KEYS: Readonly<Record<'rates' | 'audit', z.ZodType>> = {
  rates: rates.optional(),
  audit: audit.optional(),
};
