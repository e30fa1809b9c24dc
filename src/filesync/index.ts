/** How a tree of files travels from one side of a build to the other: packets, their framing, Go's file modes. */
export { framed, MessageBuffer } from './message-buffer.ts';
export { decodePacket, emptyStat, encodePacket } from './packets.ts';
export type { FileStat, Packet } from './packets.ts';
export { entryTypeOf, goModeOf, permissionsOf } from './go-mode.ts';
export type { EntryType } from './go-mode.ts';
