/**
 * Requests that are to be refused, so many a second: `run` {port, path, tokens, perSecond, ms}. They go
 * over a bounded number of connections; what finds none free is counted as `late`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { answerCommands } from './answer-commands.mjs';
import { Connection, requestText } from './connection.mjs';

const CONNECTIONS = 64;
const BODY = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

answerCommands({
  async run({ port, path, tokens, perSecond, ms }) {
    const texts = tokens.map((token) => {
      const authorization = `Bearer ${token}`;
      const accept = 'application/json, text/event-stream';
      const headers = { 'content-type': 'application/json', accept, authorization };
      return requestText(port, 'POST', path, headers, BODY);
    });
    const connections = Array.from({ length: CONNECTIONS }, () => new Connection(port));
    const idle = [...connections];
    const statuses = {};
    let sent = 0;
    let late = 0;
    const send = () => {
      const connection = idle.pop();
      if (connection === undefined) return (late += 1);
      sent += 1;
      const settle = (status) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        idle.push(connection);
      };
      connection.send(texts[sent % texts.length], settle, () => settle('closed'));
    };
    const begun = performance.now();
    let due = 0;
    for (let now = 0; now < ms; now = performance.now() - begun) {
      for (; due < (now * perSecond) / 1000; due += 1) send();
      await delay(1);
    }
    for (const connection of connections) connection.close();
    return { sent, late, statuses, perSecond: (sent / ms) * 1000 };
  },
});
