/** Which tool a task is of, learned from the answer that began it. */
import type { AccessRequest } from '../../core/access.ts';
import type { Message } from '../../core/protocol/message.ts';
import { recordOf } from './question.ts';

/** Tasks remembered; the oldest are forgotten beyond it, and may then be followed by nobody. */
const TASKS_MAX = 50_000;

export class TaskTools {
  readonly #tools = new Map<string, string>();

  /** @param answer - to a call; of a task, it names it in its era's way. */
  learn(request: AccessRequest, answer: Message): void {
    if (answer.payload?.includes('"taskId"') !== true) return;
    const result = recordOf(answer.value);
    // The revision 2025-11-25 has the task in a member of its own, the extension of 2026 does not.
    const taskId = recordOf(result['task'])['taskId'] ?? result['taskId'];
    const { name } = recordOf(request.message.value);
    if (typeof taskId !== 'string' || typeof name !== 'string') return;
    this.#tools.set(keyOf(request, taskId), name);
    const [oldest] = this.#tools.keys();
    if (this.#tools.size > TASKS_MAX && oldest !== undefined) this.#tools.delete(oldest);
  }

  toolOf(request: AccessRequest, taskId: string): string | undefined {
    return this.#tools.get(keyOf(request, taskId));
  }
}

/** Tasks are their principal's alone. */
function keyOf({ server, principal }: AccessRequest, taskId: string): string {
  return JSON.stringify([server, principal.key, taskId]);
}
