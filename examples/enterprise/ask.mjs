// Asks the gateway of this example, and prints the HTTP status and what came back:
//   node examples/enterprise/ask.mjs ann reports            which tools ann sees
//   node examples/enterprise/ask.mjs ann reports publish    what a call of one gives
// In place of a name of the provider's people it takes a token or an API key.
const [who, server, tool] = process.argv.slice(2);
if (server === undefined) {
  console.error('usage: node examples/enterprise/ask.mjs <person or credential> <server> [tool]');
  process.exit(2);
}
const credential = /^\w{1,20}$/.test(who) ? await tokenOf(who) : who;
const method = tool === undefined ? 'tools/list' : 'tools/call';
const _meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'ask', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const params = tool === undefined ? { _meta } : { name: tool, arguments: {}, _meta };
const response = await fetched(`http://127.0.0.1:8808/${server}/mcp`, {
  method: 'POST',
  headers: {
    Authorization: `Bearer ${credential}`,
    Accept: 'application/json, text/event-stream',
    'Content-Type': 'application/json',
    'MCP-Protocol-Version': '2026-07-28',
    'Mcp-Method': method,
    ...(tool === undefined ? {} : { 'Mcp-Name': tool }),
  },
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
});
console.log(response.status, told(messageOf(await response.text())));

async function tokenOf(name) {
  const found = await fetched(`http://127.0.0.1:9400/tokens/${name}`);
  if (found.ok) return (await found.text()).trim();
  console.error(`The provider knows nobody called ${name}.`);
  process.exit(1);
}

async function fetched(url, init) {
  try {
    return await fetch(url, init);
  } catch {
    console.error(`Nothing answers at ${new URL(url).origin}: start it first.`);
    process.exit(1);
  }
}

/** The answer alone, or the last event of a stream. */
function messageOf(text) {
  return JSON.parse(text.slice(text.lastIndexOf('\ndata: ') + 1).replace(/^data: /, ''));
}

function told({ error, result }) {
  if (error !== undefined) return error.message;
  if (result.tools !== undefined) return result.tools.map(({ name }) => name).join(', ');
  return result.content[0].text;
}
