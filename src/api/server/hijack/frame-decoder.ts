import { Transform, type TransformCallback } from 'node:stream';

/** Takes the payloads out of Docker's frames, whichever stream they are of. */
export class FrameDecoder extends Transform {
  #buffer: Buffer = Buffer.alloc(0);
  /** Bytes of the current frame's payload that are still to come. */
  #rest = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    let data = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      if (this.#rest > 0) {
        const payload = data.subarray(0, this.#rest);
        this.#rest -= payload.length;
        data = data.subarray(payload.length);
        if (payload.length > 0) this.push(payload);
      }
      if (this.#rest > 0 || data.length < 8) break;
      this.#rest = data.readUInt32BE(4);
      data = data.subarray(8);
    }
    this.#buffer = data;
    callback();
  }
}
