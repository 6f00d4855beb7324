/** What `tidegate connect` adds to a call: the SDK's client directly, and through it, in turns. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { startServer } from '../measure/running-server.mjs';
import { spread } from '../measure/statistics.mjs';
import { connectCommand, remoteServer } from '../servers.mjs';

const WARM = 300;
const CALLS = 500;

export async function measureConnect({ isQuick, say }) {
  say('connect, beside a direct call');
  const remote = await startServer(remoteServer('2025'));
  const url = `http://127.0.0.1:${remote.port}/mcp`;
  const [command, ...args] = connectCommand(url);
  const clients = [];
  const open = async (transport) => {
    const client = new Client({ name: 'bench', version: '1.0.0' });
    await client.connect(transport);
    clients.push(client);
    return client;
  };
  try {
    const through = await open(new StdioClientTransport({ command, args, stderr: 'ignore' }));
    const rounds = [];
    await p50Of(through, WARM);
    for (let round = 0; round < (isQuick ? 3 : 7); round += 1) {
      // The SDK's transport leaves a listener behind with every call, so each round has its own.
      const direct = await open(new StreamableHTTPClientTransport(new URL(url)));
      await p50Of(direct, WARM);
      rounds.push({ directMs: await p50Of(direct, CALLS), throughMs: await p50Of(through, CALLS) });
    }
    return { rounds };
  } catch (error) {
    return { why: error.message };
  } finally {
    for (const client of clients) await client.close();
    await remote.stop();
  }
}

async function p50Of(client, calls) {
  const latencies = [];
  for (let call = 0; call < calls; call += 1) {
    const begun = performance.now();
    await client.callTool({ name: 'echo', arguments: { text: `text-${call}` } });
    latencies.push(performance.now() - begun);
  }
  return spread(latencies).median;
}
