import { objectAt, type JsonObject } from './json-object.ts';
import type { Lowering } from './lowering.ts';
import { olderFactsOf } from './older-facts.ts';

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

/** The container that an image was committed from. */
const containerOf = (facts: JsonObject): JsonObject => ({
  ...(facts['Container'] !== undefined && { Container: facts['Container'] }),
  ContainerConfig: { ...containerOnly, ...emptyImageConfig, ...objectAt(facts, 'ContainerConfig') },
});

const addVirtualSize = (image: JsonObject): JsonObject =>
  image['Size'] === 0 ? image : { ...image, VirtualSize: image['Size'] };

/** Of GET /images/{name}/json. */
export const imageSteps: readonly Lowering[] = [
  {
    before: '1.52',
    lower: (image) => ({
      Parent: olderFactsOf(image)['Parent'] ?? '',
      Comment: '',
      DockerVersion: olderFactsOf(image)['DockerVersion'] ?? '',
      Author: '',
      ...withConfig(image, emptyImageConfig),
    }),
  },
  { before: '1.50', lower: (image) => withConfig(image, containerOnly) },
  {
    before: '1.45',
    lower: (image) => ({
      ...image,
      ...containerOf(olderFactsOf(image)),
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

const orNull = (list: unknown): unknown => (Array.isArray(list) && list.length > 0 ? list : null);

function nameDangling(image: JsonObject): JsonObject {
  const isEmpty = (field: string): boolean => !Array.isArray(image[field]) || image[field].length === 0;
  if (!isEmpty('RepoTags') || !isEmpty('RepoDigests')) {
    return { ...image, RepoTags: orNull(image['RepoTags']), RepoDigests: orNull(image['RepoDigests']) };
  }
  return { ...image, RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] };
}
