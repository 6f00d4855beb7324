/**
 * What a lenient reader might take for a route.
 * @param prefix - of the server's routes.
 */
export function otherSpellings(prefix: string): readonly string[] {
  const behind = ['/mcp', '/sse', '/messages'].flatMap((path) => [
    `/..%2f${path}`,
    `/%2e%2e${path}`,
    `/..${path}`,
    `/.${path}`,
    `/${path}`,
    `;x${path}`,
    `${path};x`,
    `${path}//`,
    `${path}/.`,
    `${path}%00`,
    `${path}%2f`,
    `${path}%20`,
    `${path}.`,
    `${path}\\`,
    `${path}/${'x'.repeat(8000)}`,
    path.toUpperCase(),
  ]);
  const all = [...behind.map((path) => prefix + path), '/healthz;x', '/HEALTHZ', '//readyz'];
  return all.filter((path) => path.startsWith('/'));
}
