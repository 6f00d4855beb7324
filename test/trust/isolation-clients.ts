/** Clients of every era who choose the same ids, and who each know what must not reach them. */
import { canaryOf, ownersIn } from '../../src/testing/canary.ts';
import { modern } from '../wire/client-2026.ts';
import { rpc, Session2024, Session2025 } from '../wire/conversation.ts';
import type { Json, WireReply } from '../wire/wire-reply.ts';
import type { WireServer } from '../wire/wire-server.ts';

/** Everybody's ids are these: a call is told apart by its client and by nothing else. */
const IDS = [0, 1, 2, '0', '1'] as const;

export interface Client {
  readonly name: string;
  /** Everything that arrived. */
  readonly heard: () => string;
  /** Makes one call under an id that everybody uses. */
  call(number: number): Promise<void>;
  /** Breaks what is open, as a lost network does, and goes on. */
  stumble(): Promise<void>;
}

export type Era = '2024' | '2025' | '2026';

export async function clientOf(server: WireServer, era: Era, name: string): Promise<Client> {
  const replies: { readonly text: string }[] = [];
  const keep = (reply: WireReply): WireReply => {
    replies.push(reply);
    return reply;
  };
  const heard = (): string => replies.map(({ text }) => text).join('\n');
  const token = name;
  if (era === '2026') {
    const said = { token, meta: { progressToken: IDS[0] } };
    return {
      name,
      heard,
      async call(number) {
        await keep(
          server.send(modern(idOf(number), 'tools/call', argumentsOf(name, number), said)),
        ).whole();
      },
      async stumble() {
        const params = argumentsOf(name, 0);
        const reply = keep(server.send(modern(IDS[0], 'tools/call', params, said)));
        reply.leave();
        await reply.whole();
      },
    };
  }
  if (era === '2025') {
    let session = await Session2025.open(server, { token });
    let stream = keep(session.listen());
    return {
      name,
      heard,
      async call(number) {
        const message = rpc(idOf(number), 'tools/call', argumentsOf(name, number));
        const reply = await keep(session.post(message)).whole();
        // A session whose server died, or whose bearer was revoked, is replaced.
        if (reply.status !== 404) return;
        session = await Session2025.open(server, { token });
        stream = keep(session.listen());
      },
      async stumble() {
        const from = stream.lastEventId;
        stream.leave();
        await stream.whole();
        stream = keep(session.listen(from === '' ? undefined : from));
      },
    };
  }
  let session = await Session2024.initialized(server, { token });
  let stream = keep(session.stream);
  const again = async (): Promise<void> => {
    session = await Session2024.initialized(server, { token });
    stream = keep(session.stream);
  };
  const comeBack = async (): Promise<void> => {
    const from = stream.lastEventId;
    stream.leave();
    await stream.whole();
    if (from !== '') stream = keep(await session.comeBack(from));
    if (from === '' || stream.status !== 200) await again();
  };
  return {
    name,
    heard,
    async call(number) {
      if (stream.isEnded) await comeBack();
      const message = rpc(idOf(number), 'tools/call', argumentsOf(name, number));
      const reply = await keep(session.post(message)).whole();
      if (reply.status === 404) await again();
    },
    stumble: comeBack,
  };
}

/** Whose canaries a client heard that are not its own. */
export function leaksTo({ name, heard }: Client): readonly string[] {
  return [...new Set(ownersIn(heard()))].filter((owner) => owner !== name);
}

/** Whom a message that came to a server is of, as its canary says. */
export function senderOf(params: Json): string {
  return ownersIn(JSON.stringify(params))[0] ?? '';
}

function idOf(number: number): unknown {
  return IDS[number % IDS.length];
}

function argumentsOf(name: string, number: number): Json {
  const _meta = { progressToken: IDS[0] };
  return { name: 'later', arguments: { canary: canaryOf(name, number) }, _meta };
}
