export type * from './images.ts';
export type * from './image-handover.ts';
export type { BuildClaim, ImageBuilding } from './image-building.ts';
export type { ImageOutputs } from './image-outputs.ts';
export type { LayerCompressionType, LayerForm } from './layer-compression.ts';
export { topOf, type BuiltLayer, type LayerStack } from './layer-stack.ts';
export { createImages, type ImagesOptions } from './local-images.ts';
export type * from './image-upkeep.ts';
export type { ImageUser } from './image-removal.ts';
