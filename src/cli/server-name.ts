/** Programs that run another: the server's name is found among their arguments. */
const LAUNCHERS =
  /^(?:npx|npm|pnpm|yarn|bunx?|deno|node|nodejs|tsx|uvx?|pipx|python[\d.]*|docker|podman|env|cmd)$/;
/** Words of those programs that are not the server. */
const VERBS = /^(?:run|exec|dlx|x|tool|start|stdio|dist|src|index|main|server|build)$/;

/**
 * A short name for a client's configuration, guessed from the command: `npx -y
 * @modelcontextprotocol/server-everything` is `everything`. `server` when nothing better is found.
 */
export function serverName(command: string, args: readonly string[]): string {
  const program = stem(command);
  const words = LAUNCHERS.test(program) ? args.filter((word) => !word.startsWith('-')) : [command];
  for (const word of words) {
    // A variable, a volume or a URL names no server, and may hold what nobody should see.
    if (/[=:]/.test(word.replace(/^[a-z]:(?=[\\/])/i, ''))) continue;
    const name = word
      .split(/[\\/]/)
      .reverse()
      .map(stem)
      .find((part) => part !== '' && !VERBS.test(part));
    if (name !== undefined) return name;
  }
  return 'server';
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
