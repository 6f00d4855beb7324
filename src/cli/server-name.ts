/** Programs that run another: the server's name is found among their arguments. */
const LAUNCHERS =
  /^(?:npx|npm|pnpm|yarn|bunx?|deno|node|nodejs|tsx|uvx?|pipx|python[\d.]*|docker|podman|env|cmd)$/;
/** Words of those programs, before the server's. */
const VERBS = /^(?:run|exec|dlx|x|tool)$/;
/** What servers and their folders are called when that says nothing. */
const COMMON = /^(?:start|stdio|dist|src|index|main|server|build)$/;

/**
 * A short name for a client's configuration, guessed from the command: `npx -y
 * @modelcontextprotocol/server-everything` is `everything`. `server` when nothing better is found.
 */
export function serverName(command: string, args: readonly string[]): string {
  const program = stem(command);
  const words = LAUNCHERS.test(program) ? args.filter((word) => !word.startsWith('-')) : [command];
  const isServer = (word: string): boolean =>
    // A variable, a volume or a URL names no server, and may hold what nobody should see.
    !VERBS.test(word) && !/[=:]/.test(word.replace(/^[a-z]:(?=[\\/])/i, ''));
  // What follows it are its own arguments, keys among them.
  const name = (words.find(isServer) ?? '')
    .split(/[\\/]/)
    .reverse()
    .map(stem)
    .find((part) => part !== '' && !COMMON.test(part));
  return name ?? 'server';
}

function stem(word: string): string {
  return (word.split(/[\\/]/).at(-1) ?? '')
    .toLowerCase()
    .replace(/(?<=.)@[^@]*$/, '')
    .replace(/\.(?:exe|cmd|bat|[cm]?[jt]s|py|sh)$/, '')
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^(?:mcp-|server-)+(?=.)/, '')
    .replace(/(?<=.)(?:-mcp|-server)+$/, '')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
}
