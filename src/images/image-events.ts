import type { ImageConfig } from '#oci';

/** Attributes of an image event: the image's labels, and a name that they cannot override. */
export const imageAttributes = (name: string, config?: ImageConfig): Readonly<Record<string, string>> => ({
  ...config?.config?.Labels,
  name,
});
