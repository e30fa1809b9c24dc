import { BaseImageFinder, type ClientImages } from '#build';
import type { Images } from '#images';

/** Name by which clients know the Hub's credentials in a session. */
const hub = 'registry-1.docker.io';

/** Base images of builds: those that are here, else pulled with the client's own credentials. */
export function clientImages(images: Images): ClientImages {
  const finder = new BaseImageFinder(images);
  return {
    resolve: (reference, { credentials, ...options }) =>
      finder.find(reference, {
        ...options,
        credentials: (domain) => credentials(domain === 'docker.io' ? hub : domain),
        report: () => undefined,
      }),
  };
}
