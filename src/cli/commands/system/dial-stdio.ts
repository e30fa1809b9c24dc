import { defineCommand, noArguments } from '../../command.ts';

/** What `ssh://` addresses run on the other machine; without output of its own, since both streams are the engine's. */
export const command = defineCommand({
  synopsis: '',
  summary: 'Connect standard input and output to the engine',
  arguments: noArguments,
  flags: {},
  async run(context) {
    const connection = await context.engine.connect();
    const sent = (async () => {
      for await (const chunk of context.terminal.input()) await connection.write(chunk);
      connection.closeWrite();
    })();
    // The engine's end of the stream is the end of the whole.
    sent.catch(() => connection.destroy());
    for (let chunk = await connection.read(); chunk; chunk = await connection.read())
      context.out.write(chunk);
    connection.destroy();
  },
});
