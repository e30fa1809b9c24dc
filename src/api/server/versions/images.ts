import { objectAt, type JsonObject } from './json-object.ts';
import type { Lowering } from './lowering.ts';

/** Written even when empty until 1.51. */
const emptyImageConfig = {
  Cmd: null,
  Entrypoint: null,
  Env: null,
  Labels: null,
  OnBuild: null,
  User: '',
  Volumes: null,
  WorkingDir: '',
};

/** Fields of a container's configuration that an image never had. */
const containerOnly = {
  Hostname: '',
  Domainname: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: '',
};

const withConfig = (image: JsonObject, defaults: JsonObject): JsonObject => ({
  ...image,
  Config: { ...defaults, ...objectAt(image, 'Config') },
});

const addVirtualSize = (image: JsonObject): JsonObject => ({ ...image, VirtualSize: image['Size'] });

/** Of GET /images/{name}/json. */
export const imageSteps: readonly Lowering[] = [
  {
    before: '1.52',
    lower: (image) => ({
      Parent: '',
      Comment: '',
      DockerVersion: '',
      Author: '',
      ...withConfig(image, emptyImageConfig),
    }),
  },
  { before: '1.50', lower: (image) => withConfig(image, containerOnly) },
  {
    before: '1.45',
    lower: (image) => ({
      ...image,
      ContainerConfig: { ...containerOnly, ...emptyImageConfig },
    }),
  },
  { before: '1.44', lower: addVirtualSize },
];

/** Of one entry of GET /images/json. */
export const imageSummarySteps: readonly Lowering[] = [
  { before: '1.51', lower: (image) => ({ ...image, Containers: -1 }) },
  { before: '1.44', lower: addVirtualSize },
  { before: '1.43', lower: nameDangling },
];

function nameDangling(image: JsonObject): JsonObject {
  const isEmpty = (field: string): boolean => !Array.isArray(image[field]) || image[field].length === 0;
  if (!isEmpty('RepoTags') || !isEmpty('RepoDigests')) return image;
  return { ...image, RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] };
}
