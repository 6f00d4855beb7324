/**
 * What an operator should know where we are the first process of a container: whatever a child
 * leaves behind becomes ours when that child ends, and Node waits for no process it did not start.
 */
export function firstProcessNotes(pid: number): readonly string[] {
  if (pid !== 1) return [];
  return ['This is process 1, which keeps zombies. Use an init, as docker run --init does.'];
}
