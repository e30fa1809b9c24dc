import type { TarInput } from './tar-input.ts';
import type { TarOutput } from './tar-output.ts';

/** Copies an archive, with everything that is later than `latest` (nanoseconds) at that time; names of owners go. */
export function clampTimes(input: TarInput, output: TarOutput, latest: bigint): void {
  input.readEntries((header, content) => {
    const mtime = header.mtime > latest ? latest : header.mtime;
    const clamped = { ...header, mtime, userName: '', groupName: '' };
    if (header.type === 'file') output.addStored(clamped, content);
    else output.addHeader(clamped);
  });
}
