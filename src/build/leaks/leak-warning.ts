import type { BuildWarning } from '../checks/checks.ts';
import type { LocatedLeak } from './leak-watch.ts';

const rule = {
  name: 'SecretInLayer',
  description:
    'Whoever has the image can read the file, also where a later step removes it. Give it to the command that needs it with RUN --mount=type=secret, or keep it out of the context with .dockerignore',
  url: '',
};

/** A leak as a warning of the build. */
export const leakWarning = ({ path, what, location }: LocatedLeak): BuildWarning => ({
  ...{ rule, location },
  message: `${path} looks like ${what}, and is in a layer of the image`,
});
