/**
 * Holds thousands of 2024 streams in a process of its own, told what to do over IPC:
 * `open` {server, count, isInitialized}, `initialize`, `expect` {mark} and `await` {events}, `close`.
 */
import { answerCommands } from './answer-commands.mjs';
import { Connection, ENDPOINT, openSocket, requestText } from './connection.mjs';

const OPENERS = 64;
const CLIENT = { name: 'bench-load', version: '1.0.0' };
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: CLIENT },
});
const INITIALIZED = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });

const streams = [];
let server;
let headers;
let mark = undefined;
let marks = 0;
let wanted = undefined;
let closed = 0;

class Stream {
  isInitialized = false;
  #text = '';
  #endpoint = undefined;
  #onOpen;
  #onAnswer = undefined;

  open() {
    return new Promise((resolve, reject) => {
      this.#onOpen = resolve;
      this.socket = openSocket(
        server.port,
        (text) => this.#receive(text),
        () => {
          closed += 1;
          reject(new Error('a stream was closed by the server'));
        },
      );
      const get = { ...headers, accept: 'text/event-stream' };
      this.socket.write(requestText(server.port, 'GET', server.paths[2024], get));
    });
  }

  async initialize(connection) {
    const answered = new Promise((resolve) => (this.#onAnswer = resolve));
    await this.#post(connection, INITIALIZE);
    await answered;
    await this.#post(connection, INITIALIZED);
    this.isInitialized = true;
  }

  async #post(connection, body) {
    const text = requestText(server.port, 'POST', this.#endpoint, headers, body);
    const { status } = await connection.request(text);
    if (status !== 202 && status !== 200) throw new Error(`POST got ${status}`);
  }

  #receive(text) {
    if (this.#onOpen === undefined && this.#onAnswer === undefined) return count(text);
    this.#text += text;
    if (this.#onOpen !== undefined) {
      const found = ENDPOINT.exec(this.#text);
      if (found === null) return this.#failed();
      const base = `http://127.0.0.1:${server.port}${server.paths[2024]}`;
      const url = new URL(found[1], base);
      this.#endpoint = url.pathname + url.search;
      this.#onOpen();
      this.#onOpen = undefined;
    } else if (this.#text.includes('"id":0')) {
      this.#onAnswer();
      this.#onAnswer = undefined;
    } else return;
    this.#text = '';
  }

  #failed() {
    if (/^HTTP\/1.1 [345]/.test(this.#text)) this.socket.destroy();
  }
}

function count(text) {
  if (mark === undefined) return;
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) marks += 1;
  if (wanted !== undefined && marks >= wanted.events) wanted.resolve();
}

const commands = {
  async open({ server: target, count: total, isInitialized }) {
    server = target;
    headers = { 'content-type': 'application/json' };
    if (server.token !== undefined) headers.authorization = `Bearer ${server.token}`;
    const fresh = Array.from({ length: total }, () => new Stream());
    const begun = performance.now();
    await inParallel(fresh, () => (stream) => stream.open());
    const ms = performance.now() - begun;
    streams.push(...fresh);
    if (isInitialized) await initializeAll(fresh);
    return { ms };
  },
  async initialize() {
    await initializeAll(streams.filter(({ isInitialized }) => !isInitialized));
    return {};
  },
  async expect(input) {
    mark = input.mark;
    marks = 0;
    return {};
  },
  async await({ events, maxMs }) {
    if (marks < events) {
      const reached = new Promise((resolve) => (wanted = { events, resolve }));
      let timer;
      const late = new Promise((resolve) => (timer = setTimeout(resolve, maxMs)));
      await Promise.race([reached, late]);
      clearTimeout(timer);
      wanted = undefined;
    }
    return { marks, closed };
  },
  async close() {
    for (const stream of streams) stream.socket.resetAndDestroy();
    streams.length = 0;
    return {};
  },
};

async function initializeAll(some) {
  await inParallel(some, () => {
    const connection = new Connection(server.port);
    const initialize = (stream) => stream.initialize(connection);
    return Object.assign(initialize, { end: () => connection.close() });
  });
}

/** Works through `items` with a bounded number at a time; each worker gets its own function. */
async function inParallel(items, makeWork) {
  let next = 0;
  const worker = async () => {
    const work = makeWork();
    while (next < items.length) await work(items[next++]);
    work.end?.();
  };
  await Promise.all(Array.from({ length: Math.min(OPENERS, items.length) }, worker));
}

answerCommands(commands);
