export type * from './images.ts';
export type * from './image-handover.ts';
export {
  topOf,
  type BuildClaim,
  type BuiltLayer,
  type ImageBuilding,
  type LayerStack,
} from './image-building.ts';
export { createImages, type ImagesOptions } from './local-images.ts';
export type * from './image-upkeep.ts';
export type { ImageUser } from './image-removal.ts';
