import type { Volume } from '#api/types';
import type { Listing } from '../../format/listing.ts';
import { decimalSize } from '../../format/units.ts';
import { formatLabels } from '../container/listing.ts';

/** The columns of a list of volumes. */
export const volumeListing: Listing<Volume> = {
  typeName: '*formatter.volumeContext',
  headers: {
    Name: 'VOLUME NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    Availability: 'AVAILABILITY',
    Mountpoint: 'MOUNTPOINT',
    Labels: 'LABELS',
    Links: 'LINKS',
    Size: 'SIZE',
    Group: 'GROUP',
    Status: 'STATUS',
  },
  columns: (volume) => ({
    Name: () => volume.Name,
    Driver: () => volume.Driver,
    Scope: () => volume.Scope,
    Mountpoint: () => volume.Mountpoint,
    Labels: () => formatLabels(volume.Labels),
    Label: (name) => volume.Labels?.[String(name)] ?? '',
    Links: () => (volume.UsageData ? String(volume.UsageData.RefCount) : 'N/A'),
    Size: () => (volume.UsageData ? decimalSize(volume.UsageData.Size) : 'N/A'),
    Group: () => 'N/A',
    Availability: () => 'N/A',
    Status: () => (volume.Status?.['Locked'] === true ? 'locked' : 'N/A'),
  }),
};
