/** Everything that is measured: how it is started, which eras it serves and where. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const node = (file, port, ...rest) => [process.execPath, at(file), String(port), ...rest];
const version = (name) =>
  JSON.parse(readFileSync(at(`./node_modules/${name}/package.json`), 'utf8')).version;

export const CHILD = [process.execPath, at('./children/echo.mjs')];
const TOKEN = 'bench-0123456789abcdef0123456789abcdef';
const PATHS = { 2024: '/sse', 2025: '/mcp', 2026: '/mcp' };
const SUPERGATEWAY = './node_modules/supergateway/dist/index.js';
const MCP_PROXY = './node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs';

// The bounds that 10,000 streams and sessions of one client would meet; all others keep their defaults.
const RAISED = ['sessionsPerPrincipalMax', 'sessionsMax', 'streamsPerTenantMax'];
const OPTIONS = [
  '--isolation=shared',
  `--token=${TOKEN}`,
  '--log-level=warn',
  ...RAISED.flatMap((name) => ['--limit', `${name}=50000`]),
];

export const TIDEGATE = {
  name: 'tidegate',
  label: 'tidegate, token, shared stdio child',
  eras: [2024, 2025, 2026],
  paths: PATHS,
  token: TOKEN,
  command: (port, child = CHILD) => tidegate(port, ['--', ...child]),
};

/** The gateway in front of a server at `url` instead of a child. */
export function tidegateOverUrl(name, label, url) {
  return { ...TIDEGATE, name, label, command: (port) => tidegate(port, ['--upstream', url]) };
}

/** The same gateway in front of another child. */
export function overChild(entry, name, label, child) {
  return { ...entry, name, label, command: (port) => entry.command(port, child) };
}

/** A server at a URL that answers by itself, in the one kind of era that is named. */
export function remoteServer(kind) {
  return {
    name: `remote-${kind}`,
    command: (port) => node('./children/remote.mjs', port, kind),
  };
}

export const BARE_HTTP = {
  name: 'bare-http',
  label: 'floor: bare node:http, answers itself',
  eras: [2024, 2025, 2026],
  paths: PATHS,
  command: (port) => node('./floors/bare-http.mjs', port),
};

export const BARE_GATEWAY = {
  name: 'bare-gateway',
  label: 'floor: bare node:http, one stdio child',
  eras: [2024, 2025, 2026],
  paths: PATHS,
  command: (port, child = CHILD) => node('./floors/bare-gateway.mjs', port, ...child),
};

export const SDK_V1 = {
  name: 'sdk-v1',
  label: `SDK ${version('@modelcontextprotocol/sdk')} on Express, answers itself`,
  eras: [2024, 2025],
  missing: { 2026: 'the 1.x line has no 2026-07-28' },
  paths: PATHS,
  command: (port) => node('./peers/sdk-v1-express.mjs', port),
};

export const SDK_V2 = {
  name: 'sdk-v2',
  label: `SDK ${version('@modelcontextprotocol/server')} createMcpHandler, answers itself`,
  eras: [2025, 2026],
  missing: { 2024: 'the 2.x line has no HTTP+SSE server' },
  notes: { 2025: 'without sessions' },
  paths: PATHS,
  command: (port) => node('./peers/sdk-v2.mjs', port),
};

export const MCP_PROXY_6 = {
  name: 'mcp-proxy',
  label: `mcp-proxy ${version('mcp-proxy')}, one stdio child`,
  eras: [2024, 2025, 2026],
  paths: PATHS,
  command: (port, child = CHILD) => [
    process.execPath,
    at(MCP_PROXY),
    '--host=127.0.0.1',
    `--port=${port}`,
    '--',
    ...child,
  ],
};

export const SUPERGATEWAY_SSE = {
  name: 'supergateway-sse',
  label: `supergateway ${version('supergateway')}, sse`,
  eras: [2024],
  missing: {
    2025: 'this mode is 2024 only',
    2026: 'not served',
    idle: 'each answer is written to every stream, so opening N sessions costs N times N writes',
  },
  paths: PATHS,
  command: (port, child) => supergateway(port, child, ['--outputTransport', 'sse']),
};

export const SUPERGATEWAY_HTTP = {
  name: 'supergateway-http',
  label: `supergateway ${version('supergateway')}, streamableHttp --stateful`,
  eras: [2025],
  missing: { 2024: 'this mode is 2025 only', 2026: 'not served' },
  paths: PATHS,
  command: (port, child) =>
    supergateway(port, child, ['--outputTransport', 'streamableHttp', '--stateful']),
};

export const SERVERS = [
  BARE_HTTP,
  BARE_GATEWAY,
  TIDEGATE,
  SDK_V1,
  SDK_V2,
  MCP_PROXY_6,
  SUPERGATEWAY_SSE,
  SUPERGATEWAY_HTTP,
];

/** Name and installed version of every package that is measured. */
export const PACKAGES = [
  '@modelcontextprotocol/sdk',
  '@modelcontextprotocol/server',
  '@modelcontextprotocol/node',
  'express',
  'mcp-proxy',
  'supergateway',
].map((name) => `${name} ${version(name)}`);

function tidegate(port, source) {
  const main = at('../dist/cli/main.js');
  return [process.execPath, main, ...OPTIONS, '--port', String(port), ...source];
}

function supergateway(port, child = CHILD, options = []) {
  const stdio = child.join(' ');
  const common = ['--port', String(port), '--logLevel', 'none', '--stdio', stdio];
  return [process.execPath, at(SUPERGATEWAY), ...common, ...options];
}

/** The gateway as a program, for principals that each bring a token of their own. */
export function principalServer(url) {
  return {
    name: 'principals',
    paths: PATHS,
    command: (port) => node('./children/principals.mjs', port, url),
  };
}

/** The gateway of the servers of a config file. */
export function configServer(file) {
  const main = at('../dist/cli/main.js');
  return {
    name: 'gateway',
    paths: PATHS,
    token: TOKEN,
    command: (port) => [process.execPath, main, '--config', file, '--port', String(port)],
  };
}

/** The words that connect a host's standard streams to `url`. */
export const connectCommand = (url) => [
  process.execPath,
  at('../dist/cli/main.js'),
  'connect',
  url,
  '--log-level=error',
];
