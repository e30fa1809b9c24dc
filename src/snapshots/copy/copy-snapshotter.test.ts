import { testSnapshotter } from '../conformance/snapshotter-conformance.ts';
import { createCopySnapshotter } from './copy-snapshotter.ts';

testSnapshotter('copy', createCopySnapshotter);
