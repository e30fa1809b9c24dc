import { conflict, internal, invalidArgument, notFound, type EngineError } from '#kernel';

export const noSuchSnapshot = (key: string): EngineError => notFound(`snapshot ${key} does not exist`);
export const snapshotExists = (key: string): EngineError => conflict(`snapshot ${key} exists already`);
export const snapshotIsActive = (key: string): EngineError =>
  invalidArgument(`snapshot ${key} is still being written and cannot be a parent`);
export const snapshotHasChildren = (key: string, child: string): EngineError =>
  conflict(`snapshot ${key} cannot be removed: snapshot ${child} is built on it`);
export const snapshotIsCommitted = (key: string): EngineError =>
  conflict(`snapshot ${key} is committed already`);
export const noSizeLimits = (): EngineError =>
  internal("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
