import type { VolumeCreateRequest } from '../volume.ts';
import { map, read, string, struct } from './shape.ts';

const text = string();

const createRequest = struct<VolumeCreateRequest>('volume.CreateOptions', {
  Name: text,
  Driver: text,
  DriverOpts: map(text),
  Labels: map(text),
});

/** Reads the body of POST /volumes/create. Throws invalidArgument `invalid JSON: …`. */
export const parseVolumeCreateRequest = (body: unknown): VolumeCreateRequest =>
  read(createRequest, body, { owner: 'CreateOptions' });
