/** Requests of somebody who tries more than he may, of several kinds, from many addresses. */
import { Connection, openSocket, requestText } from './connection.mjs';

const CONNECTIONS = 64;
const LARGE_CHARS = 100_000;
/** Stands in a token for what makes it another one each time. */
const NUMBER = '########';
const BOTH = 'application/json, text/event-stream';
const MODERN = '2026-07-28';
const META = 'io.modelcontextprotocol/';

/** Sends as much as it is told to, and counts how it is answered. */
export class Noisy {
  #flood;
  #all;
  #idle;
  #statuses = {};
  #sockets = new Set();
  #sent = 0;
  #late = 0;

  constructor(flood) {
    this.#flood = flood;
    const address = (index) => `127.0.1.${index + 1}`;
    this.#all = Array.from(
      { length: CONNECTIONS },
      (_, index) => new Connection(flood.port, address(index)),
    );
    this.#idle = [...this.#all];
  }

  /** @param pace - makes of a rate and a send what is asked to send what is due. */
  sources(pace) {
    const texts = this.#texts();
    return Object.entries(this.#flood.shares).map(([kind, perSecond]) => {
      const textOf = texts[kind]();
      return pace(perSecond, () => {
        this.#sent += 1;
        const text = textOf(this.#sent);
        if (kind === 'streams') this.#openStream(text);
        else this.#send(text);
      });
    });
  }

  forget() {
    this.#statuses = {};
    this.#sent = this.#late = 0;
  }

  close() {
    for (const connection of this.#all) connection.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  summary(ms) {
    const perSecond = ((this.#sent - this.#late) / ms) * 1000;
    return { perSecond, late: this.#late, statuses: this.#statuses };
  }

  #send(text) {
    const connection = this.#idle.shift();
    if (connection === undefined) return void (this.#late += 1);
    const settle = (status) => {
      this.#count(status);
      this.#idle.push(connection);
    };
    connection.send(text, settle, () => settle('closed'));
  }

  /** One that is opened is kept; one that is refused is empty, and over. */
  #openStream(text) {
    let received = '';
    const socket = openSocket(
      this.#flood.port,
      (some) => {
        received += some;
        if (!received.includes('\r\n0\r\n\r\n')) return;
        this.#count('come back');
        socket.destroy();
      },
      () => this.#sockets.delete(socket),
      `127.0.1.${(this.#sent % CONNECTIONS) + 1}`,
    );
    this.#sockets.add(socket);
    socket.write(text, 'latin1');
  }

  #count(status) {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
  }

  /** By kind: what makes the texts, for each token in turn. */
  #texts() {
    const { port, paths, tokens } = this.#flood;
    const each = (make) => {
      const texts = tokens.map((token) => make({ authorization: `Bearer ${token}` }));
      return (index) => texts[index % texts.length];
    };
    const post = (path, headers, body) =>
      requestText(port, 'POST', path, { ...headers, ...JSON_HEADERS }, JSON.stringify(body));
    const call = (text) =>
      each((own) => post(paths[2026], { ...own, ...MODERN_HEADERS }, callOf(text)));
    const get = (own) => requestText(port, 'GET', paths[2024], { ...own, ...STREAM_HEADERS });
    return {
      calls: () => call('noise'),
      denied: () => this.#neverSeen(each((own) => post(paths[2025], own, PING))),
      large: () => call('x'.repeat(LARGE_CHARS)),
      sessions: () => each((own) => post(paths[2025], own, INITIALIZE)),
      streams: () => each(get),
    };
  }

  /** Each time with a token of its own. */
  #neverSeen(textOf) {
    const [before, after] = textOf(0).split(NUMBER);
    return () => {
      numbered += 1;
      return before + numbered.toString(36).padStart(NUMBER.length, 'A') + after;
    };
  }
}

let numbered = 0;

const JSON_HEADERS = { 'content-type': 'application/json', accept: BOTH };
const STREAM_HEADERS = { accept: 'text/event-stream' };
const MODERN_HEADERS = {
  'mcp-protocol-version': MODERN,
  'mcp-method': 'tools/call',
  'mcp-name': 'echo',
};
const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };
const CLIENT = { name: 'bench-load', version: '1.0.0' };
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: CLIENT },
};

function callOf(text) {
  const meta = {
    [`${META}protocolVersion`]: MODERN,
    [`${META}clientInfo`]: CLIENT,
    [`${META}clientCapabilities`]: {},
  };
  const params = { name: 'echo', arguments: { text }, _meta: meta };
  return { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
}
