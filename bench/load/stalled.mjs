/**
 * One reader that stops reading, told what to do over IPC: `open` {server}, `flood` {bytes, isReading}
 * and `look`, which reads again and says whether the server had ended the stream meanwhile.
 */
import { answerCommands } from './answer-commands.mjs';
import { connect } from 'node:net';
import { Connection, ENDPOINT, requestText } from './connection.mjs';

const MESSAGE_CHARS = 65_536;
const LOOK_MS = 2_000;

let server;
let headers;
let socket;
let connection;
let endpoint;
let lastId = 0;
let received = 0;
let tail = '';
let isEnded = false;
let wake = () => {};

const commands = {
  async open(input) {
    server = input.server;
    headers = { 'content-type': 'application/json' };
    if (server.token !== undefined) headers.authorization = `Bearer ${server.token}`;
    socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => wake((isEnded = true)));
    socket.on('data', (chunk) => {
      received += chunk.length;
      tail = (tail + chunk.toString('latin1')).slice(-4096);
      wake();
    });
    const get = { ...headers, accept: 'text/event-stream' };
    socket.write(requestText(server.port, 'GET', server.paths[2024], get));
    await until(() => ENDPOINT.test(tail));
    const found = ENDPOINT.exec(tail);
    const base = `http://127.0.0.1:${server.port}${server.paths[2024]}`;
    const url = new URL(found[1], base);
    endpoint = url.pathname + url.search;
    connection = new Connection(server.port);
    const clientInfo = { name: 'bench-load', version: '1.0.0' };
    const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo };
    await post({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
    await until(() => tail.includes('"id":0'));
    await post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return {};
  },
  async flood({ bytes, isReading }) {
    const id = (lastId += 1);
    received = 0;
    if (!isReading) socket.pause();
    const params = {
      name: 'flood',
      arguments: { bytes, size: MESSAGE_CHARS, text: `flood-${id}-end` },
      _meta: { progressToken: id },
    };
    await post({ jsonrpc: '2.0', id, method: 'tools/call', params });
    if (isReading) await until(() => isEnded || tail.includes(`flood-${id}-end`), 20_000);
    return { received, isEnded };
  },
  async look() {
    socket.resume();
    await until(() => isEnded, LOOK_MS).catch(() => {});
    return { isEnded, received };
  },
  async close() {
    socket.resetAndDestroy();
    connection.close();
    return {};
  },
};

async function post(message) {
  const text = requestText(server.port, 'POST', endpoint, headers, JSON.stringify(message));
  const { status } = await connection.request(text);
  if (status !== 202 && status !== 200) throw new Error(`POST got ${status}`);
}

function until(isTrue, msMax = 10_000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('waited in vain for the stream')), msMax);
    wake = () => {
      if (!isTrue()) return;
      clearTimeout(timer);
      wake = () => {};
      resolve();
    };
    wake();
  });
}

answerCommands(commands);
