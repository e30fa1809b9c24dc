/** Bytes of a step's output that are told: a build is kept in memory until its clients have heard all of it. */
const mebibytes = 4;
const limit = mebibytes * 1024 * 1024;

const clipped = Buffer.from(`\n[output clipped, log limit ${mebibytes}MiB reached]\n`);

/** What of a step's output is told: its beginning, and that there was more. */
export class OutputLimit {
  #left = limit;

  /** The pieces to tell in place of these bytes. */
  take(data: Uint8Array): readonly Uint8Array[] {
    if (this.#left === 0) return [];
    const told = data.subarray(0, this.#left);
    this.#left -= told.length;
    return this.#left === 0 ? [told, clipped] : [told];
  }
}
