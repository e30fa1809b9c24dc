import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';

const size = 512 << 10;
/** Milliseconds between attempts to get the room back. */
const pause = 200;

/**
 * Room on the disk that is given up when the disk is full: what was begun can still be undone in the records. It is
 * taken again once there is room.
 */
export class DiskReserve {
  readonly #path: string;
  #isHeld = false;
  #nextAttempt = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes the room unless it is held; does nothing while the disk is full. */
  hold(): void {
    if (this.#isHeld || performance.now() < this.#nextAttempt) return;
    this.#nextAttempt = performance.now() + pause;
    let file: number | undefined;
    try {
      file = openSync(this.#path, 'w', 0o600);
      const zeros = Buffer.alloc(size);
      for (let at = 0; at < size;) at += writeSync(file, zeros, at);
      fsyncSync(file);
      this.#isHeld = true;
    } catch {
      rmSync(this.#path, { force: true });
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  /** Gives the room up where little else is left. */
  releaseIfFull(): void {
    if (!this.#isHeld) return;
    const { bavail, bsize } = statfsSync(this.#path);
    if (bavail * bsize < size) this.release();
  }

  /** Gives the room up; false if there was none. */
  release(): boolean {
    if (!this.#isHeld) return false;
    rmSync(this.#path, { force: true });
    this.#isHeld = false;
    this.#nextAttempt = performance.now() + pause;
    return true;
  }
}
