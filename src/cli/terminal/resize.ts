import type { Context } from '../context.ts';

/** Tells the engine the terminal's size now and whenever it changes. `path` is `/containers/<id>` or `/exec/<id>`. */
export async function followSize(context: Context, path: string): Promise<Disposable> {
  const send = async (): Promise<void> => {
    const size = context.terminal.size();
    if (!size) return;
    await context.engine
      .done({ method: 'POST', path: `${path}/resize`, query: { h: size.rows, w: size.columns } })
      // The process may have ended, or not be there yet: no reason to disturb the user.
      .catch(() => undefined);
  };
  const watch = context.terminal.onResize(() => void send());
  await send();
  return watch;
}
