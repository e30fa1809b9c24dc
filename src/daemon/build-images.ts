import type { ClientImages } from '#build';
import type { ImageRecord, Images } from '#images';
import { parseReference } from '#oci';

/** Name by which clients know the Hub's credentials in a session. */
const hub = 'registry-1.docker.io';

/** Base images of builds: those that are here, else pulled with the client's own credentials. */
export const clientImages = (images: Images): ClientImages => ({
  resolve: async (reference, { platform, pull, signal, credentials }): Promise<ImageRecord> => {
    const known = images.find(reference);
    const fits = known?.config.os === platform.os && known.config.architecture === platform.architecture;
    if (known && fits && !pull) return known;
    const { domain } = parseReference(reference);
    const auth = await credentials(domain === 'docker.io' ? hub : domain);
    await images.pull(reference, { platform, signal, report: () => undefined, ...(auth && { auth }) });
    return images.get(reference);
  },
});
