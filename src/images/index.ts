export type * from './images.ts';
export type * from './image-handover.ts';
export { createImages, type ImagesOptions } from './local-images.ts';
export type * from './image-upkeep.ts';
export type { ImageUser } from './image-removal.ts';
