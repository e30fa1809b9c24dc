import { invalidArgument } from '#kernel';
import {
  asArray,
  asDigest,
  asObject,
  checkFields,
  isBoolean,
  isEmptyObject,
  isMap,
  isNumber,
  isString,
  isStrings,
  parseObject,
  withoutNulls,
} from './json.ts';
import type { ImageConfig } from './types.ts';

const what = 'image configuration';

const topFields = {
  os: isString,
  architecture: isString,
  variant: isString,
  'os.version': isString,
  'os.features': isStrings,
  created: isString,
  author: isString,
  container: isString,
  docker_version: isString,
};

const runtimeFields = {
  User: isString,
  ExposedPorts: isMap(isEmptyObject),
  Env: isStrings,
  Entrypoint: isStrings,
  Cmd: isStrings,
  Volumes: isMap(isEmptyObject),
  WorkingDir: isString,
  Labels: isMap(isString),
  StopSignal: isString,
  StopTimeout: isNumber,
  ArgsEscaped: isBoolean,
  OnBuild: isStrings,
  Shell: isStrings,
};

const healthFields = {
  Test: isStrings,
  Interval: isNumber,
  Timeout: isNumber,
  StartPeriod: isNumber,
  StartInterval: isNumber,
  Retries: isNumber,
};

const historyFields = {
  created: isString,
  created_by: isString,
  author: isString,
  comment: isString,
  empty_layer: isBoolean,
};

/**
 * The configuration blob (image-spec config.md). Missing os or architecture become '' as in Docker. Throws
 * invalidArgument; the number of diffIDs is for the caller to compare with the manifest's layers.
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const document = parseObject(bytes, what);
  checkFields(document, topFields, what);
  if (document.rootfs === undefined) throw invalidArgument('invalid rootfs in image configuration');
  const rootfs = asObject(document.rootfs, what, 'rootfs');
  if (rootfs.type !== undefined && rootfs.type !== 'layers') {
    throw invalidArgument(`invalid ${what}: rootfs.type must be "layers"`);
  }
  const diffIds = asArray(rootfs.diff_ids ?? [], what, 'rootfs.diff_ids');
  const config = document.config === undefined ? undefined : asObject(document.config, what, 'config');
  if (config) checkRuntime(config);
  const history = asArray(document.history ?? [], what, 'history').map((entry, n) => {
    const step = asObject(entry, what, `history[${n}]`);
    checkFields(step, historyFields, what, `history[${n}].`);
    return withoutNulls(step);
  });
  // Each field of the interface has been checked above; unknown ones are kept.
  const checked = document as unknown as ImageConfig;
  return {
    ...checked,
    os: checked.os || '',
    architecture: checked.architecture || '',
    ...(config && { config: withoutNulls(config) }),
    ...(history.length > 0 && { history }),
    rootfs: { type: 'layers', diff_ids: diffIds.map((id, n) => asDigest(id, what, `rootfs.diff_ids[${n}]`)) },
  };
}

function checkRuntime(config: Readonly<Record<string, unknown>>): void {
  checkFields(config, runtimeFields, what, 'config.');
  if (config.Healthcheck == null) return;
  checkFields(
    asObject(config.Healthcheck, what, 'config.Healthcheck'),
    healthFields,
    what,
    'config.Healthcheck.',
  );
}
