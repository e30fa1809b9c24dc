import type { Volume, VolumeUsageData } from '#api/types';
import { formatTime } from '#kernel';
import type { VolumeRecord } from '#volumes';

/** A volume as every endpoint shows it; `usage` only in GET /system/df. */
export function viewVolume(volume: VolumeRecord, usage?: VolumeUsageData): Volume {
  const labels = volume.anonymous ? { 'com.docker.volume.anonymous': '', ...volume.labels } : volume.labels;
  const nothing = (map: Readonly<Record<string, string>>): boolean => Object.keys(map).length === 0;
  return {
    // Whole seconds, as Docker writes this one time.
    CreatedAt: formatTime(volume.createdAt - (volume.createdAt % 1_000_000_000n)),
    Driver: volume.driver,
    Labels: nothing(labels) ? null : labels,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: nothing(volume.options) ? null : volume.options,
    Scope: 'local',
    ...(volume.locked && { Status: { Locked: true } }),
    ...(usage && { UsageData: usage }),
  };
}
