/** A client of 2024 as the HTML specification has it: an EventSource that says where it was. */
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { EventSource } from 'eventsource';

export class EventSourceTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #url: URL;
  #source: EventSource | undefined;
  #endpoint: URL | undefined;

  constructor(url: URL) {
    this.#url = url;
  }

  start(): Promise<void> {
    const source = new EventSource(this.#url);
    this.#source = source;
    source.addEventListener('message', ({ data }) => {
      this.onmessage?.(JSON.parse(String(data)) as JSONRPCMessage);
    });
    return new Promise((resolve) => {
      source.addEventListener('endpoint', ({ data }) => {
        this.#endpoint = new URL(String(data), this.#url);
        resolve();
      });
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(message);
    const { status } = await fetch(this.#endpoint ?? '', { method: 'POST', headers, body });
    if (status !== 202) throw new Error(`HTTP status ${status}`);
  }

  async close(): Promise<void> {
    this.#source?.close();
    this.onclose?.();
  }
}
