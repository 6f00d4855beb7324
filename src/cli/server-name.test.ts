import { describe, expect, it } from 'vitest';
import { serverName } from './server-name.ts';

describe('serverName', () => {
  it.each([
    ['npx -y @modelcontextprotocol/server-everything', 'everything'],
    ['npx -y @modelcontextprotocol/server-filesystem@2026.1.0 /home/me', 'filesystem'],
    ['npx some-mcp@latest', 'some'],
    ['uvx mcp-server-git --repository .', 'git'],
    ['python3 -m my_tools.server', 'my-tools'],
    ['node build/index.js', 'server'],
    ['node /srv/weather/dist/index.js', 'weather'],
    ['/usr/local/bin/node20 x', 'node20'],
    ['./my-server', 'my'],
    ['C:\\tools\\Weather.exe', 'weather'],
    ['docker run -i --rm -e KEY=secret ghcr.io/github/github-mcp-server', 'github'],
    ['node build/index.js --api-key s3cret', 'server'],
    ['python3 -m server --api-key s3cret', 'server'],
    ['deno run -A main.ts s3cret', 'server'],
    ['npm run start -- --api-key s3cret', 'server'],
    ['uv tool run weather-mcp', 'weather'],
    ['node', 'server'],
    ['mcp', 'mcp'],
    ['server', 'server'],
    ['深', 'server'],
  ])('makes of %j the name %j', (line, name) => {
    const [command = '', ...args] = line.split(' ');
    expect(serverName(command, args)).toBe(name);
  });

  it('gives a name that needs no quotes anywhere', () => {
    for (const word of ["a'b", 'a b', 'x'.repeat(500), '$(x)', '../..', '-', '@', '@x/']) {
      expect(serverName(word, [])).toMatch(/^[a-z0-9-]{1,40}$/);
      expect(serverName('npx', [word])).toMatch(/^[a-z0-9-]{1,40}$/);
    }
  });
});
