import type { EventSink } from '#events';
import type { ImageConfig } from '#oci';
import { familiar, type ImageName } from './image-index.ts';
import type { ImageModel } from './stored-image.ts';

/** Attributes of an image event: the image's labels, and a name that they cannot override. */
export const imageAttributes = (name: string, config?: ImageConfig): Readonly<Record<string, string>> => ({
  ...config?.config?.Labels,
  name,
});

/** Tells that an image has got a name. */
export function publishTag(events: EventSink, { id, config }: ImageModel, name: ImageName): void {
  events.publish('image', 'tag', id, imageAttributes(familiar(name), config));
}
