/**
 * A check that cannot fail proves nothing: each promise is broken on purpose, and the simulation
 * must see it.
 */
import { describe, expect, it } from 'vitest';
import type { StreamSink } from '../../src/core/ports.ts';
import type { OutboundEvents } from '../../src/core/outbound.ts';
import type { Message } from '../../src/core/protocol/message.ts';
import type { Isolation } from './scenario.ts';
import { simulate } from './simulate.ts';
import { ENDPOINT } from './subject.ts';
import { twoHops, type HopFault } from './two-hops.ts';
import { exchangeLike, sinkLike, tampered, type Fault } from './tampered.ts';

const SEEDS = 60;

const FAULTS: readonly {
  readonly name: string;
  readonly fault: Fault;
  readonly every: number;
  readonly caughtAs: RegExp;
  readonly isolation?: Isolation;
}[] = [
  {
    name: 'a frame written twice',
    every: 20,
    caughtAs: /came again|answered twice/,
    fault: {
      sink: (sink, nth) =>
        sinkLike(sink, {
          write: (text) => {
            sink.write(text);
            if (nth()) sink.write(text);
          },
        }),
    },
  },
  {
    name: 'a frame that is dropped',
    every: 20,
    caughtAs: /a silent gap|never ended/,
    fault: {
      sink: (sink, nth) =>
        sinkLike(sink, { write: (text) => (nth() ? undefined : sink.write(text)) }),
    },
  },
  {
    name: 'a frame that goes to a neighbour',
    every: 20,
    caughtAs: /was shown a text of/,
    fault: neighbourFault(),
  },
  {
    name: 'a write after the end',
    every: 5,
    caughtAs: /after the end of the stream/,
    fault: {
      sink: (sink, nth) =>
        sinkLike(sink, {
          end: (last) => {
            sink.end(last);
            if (nth()) sink.write(': late\n\n');
          },
        }),
    },
  },
  {
    name: 'a gap that is not admitted',
    every: 1,
    caughtAs: /a silent gap|expected/,
    fault: {
      exchange: (exchange) =>
        exchangeLike(exchange, {
          openStream: (status, headers, first, isLong) => {
            const lying = headers.map((text) => (text === 'gap' ? 'exact' : text));
            return exchange.openStream(status, lying, first, isLong);
          },
        }),
    },
  },
  {
    name: 'a reply that never comes',
    every: 10,
    caughtAs: /never ended/,
    fault: {
      exchange: (exchange, nth) =>
        nth() ? exchangeLike(exchange, { readBody: () => undefined }) : exchange,
    },
  },
  {
    name: 'an id that changes its type',
    every: 5,
    caughtAs: /answered as|a response to nothing asked here/,
    fault: {
      exchange: (exchange, nth) =>
        exchangeLike(exchange, {
          respond: (status, headers, body) => {
            const other = body.replace(/"id":(\d+),/, '"id":"$1",');
            exchange.respond(status, headers, nth() ? other : body);
          },
        }),
    },
  },
  {
    name: 'a queue that is not looked at',
    every: 1,
    caughtAs: /bytes waited in a stream/,
    fault: { sink: (sink) => sinkLike(sink, { queuedBytes: () => 0 }) },
  },
  {
    name: 'a directory that takes any principal',
    every: 1,
    caughtAs: /a foreign session/,
    fault: {
      ports: (ports) => {
        const owners = new Map<string, Parameters<typeof ports.directory.find>[1]>();
        const directory: typeof ports.directory = {
          create: (id, principal, handle) => {
            owners.set(id, principal);
            return ports.directory.create(id, principal, handle);
          },
          find: (id, principal) => ports.directory.find(id, owners.get(id) ?? principal),
          has: (id) => ports.directory.has(id),
          end: (id) => ports.directory.end(id),
          countOf: (principal) => ports.directory.countOf(principal),
          count: () => ports.directory.count(),
          all: () => ports.directory.all(),
          ofPrincipal: (principal) => ports.directory.ofPrincipal(principal),
        };
        return { ...ports, directory };
      },
    },
  },
  {
    name: 'a heart that does not beat',
    every: 1,
    caughtAs: /was silent for/,
    fault: {
      sink: (sink) =>
        sinkLike(sink, { write: (text) => (text.startsWith(':') ? undefined : sink.write(text)) }),
    },
  },
  {
    name: 'progress that is lost on the way',
    every: 3,
    caughtAs: /answered after \d+ of \d+ progress/,
    fault: {
      ports: (ports) => {
        const connect: typeof ports.upstream.connect = (era, events) =>
          ports.upstream.connect(era, {
            onMessage: (message, relatedTo) => {
              const isLost = message.payload?.includes('"progress":2') === true;
              if (!isLost) events.onMessage(message, relatedTo);
            },
            onOversized: (id) => events.onOversized(id),
            onCloseStream: (id) => events.onCloseStream(id),
            onClosed: (cause, detail) => events.onClosed(cause, detail),
          });
        const { kind, name } = ports.upstream;
        const close = (): Promise<void> => ports.upstream.close();
        return { ...ports, upstream: { kind, name, connect, close } };
      },
    },
  },
  {
    name: 'a stream that does not say when to come back',
    every: 1,
    caughtAs: /without a retry time/,
    fault: {
      exchange: (exchange) =>
        exchangeLike(exchange, {
          openStream: (status, headers, first, isLong) =>
            exchange.openStream(status, headers, first.replace(/^retry: .*\n/gm, ''), isLong),
        }),
    },
  },
  {
    name: 'an answer that reaches whoever has the same id',
    every: 4,
    caughtAs: /was shown a text of|answered twice|a response to nothing/,
    fault: swappedAnswers(),
  },
  {
    name: 'events that stay in the log for ever',
    every: 1,
    caughtAs: /events are left after everyone went/,
    fault: {
      ports: (ports) => {
        const { log } = ports;
        const forgetful: typeof log = {
          append: (...args) => log.append(...args),
          readAfter: (...args) => log.readAfter(...args),
          trim: (session, stream) => log.trim(session, stream),
          forget: () => undefined,
          size: () => log.size(),
        };
        return { ...ports, log: forgetful };
      },
    },
  },
];

/** The network in the middle does what it must not, every few times. */
const HOP_FAULTS: readonly {
  readonly name: string;
  readonly fault: () => HopFault;
  readonly caughtAs: RegExp;
}[] = [
  {
    name: 'a call that is sent twice',
    caughtAs: /was called twice/,
    fault: () => (outbound) => ({
      send: (request, events) => {
        const isCall = request.body?.includes('"tools/call"') === true;
        const nothing = { onSent() {}, onHead() {}, onBytes() {}, onEnd() {} };
        if (isCall) outbound.send(request, nothing);
        return outbound.send(request, events);
      },
      close: () => outbound.close(),
    }),
  },
  {
    name: 'a piece of a reply that is lost',
    caughtAs: /was answered after|never ended/,
    fault: () => {
      const nth = every(5);
      return (outbound) => ({
        send: (request, events) =>
          outbound.send(request, {
            onSent: () => events.onSent(),
            onHead: (head) => events.onHead(head),
            onBytes: (chunk) => {
              const isProgress = Buffer.from(chunk).includes('notifications/progress');
              if (!isProgress || !nth()) events.onBytes(chunk);
            },
            onEnd: (end) => events.onEnd(end),
          }),
        close: () => outbound.close(),
      });
    },
  },
  {
    name: 'the bytes of one reply in another',
    caughtAs: /was shown a text of/,
    fault: () => {
      const nth = every(5);
      let former: OutboundEvents | undefined;
      return (outbound) => ({
        send: (request, events) => {
          let isOpen = false;
          const own: OutboundEvents = {
            onSent: () => events.onSent(),
            onHead: (head) => {
              isOpen = true;
              events.onHead(head);
            },
            onBytes: (chunk) => {
              if (nth()) former?.onBytes(chunk);
              else if (isOpen) events.onBytes(chunk);
              former = events;
            },
            onEnd: (end) => {
              if (former === events) former = undefined;
              events.onEnd(end);
            },
          };
          return outbound.send(request, own);
        },
        close: () => outbound.close(),
      });
    },
  },
];

function every(count: number): () => boolean {
  let seen = 0;
  return () => (seen += 1) % count === 0;
}

/** Now and then a frame goes to the stream that was opened before. */
function neighbourFault(): Fault {
  let former: StreamSink | undefined;
  return {
    sink: (sink, nth) => {
      const neighbour = former;
      former = sink;
      return sinkLike(sink, {
        write: (text) => {
          sink.write(text);
          if (nth()) neighbour?.write(text);
        },
      });
    },
  };
}

/** Answers of the upstream trade places now and then, as they would if ids were not made unique. */
function swappedAnswers(): Fault {
  return {
    ports: (ports) => {
      let held: Message | undefined;
      const connect: typeof ports.upstream.connect = (era, events) =>
        ports.upstream.connect(era, {
          onMessage: (message, relatedTo) => {
            const isAnswer = message.payload?.includes('"content"') === true;
            const former = held;
            if (isAnswer) held = message;
            const isSwapped = isAnswer && former?.id !== undefined && message.id !== undefined;
            const given = isSwapped ? former.withId(message.id) : message;
            events.onMessage(given, relatedTo);
          },
          onOversized: (id) => events.onOversized(id),
          onCloseStream: (id) => events.onCloseStream(id),
          onClosed: (cause, detail) => events.onClosed(cause, detail),
        });
      const { kind, name } = ports.upstream;
      const close = (): Promise<void> => ports.upstream.close();
      return { ...ports, upstream: { kind, name, connect, close } };
    },
  };
}

describe('the simulation sees', () => {
  for (const { name, fault, every, caughtAs, isolation } of FAULTS) {
    it(name, async () => {
      const seen: string[] = [];
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const broken = tampered(ENDPOINT, fault, every);
        const { violations } = await simulate(seed, isolation ?? 'shared', broken);
        if (violations.some((violation) => caughtAs.test(violation))) return;
        seen.push(...violations);
      }
      expect.fail(`not caught in ${SEEDS} seeds; seen: ${seen.slice(0, 5).join('\n')}`);
    });
  }

  for (const { name, fault, caughtAs } of HOP_FAULTS) {
    it(`between two endpoints, ${name}`, async () => {
      const seen: string[] = [];
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const { violations } = await simulate(seed, 'session', twoHops(fault()));
        if (violations.some((violation) => caughtAs.test(violation))) return;
        seen.push(...violations);
      }
      expect.fail(`not caught in ${SEEDS} seeds; seen: ${seen.slice(0, 5).join('\n')}`);
    });
  }

  it('the same run twice from one seed', async () => {
    for (const seed of [3, 4, 5]) {
      const [one, other] = [
        await simulate(seed, 'shared', ENDPOINT),
        await simulate(seed, 'shared', ENDPOINT),
      ];
      expect(one.trace).toEqual(other.trace);
      expect([...one.counts]).toEqual([...other.counts]);
    }
  });
});
