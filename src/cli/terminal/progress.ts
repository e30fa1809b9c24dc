import type { ProgressDetail, ProgressMessage } from '#api/types';
import { decimalSize } from '../format/units.ts';
import type { Output } from '../output.ts';

export interface ProgressOptions {
  /** Lines are redrawn in place. */
  readonly isTerminal: boolean;
  /** Of the terminal. */
  readonly columns?: number;
  /** Gets what engines attach to a stream, such as the digest of a push; such messages are not shown. */
  readonly onAux?: (aux: unknown) => void;
}

/** An error that an engine reported within a stream. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
}

/** Shows the stream of a pull, push, load or import as docker does. Throws StreamError. */
export async function showProgress(
  messages: AsyncIterable<ProgressMessage>,
  out: Output,
  options: ProgressOptions,
): Promise<void> {
  const rows = new Map<string, number>();
  for await (const message of messages) {
    if (message.aux !== undefined) {
      options.onAux?.(message.aux);
      continue;
    }
    const { id = '' } = message;
    let below = 0;
    if (id !== '' && (message.progressDetail || message.progress)) {
      let row = rows.get(id);
      if (row === undefined) {
        row = rows.size;
        rows.set(id, row);
        if (options.isTerminal) out.write('\n');
      }
      below = rows.size - row;
      if (options.isTerminal) out.write(`\u001b[${below}A`);
    } else rows.clear();
    showMessage(message, out, options);
    // Terminals take a count of 0 for 1.
    if (below > 0 && options.isTerminal) out.write(`\u001b[${below}B`);
  }
}

function showMessage(
  message: ProgressMessage,
  out: Output,
  { isTerminal, columns = 200 }: ProgressOptions,
): void {
  const { stream = '', progressDetail, error, errorDetail } = message;
  if (errorDetail || error !== undefined) throw new StreamError(errorDetail?.message ?? error ?? '');
  const bar = progressDetail ? formatProgress(progressDetail, columns) : '';
  const redrawn = isTerminal && stream === '' && progressDetail !== undefined;
  // Without a terminal bars are left out: only the words that come without one are shown.
  if (!redrawn && bar !== '') return;
  out.write(`${redrawn ? '\u001b[2K\r' : ''}${describe(message, isTerminal, bar, redrawn ? '\r' : '')}`);
}

function describe(message: ProgressMessage, isTerminal: boolean, bar: string, end: string): string {
  const { id = '', status = '', stream = '', progress = '', progressDetail } = message;
  const label = id === '' ? '' : `${id}: `;
  if (progressDetail && isTerminal) return `${label}${status} ${bar}${end}`;
  if (progress !== '') return `${label}${status} ${progress}${end}`;
  if (stream !== '') return `${label}${stream}${end}`;
  return `${label}${status}\n${end}`;
}

/** `[====>    ]  1.2MB/4.5MB` */
function formatProgress(detail: ProgressDetail, columns: number): string {
  const { current = 0, total = 0, units = '', hidecounts = false } = detail;
  if (current <= 0 && total <= 0) return '';
  const size = (value: number): string => (units === '' ? decimalSize(value) : String(value));
  if (total <= 0) return units === '' ? size(current).padStart(8) : `${current} ${units}`;
  const done = Math.min(50, Math.trunc(Math.trunc((current / total) * 100) / 2));
  const bar = columns > 110 ? `[${'='.repeat(done)}>${' '.repeat(50 - done)}] ` : '';
  if (hidecounts) return bar;
  if (units === '') {
    return (
      bar + (current > total ? size(current).padStart(8) : `${size(current).padStart(8)}/${size(total)}`)
    );
  }
  return bar + (current > total ? `${current} ${units}` : `${current}/${total} ${units}`);
}
