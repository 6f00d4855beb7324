/** `tidegate/fetch`: HTTP serving on Web `Request` and `Response`. */
export { fetchHandler } from './fetch-handler.ts';
export type { FetchHandler, FetchHandlerOptions } from './fetch-handler.ts';
