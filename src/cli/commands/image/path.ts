/** The path of an image; slashes of its name stay as they are. */
export const imagePath = (name: string): string =>
  `/images/${encodeURI(name).replaceAll('?', '%3F').replaceAll('#', '%23')}`;
