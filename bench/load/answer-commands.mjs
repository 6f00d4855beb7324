/** The load's end of the IPC channel: carries out commands one at a time and answers each. */
export function answerCommands(commands) {
  const answer = async ({ id, command, input }) => {
    try {
      process.send({ id, result: await commands[command](input) });
    } catch (error) {
      process.send({ id, error: String(error?.message ?? error) });
    }
  };
  process.on('message', (request) => void answer(request));
  process.on('disconnect', () => process.exit(0));
}
