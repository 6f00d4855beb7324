/** What a client of each era puts on the wire: headers, bodies and the way an answer comes back. */
import { Connection, ENDPOINT, openSocket, requestText } from './connection.mjs';

const MODERN = '2026-07-28';
const META = 'io.modelcontextprotocol/';
const CLIENT = { name: 'bench-load', version: '1.0.0' };
const MODERN_META = {
  [`${META}protocolVersion`]: MODERN,
  [`${META}clientInfo`]: CLIENT,
  [`${META}clientCapabilities`]: {},
};
const BOTH = 'application/json, text/event-stream';

const notification = (method) => JSON.stringify({ jsonrpc: '2.0', method });
const request = (id, method, params) => JSON.stringify({ jsonrpc: '2.0', id, method, params });
const initialize = (protocolVersion) =>
  request(0, 'initialize', { protocolVersion, capabilities: {}, clientInfo: CLIENT });

function postHeaders(token) {
  const headers = { 'content-type': 'application/json', accept: BOTH };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  return headers;
}

/** 2024: a stream that carries the answers, and POSTs that carry the requests. */
export class Client2024 {
  #server;
  #headers;
  #connection;
  #socket;
  #messages;
  #text = '';
  #awaited = undefined;
  #onRefused = undefined;

  constructor(server) {
    this.#server = server;
    this.#headers = postHeaders(server.token);
  }

  async open() {
    const { port, paths } = this.#server;
    const opened = new Promise((resolve, reject) => {
      this.#awaited = { mark: ENDPOINT, resolve };
      this.#socket = openSocket(
        port,
        (text) => this.#receive(text),
        () => reject(new Error('stream closed')),
      );
    });
    const headers = { ...this.#headers, accept: 'text/event-stream' };
    this.#socket.write(requestText(port, 'GET', paths[2024], headers));
    const endpoint = new URL((await opened)[1], `http://127.0.0.1:${port}${paths[2024]}`);
    this.#messages = endpoint.pathname + endpoint.search;
    this.#connection = new Connection(port);
    await this.exchange('"id":0', initialize('2024-11-05'));
    await this.#connection.request(this.#post(notification('notifications/initialized')));
  }

  call(id, name, text, onAnswer, onFail) {
    let parts = 2;
    const done = () => (parts -= 1) === 0 && onAnswer();
    this.#awaited = { mark: text, resolve: done };
    this.#onRefused = onFail;
    const body = request(id, 'tools/call', { name, arguments: { text } });
    this.#connection.send(
      this.#post(body),
      (status) => (status === 202 ? done() : onFail(`status ${status}`)),
      () => onFail('closed'),
    );
  }

  async exchange(mark, body) {
    const answered = new Promise((resolve) => (this.#awaited = { mark, resolve }));
    const { status } = await this.#connection.request(this.#post(body));
    if (status !== 202 && status !== 200) throw new Error(`POST got ${status}`);
    await answered;
  }

  close() {
    this.#socket?.resetAndDestroy();
    this.#connection?.close();
  }

  #post(body) {
    return requestText(this.#server.port, 'POST', this.#messages, this.#headers, body);
  }

  #receive(text) {
    this.#text = this.#text === '' ? text : this.#text + text;
    const { mark, resolve } = this.#awaited ?? {};
    if (mark === undefined) return void (this.#text = '');
    const isText = typeof mark === 'string';
    const found = isText ? this.#text.includes(mark) : mark.exec(this.#text);
    if (!found) {
      const isRefused = this.#onRefused !== undefined && this.#text.includes('"error":{');
      if (isRefused) this.#onRefused(this.#text.slice(-200).trim());
      return;
    }
    this.#text = '';
    this.#awaited = undefined;
    resolve(found);
  }
}

/** 2025: a session opened by `initialize`, and a POST a call. */
export class Client2025 {
  #server;
  #headers;
  #connection;

  constructor(server) {
    this.#server = server;
    this.#headers = postHeaders(server.token);
  }

  async open() {
    this.#connection = new Connection(this.#server.port);
    const { status, head } = await this.#connection.request(this.#post(initialize('2025-11-25')));
    if (status !== 200) throw new Error(`initialize got ${status}`);
    this.#headers['mcp-protocol-version'] = '2025-11-25';
    const session = /\nmcp-session-id: *(\S+)/i.exec(head);
    if (session !== null) this.#headers['mcp-session-id'] = session[1];
    const ready = this.#post(notification('notifications/initialized'));
    await this.#connection.request(ready);
  }

  call(id, name, text, onAnswer, onFail) {
    const body = request(id, 'tools/call', { name, arguments: { text } });
    this.#connection.send(
      this.#post(body),
      (status, _head, reply) => {
        if (status === 200 && reply.includes(text)) onAnswer();
        else onFail(`status ${status}: ${reply.slice(0, 200)}`);
      },
      () => onFail('closed'),
    );
  }

  close() {
    this.#connection?.close();
  }

  #post(body) {
    return requestText(this.#server.port, 'POST', this.#server.paths[2025], this.#headers, body);
  }
}

/** 2026: nothing to open; metadata in headers and `_meta` of every call. */
export class Client2026 {
  #server;
  #headers;
  #connection;

  constructor(server) {
    this.#server = server;
    this.#headers = {
      ...postHeaders(server.token),
      'mcp-protocol-version': MODERN,
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
    };
  }

  async open() {
    this.#connection = new Connection(this.#server.port);
  }

  /** From the next call on; others stay as they are. */
  setHeaders(headers) {
    Object.assign(this.#headers, headers);
  }

  call(id, name, text, onAnswer, onFail) {
    const { port, paths } = this.#server;
    const params = { name, arguments: { text }, _meta: MODERN_META };
    const headers = name === 'echo' ? this.#headers : { ...this.#headers, 'mcp-name': name };
    const body = request(id, 'tools/call', params);
    this.#connection.send(
      requestText(port, 'POST', paths[2026], headers, body),
      (status, _head, reply) => {
        if (status === 200 && reply.includes(text)) onAnswer();
        else onFail(`status ${status}: ${reply.slice(0, 200)}`);
      },
      () => onFail('closed'),
    );
  }

  close() {
    this.#connection?.close();
  }
}

export const CLIENTS = { 2024: Client2024, 2025: Client2025, 2026: Client2026 };
