/**
 * The schema of `tidegate.yaml`: every key, its type, its meaning and its default. The published
 * JSON Schema and the reference page are written from it.
 */
import { z } from 'zod';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { duration, flag, text, textOf, webText, wholeNumber, word } from './text-leaves.ts';
import { CHILD_KEYS } from './child-schema.ts';
import { type ConfigSection, section } from './config-section.ts';
import type {
  AllShape,
  CommandShape,
  ListenShape,
  ModuleShape,
  NoAuthShape,
  ServerOptionsShape,
  TokenShape,
  UrlShape,
} from './config-shape.ts';
import { AUTH_WAYS, DENIED_KEY } from './auth-schema.ts';
import { GUARD_KEYS } from './guard-schema.ts';
import { POLICY_KEYS } from './policy-schema.ts';
import { TENANT_KEYS } from './tenant-schema.ts';
import { UPSTREAM_AUTH } from './upstream-auth-schema.ts';
import { SERVER_NAME } from './server-names.ts';
import { TRANSPORT_KEYS } from './transport-schema.ts';
import {
  allowedHostValue,
  listenHostValue,
  originValue,
  publicUrlValue,
  serverUrlValue,
} from './web-values.ts';

const PORT_MAX = 65_535;
export const DRAIN_MS_MAX: number = 3_600_000;

const listen = z
  .strictObject({
    host: webText(listenHostValue, '127.0.0.1')
      .optional()
      .meta({ default: '127.0.0.1', description: 'Where to listen: a name or an address.' }),
    port: wholeNumber(0, PORT_MAX)
      .optional()
      .meta({ default: 8808, description: 'Where to listen; 0 picks a free port and prints it.' }),
    publicUrl: webText(publicUrlValue, 'https://mcp.example.com')
      .optional()
      .meta({
        description:
          'What clients call the gateway by, without the names of servers and `/mcp`. ' +
          'Default: from host and port.',
      }),
    allowedOrigins: z
      .array(webText(originValue, 'https://app.example.com'))
      .optional()
      .meta({
        description:
          "Origins of browsers that may call. Default: the public URL's, or those of this " +
          'machine with the scheme of the listener.',
      }),
    drain: duration(0, DRAIN_MS_MAX).optional().meta({
      default: '20s',
      description: 'How long a shutdown may take, with its unit: `500ms`, `20s`, `5m` or `1h`.',
    }),
    ...TRANSPORT_KEYS,
  })
  .meta({ description: 'The listener.' });

const token = z.strictObject({
  token: text.meta({ description: 'The bearer token clients send, 16 characters or more.' }),
});

const noAuth = z.strictObject({
  type: z.literal('none').meta({ description: '`none`: no credential is asked.' }),
  insecure: flag().optional().meta({
    default: false,
    description: 'Allow `none` where other machines can reach the gateway.',
  }),
});

const none = z.literal('none');

const AUTH = {
  description:
    'How clients prove who they are, one way or a list of which the first that fits counts: ' +
    '[below](#auth). Default: the variable `TIDEGATE_TOKEN`, else a token made ' +
    'once and kept in your configuration folder.',
};

const allServers = z.strictObject({
  servers: z
    .array(word)
    .min(1, { error: 'Name at least one server, or write all: false.' })
    .meta({ description: 'Names of the servers to merge, in the order of the file.' }),
});

const ALL = {
  description:
    'The endpoint `/all` that merges the servers: `true`, `false`, or `{ servers: [names] }`. ' +
    'Default: `true` when there is more than one server.',
};

const limits = z
  .strictObject(
    Object.fromEntries(
      Object.entries(DEFAULT_LIMITS).map(([name, value]: [string, number]) => [
        name,
        (isTime(name) ? duration(1, 2_147_483_647, true) : wholeNumber(1))
          .optional()
          .meta({ default: value }),
      ]),
    ),
  )
  .meta({ id: 'limits' });

function isTime(name: string): boolean {
  return /Ms(?:Max)?$/.test(name);
}

const shared = {
  isolation: z
    .enum(['session', 'principal', 'tenant', 'shared'])
    .optional()
    .meta({
      default: 'session',
      description:
        'Who shares one instance of the server: `session` (nobody), `principal`, `tenant` or ' +
        '`shared` (everybody).',
    }),
  eras: z
    .enum(['all', 'legacy', 'modern'])
    .optional()
    .meta({
      default: 'all',
      description:
        'Which clients are served: `all`, `legacy` (2024-11-05 to 2025-11-25) or `modern` ' +
        '(2026-07-28).',
    }),
  limits: limits.optional().meta({
    description: 'Bounds that differ from their defaults. Times may have a unit, such as `60s`.',
  }),
  endpointForm: z.enum(['relative', 'root', 'absolute']).optional().meta({
    default: 'relative',
    description:
      'How clients of 2024-11-05 are told where to post: `relative`, `root` or `absolute`.',
  }),
  priming: z.enum(['auto', 'off']).optional().meta({
    default: 'auto',
    description: 'The empty first event of 2025-11-25 streams: `auto` or `off`.',
  }),
  heartbeat: z.enum(['comment', 'off']).optional().meta({
    default: 'comment',
    description: 'What keeps silent streams open: `comment` or `off`.',
  }),
  tasks: z
    .enum(['off', 'bridge'])
    .optional()
    .meta({
      default: 'off',
      description:
        'Tasks where client and server have no era in common: `off`, or `bridge` to carry them ' +
        'across.',
    }),
  required: flag()
    .optional()
    .meta({ default: true, description: 'Whether `/readyz` fails while the server is down.' }),
};

const defaults = z
  .strictObject(shared)
  .meta({ description: 'What every server gets that does not say otherwise.' });

const command = z.strictObject({
  command: word.meta({
    description: 'The program to start, never a shell line. With `./` it is beside the file.',
  }),
  args: z.array(text).optional().meta({ default: [], description: 'Its arguments, one an item.' }),
  env: z
    .record(textOf('A variable has a name without =.', /^[^=]+$/), text)
    .optional()
    .meta({
      default: {},
      description: 'Variables for it besides the harmless ones every server gets.',
    }),
  cwd: word
    .optional()
    .meta({ default: '.', description: "The folder it runs in, from the config file's folder." }),
  ...CHILD_KEYS,
  ...shared,
});

const url = z.strictObject({
  url: webText(serverUrlValue, 'https://mcp.example.com/mcp').meta({
    description: 'A remote server of any era. https, unless its host is this machine or allowed.',
  }),
  headers: z.record(z.string(), text).optional().meta({
    default: {},
    description: "Sent with every request to it. Nothing of a client's headers is ever sent on.",
  }),
  allowedHosts: z.array(webText(allowedHostValue, 'mcp.internal')).optional().meta({
    default: [],
    description: 'Hosts that may be called without TLS and at private addresses.',
  }),
  ca: word
    .optional()
    .meta({ description: "A PEM file of certificates to trust besides the platform's." }),
  proxy: webText(serverUrlValue, 'http://proxy.example.com:3128')
    .optional()
    .meta({ description: "URL of an HTTP proxy. Default: the environment's." }),
  auth: UPSTREAM_AUTH.optional().meta({
    description: 'A credential of the gateway at the server, from its authorization server.',
  }),
  ...shared,
});

const moduleServer = z.strictObject({
  module: word.meta({ description: "An ES module, from the config file's folder." }),
  export: word.optional().meta({
    default: 'default',
    description: 'Its export: a function that returns a server of the official SDK, 1.x or 2.x.',
  }),
  ...shared,
});

export const LISTEN: ConfigSection<ListenShape> = section(listen);
export const TOKEN_AUTH: ConfigSection<TokenShape> = section(token);
export const NO_AUTH: ConfigSection<NoAuthShape> = section(noAuth);
export const ALL_SERVERS: ConfigSection<AllShape> = section(allServers);
export const DEFAULTS: ConfigSection<ServerOptionsShape> = section(defaults);
export const COMMAND_SERVER: ConfigSection<CommandShape> = section(command);
export const URL_SERVER: ConfigSection<UrlShape> = section(url);
export const MODULE_SERVER: ConfigSection<ModuleShape> = section(moduleServer);

/** The whole file, as it is published. */
export const CONFIG_SCHEMA: z.ZodObject = z.strictObject({
  $schema: z.string().optional().meta({ description: 'Where editors find this schema.' }),
  listen: listen.optional(),
  auth: z
    .union([none, token, noAuth, ...AUTH_WAYS, z.array(z.union([token, ...AUTH_WAYS])).min(1)])
    .optional()
    .meta(AUTH),
  denied: DENIED_KEY,
  all: z.union([flag(), allServers]).optional().meta(ALL),
  defaults: defaults.optional(),
  ...TENANT_KEYS,
  ...POLICY_KEYS,
  ...GUARD_KEYS,
  servers: z.record(z.string().regex(SERVER_NAME), z.union([command, url, moduleServer])).meta({
    description: 'The servers by name: a-z, 0-9 and -, each served at `/<name>/…`.',
  }),
});
