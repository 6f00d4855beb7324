/**
 * Floor two: bare node:http in front of one stdio child, the least a gateway must do. Parse the body,
 * rewrite the id, write a line, match the answer, reply. No check, no session, no log, no limit.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';

const SSE = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' };
const JSON_REPLY = { 'content-type': 'application/json', 'mcp-session-id': 'floor' };

const [port, command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
child.on('exit', () => process.exit(1));

const streams = new Map();
const pending = new Map();
let lastId = 0;
let rest = '';

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
server.listen(Number(port), '127.0.0.1');
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
  if (stream) res.writeHead(202).end();
  if (message.id === undefined) return stream || res.writeHead(202).end();
  const id = (lastId += 1);
  pending.set(id, { id: message.id, stream, res });
  message.id = id;
  const meta = message.params?._meta;
  if (meta?.progressToken !== undefined) meta.progressToken = id;
  child.stdin.write(JSON.stringify(message) + '\n');
}

child.stdout.setEncoding('utf8');
child.stdout.on('data', (chunk) => {
  const text = rest + chunk;
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    receive(JSON.parse(text.slice(start, end)));
    start = end + 1;
  }
  rest = text.slice(start);
});

function receive(message) {
  if (message.method !== undefined) return notify(message);
  const call = pending.get(message.id);
  pending.delete(message.id);
  message.id = call.id;
  if (call.stream) return call.stream.write(frame(message));
  const body = JSON.stringify(message);
  const length = Buffer.byteLength(body);
  call.res.writeHead(200, { ...JSON_REPLY, 'content-length': length }).end(body);
}

function notify(message) {
  const event = frame(message);
  const owner = pending.get(message.params?.progressToken);
  if (owner) return owner.stream?.write(event);
  for (const stream of streams.values()) stream.write(event);
}

function frame(message) {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}
