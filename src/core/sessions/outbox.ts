/**
 * What a machine decides is appended here, in order; the caller owns the list and carries it out.
 * Nothing is done while a machine is in the middle of a transition, so no effect can re-enter it.
 */
import type { CloseReason } from '../close-reasons.ts';
import type { Refusal } from '../errors.ts';

/** A client connection a stream can be attached to; to the machines it is only an identity. */
export interface Attachment {
  readonly attachment: true;
}

/** What the `Tidegate-Resume` header says; undefined when the client asked for no resume. */
export type Resume = 'exact' | 'gap' | undefined;

export type Decision =
  /** Send the head of an event stream and its first bytes. */
  | {
      readonly do: 'open';
      readonly to: Attachment;
      readonly resume: Resume;
      readonly first: string;
    }
  /** Answer with one JSON body, or with the refusal that it says. */
  | {
      readonly do: 'json';
      readonly to: Attachment;
      readonly body: string;
      readonly refusal?: Refusal | undefined;
    }
  | { readonly do: 'write'; readonly to: Attachment; readonly text: string }
  | {
      readonly do: 'end';
      readonly to: Attachment;
      readonly stream: number;
      readonly reason: CloseReason;
      readonly last: string;
    }
  | {
      readonly do: 'append';
      readonly stream: number;
      readonly generation: number;
      readonly sequence: number;
      readonly data: string;
    }
  | { readonly do: 'read'; readonly stream: number; readonly after: number }
  | { readonly do: 'trim'; readonly stream: number };

export type Outbox = Decision[];
