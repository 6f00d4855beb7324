/** The schema of the ways to come in that need no token of our own, and of who is out. */
import { z } from 'zod';
import { JWT_ALGORITHMS } from '../../adapters/identity/jwt-identity.ts';
import { CERTIFICATE_FIELDS, type MtlsOptions } from '../../adapters/identity/mtls.ts';
import { type ConfigSection, section } from './config-section.ts';
import { duration, flag, webText, wholeNumber, word } from './text-leaves.ts';
import { allowedHostValue, serverUrlValue } from './web-values.ts';

/** The name of a claim, alone or as `{ claim: name }`. */
export type ClaimShape = string | { readonly claim: string };

export interface TokenRulesShape {
  readonly audience?: string | readonly string[] | undefined;
  readonly tenant?: ClaimShape | undefined;
  readonly subject?: ClaimShape | undefined;
  readonly clientId?: ClaimShape | undefined;
  readonly groups?: ClaimShape | undefined;
  readonly scopes?: ClaimShape | undefined;
  readonly claims?: Readonly<Record<string, string>> | undefined;
  readonly requiredScopes?: readonly string[] | undefined;
  readonly dpop?: 'off' | 'bound' | 'required' | undefined;
  readonly dpopNonce?: boolean | undefined;
  readonly failuresPerSecond?: number | undefined;
  readonly allowedHosts?: readonly string[] | undefined;
}

export interface JwtShape extends TokenRulesShape {
  readonly issuer: string;
  readonly jwksUri?: string | undefined;
  readonly algorithms?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
}

export interface IntrospectionShape extends Omit<TokenRulesShape, 'clientId'> {
  readonly url: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Milliseconds. */
  readonly cache?: number | undefined;
}

export interface KeysShape {
  readonly keys: string;
}

export type MtlsShape = Pick<MtlsOptions, 'tenant' | 'subject' | 'groups'>;

export interface DeniedShape {
  readonly credentials?: readonly string[] | undefined;
  readonly subjects?: readonly string[] | undefined;
  readonly tenants?: readonly string[] | undefined;
}

const KEPT_MS_MAX = 600_000;

const claimObject = z.strictObject({ claim: word });
const claim = z.union([word, claimObject], { error: 'Give { claim: name }.' });
const words = z.array(word);
const issuerUrl = webText(serverUrlValue, 'https://login.example.com');

const rules = {
  audience: z
    .union([word, words], { error: 'Give text, or a list of texts.' })
    .optional()
    .meta({
      description:
        "Audiences that count at every server. A server's own URL always counts, at that server " +
        'alone. Name one only if your issuer cannot be asked for tokens of one server (RFC 8707).',
    }),
  tenant: z
    .union([word, claimObject], { error: 'Give a name, or { claim: name }.' })
    .optional()
    .meta({
      default: 'default',
      description:
        'Whose people these are: one name for all, or `{ claim: name }`. A token without that ' +
        'claim is refused.',
    }),
  subject: claim.optional().meta({
    default: 'sub',
    description: 'The claim that names a person, as `{ claim: name }`.',
  }),
  groups: claim.optional().meta({
    description: 'The claim with groups, as `{ claim: realm_access.roles }`. Default: none.',
  }),
  scopes: claim.optional().meta({
    description: 'The claim with scopes, as `{ claim: name }`. Default: `scope`, else `scp`.',
  }),
  claims: z.record(z.string(), word).optional().meta({
    default: {},
    description: 'What policies may look at besides: their name for it, and the claim.',
  }),
  requiredScopes: words.optional().meta({
    default: [],
    description: 'Scopes without which no request goes on; clients are told to ask for them.',
  }),
  dpop: z
    .enum(['off', 'bound', 'required'])
    .optional()
    .meta({
      default: 'bound',
      description:
        'Proofs of possession (RFC 9449): `bound` asks for one with a token that is bound to a ' +
        'key, `required` takes no other tokens, and `off` refuses those.',
    }),
  dpopNonce: flag().optional().meta({
    default: false,
    description: 'Whether proofs must hold a nonce of ours, so that none is made in advance.',
  }),
  failuresPerSecond: wholeNumber(1, 1_000_000)
    .optional()
    .meta({
      default: 100,
      description:
        'Tokens that may prove to be none in a second, of addresses that sent such before. ' +
        'Beyond it, tokens not verified before are refused unseen, with 429.',
    }),
  allowedHosts: z.array(webText(allowedHostValue, 'login.internal')).optional().meta({
    default: [],
    description: 'Hosts that may be asked without TLS and at private addresses.',
  }),
};

const jwt = z.strictObject({
  issuer: issuerUrl.meta({
    description: 'Who issues the tokens, exactly as they name it: with a slash at the end or not.',
  }),
  jwksUri: webText(serverUrlValue, 'https://login.example.com/jwks').optional().meta({
    description: "Where its keys are. Default: as its metadata says (RFC 8414 or OpenID's).",
  }),
  algorithms: z
    .array(z.enum(JWT_ALGORITHMS as readonly [string, ...string[]]))
    .min(1, { error: 'Name at least one algorithm, or leave this out.' })
    .optional()
    .meta({
      default: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'],
      description: 'What its tokens may be signed with.',
    }),
  types: words.optional().meta({
    default: ['at+jwt', 'JWT'],
    description: 'Values of `typ` that count. A token without it is a `JWT`.',
  }),
  clientId: claim.optional().meta({
    description: 'The claim that names the client program. Default: `client_id`, else `azp`.',
  }),
  ...rules,
});

const introspection = z.strictObject({
  url: webText(serverUrlValue, 'https://login.example.com/introspect').meta({
    description: 'The introspection endpoint (RFC 7662).',
  }),
  issuer: issuerUrl.meta({ description: 'Who issues the tokens; clients are sent there.' }),
  clientId: word.meta({ description: 'Who the gateway is there.' }),
  clientSecret: word.meta({ description: 'Its secret; write `${NAME}`.' }),
  cache: duration(0, KEPT_MS_MAX).optional().meta({
    default: '30s',
    description: 'How long an answer counts, and never longer than its token.',
  }),
  ...rules,
});

const keys = z.strictObject({
  keys: word.meta({
    description: "A file that `tidegate keys add` writes, from the config file's folder.",
  }),
});

const field = z.enum(CERTIFICATE_FIELDS);

const mtls = z.strictObject({
  tenant: z
    .union([word, z.strictObject({ field })], { error: 'Give a name, or { field: o }.' })
    .optional()
    .meta({
      default: 'default',
      description: 'Whose people these are: one name for all, or `{ field: o }`.',
    }),
  subject: field.optional().meta({
    default: 'cn',
    description:
      'The field that names a person: `cn`, `o` or `ou` of the subject, or `san-uri`, `san-dns` ' +
      'or `san-email`. A certificate without it, or with several, is refused.',
  }),
  groups: field
    .optional()
    .meta({ description: 'The field whose values are groups. Default: none.' }),
});

const denied = z
  .strictObject({
    credentials: words.optional().meta({
      default: [],
      description: '`jti:<jti>` of a token, `key:<id>` of an API key; the record names them.',
    }),
    subjects: words
      .optional()
      .meta({ default: [], description: 'People, of whichever issuer and tenant.' }),
    tenants: words.optional().meta({ default: [], description: 'All people of a tenant.' }),
  })
  .meta({
    description: 'Who is out at once, whatever credential they show: [below](#denied).',
  });

export const JWT_AUTH: ConfigSection<JwtShape> = section(jwt);
export const INTROSPECTION_AUTH: ConfigSection<IntrospectionShape> = section(introspection);
export const KEYS_AUTH: ConfigSection<KeysShape> = section(keys);
export const MTLS_AUTH: ConfigSection<MtlsShape> = section(mtls);
export const DENIED: ConfigSection<DeniedShape> = section(denied);

/** Ways to come in as they stand under `auth`, each by its one key. */
export const AUTH_WAYS: readonly z.ZodObject[] = [
  keys,
  z.strictObject({
    jwt: jwt.meta({ description: "Access tokens that are JWTs: [below](#an-issuer's-tokens)." }),
  }),
  z.strictObject({
    introspection: introspection.meta({
      description: 'Access tokens about which their issuer is asked: [below](#opaque-tokens).',
    }),
  }),
  z.strictObject({
    mtls: mtls.meta({ description: 'Client certificates: [below](#client-certificates).' }),
  }),
];

/** As the whole file has it. */
export const DENIED_KEY: z.ZodType = denied.optional();
