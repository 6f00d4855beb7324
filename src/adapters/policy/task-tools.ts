/** Which tool a task is of, learned from the answer that began it. */
import type { AccessRequest } from '../../core/access.ts';
import type { Message } from '../../core/protocol/message.ts';
import { SharedCache } from '../../core/shared-cache.ts';
import { recordOf } from './question.ts';

/**
 * Tasks remembered, of all tenants. Those that are forgotten may be followed by nobody, so that no
 * tenant's are because of another's.
 */
const TASKS_MAX = 50_000;

export class TaskTools {
  readonly #tools = new SharedCache<string>(TASKS_MAX);

  /** @param answer - to a call; of a task, it names it in its era's way. */
  learn(request: AccessRequest, answer: Message): void {
    if (answer.payload?.includes('"taskId"') !== true) return;
    const result = recordOf(answer.value);
    // The revision 2025-11-25 has the task in a member of its own, the extension of 2026 does not.
    const taskId = recordOf(result['task'])['taskId'] ?? result['taskId'];
    const { name } = recordOf(request.message.value);
    if (typeof taskId !== 'string' || typeof name !== 'string') return;
    this.#tools.set(request.principal.tenant, keyOf(request, taskId), name);
  }

  toolOf(request: AccessRequest, taskId: string): string | undefined {
    return this.#tools.get(request.principal.tenant, keyOf(request, taskId));
  }
}

/** Tasks are their principal's alone. */
function keyOf({ server, principal }: AccessRequest, taskId: string): string {
  return JSON.stringify([server, principal.key, taskId]);
}
