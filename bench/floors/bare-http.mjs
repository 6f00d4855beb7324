/**
 * Floor one: what bare node:http costs when it answers `tools/call` itself, keeps event streams open and
 * writes one notification to all of them. No check of any kind, no session, no log.
 */
import { createServer } from 'node:http';

const SSE = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' };
const JSON_REPLY = { 'content-type': 'application/json', 'mcp-session-id': 'floor' };
const EVENT = frame({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });

const streams = new Map();
let lastId = 0;

const server = createServer((req, res) => {
  if (req.method === 'GET') return open(res);
  let body = '';
  req.setEncoding('utf8');
  req.on('data', (chunk) => {
    body += chunk;
  });
  req.on('end', () => post(req.url, JSON.parse(body), res));
});
server.keepAliveTimeout = 120_000;
server.listen(Number(process.argv[2]), '127.0.0.1');
setInterval(() => {
  for (const stream of streams.values()) stream.write(':\n\n');
}, 15_000);

function open(res) {
  const id = String((lastId += 1));
  streams.set(id, res);
  res.on('close', () => streams.delete(id));
  res.writeHead(200, SSE);
  res.write(`event: endpoint\ndata: /messages?sessionId=${id}\n\n`);
}

function post(url, message, res) {
  const stream = url.startsWith('/messages') ? streams.get(url.slice(20)) : undefined;
  if (message.id === undefined) return res.writeHead(202).end();
  const params = message.params ?? {};
  const name = message.method === 'tools/call' ? params.name : message.method;
  if (name === 'emit') for (const each of streams.values()) each.write(EVENT);
  const text = params.arguments?.text ?? name;
  const answer = { jsonrpc: '2.0', id: message.id, result: { content: [{ type: 'text', text }] } };
  if (!stream) return reply(res, JSON.stringify(answer));
  res.writeHead(202).end();
  stream.write(frame(answer));
}

function reply(res, body) {
  res.writeHead(200, { ...JSON_REPLY, 'content-length': Buffer.byteLength(body) }).end(body);
}

function frame(message) {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}
