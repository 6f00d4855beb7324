/** What is published of the config's schema: the JSON Schema, and the page of the reference. */
import { z } from 'zod';
import { CONFIG_SCHEMA } from '../src/gateway/config/config-schema.ts';
import { RESERVED_NAMES } from '../src/gateway/config/server-names.ts';

interface JsonSchema {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
}

export function configJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(CONFIG_SCHEMA, {
    io: 'input',
    target: 'draft-7',
    // What a value is turned into is no default of what is written, and is left out otherwise.
    override: ({ zodSchema, jsonSchema }) => {
      const standard = z.globalRegistry.get(zodSchema)?.['default'];
      if (standard !== undefined) jsonSchema.default = standard;
    },
  });
  return {
    $schema,
    title: 'Config of Tidegate',
    ...schema,
    patternProperties: { '^x-': { description: 'Parts to share by anchors.' } },
  } as JsonSchema;
}

export function configJsonSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

export function configPage(): string {
  const { properties = {} } = configJsonSchema();
  const [, token, none, keys, jwt, introspection, mtls] = properties['auth']?.anyOf ?? [];
  const tenant = properties['tenants']?.additionalProperties;
  const credentials = typeof tenant === 'object' ? tenant.properties?.['credentials'] : undefined;
  const credential = credentials?.additionalProperties;
  const policy = properties['policy'];
  const rule = policy?.properties?.['allow']?.items;
  const servers = properties['servers']?.additionalProperties;
  const kinds = typeof servers === 'object' ? (servers.anyOf ?? []) : [];
  const [command, url, module] = kinds;
  const shared = Object.keys(properties['defaults']?.properties ?? {});
  const tables: Readonly<Record<string, string>> = {
    file: table({ ...properties, listen: LISTEN, defaults: DEFAULTS }, ['servers']),
    listen: tableOf(properties['listen']),
    token: tableOf(token),
    none: tableOf(none),
    keys: tableOf(keys),
    jwt: tableOf(jwt?.properties?.['jwt']),
    introspection: tableOf(introspection?.properties?.['introspection']),
    mtls: tableOf(mtls?.properties?.['mtls']),
    tls: tableOf(properties['listen']?.properties?.['tls']),
    denied: tableOf(properties['denied']),
    tenant: tableOf(typeof tenant === 'object' ? tenant : undefined),
    credential: tableOf(typeof credential === 'object' ? credential : undefined),
    audit: tableOf(properties['audit']),
    policy: tableOf(policy),
    allow: tableOf(typeof rule === 'object' ? rule : undefined),
    shared: tableOf(properties['defaults']),
    command: tableOf(command, shared),
    resources: tableOf(command?.properties?.['resources']),
    url: tableOf(url, shared),
    auth: tableOf(url?.properties?.['auth']),
    module: tableOf(module, shared),
    reserved: RESERVED_NAMES.map((name) => `\`${name}\``).join(', '),
  };
  return PAGE.replace(/^\{(\w+)\}$/gm, (_, name: string) => tables[name] ?? '');
}

const LISTEN: JsonSchema = { description: 'Where clients come in: [below](#listen).' };
const DEFAULTS: JsonSchema = {
  description: 'What every server gets that does not say otherwise: [below](#every-server).',
};

function tableOf(schema: JsonSchema | undefined, without: readonly string[] = []): string {
  const kept = Object.entries(schema?.properties ?? {}).filter(([key]) => !without.includes(key));
  return table(Object.fromEntries(kept), schema?.required);
}

function table(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): string {
  const rows = Object.entries(properties).map(([key, schema]) => {
    const value = schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``;
    const standard = required.includes(key) ? 'required' : value.replaceAll('"', '');
    return `| \`${key}\` | ${standard} | ${schema.description ?? ''} |`;
  });
  return ['| Key | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}

const PAGE = `# The config

<!-- Written by \`npm run docs\` from test/config-reference.ts and src/gateway/config/config-schema.ts; change it there. -->

A gateway of many servers is told by one file: \`tidegate.yaml\`, the same as JSON, or the \`mcpServers\` JSON that a desktop host
already has. \`tidegate check <file>\` says everything that is wrong with it, by line, and starts nothing.

\`\`\`yaml
# yaml-language-server: $schema=./node_modules/tidegate/schema/tidegate.schema.json
listen: { port: 8808, publicUrl: "https://mcp.example.com", drain: 20s }
auth: { token: "\${TIDEGATE_TOKEN}" }
defaults: { isolation: principal, limits: { callMsMax: 60s } }
servers:
  files: { command: npx, args: [-y, "@modelcontextprotocol/server-filesystem", ./data] }
  github:
    url: https://api.githubcopilot.com/mcp/
    headers: { Authorization: "Bearer \${GITHUB_TOKEN}" }
  mine: { module: ./server.mjs, isolation: session }
\`\`\`

Each server is served at \`/<name>/mcp\` and \`/<name>/sse\`, and all of them merged at \`/all/mcp\` and \`/all/sse\`. The JSON Schema is
in the package, as \`schema/tidegate.schema.json\`: with the first line above, editors complete keys and mark mistakes.

## The file

{file}

Keys that begin with \`x-\` are for parts that several places share by anchors and merge keys (\`<<: *part\`).

## Variables

\`\${NAME}\` in any text is replaced by the variable; \`\${NAME:-text}\` gives what stands instead of one that is not set or empty;
\`$\${\` is \`\${\`. The file is parsed first: a value cannot add keys or lines. Numbers and switches may come from variables, too
(\`port: "\${PORT}"\`). A variable that is not set is a problem, and a value is never printed. Hosts' form \`\${env:NAME}\` means the
same.

## Values

- Paths begin at the config file's folder: \`command\` when it holds a slash, the first word of \`sandbox\` too, \`cwd\`, \`workdir\`, \`ca\`, \`module\`,
  \`file\` of \`audit\` and the files of \`tls\`.
- Times have a unit: \`500ms\`, \`20s\`, \`5m\`, \`1h\`. Limits whose name says \`Ms\` may be a number of milliseconds as well.
- Text that looks like a number or a switch needs quotes: \`args: ["3"]\`, \`env: { DEBUG: "true" }\`.
- A file of more than a million characters is refused, and so is one that anybody on the machine may change.

## Listen

{listen}

### TLS

Under the key \`tls\` of \`listen\`: see [TLS](../guides/tls.md). What proxies in front are believed is told in
[behind a proxy](../guides/behind-a-proxy.md).

{tls}

## Auth

One way to come in, or a list of them, of which the first that knows a credential decides:

\`\`\`yaml
listen: { publicUrl: "https://mcp.example.com" }
auth:
  - token: \${TIDEGATE_TOKEN}
  - keys: ./keys.json
  - jwt: { issuer: "https://login.example.com", tenant: { claim: org }, groups: { claim: groups } }
\`\`\`

A token of your own:

{token}

API keys:

{keys}

Or none:

{none}

\`auth: none\` says the same in short. \`none\` is refused where strangers may come (a host or a public URL other than loopback) unless \`insecure\` is said, and while the
variable \`TIDEGATE_TOKEN\` is set.

### An issuer's tokens

JWTs, under the key \`jwt\`. Where tokens of an issuer are taken, \`listen.publicUrl\` is needed: each server's own URL is
the audience of its tokens, and clients find the issuer at \`/.well-known/oauth-protected-resource/<name>/mcp\` by it. See
[behind your identity provider](../guides/identity-provider.md).

{jwt}

### Opaque tokens

Under the key \`introspection\`; the issuer is asked about each (RFC 7662).

{introspection}

### Client certificates

Under the key \`mtls\`; needs \`listen.tls.clientCa\`.

{mtls}

## Denied

Whoever is named here is refused from the moment the file is read, and everything they have open ends.

{denied}

## Tenants

Each by its name, as credentials name it; \`*\` stands for those that are not named. See [tenants](../guides/tenants.md).

{tenant}

What it shows a server under \`credentials\`:

{credential}

\`shared\` isolation is refused where there is more than one tenant.

## Policy

Who may do what, once they are let in. See [policies](../guides/policies.md).

{policy}

A permission of \`allow\`:

{allow}

## Audit

The record of who did what. See [audit](../guides/audit.md).

{audit}

## Every server

A server's name is at most 64 of \`a-z\`, \`0-9\` and \`-\`, begins with a letter or a digit, and is none of the gateway's own paths:

{reserved}

It is a \`command\`, a \`url\` or a \`module\`, and may say of itself, as \`defaults\` may for all:

{shared}

\`limits\` of a server add to those of \`defaults\`, name by name. The bounds are in [limits](limits.md).

## A command

{command}

### Resources

\`resources\` of a command hold each of its processes in, and leave no core dumps. The system enforces them, by \`prlimit\`: where it
cannot, the server does not start. What each of them means, working folders and sandboxes are in
[child processes](../guides/children.md).

{resources}

## A URL

{url}

\`auth\` of a server at a URL:

{auth}

## A module

{module}

## The file of a desktop host

\`mcpServers\` of Claude Desktop, Cursor and others, and \`servers\` of VS Code, as they are: \`command\`, \`args\`, \`env\`, \`cwd\`, \`url\`
(or \`serverUrl\`, \`httpUrl\`) and \`headers\` are read, servers with \`disabled: true\` or \`enabled: false\` are left out, and what is the host's own is
passed over. What only this page knows, such as \`policy\`, \`audit\` or the \`sandbox\` of a server, is a problem there, since it would not count.
\`envFile\` is not read: set the variables, or name them under \`env\`. Comments and commas too many are allowed. The gateway
itself gets its defaults.

Names there may hold anything; the path is the name in small letters, with \`-\` for everything but \`a-z\` and \`0-9\`: \`My Server\` is
served at \`/my-server\`. A name that leaves nothing becomes \`server-\` and eight digits that are always the same, and one of the
gateway's own paths gets \`server-\` before it. Two that would be served at one path are a problem.

\`\${userHome}\`, \`\${workspaceFolder}\` and \`\${workspaceFolderBasename}\` mean what they mean to the host, save that the
home folder is what \`HOME\` (or \`USERPROFILE\`) says, and is a problem where that says nothing; \`\${input:…}\` asks a person, and is
a problem, too.
`;
