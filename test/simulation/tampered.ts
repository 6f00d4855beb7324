/** Broken applications: a correct one behind something that breaks one promise now and then. */
import type { Application, HttpExchange, StreamSink } from '../../src/core/ports.ts';
import type { ApplicationPorts, Subject } from './simulate.ts';

/** What one broken application does to its exchanges and its ports. */
export interface Fault {
  readonly sink?: (sink: StreamSink, nth: () => boolean) => StreamSink;
  readonly exchange?: (exchange: HttpExchange, nth: () => boolean) => HttpExchange;
  readonly ports?: (ports: ApplicationPorts) => ApplicationPorts;
}

/** The subject with a fault that strikes every `every`th time it could. */
export function tampered(subject: Subject, fault: Fault, every: number): Subject {
  let count = 0;
  const nth = (): boolean => {
    count += 1;
    return count % every === 0;
  };
  return {
    create: (ports, random) => {
      const application = subject.create(fault.ports?.(ports) ?? ports, random);
      return wrapped(application, fault, nth);
    },
  };
}

function wrapped(application: Application, fault: Fault, nth: () => boolean): Application {
  return {
    handle: (exchange) => {
      const changed = fault.exchange?.(exchange, nth) ?? exchange;
      application.handle({
        head: changed.head,
        readBody: (bytesMax, done) => changed.readBody(bytesMax, done),
        respond: (status, headers, body) => changed.respond(status, headers, body),
        onClientGone: (listener) => changed.onClientGone(listener),
        openStream: (status, headers, first, isLong) => {
          const sink = changed.openStream(status, headers, first, isLong);
          return fault.sink?.(sink, nth) ?? sink;
        },
      });
    },
    drain: (windowMs) => application.drain(windowMs),
  };
}

/** A sink like another, but for some of its methods. */
export function sinkLike(sink: StreamSink, changes: Partial<StreamSink>): StreamSink {
  return {
    write: (text) => sink.write(text),
    end: (last) => sink.end(last),
    destroy: () => sink.destroy(),
    queuedBytes: () => sink.queuedBytes(),
    ...changes,
  };
}

/** An exchange like another, but for some of its methods. */
export function exchangeLike(exchange: HttpExchange, changes: Partial<HttpExchange>): HttpExchange {
  return {
    head: exchange.head,
    readBody: (bytesMax, done) => exchange.readBody(bytesMax, done),
    respond: (status, headers, body) => exchange.respond(status, headers, body),
    onClientGone: (listener) => exchange.onClientGone(listener),
    openStream: (status, headers, first, isLong) =>
      exchange.openStream(status, headers, first, isLong),
    ...changes,
  };
}
