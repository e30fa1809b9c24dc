import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CacheUsage } from './cache-usage.ts';
import { parseUsageFilter } from './usage-filter.ts';

const record: CacheUsage = {
  ...{ id: 'abc123', parents: ['def'], kind: 'exec.cachemount', description: 'cached mount /root', bytes: 1 },
  ...{ createdAt: 0n, usedAt: 0n, uses: 1, inUse: false, isShared: true, isMutable: true },
};

test('parseUsageFilter() reads conditions as BuildKit does', () => {
  const cases: readonly (readonly [filters: readonly string[], fits: boolean])[] = [
    [[], true],
    [[''], true],
    [['type==exec.cachemount'], true],
    [['type==regular'], false],
    [['type==regular', 'id==abc123'], true],
    [['type==exec.cachemount,id~=^bc'], false],
    [['id~=bc1'], true],
    [['id!=abc123'], false],
    [['description~="mount /root"'], true],
    [['shared'], true],
    [['shared==true'], true],
    [['private'], false],
    [['inuse==false'], true],
    [['mutable,parents==def'], true],
    [['parents'], true],
    [['size==1'], false],
  ];
  for (const [filters, fits] of cases) {
    assert.equal(parseUsageFilter(filters)(record), fits, filters.join(' | '));
  }
});

test('parseUsageFilter() refuses what it does not know', () => {
  for (const filter of ['id~=(', 'shared==maybe', '==x']) {
    assert.throws(() => parseUsageFilter([filter]), /failed to parse filter/, filter);
  }
});
