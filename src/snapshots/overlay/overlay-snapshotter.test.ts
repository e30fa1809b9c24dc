import { testSnapshotter } from '../conformance/snapshotter-conformance.ts';
import { createOverlaySnapshotter } from './overlay-snapshotter.ts';

testSnapshotter('overlay', createOverlaySnapshotter);
